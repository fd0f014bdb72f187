"""What is rendered from: who speaks, and what is said."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from desktop_app.document.order import Order
from desktop_app.panels.generation.face_marker import GUESS
from desktop_app.panels.generation.wells import FaceWell, VoiceWell
from desktop_app.theme import GRID
from desktop_app.widgets.basics import Speaking, button, label
from desktop_app.work.inputs import FaceReader, VoiceReader
from engine.media.probe import MediaInfo
from engine.refusal import Refusal
from engine.timing import clock_words


class FaceAndVoice(Speaking):
    """Two places to put a file into, which show what is in it.

    Args:
        order: takes the files.

    Attributes:
        face_well: shows the face.
        voice_well: shows the voice.
        own_voice_button: takes the voice of the face's own file.
        mark_button: lets the user mark the face, or takes the marks away.
        image: the face; null while there is none.
    """

    refused = Signal(object)
    """A file cannot be used; the refusal."""
    chosen = Signal()
    """The user chose something: what is looked at is the next render."""
    image_changed = Signal()
    """:attr:`image` is another one now."""

    def __init__(self, order: Order, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._order = order
        self._is_to_be_marked = False
        self.image = QImage()
        self._face_reader, self._voice_reader = FaceReader(self), VoiceReader(self)
        self._title = label("heading")
        self.face_well, self.voice_well = FaceWell(), VoiceWell()
        self.own_voice_button = button(self._use_own_voice, kind="link")
        self.mark_button = button(self._mark_or_not, kind="link")
        wells = QHBoxLayout()
        wells.setSpacing(GRID)
        wells.addWidget(self.face_well, 1)
        wells.addWidget(self.voice_well, 1)
        links = QHBoxLayout()
        links.setSpacing(2 * GRID)
        links.addWidget(self.own_voice_button)
        links.addWidget(self.mark_button)
        links.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(self._title)
        column.addLayout(wells)
        column.addLayout(links)
        self.own_voice_button.hide()
        self.face_well.clicked.connect(self._ask_source)
        self.voice_well.clicked.connect(self._ask_voice)
        self.face_well.emptied.connect(self._drop_source)
        self.voice_well.emptied.connect(self._drop_voice)
        self._face_reader.seen.connect(self._show_face)
        self._face_reader.refused.connect(self._refuse_face)
        self._voice_reader.heard.connect(self._hear)
        self._voice_reader.grown.connect(self.voice_well.add)
        self._voice_reader.finished.connect(self.voice_well.finish)
        self._voice_reader.refused.connect(self._refuse_voice)
        order.changed.connect(self._show_marking)
        self.say()

    def say(self) -> None:
        """Set all texts."""
        self._title.setText(self.tr("FACE AND VOICE"))
        self.face_well.name(self.tr("Face"), self.tr("a picture or a video"), self.tr("Take it away"))
        self.voice_well.name(self.tr("Voice"), self.tr("what is to be said"), self.tr("Take it away"))
        self.own_voice_button.setText(self.tr("Use the video's own voice"))
        self._show_marking()

    def set_source(self, path: Path) -> None:
        """Choose the face."""
        self._is_to_be_marked = False
        self._order.set_source(path)
        self.face_well.fill(path)
        self.face_well.show_image(QImage())
        self._face_reader.read(path)
        self.chosen.emit()

    def set_voice(self, path: Path) -> None:
        """Choose the voice."""
        self._order.set_voice(path)
        self.voice_well.fill(path)
        self.voice_well.expect(None)
        self._voice_reader.read(path)
        self.chosen.emit()

    def mark_when_seen(self) -> None:
        """Let the user mark the face as soon as it is there."""
        self._is_to_be_marked = True

    def close_readers(self) -> None:
        """End the threads that look into files."""
        self._face_reader.close()
        self._voice_reader.close()

    def _ask_source(self) -> None:
        self._ask(self.tr("The face: a picture or a video"), self._order.source, self.set_source)

    def _ask_voice(self) -> None:
        self._ask(self.tr("The voice: a recording, or a video with sound"), self._order.voice, self.set_voice)

    def _ask(self, title: str, now: Path | None, then: Callable[[Path], object]) -> None:
        other = now or self._order.source or self._order.voice
        chosen, _ = QFileDialog.getOpenFileName(self, title, str(other.parent) if other else "")
        if chosen:
            then(Path(chosen))

    def _drop_source(self) -> None:
        self._face_reader.cancel()
        self._order.set_source(None)
        self.face_well.fill(None)
        self.own_voice_button.hide()
        self._set_image(QImage())

    def _drop_voice(self) -> None:
        self._voice_reader.cancel()
        self._order.set_voice(None)
        self.voice_well.fill(None)
        self.voice_well.expect(None)

    def _refuse_face(self, refusal: Refusal) -> None:
        self._drop_source()
        self.refused.emit(refusal)

    def _refuse_voice(self, refusal: Refusal) -> None:
        self._drop_voice()
        self.refused.emit(refusal)

    def _use_own_voice(self) -> None:
        if self._order.source is not None:
            self.set_voice(self._order.source)

    def _show_face(self, info: MediaInfo, image: QImage) -> None:
        video = info.video
        if video is not None:
            self._order.set_source_size((video.display_width, video.display_height))
        facts = f"{video.display_width}×{video.display_height}" if video is not None else ""
        if video is not None and not info.is_picture:
            facts += f" · {_rate(video.rate)} fps · {_clock(info.duration)}"
        self.face_well.fill(self._order.source, facts)
        self.face_well.show_image(image)
        self.own_voice_button.setVisible(info.audio is not None and self._order.voice is None)
        self._set_image(image)
        if self._is_to_be_marked:
            self._is_to_be_marked = False
            self._order.choose(face_points=GUESS)

    def _hear(self, info: MediaInfo) -> None:
        sound = info.audio
        if sound is None:
            return
        seconds = sound.duration or info.duration or Fraction(0)
        self.voice_well.fill(self._order.voice, f"{_clock(seconds)} · {sound.sample_rate / 1000:g} kHz")
        self.voice_well.expect(float(seconds))
        self.own_voice_button.hide()

    def _set_image(self, image: QImage) -> None:
        self.image = image
        self.image_changed.emit()

    def _mark_or_not(self) -> None:
        self.chosen.emit()
        self._order.choose(face_points=() if self._order.choices.face_points else GUESS)

    def _show_marking(self) -> None:
        is_marked = bool(self._order.choices.face_points)
        self.mark_button.setVisible(self._order.source is not None)
        self.mark_button.setText(
            self.tr("Use the face that is found") if is_marked else self.tr("Mark the face by hand")
        )


def _rate(rate: Fraction) -> str:
    return f"{float(rate):.2f}".rstrip("0").rstrip(".")


def _clock(seconds: Fraction | None) -> str:
    return clock_words(seconds or 0).partition(".")[0]
