"""The prompt of a render: what is wished for, whether it fits the voice, and how it is better said."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from desktop_app.document.order import Order
from desktop_app.theme import GRID
from desktop_app.widgets.basics import Speaking, button, label, set_tone
from desktop_app.work.asking import PromptCheck

_HEIGHT = 9 * GRID


class PromptBox(Speaking):
    """The field, and what the check against the voice says."""

    def __init__(self, order: Order, check: PromptCheck, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._order, self._check = order, check
        self._voice = order.voice
        self._title, self._help = label(), label("small", wraps=True)
        self.field = QPlainTextEdit()
        self.field.setTabChangesFocus(True)
        self.field.setFixedHeight(_HEIGHT)
        self.field.textChanged.connect(self._edit)
        self._title.setBuddy(self.field)
        self._findings = label(wraps=True)
        self._proposal = label("muted", wraps=True)
        self.check_button = button(self._ask, kind="link")
        self.take_button = button(self._take, kind="link")
        self.split_button = button(self._split, kind="link")
        links = QHBoxLayout()
        links.setSpacing(2 * GRID)
        for each in (self.check_button, self.take_button, self.split_button):
            links.addWidget(each)
        links.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for part in (self._title, self.field, self._help, self._findings, self._proposal):
            column.addWidget(part)
        column.addLayout(links)
        order.changed.connect(self._follow)
        check.changed.connect(self._show)
        self.say()

    @property
    def findings(self) -> str:
        """What the check says."""
        return self._findings.text()

    def say(self) -> None:
        """Set all texts."""
        self._title.setText(self.tr("Prompt"))
        self.field.setAccessibleName(self.tr("Prompt"))
        self.field.setPlaceholderText(self.tr("A woman speaks calmly to the camera, synchronized to speech"))
        self._help.setText(
            self.tr("Who speaks, in which mood, how much they move. A mood that fits the voice looks best.")
        )
        self.check_button.setText(self.tr("Check against the voice"))
        self.take_button.setText(self.tr("Say it like this"))
        self.split_button.setText(self.tr("One part for every ten seconds"))
        self._follow()

    def _edit(self) -> None:
        self._check.forget()
        self._order.choose(prompt=self.field.toPlainText(), prompts=())

    def _follow(self) -> None:
        spec = self._order.choices
        if self.field.toPlainText() != spec.prompt:
            self.field.blockSignals(True)
            self.field.setPlainText(spec.prompt)
            self.field.blockSignals(False)
            self._check.forget()
        if self._order.voice != self._voice:
            self._voice = self._order.voice
            self._check.forget()
        self._show()

    def _show(self) -> None:
        advice, refusal, parts = self._check.advice, self._check.refusal, self._order.choices.prompts
        self.check_button.setEnabled(self._order.voice is not None and not self._check.is_asking)
        if self._check.is_asking:
            said = self.tr("Listening to the voice…")
        elif refusal is not None:
            said = str(refusal)
        elif advice is not None:
            said = "\n".join(each.text() for each in advice.findings) or self.tr("The prompt fits the voice.")
        elif parts:
            said = self.tr("In use: {count} parts, one for every ten seconds.").format(count=len(parts))
        else:
            said = ""
        self._findings.setText(said)
        self._findings.setVisible(bool(said))
        set_tone(self._findings, "bad" if refusal else "poor" if advice is not None and advice.findings else "")
        proposal = advice.proposal if advice is not None and advice.proposal != self._order.choices.prompt else ""
        self._proposal.setText(proposal)
        self._proposal.setVisible(bool(proposal))
        self.take_button.setVisible(bool(proposal))
        self.split_button.setVisible(advice is not None and len(advice.parts) > 1)

    def _ask(self) -> None:
        if self._order.voice is not None:
            self._check.ask(self._order.voice, self._order.choices.prompt)

    def _take(self) -> None:
        if self._check.advice is not None:
            self._order.choose(prompt=self._check.advice.proposal, prompts=())

    def _split(self) -> None:
        if self._check.advice is not None:
            parts = self._check.advice.parts
            self._check.forget()
            self._order.choose(prompts=parts)
