"""The engines as cards: what each is good for, what it needs, and whether that is here."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop_app.theme import GRID
from desktop_app.widgets.basics import Picture, Speaking, button, label, set_tone
from desktop_app.widgets.card_button import CardButton
from desktop_app.widgets.tab_order import tab_as_laid_out
from engine.generation.backend import Requirement
from engine.generation.registry import EngineStatus
from engine.models.catalog import engines
from engine.words import Message

_PAD = GRID + 4
_MOST_NEEDS = 3
PUBLISHED = "liveavatar"
"""The engine whose users have settings elsewhere, in scripts and notes."""


class EngineCard(CardButton):
    """One engine; the chosen one says what it is good for and what it needs."""

    models_wanted = Signal()
    """The user wants to see which model files there are."""
    calibration_wanted = Signal()
    """The user wants to know the engine's own offset on this machine."""
    settings_wanted = Signal()
    """The user has settings of the engine's published program."""

    def __init__(self, status: EngineStatus, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.status = status
        self._title, self._badge = label(), label()
        self._about = label("muted", wraps=True)
        for each in (self._title, self._badge, self._about):
            each.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
        font = self._title.font()
        font.setWeight(font.Weight.DemiBold)
        self._title.setFont(font)
        head = QHBoxLayout()
        head.setSpacing(GRID)
        head.addWidget(self._title)
        head.addStretch()
        head.addWidget(self._badge)
        self._needs = QWidget()
        column = QVBoxLayout(self._needs)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(4)
        capabilities = status.capabilities
        requirements = sorted(capabilities.requirements if capabilities else (), key=lambda each: each.is_ready)
        self._sentences: list[tuple[QLabel, Message]] = []
        for requirement in requirements[:_MOST_NEEDS]:
            column.addLayout(self._need(requirement))
        self._hidden_needs = len(requirements[_MOST_NEEDS:])
        self._more = label("small")
        column.addWidget(self._more)
        self._more.setVisible(self._hidden_needs > 0)
        self._models = button(self.models_wanted.emit, kind="link")
        self.calibrate_button = button(self.calibration_wanted.emit, kind="link")
        self.settings_button = button(self.settings_wanted.emit, kind="link")
        column.addWidget(self._models)
        column.addWidget(self.calibrate_button)
        column.addWidget(self.settings_button)
        if capabilities is not None and capabilities.licence is not None:
            licence = label("muted", wraps=True)
            self._sentences.append((licence, capabilities.licence))
            column.addWidget(licence)
        self._inside = outer = QVBoxLayout(self)
        outer.setContentsMargins(_PAD, _PAD - 2, _PAD, _PAD - 2)
        outer.setSpacing(2)
        outer.addLayout(head)
        outer.addWidget(self._about)
        outer.addWidget(self._needs)
        self.toggled.connect(self._show)
        self.say()

    @property
    def needs(self) -> list[str]:
        """What it says about each thing that it needs."""
        found = self.status.capabilities
        return [each.sentence.text() for each in found.requirements] if found else []

    def sizeHint(self) -> QSize:
        """Return the size of what is in it (Qt's name)."""
        return self._inside.sizeHint()

    def hasHeightForWidth(self) -> bool:
        """Wrapped texts make it higher when it is narrow; Qt then asks the layout (Qt's name)."""
        return self._inside.hasHeightForWidth()

    def say(self) -> None:
        """Set all texts."""
        found, problem = self.status.capabilities, self.status.problem
        title = found.title.text() if found else self.status.name
        self._title.setText(title)
        self._about.setText(found.about.text() if found else str(problem or ""))
        missing = [each for each in found.requirements if not each.is_ready] if found else []
        if found is None:
            said, tone = self.tr("broken"), "bad"
        elif missing:
            said, tone = self.tr("not ready"), "poor"
        else:
            said, tone = self.tr("ready"), "good"
        self._badge.setText(said)
        set_tone(self._badge, tone)
        for shown, sentence in self._sentences:
            shown.setText(sentence.text())
        self._more.setText(self.tr("and {count} more").format(count=self._hidden_needs))
        self._models.setText(self.tr("Look at the model files…"))
        self.calibrate_button.setText(self.tr("Measure its own offset on this machine"))
        self.calibrate_button.setToolTip(
            self.tr("Renders a drawn face that says “peak, top, kick”, measures it and offers the result next time")
        )
        self.calibrate_button.setVisible(found is not None and not missing)
        self.settings_button.setText(self.tr("Take over settings…"))
        self.settings_button.setToolTip(self.tr("From a command line or the web page of the published program"))
        self.settings_button.setVisible(found is not None and found.name == PUBLISHED)
        self._models.setVisible(bool(missing) and found is not None and found.name in engines())
        self.setAccessibleName(f"{title}, {said}")
        self.setAccessibleDescription(self._about.text())
        self.setToolTip(self._about.text())
        self._show()

    def _need(self, requirement: Requirement) -> QHBoxLayout:
        picture, colour = ("check", "good") if requirement.is_ready else ("warning", "poor")
        sentence = label("muted" if requirement.is_ready else "", wraps=True)
        sentence.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
        self._sentences.append((sentence, requirement.sentence))
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(Picture(picture, colour, 14), 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(sentence, 1)
        return row

    def _show(self) -> None:
        found = self.status.capabilities
        # Those that were not chosen stay small, so that the settings below are near.
        self._about.setVisible(self.isChecked() or found is None)
        self._needs.setVisible(self.isChecked() and found is not None)
        self.updateGeometry()
        self.update()


class EnginePicker(Speaking):
    """The cards, one of which is chosen."""

    chosen = Signal(object)
    """The user chose an engine; its status."""
    models_wanted = Signal()
    """The user wants to see which model files there are."""
    calibration_wanted = Signal()
    """The user wants to know the chosen engine's own offset on this machine."""
    settings_wanted = Signal()
    """The user has settings of the chosen engine's published program."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._group = QButtonGroup(self)
        self._nothing = label("muted", wraps=True)
        self._is_asking = False
        self._statuses: tuple[EngineStatus, ...] = ()
        self.cards: dict[str, EngineCard] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(GRID)
        self._column.addWidget(self._nothing)
        self.say()

    def show_engines(self, statuses: tuple[EngineStatus, ...], chosen: str, *, is_asking: bool) -> None:
        """Show these engines."""
        self._is_asking = is_asking
        if statuses == self._statuses:
            self.choose(chosen)
            self.say()
            return
        self._statuses = statuses
        for card in self.cards.values():
            self._group.removeButton(card)
            self._column.removeWidget(card)
            card.hide()
            card.deleteLater()
        self.cards = {}
        for status in statuses:
            card = EngineCard(status)
            self.cards[status.name] = card
            self._group.addButton(card)
            self._column.addWidget(card)
            card.setChecked(status.name == chosen)
            card.toggled.connect(lambda on, status=status: self.chosen.emit(status) if on else None)
            card.models_wanted.connect(self.models_wanted)
            card.calibration_wanted.connect(self.calibration_wanted)
            card.settings_wanted.connect(self.settings_wanted)
        tab_as_laid_out(self)
        self.say()

    def choose(self, name: str) -> None:
        """Choose an engine."""
        if name in self.cards:
            self.cards[name].setChecked(True)

    def say(self) -> None:
        """Set all texts."""
        self._nothing.setText(
            self.tr("Looking for engines…") if self._is_asking else self.tr("No engine was found in this installation.")
        )
        self._nothing.setVisible(not self.cards)
        for card in self.cards.values():
            card.say()
