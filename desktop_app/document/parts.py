"""A measurement of the whole clip in which a part was measured again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.sync.result import Measurement, MouthTrace


def with_part(whole: Measurement | None, part: Measurement, start: float, stop: float) -> Measurement:
    """Return the whole with what is drawn of the part in place of what was there; its verdict stays.

    Args:
        whole: ``None`` where only the part was ever measured, which then is all there is.
        part: measured between ``start`` and ``stop`` only.
        start: seconds on the clip's clock.
        stop: seconds.
    """
    if whole is None:
        return part

    def is_outside(t: float) -> bool:
        return not start <= t <= stop

    return replace(
        whole,
        points=tuple(sorted((*(p for p in whole.points if is_outside(p.t)), *part.points), key=lambda point: point.t)),
        curves=tuple(sorted((*(c for c in whole.curves if is_outside(c.t)), *part.curves), key=lambda curve: curve.t)),
        plosives=tuple(
            sorted((*(p for p in whole.plosives if is_outside(p.seen)), *part.plosives), key=lambda pair: pair.seen)
        ),
        mouth=_mouth(whole.mouth, part.mouth, start, stop),
    )


def _mouth(whole: MouthTrace | None, part: MouthTrace | None, start: float, stop: float) -> MouthTrace | None:
    if whole is None or part is None:
        return whole or part
    before, after = whole.times < start, whole.times > stop
    times = np.concatenate([whole.times[before], part.times, whole.times[after]])
    opening = np.concatenate([whole.opening[before], part.opening, whole.opening[after]])
    # The empty sample that ends a run may lie beyond the part.
    order = np.argsort(times, kind="stable")
    return MouthTrace(times[order], opening[order])
