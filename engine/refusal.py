"""Expected failures: a wrong file or a full disk is a result with a sentence, not a crash.

The public verbs (measure, fix, prepare, doctor) *return* a :class:`Refusal`. Inside a stream of frames or packets
there is nothing to return it through, so the low rooms raise :class:`Refused`, which carries one, and
the verb that opened the stream catches it.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.words import Message, one_after_another


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something cannot be done, in words a person can act on.

    Attributes:
        code: stable name for programs, ``room.reason``; also the catalogue key of both sentences
            (``<code>.sentence``, ``<code>.remedy``).
        sentence: what is wrong.
        remedy: what to do about it.
    """

    code: str
    sentence: Message
    remedy: Message

    @classmethod
    def of(cls, code: str, **values: object) -> Refusal:
        """Build a refusal from the catalogue entries ``<code>.sentence`` and ``<code>.remedy``."""
        return cls(code, Message(f"{code}.sentence", **values), Message(f"{code}.remedy", **values))

    def __str__(self) -> str:
        return one_after_another(str(self.sentence), str(self.remedy))


class Refused(Exception):  # noqa: N818 - it is a state of the world, not an error of the program
    """Carries a :class:`Refusal` up to the verb that will return it."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal

    @classmethod
    def because(cls, code: str, **values: object) -> Refused:
        """Build the exception straight from a catalogue code."""
        return cls(Refusal.of(code, **values))
