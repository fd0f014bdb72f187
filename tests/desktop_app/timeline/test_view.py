"""The timeline widget, driven by mouse and wheel as a person would."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPalette, QPixmap, QRegion, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop_app.document.anchors import Between
from desktop_app.document.document import Document, Marker
from desktop_app.theme import DARK, LIGHT
from desktop_app.timeline.plane import Plane, whole_pixels
from desktop_app.timeline.view import TimelineView
from engine.sync.result import Kind, Measurement, MouthTrace, PlosivePair
from engine.timing import Correction, DriftCorrection, StepCorrection
from engine.words import Message
from tests.desktop_app.made import MadeSound, measurement, media_info

SECONDS = 60.0
LEFT = Qt.MouseButton.LeftButton
NONE = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def document() -> Document:
    return Document()


@pytest.fixture
def view(qtbot: QtBot, document: Document) -> TimelineView:
    view = TimelineView(document)
    qtbot.addWidget(view)
    view.resize(1200, 460)
    document.set_media(media_info(SECONDS))
    view.set_sound(MadeSound(SECONDS))
    document.set_measurement(measurement(SECONDS))
    with qtbot.waitExposed(view):
        view.show()
    return view


def at(view: TimelineView, lane: object, seconds: float, from_top: float = 0.7) -> QPoint:
    """Return the pixel of a moment in a lane."""
    area = lane.area()  # type: ignore[attr-defined]
    return QPointF(view._places.pixel(seconds), area.top() + from_top * area.height()).toPoint()


def drag(view: TimelineView, start: QPoint, stop: QPoint, modifiers: Qt.KeyboardModifier = NONE) -> None:
    port = view._canvas.viewport()
    QTest.mousePress(port, LEFT, modifiers, start)
    for share in (0.3, 0.7, 1.0):
        between = QPointF(start) + (QPointF(stop) - QPointF(start)) * share
        # QTest's own moves carry no modifiers.
        view._canvas.moved.emit(between, modifiers)
    QTest.mouseRelease(port, LEFT, modifiers, stop)


def turn(view: TimelineView, position: QPoint, notches: int, modifiers: Qt.KeyboardModifier = NONE) -> None:
    port = view._canvas.viewport()
    where = QPointF(position)
    down = QPoint(0, 120 * notches)
    event = QWheelEvent(
        where,
        port.mapToGlobal(where),
        QPoint(),
        down,
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(port, event)


def column(view: TimelineView, lane: object, x: int) -> list[str]:
    """Return the colours of one column of pixels in a lane, from the top."""
    image = view._canvas.grab().toImage()
    area = lane.area().toRect()  # type: ignore[attr-defined]
    return [image.pixelColor(x, y).name() for y in range(area.top(), area.bottom())]


def test_opening_a_clip_shows_all_of_it(view: TimelineView) -> None:
    start, stop = view.span
    assert start <= 0
    assert stop >= SECONDS


def test_a_click_seeks_and_holding_scrubs(view: TimelineView, qtbot: QtBot) -> None:
    sought: list[float] = []
    view.seek_requested.connect(sought.append)
    with qtbot.waitSignals([view.scrub_started, view.scrub_finished]):
        drag(view, at(view, view._mouth_lane, 10), at(view, view._mouth_lane, 20))
    assert sought[0] == pytest.approx(10, abs=0.1)
    assert sought[-1] == pytest.approx(20, abs=0.1)


def test_scrubbing_stops_at_the_ends(view: TimelineView) -> None:
    sought: list[float] = []
    view.seek_requested.connect(sought.append)
    drag(view, at(view, view._ruler_lane, 58), at(view, view._ruler_lane, 75))
    assert sought[-1] == SECONDS


def test_the_wheel_pans_and_control_zooms_at_the_pointer(view: TimelineView) -> None:
    view.set_span(10, 20)
    turn(view, at(view, view._sound_lane, 15), -1)
    assert view.span == pytest.approx((11, 21))
    pointer = at(view, view._sound_lane, 13)
    before = view._places.seconds(QPointF(pointer))
    turn(view, pointer, 3, Qt.KeyboardModifier.ControlModifier)
    assert view.span[1] - view.span[0] == pytest.approx(10 / 1.25**3)
    assert view._places.seconds(QPointF(pointer)) == pytest.approx(before)


def test_zoom_reaches_single_samples_and_comes_back(view: TimelineView) -> None:
    view.set_span(10, 10.0005)
    assert view.span[1] - view.span[0] == pytest.approx(0.004)
    view._canvas.grab()
    assert view._waves[0].drawn == "stems"
    view.set_span(10, 10.015)
    view._canvas.grab()
    assert view._waves[0].drawn == "line"
    view.fit()
    view._canvas.grab()
    assert view._waves[0].drawn == "bars"


def test_shift_and_the_wheel_make_the_sound_higher(view: TimelineView) -> None:
    where = at(view, view._sound_lane, 15)
    turn(view, where, 2, Qt.KeyboardModifier.ShiftModifier)
    assert view.amplitude == pytest.approx(1.25**2)
    turn(view, where, -9, Qt.KeyboardModifier.ShiftModifier)
    assert view.amplitude == 1.0


def test_alt_and_the_wheel_step_frames(view: TimelineView) -> None:
    steps: list[int] = []
    view.step_requested.connect(steps.append)
    turn(view, at(view, view._sound_lane, 15), -1, Qt.KeyboardModifier.AltModifier)
    turn(view, at(view, view._sound_lane, 15), 2, Qt.KeyboardModifier.AltModifier)
    assert steps == [1, -2]


def handle(view: TimelineView, seconds: float) -> QPoint:
    return at(view, view._sound_lane, seconds, 0.05)


def test_dragging_the_handle_moves_the_sound_as_one_undo_step(view: TimelineView, document: Document) -> None:
    view.set_snapping(False)
    view.set_span(10, 12)
    pixels = 1 / view._places.seconds_per_pixel()
    start = handle(view, 11)
    drag(view, start, start + QPoint(-round(0.25 * pixels), 0))
    assert document.correction_ms_at(0) == pytest.approx(-250, abs=1)
    assert document.undo_stack.count() == 1
    assert document.undo_stack.undoText() == "Sound dragged"
    drag(view, handle(view, 11), handle(view, 11) + QPoint(30, 0))
    assert document.undo_stack.count() == 2
    document.undo_stack.undo()
    document.undo_stack.undo()
    assert document.correction == Correction(0.0)


def test_a_drag_snaps_to_the_measured_offset_and_shift_bypasses(view: TimelineView, document: Document) -> None:
    view.set_span(10, 12)
    near = handle(view, 11) + QPoint(round(-0.086 / view._places.seconds_per_pixel()), 0)
    drag(view, handle(view, 11), near)
    assert document.correction == Correction(-83.0)
    assert document.undo_stack.undoText() == "Sound dragged to the measured offset"
    document.undo_stack.undo()
    drag(view, handle(view, 11), near, Qt.KeyboardModifier.ShiftModifier)
    assert document.correction_ms_at(0) == pytest.approx(-86, abs=1)
    assert document.correction != Correction(-83.0)


def test_dragging_asks_for_no_sound_until_it_is_painted(view: TimelineView, document: Document) -> None:
    view.set_span(10, 12)
    view._canvas.grab()
    sound = view._sound
    assert isinstance(sound, MadeSound)
    before = sound.asked
    for ms in range(50):
        document.correct(Correction(float(-ms)), "dragged", "drag")
    assert sound.asked == before
    assert view._waves[0].pos().x() == pytest.approx(-0.049)


def test_the_sound_is_drawn_where_the_correction_puts_it(view: TimelineView, document: Document) -> None:
    spike = MadeSound(SECONDS)
    spike._values[:] = 0
    spike._values[15 * 48_000] = 1.0
    view.set_sound(spike)
    document.set_measurement(None)
    view.set_span(14.9, 15.1)
    document.correct(Correction(40.0), "moved")

    def sound_at(seconds: float) -> bool:
        # To the pixel that holds the moment, or its neighbour.
        x = int(view._places.pixel(seconds))
        return any(DARK.sound in column(view, view._sound_lane, near)[30:50] for near in (x - 1, x, x + 1))

    view._theme = DARK
    view._colour()
    assert sound_at(15.04)
    assert not sound_at(15.0)


def test_dragging_a_drift_keeps_its_slope(view: TimelineView, document: Document) -> None:
    document.correct(DriftCorrection(-20.0, 145.0), "fitted")
    view.set_snapping(False)
    view.set_span(10, 12)
    drag(view, handle(view, 11), handle(view, 11) + QPoint(60, 0))
    assert isinstance(document.correction, DriftCorrection)
    assert document.correction.rate_ppm == 145.0
    assert document.correction.at_zero_ms > 40


def test_a_click_on_a_point_selects_it_and_shows_its_curve(view: TimelineView, document: Document) -> None:
    assert document.measurement is not None
    point = document.measurement.points[2]
    area = view._offset_lane.area()
    share = 0.5 - point.offset_ms / (view._offset_lane.high - view._offset_lane.low)
    where = QPointF(view._places.pixel(point.t), area.top() + share * area.height()).toPoint()
    QTest.mouseClick(view._canvas.viewport(), LEFT, NONE, where)
    assert view.selected == 2
    assert view._inset.isVisible()
    assert view._inset.curve is document.measurement.curves[2]
    QTest.mouseDClick(view._canvas.viewport(), LEFT, NONE, where)
    assert view.span == pytest.approx((point.t - 3.6, point.t + 3.6), abs=0.01)


def test_range_ends_can_be_dragged_but_not_past_each_other(view: TimelineView, document: Document) -> None:
    document.set_range(20.0, 40.0)
    drag(view, at(view, view._ruler_lane, 20), at(view, view._ruler_lane, 10))
    assert document.in_point == pytest.approx(10, abs=0.1)
    drag(view, at(view, view._ruler_lane, 40), at(view, view._ruler_lane, 5))
    assert document.out_point == document.in_point


def test_a_click_on_a_marker_seeks_exactly_there(view: TimelineView, document: Document) -> None:
    document.add_marker(12.345, "here")
    sought: list[float] = []
    view.seek_requested.connect(sought.append)
    QTest.mouseClick(view._canvas.viewport(), LEFT, NONE, at(view, view._ruler_lane, 12.345) + QPoint(3, 0))
    assert sought == [12.345]


def test_the_view_follows_a_playhead_that_leaves_it(view: TimelineView) -> None:
    view.set_span(10, 20)
    view.set_playhead(19)
    assert view.span == pytest.approx((10, 20))
    view.set_playhead(20.1)
    assert view.span[0] == pytest.approx(19.6)
    view.set_span(40, 50)
    view.set_playhead(20.2)
    assert view.span == pytest.approx((40, 50))
    view.set_playhead(20.2, is_asked_for=True)  # told again where it is: nobody went anywhere
    assert view.span == pytest.approx((40, 50))
    view.set_playhead(20.24, is_asked_for=True)
    assert view.span[0] <= 20.24 <= view.span[1]


def test_pictures_are_asked_for_once_the_middle_first_and_drawn(view: TimelineView) -> None:
    asked: list[list[float]] = []
    view.thumbnails_wanted.connect(asked.append)
    view.set_span(10, 20)
    assert abs(asked[-1][0] - 15) <= abs(asked[-1][-1] - 15)
    red = QImage(96, 54, QImage.Format.Format_RGB32)
    red.fill(QColor("#c00000"))
    for seconds in asked[-1]:
        view.add_thumbnail(seconds, red)
    count = len(asked)
    view.set_span(10, 20)
    view.set_span(10.01, 20.01)
    assert all(len(times) <= 1 for times in asked[count:])
    # One of two columns may be the gap between two pictures.
    assert "#c00000" in column(view, view._frames_lane, 600) + column(view, view._frames_lane, 603)


def test_lanes_without_content_are_not_shown(view: TimelineView, document: Document) -> None:
    document.set_media(media_info(10, picture=False))
    assert not view._frames_lane.box.isVisible()
    assert view._sound_lane.box.isVisible()
    document.set_media(media_info(10, sound=False))
    assert view._frames_lane.box.isVisible()
    assert not view._sound_lane.box.isVisible()


def test_it_follows_the_colours_of_the_system(view: TimelineView) -> None:
    for theme in (LIGHT, DARK):
        palette = QPalette()
        palette.setColor(QPalette.ColorRole.Window, QColor(theme.ground))
        view.setPalette(palette)
        assert theme.panel in column(view, view._mouth_lane, 600)


def test_the_playhead_repaints_only_its_own_strip(view: TimelineView) -> None:
    view.set_span(10, 20)
    view._canvas.grab()
    exposed: list[float] = []
    wave = view._waves[0]
    paint = wave.paint_plane

    def remember(painter: object, plane: object) -> None:
        exposed.append(plane.exposed.width())  # type: ignore[attr-defined]
        paint(painter, plane)  # type: ignore[arg-type]

    wave.paint_plane = remember  # type: ignore[method-assign,assignment]
    QApplication.processEvents()
    exposed.clear()
    view.set_playhead(15.0)
    QApplication.processEvents()
    view.set_playhead(15.02)
    QApplication.processEvents()
    assert exposed
    assert max(exposed) < 1000


def test_a_file_that_begins_late_has_its_own_clock(qtbot: QtBot, document: Document) -> None:
    view = TimelineView(document)
    qtbot.addWidget(view)
    document.set_media(media_info(10, start=1000.0))
    assert view.span[0] <= 1000 <= 1010 <= view.span[1]
    view.set_span(0, 1)
    assert view.span[0] >= 999


def test_the_mouth_is_not_joined_where_no_face_was_seen(view: TimelineView) -> None:
    view._theme = DARK
    view._colour()
    view.set_span(7, 10)
    assert DARK.mouth not in column(view, view._mouth_lane, round(view._places.pixel(8.6)))
    trace = column(view, view._mouth_lane, round(view._places.pixel(7.52)))
    assert len(set(trace)) > 2
    assert np.isfinite(view.span).all()


def test_a_timeline_made_after_the_clip_was_opened_shows_all_of_it(qtbot: QtBot, document: Document) -> None:
    document.set_media(media_info(SECONDS))
    document.set_measurement(measurement(SECONDS))
    document.correct(Correction(-40.0), "moved")
    view = TimelineView(document)
    qtbot.addWidget(view)
    view.set_sound(MadeSound(SECONDS))
    assert view._waves[0].pos().x() == pytest.approx(-0.04)
    view.select_point(1)
    assert view._inset.curve is not None


def test_thousands_of_points_are_painted_as_a_crowd(view: TimelineView, document: Document) -> None:
    document.set_media(media_info(10_800))
    document.set_measurement(measurement(10_800))
    view._theme = DARK
    view._colour()
    area = view._offset_lane.area()
    y = round(area.top() + (0.5 - 83 / 300) * area.height())
    image = view._canvas.grab().toImage()
    colours = {image.pixelColor(x, y).name() for x in range(200, 1100)}
    assert {DARK.poor, DARK.muted} <= colours


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
def test_columns_fall_on_neighbouring_pixels(ratio: float) -> None:
    exposed = QRectF(0, 0, 1000, 160)
    plane = Plane(117.3, -991.37, -50, 80, exposed, screen=(0, 1000), ratio=ratio)
    found = whole_pixels(plane, 1234 / (117.3 * ratio), np.arange(2000)) * ratio
    assert np.all(np.abs(np.diff(found) - 1) < 1e-6)
    assert np.all(np.abs(found % 1 - 0.5) < 1e-6)


def level(view: TimelineView, document: Document, index: int) -> QPoint:
    point = document.anchors.points[index]
    area, high = view._offset_lane.area(), view._offset_lane.high
    return QPointF(view._places.pixel(point.shown), area.top() + (0.5 + point.ms / 2 / high) * area.height()).toPoint()


def test_pulling_two_anchors_makes_a_drift_in_one_step_each(view: TimelineView, document: Document) -> None:
    view.set_snapping(False)
    for seconds, by in ((10.0, 40), (50.0, -60)):
        document.drop_anchor(seconds)
        assert document.selected_anchor is not None
        shown = document.anchors.points[document.selected_anchor].shown
        drag(view, handle(view, shown), handle(view, shown) + QPoint(by, 0))
    second = document.anchors.points[1].ms
    assert isinstance(document.correction, DriftCorrection)
    assert document.correction.at(50.0) == pytest.approx(second)
    assert document.undo_stack.count() == 4
    assert document.undo_stack.undoText() == "Anchor dragged"
    assert len(view._waves) == 1
    assert view._waves[0].transform().m11() == pytest.approx(1 + document.correction.rate_ppm / 1e6)
    view._canvas.grab()


def test_pulling_anchors_in_steps_moves_what_comes_after_them(view: TimelineView, document: Document) -> None:
    document.join_anchors(Between.STEPS)
    view.set_snapping(False)
    document.drop_anchor(0.0)
    document.drop_anchor(20.0)
    drag(view, handle(view, 20.0), handle(view, 20.0) + QPoint(30, 0))
    assert isinstance(document.correction, StepCorrection)
    assert document.correction.at(10.0) == 0.0
    assert document.correction.at(30.0) == pytest.approx(30_000 * view._places.seconds_per_pixel(), abs=30)
    assert [wave.pos().x() for wave in view._waves] == pytest.approx([0.0, document.correction.at(30.0) / 1000])


def test_an_anchor_snaps_to_a_burst_on_its_lips_and_to_what_was_measured_there(
    view: TimelineView, document: Document
) -> None:
    view.set_span(10, 12)
    document.drop_anchor(11.0)
    near = handle(view, 11) + QPoint(round(-0.086 / view._places.seconds_per_pixel()), 0)
    drag(view, handle(view, 11), near)
    assert document.correction == Correction(-83.0)
    assert document.undo_stack.undoText() == "Anchor dragged to the measured offset"
    document.undo_stack.undo()
    assert document.measurement is not None
    document.set_measurement(
        Measurement("made.mp4", Kind.JITTER, Message("x"), plosives=(PlosivePair(11.0, 11.052),), points=())
    )
    drag(view, handle(view, 11), handle(view, 11) + QPoint(round(-0.054 / view._places.seconds_per_pixel()), 0))
    assert document.anchors.points[0].ms == pytest.approx(-52.0)
    assert document.undo_stack.undoText() == "Burst at the anchor dragged onto its lips"
    document.undo_stack.undo()
    wandered = handle(view, 11) + QPoint(round(-0.054 / view._places.seconds_per_pixel()), 0)
    drag(view, handle(view, 11), wandered, Qt.KeyboardModifier.ShiftModifier)
    assert document.anchors.points[0].ms != pytest.approx(-52.0)


def test_an_anchor_is_pulled_in_the_offset_lane_too(view: TimelineView, document: Document) -> None:
    view.set_snapping(False)
    document.drop_anchor(30.0)
    start = level(view, document, 0)
    drag(view, start, start + QPoint(0, -10))
    # Up is a later sound, which is undone by moving it earlier.
    assert document.anchors.points[0].ms == pytest.approx(-10 * view._places.offset_per_pixel(), rel=0.2)
    assert document.undo_stack.count() == 2


def test_control_brings_an_anchor_to_another_moment(view: TimelineView, document: Document) -> None:
    document.join_anchors(Between.STEPS)
    document.drop_anchor(0.0)
    document.drop_anchor(20.0)
    document.pull_anchor(1, 500.0, "pulled")
    before = handle(view, 20.5)
    drag(view, before, before + QPoint(100, 0), Qt.KeyboardModifier.ControlModifier)
    point = document.anchors.points[1]
    assert point.heard == pytest.approx(20 + 100 * view._places.seconds_per_pixel(), abs=0.1)
    assert point.ms == 500.0


def test_a_click_selects_an_anchor_and_what_is_selected_can_be_taken_away(
    view: TimelineView, document: Document
) -> None:
    document.drop_anchor(10.0)
    document.drop_anchor(40.0)
    QTest.mouseClick(view._canvas.viewport(), LEFT, NONE, handle(view, 10.0))
    assert document.selected_anchor == 0
    assert document.undo_stack.count() == 2
    view.delete_selected()
    assert [point.heard for point in document.anchors.points] == [40.0]
    QTest.mouseClick(view._canvas.viewport(), LEFT, NONE, at(view, view._mouth_lane, 20))
    assert not view.has_selected


def test_the_offset_lane_grows_to_show_an_anchor(view: TimelineView, document: Document) -> None:
    before = view._offset_lane.high
    document.drop_anchor(10.0)
    document.pull_anchor(0, 700.0, "pulled")
    assert view._offset_lane.high >= 700
    document.undo_stack.undo()
    assert view._offset_lane.high == before


def test_a_marker_is_dragged_in_time_as_one_step(view: TimelineView, document: Document) -> None:
    document.add_marker(20.0, "here")
    document.add_marker(25.0)
    start = at(view, view._ruler_lane, 20, 0.2)
    drag(view, start, at(view, view._ruler_lane, 30, 0.2))
    assert document.markers[1].t == pytest.approx(30, abs=0.1)
    assert document.markers[1].text == "here"
    assert document.undo_stack.undoText() == "Marker moved"
    document.undo_stack.undo()
    assert document.markers == (Marker(20.0, "here"), Marker(25.0))


def test_a_marker_is_named_by_a_double_click_and_taken_away(view: TimelineView, document: Document) -> None:
    document.add_marker(20.0)
    where = at(view, view._ruler_lane, 20, 0.2)
    QTest.mouseClick(view._canvas.viewport(), LEFT, NONE, where)
    QTest.mouseDClick(view._canvas.viewport(), LEFT, NONE, where)
    assert view._field.isVisible()
    QTest.keyClicks(view._field, "the word papa")
    QTest.keyClick(view._field, Qt.Key.Key_Return)
    assert document.markers == (Marker(20.0, "the word papa"),)
    assert not view._field.isVisible()
    QTest.mouseClick(view._canvas.viewport(), LEFT, NONE, where)
    view.edit_marker()
    QTest.keyClicks(view._field, "no")
    QTest.keyClick(view._field, Qt.Key.Key_Escape)
    assert document.markers == (Marker(20.0, "the word papa"),)
    view.delete_selected()
    assert document.markers == ()
    document.undo_stack.undo()
    document.undo_stack.undo()
    assert document.markers == (Marker(20.0),)


def test_each_drag_of_a_range_end_is_a_step_of_its_own(view: TimelineView, document: Document) -> None:
    document.set_range(20.0, 40.0)
    drag(view, at(view, view._ruler_lane, 20), at(view, view._ruler_lane, 10))
    drag(view, at(view, view._ruler_lane, 10), at(view, view._ruler_lane, 15))
    document.undo_stack.undo()
    assert document.in_point == pytest.approx(10, abs=0.1)
    document.undo_stack.undo()
    assert document.in_point == 20.0


def test_the_line_of_what_is_undone_jumps_where_the_sound_does(view: TimelineView, document: Document) -> None:
    # 50.025 as a float lies before the step of that name.
    document.set_measurement(None)
    document.correct(StepCorrection(((Fraction(0), 40.0), (Fraction("50.025"), -90.0))), "as measured")
    view._theme = DARK
    view._colour()
    lane = view._offset_lane
    image = view._canvas.grab().toImage()

    def heights(seconds: float) -> set[int]:
        x = round(view._places.pixel(seconds))
        return {
            y
            for y in range(lane.area().toRect().top(), lane.area().toRect().bottom())
            for near in range(x - 6, x + 6)
            if image.pixelColor(near, y).name() == DARK.accent
        }

    assert len(heights(10.0)) == 1
    assert heights(10.0) == heights(45.0)
    assert heights(10.0) != heights(55.0)


def test_the_line_of_what_is_undone_stays_level_up_to_a_hole_between_stretches(
    view: TimelineView, document: Document
) -> None:
    # From 25.0 s, where the earlier stretch ends, to 30.5 s, where the later one begins, nothing is heard.
    document.correct(StepCorrection(((Fraction(0), -5000.0), (Fraction(30), 500.0))), "as measured")
    applied = view._points._applied
    assert applied is not None
    assert [applied(t) for t in (10.0, 27.0, 30.4, 30.6)] == [5000.0, 5000.0, 5000.0, -500.0]


def test_a_single_open_mouth_is_seen_among_hours_of_closed_ones(view: TimelineView, document: Document) -> None:
    hours = 3 * 3600.0
    times = np.arange(0, hours, 0.04)
    opening = np.full(len(times), 0.02, np.float32)
    opening[len(times) // 4 : len(times) // 4 + 30_000] = 0.2
    opening[len(times) // 2] = 0.5
    opening[3 * len(times) // 4 :] = np.nan
    document.set_media(media_info(hours))
    document.set_measurement(Measurement("made.mp4", Kind.JITTER, Message("x"), mouth=MouthTrace(times, opening)))
    view._theme = DARK
    view._colour()

    def height(seconds: float) -> int:
        x = round(view._places.pixel(seconds))
        return max(sum(c != DARK.panel for c in column(view, view._mouth_lane, near)) for near in (x - 1, x, x + 1))

    assert height(hours / 2) > 2 * height(hours * 0.4)
    assert height(hours / 4 + 600) > height(hours * 0.4)
    assert height(hours * 0.9) < height(hours * 0.4)


@pytest.mark.parametrize("span", [(0.0, 60.0), (10.0, 20.0), (14.0, 15.0)])
def test_what_the_playhead_uncovers_looks_as_before(
    view: TimelineView, document: Document, span: tuple[float, float]
) -> None:
    document.correct(StepCorrection(((Fraction(0), -80.0), (Fraction(29, 2), 40.0))), "steps")
    document.add_marker(14.5, "here")
    document.set_range(14.25, 45.0)
    document.drop_anchor(14.6)
    view.set_span(*span)
    port = view._canvas.viewport()
    whole = port.grab().toImage()
    area = view._places.area().toRect()
    for width in (5, 40):
        pieced = QPixmap.fromImage(whole)
        painter = QPainter(pieced)
        for x in range(area.left() - 1, area.right(), width):
            strip = QRect(x, 0, width, port.height())
            port.render(painter, strip.topLeft(), QRegion(strip))
        painter.end()
        assert _differing(pieced.toImage(), whole) == []


def _differing(one: QImage, other: QImage) -> list[tuple[int, int]]:
    """Return the places at which two pictures differ by more than a smoothed line may where it is cut: 5 of 255."""
    pixels = [
        np.frombuffer(image.convertToFormat(QImage.Format.Format_RGB32).constBits(), np.uint8)
        .reshape(image.height(), image.width(), 4)
        .astype(np.int16)
        for image in (one, other)
    ]
    rows, columns = np.nonzero(np.abs(pixels[0] - pixels[1]).max(axis=2) > 5)
    return list(zip(columns.tolist(), rows.tolist(), strict=True))[:20]
