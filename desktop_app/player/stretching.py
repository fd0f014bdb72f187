"""Slower and faster speech at its own pitch: waveform similarity overlap-add (Verhelst and Roelands, ICASSP 1993)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

_WINDOW_SECONDS = 0.024
_SEARCH_SECONDS = 0.008
"""Windows of two or three pitch periods; the search covers one period of a low voice (125 Hz) to either side of the
middle, and is how far a sound may stray from its proper time."""


class Stretcher:
    """Turns blocks of sound into blocks that last ``1 / speed`` times as long.

    Args:
        rate: samples per second.
        speed: how many times faster, positive.
    """

    def __init__(self, rate: int, speed: float) -> None:
        self._hop = round(rate * _WINDOW_SECONDS / 2)
        self._search = round(rate * _SEARCH_SECONDS)
        self._speed = speed
        self._fade = np.sin(np.linspace(0, np.pi / 2, self._hop, endpoint=False, dtype=np.float32))[:, None] ** 2
        self._held: Samples | None = None
        self._held_from = 0
        self._hops = 0
        self._last = 0

    def feed(self, block: Samples) -> Samples:
        """Return what can be said after another block, shape ``(m, channels)``, ``m`` possibly 0.

        Args:
            block: shape ``(n, channels)``.
        """
        if self._speed == 1.0:
            return block
        self._held = block if self._held is None else np.concatenate([self._held, block])
        pieces = []
        while (piece := self._next()) is not None:
            pieces.append(piece)
        return np.concatenate(pieces) if pieces else np.zeros((0, block.shape[1]), np.float32)

    def _next(self) -> Samples | None:
        """Return the next hop: the old window fading out and the best fitting new one fading in."""
        assert self._held is not None
        hop, search = self._hop, self._search
        wanted = round(self._hops * hop * self._speed)
        begin = max(0, wanted - search)
        if begin + 2 * search + 2 * hop > self._held_from + len(self._held):
            return None
        if self._last + 2 * hop > self._held_from + len(self._held):
            return None
        natural = self._slice(self._last + hop, hop)
        if self._hops == 0:
            chosen, natural = 0, self._slice(0, hop)
        else:
            around = self._slice(begin, 2 * search + hop).mean(axis=1)
            likeness = np.correlate(around, natural.mean(axis=1), mode="valid")
            energy = np.convolve(around * around, np.ones(hop, np.float32), mode="valid")
            chosen = begin + int(np.argmax(likeness / np.sqrt(energy + 1e-9)))
        piece = natural * (1 - self._fade) + self._slice(chosen, hop) * self._fade
        self._last = chosen
        self._hops += 1
        self._forget(min(self._last, round(self._hops * hop * self._speed) - search))
        return piece.astype(np.float32)

    def _slice(self, begin: int, count: int) -> Samples:
        assert self._held is not None
        return self._held[begin - self._held_from : begin - self._held_from + count]

    def _forget(self, before: int) -> None:
        assert self._held is not None
        gone = max(0, min(before - self._held_from, len(self._held)))
        self._held = self._held[gone:]
        self._held_from += gone
