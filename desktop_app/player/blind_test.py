"""Which of two corrections looks right? Asked without telling which is which, so that nobody can fool himself."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from enum import Enum

ROUNDS = 8
"""Eight right answers in a row happen by chance once in 256."""


class Answer(Enum):
    """What the viewer says of a pair."""

    FIRST = "first"
    SECOND = "second"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a finished test went.

    Attributes:
        new: how often the new correction was preferred.
        old: how often the old one.
        same: how often no difference was seen.
        chance: how likely a preference at least as clear is when the viewer only guesses, 0 to 1.
    """

    new: int
    old: int
    same: int
    chance: float

    @property
    def is_clear(self) -> bool:
        """Whether guessing would do as well less than once in twenty times."""
        return self.chance < 0.05


class BlindTest:
    """Pairs of short loops, the old and the new correction in random order.

    Args:
        chance: where the order comes from.
        rounds: how many pairs.
    """

    def __init__(self, chance: random.Random, rounds: int = ROUNDS) -> None:
        self._new_first = tuple(chance.random() < 0.5 for _ in range(rounds))
        self._answers: list[Answer] = []

    @property
    def rounds(self) -> int:
        """How many pairs there are."""
        return len(self._new_first)

    @property
    def round(self) -> int:
        """The pair that is being judged, beginning with 0; equals :attr:`rounds` at the end."""
        return len(self._answers)

    @property
    def is_over(self) -> bool:
        """Whether all pairs are judged."""
        return self.round == self.rounds

    def plays_new(self, place: Answer) -> bool:
        """Return whether the new correction is at that place of the present pair.

        Raises:
            ValueError: for a place that is neither the first nor the second, or after the end.
        """
        if place is Answer.SAME or self.is_over:
            raise ValueError("only the two places of a pair that is being judged hold a correction")
        return self._new_first[self.round] == (place is Answer.FIRST)

    def answer(self, answer: Answer) -> None:
        """Judge the present pair: which one looks right.

        Raises:
            ValueError: after the end.
        """
        if self.is_over:
            raise ValueError("the test is over")
        self._answers.append(answer)

    def outcome(self) -> Outcome:
        """Return the result of the pairs that were judged; a two-sided sign test, undecided pairs left out."""
        preferred_new = [
            new_first == (answer is Answer.FIRST)
            for new_first, answer in zip(self._new_first, self._answers, strict=False)
            if answer is not Answer.SAME
        ]
        new, count = sum(preferred_new), len(preferred_new)
        extreme = max(new, count - new)
        tail = sum(math.comb(count, successes) for successes in range(extreme, count + 1)) / 2**count
        return Outcome(new, count - new, len(self._answers) - count, min(1.0, 2 * tail))
