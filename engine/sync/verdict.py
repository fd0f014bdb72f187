"""What a measurement means to a viewer, in one sentence."""

from __future__ import annotations

from dataclasses import dataclass

from engine.sync.result import Kind, Reason
from engine.timing import Offset
from engine.words import Message

IN_SYNC_MS = 20.0
"""Closer than this nobody can tell, and no correction is offered: half a frame at 25 fps."""


@dataclass(frozen=True, slots=True)
class Band:
    """A published tolerance.

    Attributes:
        name: the document.
        early_ms: how early the sound may be.
        late_ms: how late.
    """

    name: str
    early_ms: float
    late_ms: float

    def holds(self, offset_ms: float) -> bool:
        """Return whether an offset (positive: sound late) is inside."""
        return -self.early_ms <= offset_ms <= self.late_ms


EBU_R37 = Band("EBU R37", 40.0, 60.0)
"""EBU Recommendation R37: the relative timing of the sound and vision components of a television signal."""
ITU_DETECTABLE = Band("ITU-R BT.1359", 45.0, 125.0)
"""ITU-R BT.1359-1, threshold of detectability."""
ITU_ACCEPTABLE = Band("ITU-R BT.1359", 90.0, 185.0)
"""ITU-R BT.1359-1, threshold of acceptability."""


def notice(offset_ms: float) -> Message:
    """Say who will notice a constant offset."""
    if abs(offset_ms) <= IN_SYNC_MS:
        return Message("sync.notice.nobody")
    if EBU_R37.holds(offset_ms):
        return Message("sync.notice.few")
    if ITU_ACCEPTABLE.holds(offset_ms):
        return Message("sync.notice.most")
    return Message("sync.notice.everybody")


def verdict(
    kind: Kind,
    offset: Offset | None,
    *,
    drift_ppm: float | None = None,
    steps: int = 0,
    spread_ms: float = 0.0,
    reason: Reason | None = None,
    is_doubtful: bool = False,
) -> Message:
    """Return the sentence for a result.

    Args:
        kind: what was found.
        offset: the offset, ``None`` when unmeasurable.
        drift_ppm: for a drift.
        steps: number of levels, for steps.
        spread_ms: robust deviation of the points, for jitter.
        reason: why unmeasurable.
        is_doubtful: whether the number is likelier wrong than right.
    """
    if kind is Kind.UNMEASURABLE or offset is None:
        return Message("sync.verdict.unmeasurable", why=Message(f"sync.reason.{reason or Reason.UNCERTAIN}"))
    said = offset.words()
    if is_doubtful:
        return Message("sync.verdict.doubtful", offset=said)
    if kind is Kind.DRIFT and drift_ppm is not None:
        way = "later" if drift_ppm > 0 else "earlier"
        return Message(
            f"sync.verdict.drift_{way}", offset=said, ppm=abs(drift_ppm), per_minute=abs(drift_ppm) * 60 / 1000
        )
    if kind is Kind.STEPS:
        return Message("sync.verdict.steps", offset=said, levels=steps)
    if kind is Kind.JITTER:
        return Message("sync.verdict.jitter", offset=said, spread=spread_ms)
    return Message(f"sync.verdict.{kind}", offset=said, notice=notice(offset.ms))
