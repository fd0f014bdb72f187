"""Which stretch of time is on screen: pan, zoom and limits as plain arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

SHORTEST = 0.004
"""Seconds across at the closest zoom: 192 samples at 48 kHz, so that each can be told from its neighbours."""

ZOOM_STEP = 1.25
"""How many times closer a notch of the wheel goes; keys take two."""

MARGIN = 0.02
"""Share of the whole by which the view may reach over its ends, so that both can be seen and grabbed."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time in seconds.

    Raises:
        ValueError: if it is empty.
    """

    start: float
    stop: float

    def __post_init__(self) -> None:
        if not self.stop > self.start:
            raise ValueError(f"a span must have a length, got {self.start} to {self.stop}")

    @property
    def length(self) -> float:
        """Seconds across."""
        return self.stop - self.start

    @property
    def middle(self) -> float:
        """The time in the middle."""
        return (self.start + self.stop) / 2

    def holds(self, seconds: float) -> bool:
        """Return whether a time lies in it."""
        return self.start <= seconds < self.stop

    def panned(self, seconds: float) -> Span:
        """Return the span moved by some seconds."""
        return Span(self.start + seconds, self.stop + seconds)

    def zoomed(self, factor: float, at: float) -> Span:
        """Return the span ``factor`` times as long, with the time ``at`` staying where it is on screen.

        The closest zoom is :data:`SHORTEST`; the share of the screen left of ``at`` is kept there too.
        """
        length = max(SHORTEST, self.length * factor)
        share = (at - self.start) / self.length
        start = at - share * length
        return Span(start, start + length)

    def within(self, whole: Span) -> Span:
        """Return the span shortened and moved so that it does not leave ``whole`` and its margins."""
        margin = whole.length * MARGIN
        low, high = whole.start - margin, whole.stop + margin
        length = min(max(self.length, SHORTEST), max(high - low, SHORTEST))
        start = min(max(self.start, low), max(low, high - length))
        return Span(start, start + length)

    def following(self, seconds: float) -> Span:
        """Return the page on which a moving playhead is: this one, or the one that begins just before it."""
        if self.holds(seconds):
            return self
        return self.panned(seconds - self.start - 0.05 * self.length)


def whole_of(start: float, duration: float) -> Span:
    """Return the span of a file; something short or of unknown length gets a second."""
    return Span(start, start + max(duration, 1.0))
