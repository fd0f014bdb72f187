"""What an offset means to a viewer, as the name of a colour: the same in the panel, the scale and the timeline."""

from __future__ import annotations

from engine.sync.verdict import EBU_R37, ITU_ACCEPTABLE


def tone_of(offset_ms: float) -> str:
    """Return ``good`` inside EBU R37, ``poor`` inside what ITU-R BT.1359 finds acceptable, and ``bad`` outside both."""
    if EBU_R37.holds(offset_ms):
        return "good"
    return "poor" if ITU_ACCEPTABLE.holds(offset_ms) else "bad"
