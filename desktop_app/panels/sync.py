"""The verdict, where the lag comes from, and the controls that move the sound."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QProgressBar, QSizePolicy, QVBoxLayout, QWidget

from desktop_app.actions import Actions
from desktop_app.document.corrections import NOTHING
from desktop_app.document.document import Document
from desktop_app.document.moving import moved_ms
from desktop_app.panels.anchors import AnchorsBox
from desktop_app.theme import GRID
from desktop_app.timeline.offsets import fit_of
from desktop_app.tones import tone_of
from desktop_app.widgets.bands import BandsBar
from desktop_app.widgets.basics import Speaking, action_button, button, card, label, scrolling, set_primary, set_tone
from desktop_app.widgets.move_box import MoveBox
from desktop_app.work.measuring import Measuring
from engine.sync.correction import asked_words
from engine.sync.result import Kind, Measurement
from engine.timing import Correction, DriftCorrection, Offset, StepCorrection

NUDGES = ("frame", "ten", "one")
"""How far the buttons move the sound: one frame, 10 ms, 1 ms."""

_CLOCK_HEIGHT = 20
"""Pixels of each line that says where the lag comes from: as high as the link in one of them."""
_LOOKS = 50
"""Moments of the clip at which what is left of the offset is looked for."""


class SyncPanel(Speaking):
    """Everything about the offset of the open clip."""

    calibration_wanted = Signal()
    """The user wants to say how late this computer's speakers are."""
    next_step_changed = Signal()
    """What comes next may be another step now."""

    def __init__(
        self, document: Document, measuring: Measuring, actions: Actions, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._measuring = measuring
        self._actions = actions
        self._speakers_late_ms = 0.0
        self._is_put_right = False

        self._build_verdict()
        self._build_clocks()
        self._build_correction()
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, GRID // 2, 0)
        column.setSpacing(GRID)
        for part in (self._verdict_card, self._correction_card, self.anchors):
            column.addWidget(part)
        column.addStretch()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolling(inside))

        document.measurement_changed.connect(self._show_all)
        document.correction_changed.connect(self._show_all)
        document.media_changed.connect(self._show_all)
        measuring.changed.connect(self._show_verdict)
        self.say()

    @property
    def verdict_text(self) -> str:
        """The sentence that is shown."""
        return self._sentence.text()

    @property
    def number_text(self) -> str:
        """The large number that is shown."""
        return self._number.text()

    @property
    def has_next_step(self) -> bool:
        """Whether one of the buttons here is what comes next."""
        is_urged = not self.apply_button.isHidden() and not self._is_put_right
        return is_urged or not self.begin_button.isHidden()

    def set_speakers_late(self, ms: float) -> None:
        """Show how late this computer's speakers are."""
        self._speakers_late_ms = ms
        self._show_clocks()

    def say(self) -> None:
        """Set all texts."""
        self._correction_title.setText(self.tr("CORRECTION"))
        self._clocks_title.setText(self.tr("WHERE THE LAG COMES FROM"))
        for name, text in (
            ("content", self.tr("Recording")),
            ("container", self.tr("File")),
            ("computer", self.tr("This computer")),
        ):
            self._clocks[name][0].setText(text)
        self._clocks["content"][0].setToolTip(self.tr("Camera and microphone, or the edit: it is in every copy."))
        self._clocks["container"][0].setToolTip(
            self.tr("The file itself asks players to start the sound at another time. Players that ignore it differ.")
        )
        self._clocks["computer"][0].setToolTip(
            self.tr("Speakers and headphones of this computer are late by themselves. It is never written into a clip.")
        )
        self._calibrate.setText(self.tr("Set…"))
        self._calibrate.setToolTip(self.tr("My speakers are late…"))
        self._calibrate.setAccessibleName(self.tr("My speakers are late…"))
        self.box.setAccessibleName(self.tr("How far the sound is moved"))
        self.box.setToolTip(self.tr('Type "83 earlier", "20 later" or "0.1 s later".'))
        self._earlier.setText(self.tr("earlier"))
        self._later.setText(self.tr("later"))
        self._bands.setAccessibleName(self.tr("The offset among published tolerances"))
        self._show_all()

    def _build_verdict(self) -> None:
        self._verdict_card, column = card()
        self._verdict_column = column
        self._kind = label("heading")
        self._number = label("number")
        self._interval = label("muted")
        self._sentence = label(wraps=True)
        self._bands = BandsBar()
        self._rest = label(wraps=True)
        self._notes = label("muted", wraps=True)
        self._progress = QProgressBar()
        self._progress.setRange(0, 1000)
        self._progress.setTextVisible(False)
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(self._number)
        row.addWidget(self._interval, 1)
        self.begin_button = button(self._actions["measure"].trigger, kind="primary", picture="measure")
        self.apply_button = button(self._actions["apply_measured"].trigger, kind="primary", picture="check")
        self.measure_button = button(self._actions["measure"].trigger, picture="measure")
        self.cancel_button = button(self._actions["stop_measuring"].trigger, picture="close")
        for name in ("apply_measured", "measure"):
            self._actions[name].changed.connect(self._show_buttons)
        buttons = QHBoxLayout()
        buttons.setSpacing(GRID)
        for each in (self.begin_button, self.apply_button, self.measure_button, self.cancel_button):
            each.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            buttons.addWidget(each, 0 if each is self.measure_button else 1)
        column.addWidget(self._kind)
        column.addLayout(row)
        for part in (self._progress, self._sentence, self._bands, self._rest, self._notes):
            column.addWidget(part)
        column.addLayout(buttons)

    def _build_clocks(self) -> None:
        column = self._verdict_column
        self._clocks_title = label("heading")
        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(0)
        grid.setColumnStretch(1, 1)
        self._clocks: dict[str, tuple[QLabel, QLabel]] = {}
        for row, name in enumerate(("content", "container", "computer")):
            self._clocks[name] = (label("muted"), label(wraps=True))
            grid.setRowMinimumHeight(row, _CLOCK_HEIGHT)
            grid.addWidget(self._clocks[name][0], row, 0)
            grid.addWidget(self._clocks[name][1], row, 1, 1, 1 if name == "computer" else 2)
        self._calibrate = button(self.calibration_wanted.emit, kind="link")
        grid.addWidget(self._calibrate, 2, 2)
        column.addSpacing(GRID // 2)
        column.addWidget(self._clocks_title)
        column.addLayout(grid)

    def _build_correction(self) -> None:
        self._correction_card, column = card()
        self._correction_title = label("heading")
        self._moved = label(wraps=True)
        self.box = MoveBox()
        self.box.valueChanged.connect(self._type)
        self.box.editingFinished.connect(self._document.end_merge)
        self.anchors = AnchorsBox(self._document, self._actions)
        self._earlier = label("muted")
        self._later = label("muted")
        nudges = QGridLayout()
        nudges.setSpacing(2)
        nudges.addWidget(self._earlier, 0, 0, 1, 3)
        nudges.addWidget(self._later, 0, 3, 1, 3)
        self._later.setAlignment(self._later.alignment().AlignRight)
        for column_number, (side, name) in enumerate(
            [("earlier", name) for name in NUDGES] + [("later", name) for name in reversed(NUDGES)]
        ):
            nudges.addWidget(action_button(self._actions[f"nudge_{name}_{side}"], kind="small"), 1, column_number)
            nudges.setColumnStretch(column_number, 1)
            item = nudges.itemAtPosition(1, column_number)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.setSizePolicy(widget.sizePolicy().Policy.Expanding, widget.sizePolicy().Policy.Fixed)
        history = QHBoxLayout()
        history.setSpacing(4)
        for name in ("undo", "redo", "reset"):
            history.addWidget(action_button(self._actions[name], has_text=name == "reset"))
        history.addStretch()
        column.addWidget(self._correction_title)
        column.addWidget(self._moved)
        column.addWidget(self.box)
        column.addLayout(nudges)
        column.addLayout(history)

    def _type(self, ms: float) -> None:
        correction = self._document.correction
        if isinstance(correction, Correction):
            new: Correction | DriftCorrection | StepCorrection = Correction(ms)
        elif isinstance(correction, DriftCorrection):
            new = DriftCorrection(ms, correction.rate_ppm)
        else:
            by = ms - correction.steps[0][1]
            new = StepCorrection(tuple((start, step + by) for start, step in correction.steps))
        self._document.correct(
            new, lambda: self.tr("Typed: {moved}").format(moved=asked_words(new).text()), merge_key="typed"
        )

    def _show_all(self) -> None:
        self._show_verdict()
        self._show_correction()
        self._show_clocks()

    def _show_correction(self) -> None:
        correction = self._document.correction
        self._moved.setText(_sentence(str(asked_words(correction))))
        self.box.blockSignals(True)
        self.box.setValue(self._document.correction_ms_at(0.0))
        self.box.blockSignals(False)

    def _show_verdict(self) -> None:
        found = self._document.measurement
        running = self._measuring.is_running
        self._progress.setVisible(running)
        self._progress.setValue(round(1000 * self._measuring.done))
        self.cancel_button.setVisible(running)
        final = found if found is not None and not self._document.is_partial else None
        offset = final.offset if final else None
        set_tone(self._number, "")
        self._interval.setText("")
        self._notes.hide()
        self._sentence.show()
        if final is not None:
            self._show_final(final)
        elif running:
            self._kind.setText(self.tr("MEASURING"))
            points = found.points if found else ()
            middle = sorted(point.offset_ms for point in points)[len(points) // 2] if points else None
            self._number.setText("…" if middle is None else self._short(middle))
            self._sentence.setText(
                self.tr("Looking at the lips and listening: %n place(s) so far.", "", len(points))
                if points
                else self.tr("Looking at the lips and listening…")
            )
        elif self._measuring.refusal is not None:
            self._kind.setText(self.tr("NOT MEASURED"))
            self._number.setText("—")
            self._sentence.setText(str(self._measuring.refusal))
        else:
            self._kind.setText(self.tr("NOT MEASURED YET"))
            self._number.setText("—")
            self._sentence.setText(self.tr("Measure how far lips and sound are apart."))
        left = self._left(final) if final is not None else None
        self._is_put_right = left is not None and tone_of(left) == "good"
        if self._is_put_right:
            set_tone(self._number, "")  # it is what the file has, and no alarm any more
        self._bands.setVisible(offset is not None)
        self._bands.show_offset(offset.ms if offset else None, offset.uncertainty_ms if offset else 0.0, left)
        self._rest.setVisible(left is not None)
        if left is not None:
            self._rest.setText(self.tr("With the correction: {rest}.").format(rest=Offset(left).words().text()))
            set_tone(self._rest, tone_of(left))
        self._show_buttons()

    def _left(self, found: Measurement) -> float | None:
        """Return what the correction leaves of the offset where it leaves most, ``None`` without one or the other."""
        document, fit = self._document, fit_of(found)
        if fit is None or document.correction == NOTHING:
            return None
        looks = (document.start + document.duration * share / _LOOKS for share in range(_LOOKS + 1))
        rests = [fit(t) + moved_ms(document.correction, t) for t in looks]
        return max(rests, key=abs)

    def _show_final(self, found: Measurement) -> None:
        names = {
            Kind.IN_SYNC: self.tr("IN SYNC"),
            Kind.CONSTANT: self.tr("CONSTANT OFFSET"),
            Kind.DRIFT: self.tr("DRIFT"),
            Kind.STEPS: self.tr("JUMPS"),
            Kind.JITTER: self.tr("JITTER"),
            Kind.UNMEASURABLE: self.tr("CANNOT BE MEASURED"),
        }
        self._kind.setText(names[found.kind])
        self._sentence.setText(found.verdict.text())
        offset = found.offset
        if offset is None:
            self._number.setText("—")
        else:
            self._number.setText(self._short(offset.ms))
            self._interval.setText(
                self.tr("± {ms} ms\n{percent} % sure").format(
                    ms=max(1, round(offset.uncertainty_ms)), percent=int(100 * found.confidence)
                )
            )
            set_tone(self._number, _tone(found.kind, offset))
        notes = [note.text() for note in found.notes]
        if found.drift_cause is not None:
            notes.insert(0, found.drift_cause.text())
        self._notes.setText("\n".join(notes))
        self._notes.setVisible(bool(notes))

    def _short(self, ms: float) -> str:
        if round(abs(ms)) == 0:
            return self.tr("0 ms")
        return (
            self.tr("{ms} ms late").format(ms=round(ms)) if ms > 0 else self.tr("{ms} ms early").format(ms=round(-ms))
        )

    def _show_buttons(self) -> None:
        measure, apply = self._actions["measure"], self._actions["apply_measured"]
        running = self._measuring.is_running
        is_first = not running and self._document.measurement is None
        self.begin_button.setText(measure.text())
        self.begin_button.setEnabled(measure.isEnabled())
        self.begin_button.setVisible(is_first)
        self.apply_button.setText(apply.text())
        self.apply_button.setVisible(apply.isEnabled())
        # What somebody set by ear and by eye is not to be overruled in the colour of what comes next.
        set_primary(self.apply_button, "check", is_primary=not self._is_put_right)
        again = self.tr("Measure again")
        # Beside the button that matters there is no room for two texts.
        self.measure_button.setText("" if apply.isEnabled() else again)
        self.measure_button.setToolTip(again)
        self.measure_button.setAccessibleName(again)
        self.measure_button.setEnabled(measure.isEnabled())
        self.measure_button.setVisible(not running and not is_first)
        self.cancel_button.setText(self._actions["stop_measuring"].text())
        self.next_step_changed.emit()

    def _show_clocks(self) -> None:
        found = self._document.measurement if not self._document.is_partial else None
        offset = found.offset if found else None
        container = self._document.info.container_delay if self._document.info else None
        content, container_ms = self._clocks["content"][1], 0.0 if container is None else float(container) * 1000
        content.setText(self.tr("not measured") if offset is None else offset.words().text())
        if container is None:
            said = self.tr("sound or picture is missing")
        elif round(abs(container_ms)) == 0:
            said = self.tr("starts both together")
        elif container_ms > 0:
            said = self.tr("starts the sound {ms} ms after the picture").format(ms=round(container_ms))
        else:
            said = self.tr("starts the sound {ms} ms before the picture").format(ms=round(-container_ms))
        self._clocks["container"][1].setText(said)
        late = self._speakers_late_ms
        delay = self.tr("speakers {ms} ms late").format(ms=round(late)) if late else self.tr("no speaker delay set")
        self._clocks["computer"][1].setText(delay)


def _tone(kind: Kind, offset: Offset) -> str:
    tone = tone_of(offset.ms)
    # What drifts, jumps or jitters is wrong somewhere, even if its middle is right.
    return tone if tone != "good" or kind in {Kind.IN_SYNC, Kind.CONSTANT} else "poor"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
