"""The blind test as a page: two short loops, old and new in an order nobody knows, and the result at the end."""

from __future__ import annotations

import random

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from desktop_app.document.corrections import NOTHING
from desktop_app.document.document import Document
from desktop_app.player.blind_test import Answer, BlindTest
from desktop_app.player.player import Player
from desktop_app.theme import GRID
from desktop_app.widgets.basics import button, label
from desktop_app.widgets.dialog import Dialog

LOOP_SECONDS = 2.0


class BlindTestPage(Dialog):
    """Plays both versions around the playhead and asks which one looks right.

    Args:
        document: gives the new correction; the old one is none.
        player: plays.
        parent: the window.
        chance: where the order comes from.
    """

    def __init__(
        self, document: Document, player: Player, parent: QWidget, chance: random.Random | None = None
    ) -> None:
        super().__init__(parent, Qt.WindowType.Tool)
        self._document = document
        self._player = player
        self._before = (player.loop, player.position)
        self.test = BlindTest(chance or random.SystemRandom())
        middle = player.position
        start = max(document.start, min(middle - LOOP_SECONDS / 2, document.start + document.duration - LOOP_SECONDS))
        self._stretch = (start, start + LOOP_SECONDS)
        self.setFixedWidth(56 * GRID)
        self._question = label("title", wraps=True)
        self._sentence = label("muted", wraps=True)
        self.play_first = button(lambda: self._play(Answer.FIRST), picture="play")
        self.play_second = button(lambda: self._play(Answer.SECOND), picture="play")
        self.first = button(lambda: self._answer(Answer.FIRST))
        self.second = button(lambda: self._answer(Answer.SECOND))
        self.same = button(lambda: self._answer(Answer.SAME))
        self._close = button(self.close)
        grid = QGridLayout()
        grid.setSpacing(GRID)
        grid.addWidget(self.play_first, 0, 0)
        grid.addWidget(self.play_second, 0, 1)
        grid.addWidget(self.first, 1, 0)
        grid.addWidget(self.second, 1, 1)
        grid.addWidget(self.same, 2, 0, 1, 2)
        column = QVBoxLayout(self)
        column.setSpacing(2 * GRID)
        column.addWidget(self._question)
        column.addWidget(self._sentence)
        column.addLayout(grid)
        column.addWidget(self._close, 0, Qt.AlignmentFlag.AlignRight)
        self.say()

    def say(self) -> None:
        """Set all texts."""
        self.setWindowTitle(self.tr("Blind test"))
        self.play_first.setText(self.tr("Play A"))
        self.play_second.setText(self.tr("Play B"))
        self.first.setText(self.tr("A looks right"))
        self.second.setText(self.tr("B looks right"))
        self.same.setText(self.tr("I see no difference"))
        self._close.setText(self.tr("Close"))
        self._show()

    @property
    def sentence(self) -> str:
        """What is said: the round, or the result."""
        return self._sentence.text()

    def done(self, result: int) -> None:
        """Leave the player as it was, however the page is left: Escape closes it without a close event (Qt's name)."""
        self._stop()
        super().done(result)

    def _play(self, place: Answer) -> None:
        self._player.set_override(self._document.correction if self.test.plays_new(place) else NOTHING)
        self._player.set_loop(*self._stretch)
        self._player.seek(self._stretch[0])
        self._player.play()

    def _answer(self, answer: Answer) -> None:
        self.test.answer(answer)
        self._player.pause()
        if self.test.is_over:
            self._stop()
        self._show()

    def _stop(self) -> None:
        loop, position = self._before
        self._player.pause()
        self._player.set_override(None)
        self._player.set_loop(*(loop or (None, None)))
        self._player.seek(position)

    def _show(self) -> None:
        self._show_round()
        self.fit_height()

    def _show_round(self) -> None:
        over = self.test.is_over
        for each in (self.play_first, self.play_second, self.first, self.second, self.same):
            each.setVisible(not over)
        self._close.setVisible(over)
        if not over:
            self._question.setText(self.tr("Which one looks right?"))
            self._sentence.setText(
                self.tr(
                    "Pair {number} of {count}. One of them is the clip as it is, the other one is corrected."
                ).format(number=self.test.round + 1, count=self.test.rounds)
            )
            return
        outcome = self.test.outcome()
        if not outcome.is_clear:
            self._question.setText(self.tr("You could not tell them apart"))
        elif outcome.new > outcome.old:
            self._question.setText(self.tr("The correction looks right to you"))
        else:
            self._question.setText(self.tr("The clip as it was looks right to you"))
        self._sentence.setText(
            self.tr(
                "Corrected: {new}, as it was: {old}, no difference: {same}. "
                "Somebody who guesses gets a result this clear in {percent} % of tests."
            ).format(new=outcome.new, old=outcome.old, same=outcome.same, percent=round(100 * outcome.chance))
        )
