"""The preview: pictures, loupe, faces, and before beside after."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop_app.document.document import Document
from desktop_app.player.faces import face_at, inside, lips_at, mouth_of, opening_at, person_at
from desktop_app.player.output import SilentOutput
from desktop_app.player.player import Player
from desktop_app.player.preview import Preview
from engine.sync.result import FacePath, MouthTrace
from engine.timing import Correction
from tests.desktop_app.made import measurement
from tests.desktop_app.player.test_decoding import number
from tests.desktop_app.player.test_player import Bench, Clock
from tests.media import Clip

MakeClip = Callable[..., Clip]


def path(left: float, *, is_measured: bool = False, times: tuple[float, ...] = (1.0, 2.0)) -> FacePath:
    boxes = np.array([[left + 0.1 * n, 0.2, left + 0.2 + 0.1 * n, 0.6] for n in range(len(times))], np.float32)
    return FacePath(np.array(times), boxes, is_measured)


def test_a_face_is_followed_between_sightings_and_forgotten_far_from_them() -> None:
    walk = path(0.1, times=(1.0, 1.4))
    between = face_at(walk, 1.1)
    assert between is not None
    assert (between.left(), between.top(), between.width()) == pytest.approx((0.125, 0.2, 0.2), abs=1e-6)
    last = face_at(walk, 1.9)
    assert last is not None
    assert last.left() == pytest.approx(0.2)
    assert face_at(walk, 2.5) is None
    assert face_at(walk, 0.3) is None
    assert face_at(FacePath(np.zeros(0), np.zeros((0, 4), np.float32), is_measured=True), 1.0) is None


def test_the_loupe_shows_the_mouth_with_square_pixels_and_stays_in_the_picture() -> None:
    mouth = mouth_of(QRectF(0.4, 0.2, 0.2, 0.4), 16 / 9, 1.5)
    assert mouth.center().x() == pytest.approx(0.5)
    assert 0.2 + 0.4 * 0.6 < mouth.center().y() < 0.6
    assert mouth.width() * 16 / 9 / mouth.height() == pytest.approx(1.5)
    moved = inside(mouth_of(QRectF(-0.1, 0.7, 0.2, 0.4), 16 / 9, 1.5))
    assert QRectF(0, 0, 1, 1).contains(moved)


def test_people_are_numbered_from_the_left() -> None:
    people = [path(0.1), path(0.6)]
    assert person_at(people, 1.0, QPointF(0.2, 0.4)) == 1
    assert person_at(people, 1.0, QPointF(0.7, 0.4)) == 2
    assert person_at(people, 1.0, QPointF(0.5, 0.9)) == 0
    assert person_at(people, 9.0, QPointF(0.2, 0.4)) == 0


def test_no_opening_is_invented() -> None:
    mouth = MouthTrace(np.array([1.0, 1.04, 1.08]), np.array([0.2, np.nan, 0.3], np.float32))
    assert opening_at(mouth, 1.01) == pytest.approx(0.2)
    assert opening_at(mouth, 1.05) is None
    assert opening_at(mouth, 3.0) is None


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def document() -> Document:
    return Document()


@pytest.fixture
def player(document: Document, clock: Clock) -> Iterator[Player]:
    player = Player(document, now=clock, output=SilentOutput(clock))
    player._timer.setInterval(1_000_000)
    yield player
    player.close()


@pytest.fixture
def preview(qtbot: QtBot, player: Player, document: Document, clip: MakeClip) -> Preview:
    preview = Preview(player, document)
    qtbot.addWidget(preview)
    preview.resize(640, 400)
    with qtbot.waitExposed(preview):
        preview.show()
    document.open(clip("play.mp4", seconds=6, gop=50).path)
    qtbot.waitUntil(lambda: preview.image is not None, timeout=20_000)
    return preview


def colour_image(colour: str) -> QImage:
    image = QImage(160, 90, QImage.Format.Format_RGB32)
    image.fill(QColor(colour))
    return image


def test_the_picture_fills_the_widget_without_being_cut(preview: Preview) -> None:
    preview._show(colour_image("#c00000"), 1.0)
    shot = preview.grab().toImage()
    assert shot.pixelColor(2, 200).name() == "#c00000"
    assert shot.pixelColor(320, 22).name() == "#c00000"
    assert shot.pixelColor(320, 17).name() != "#c00000"


def test_the_loupe_lies_on_the_measured_mouth(preview: Preview, document: Document) -> None:
    image = colour_image("#000000")
    for x in range(96, 128):
        for y in range(44, 58):
            image.setPixelColor(x, y, QColor("#00c000"))
    preview._show(image, 1.0)
    document.set_measurement(replace(measurement(30), people=(path(0.1), path(0.6, is_measured=True))))
    preview.set_loupe(True)
    shot = preview.grab().toImage()
    # The mouth of the person at the right is green. The loupe, 269 x 179, keeps clear of it: at the lower left.
    middle = QPoint(8 + 134, 400 - 8 - 90)
    assert shot.pixelColor(middle).name() == "#00c000"
    document.set_face(1)
    preview.update()
    middle = QPoint(640 - 8 - 134, 400 - 8 - 90)
    assert preview.grab().toImage().pixelColor(middle).name() == "#000000"


def test_the_outline_of_the_lips_is_drawn_on_the_picture_and_in_the_loupe(preview: Preview, document: Document) -> None:
    ring = np.array([[0.2, 0.5], [0.5, 0.8], [0.8, 0.5], [0.5, 0.2]]) * 65535
    lips = np.repeat(ring, 5, axis=0).astype(np.uint16)
    seen = FacePath(
        np.array([1.0, 1.04]), np.tile([0.4, 0.2, 0.6, 0.6], (2, 1)).astype(np.float32), True, np.stack([lips] * 2)
    )
    assert lips_at(seen, 0.9) is None
    assert lips_at(seen, 1.2) is None
    found = lips_at(seen, 1.01)
    assert found is not None
    assert (found[0][0].x(), found[0][0].y()) == pytest.approx((0.44, 0.4), abs=1e-4)
    preview._show(colour_image("#000000"), 1.0)
    document.set_measurement(replace(measurement(30), people=(seen,)))
    corner = QPoint(round(640 * 0.44), round(20 + 360 * 0.4))

    def is_drawn(at: QPoint) -> bool:
        shot = preview.grab().toImage()
        return any(shot.pixelColor(at.x() + dx, at.y()).lightness() > 60 for dx in range(-2, 3))

    assert not is_drawn(corner)
    preview.set_landmarks(True)
    assert is_drawn(corner)
    document.set_measurement(replace(measurement(30), people=(replace(seen, lips=seen.lips[:0]),)))
    assert not is_drawn(corner)


def test_a_click_on_a_face_chooses_the_person(
    preview: Preview, document: Document, qtbot: QtBot, player: Player
) -> None:
    preview._show(colour_image("#000000"), 1.0)
    document.set_measurement(replace(measurement(30), people=(path(0.1), path(0.6, is_measured=True))))
    face = QPoint(round(640 * 0.7), 20 + round(360 * 0.4))
    for place, words in ((face, "Measure the lips of person 2"), (QPoint(2, 22), "")):
        QTest.mouseMove(preview, place)
        qtbot.waitUntil(lambda words=words: preview.toolTip() == words)
    with qtbot.waitSignal(preview.face_picked) as picked:
        QTest.mouseClick(preview, Qt.MouseButton.LeftButton, pos=face)
    assert picked.args == [2]
    assert not player.is_playing


def test_a_click_beside_faces_plays_and_pauses(preview: Preview, player: Player) -> None:
    QTest.mouseClick(preview, Qt.MouseButton.LeftButton, pos=QPoint(300, 200))
    assert player.is_playing
    QTest.mouseClick(preview, Qt.MouseButton.LeftButton, pos=QPoint(300, 200))
    assert not player.is_playing


def test_without_a_known_face_a_click_puts_the_loupe(preview: Preview, player: Player) -> None:
    image = colour_image("#000000")
    image.setPixelColor(0, 0, QColor("#ffffff"))
    preview._show(image, 1.0)
    preview.set_loupe(True)
    QTest.mouseClick(preview, Qt.MouseButton.LeftButton, pos=QPoint(64, 60))
    assert not player.is_playing
    assert preview._loupe_point is not None
    assert preview._loupe_point.x() == pytest.approx(0.1, abs=0.01)


def test_before_stands_beside_after_while_still(
    preview: Preview, player: Player, document: Document, qtbot: QtBot
) -> None:
    document.correct(Correction(1000.0), "moved")
    player.seek(3.0)
    preview.set_split(True)
    qtbot.waitUntil(lambda: preview._before is not None and number(preview._before.image) == 50, timeout=20_000)
    qtbot.waitUntil(lambda: preview.image is not None and number(preview.image) == 75, timeout=20_000)
    document.correct(Correction(400.0), "moved")
    qtbot.waitUntil(lambda: preview._before is not None and number(preview._before.image) == 65, timeout=20_000)
    preview.set_split(False)
    assert preview._before is None


def test_before_and_after_play_together(
    preview: Preview, player: Player, document: Document, clock: Clock, qtbot: QtBot
) -> None:
    document.correct(Correction(1000.0), "moved")
    preview.set_split(True)
    before: list[float] = []
    player.before_ready.connect(lambda _, seconds: before.append(seconds - (player.position - 1.0)))
    player.seek(1.5)
    player.play()
    bench = Bench(player, document, clock)
    bench.run(0.1)
    compared = player._compared
    assert compared is not None
    for _ in range(100):
        heard = player._output().moment()
        assert heard is not None
        compared._film.wait_for(heard, 0.01, 20.0)
        bench.run(0.008)
    assert len(before) > 15
    # All but those from before it was decoded: a tick late or early at most.
    assert np.median(np.abs(before)) < 0.012
    qtbot.waitUntil(lambda: preview._before is not None, timeout=20_000)


def test_pictures_are_decoded_as_high_as_they_are_shown(preview: Preview, player: Player) -> None:
    assert player._height == 540
    preview.resize(500, 260)
    assert player._height == 270
    preview.set_loupe(True)
    assert player._height == 720
