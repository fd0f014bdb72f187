"""Where a time axis has lines and what it writes beside them."""

from __future__ import annotations

import math
from dataclasses import dataclass

_STEPS = (
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200,
)  # fmt: skip
"""Seconds between labels: those a person reads without counting."""

_PARTS = {15: 3, 30: 6, 60: 6, 120: 4, 900: 3, 1800: 6, 3600: 6, 7200: 4}
"""Small lines per step where five would fall on odd times."""


@dataclass(frozen=True, slots=True)
class Ticks:
    """Lines of a time axis.

    Attributes:
        large: times with a label, in seconds.
        small: times with a short line.
        step: seconds between labels.
    """

    large: tuple[float, ...]
    small: tuple[float, ...]
    step: float

    def label(self, seconds: float) -> str:
        """Return a time as ``m:ss`` or ``h:mm:ss``, with as many decimals as the step needs."""
        decimals = max(0, math.ceil(-math.log10(self.step) - 1e-9))
        units = round(abs(seconds) * 10**decimals)
        whole, fraction = divmod(units, 10**decimals)
        minutes, rest = divmod(whole, 60)
        hours, minutes = divmod(minutes, 60)
        head = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
        tail = f".{fraction:0{decimals}d}" if decimals else ""
        return f"{'-' if seconds < 0 and units else ''}{head}:{rest:02d}{tail}"


def ticks(start: float, stop: float, pixels: float, least_pixels: float = 96) -> Ticks:
    """Return the lines between two times.

    Args:
        start: first time on screen, seconds.
        stop: last one.
        pixels: how wide that is.
        least_pixels: the least distance between two labels.
    """
    wanted = (stop - start) * least_pixels / max(pixels, 1)
    step = next((step for step in _STEPS if step >= wanted), _STEPS[-1] * math.ceil(wanted / _STEPS[-1]))
    parts = _PARTS.get(round(step), 5) if step >= 1 else 5
    small = step / parts
    first, last = math.ceil(start / small - 1e-9), math.floor(stop / small + 1e-9)
    numbers = range(first, last + 1)
    return Ticks(
        large=tuple(number * small for number in numbers if number % parts == 0),
        small=tuple(number * small for number in numbers if number % parts),
        step=float(step),
    )
