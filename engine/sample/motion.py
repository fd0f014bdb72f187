"""How a speaking person's head sways and eyes blink, seeded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the head is at one instant.

    Attributes:
        yaw: turn to the picture's right, radians.
        pitch: nod downward, radians.
        roll: tilt to the picture's right shoulder, radians.
        x: shift to the picture's right, mm.
        y: shift downward, mm.
        lid: how far the eyes are shut, 0 to 1.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    x: float = 0.0
    y: float = 0.0
    lid: float = 0.0


class Motion:
    """A person's idle movements: slow sway, nods on strong syllables, a blink every few seconds.

    Args:
        seed: whose.
        beats: times of strong syllables in seconds; the head nods slightly on some of them.
        amount: size of the sway, 1 for a calm speaker.
    """

    _BLINK = (0.07, 0.05, 0.15)
    """Closing, shut, opening, in seconds (VanderWerf et al. 2003, J. Neurophysiol. 89)."""

    def __init__(self, seed: int, beats: tuple[float, ...] = (), amount: float = 1.0) -> None:
        rng = np.random.default_rng([seed, 51])
        self._amount = amount
        self._rates = rng.uniform(0.07, 0.42, (5, 4))
        self._phases = rng.uniform(0, 2 * np.pi, (5, 4))
        self._beats = np.array([beat for beat in beats if rng.random() < 0.45])
        self._strengths = rng.uniform(0.3, 1.0, len(self._beats))
        self._blinks = np.zeros(0)
        self._drawn_to = 0.0
        self._rng = np.random.default_rng([seed, 52])

    def at(self, seconds: float) -> Pose:
        """Return the pose at a time; any order."""
        waves = np.sin(2 * np.pi * self._rates * seconds + self._phases).mean(axis=1) * self._amount
        near = np.abs(self._beats - seconds) < 0.8
        nod = float(self._strengths[near] @ np.exp(-0.5 * ((seconds - self._beats[near] - 0.05) / 0.16) ** 2))
        return Pose(
            yaw=float(0.085 * waves[0]),
            pitch=float(0.05 * waves[1] + 0.022 * nod * self._amount),
            roll=float(0.05 * waves[2]),
            x=float(5.0 * waves[3]),
            y=float(2.5 * waves[4] + 0.8 * nod * self._amount),
            lid=self._lid(seconds),
        )

    def _lid(self, seconds: float) -> float:
        while self._drawn_to <= seconds + 1:
            last = self._blinks[-1] if len(self._blinks) else 0.3
            self._drawn_to = float(last + 0.9 + self._rng.exponential(2.6))
            self._blinks = np.append(self._blinks, self._drawn_to)
        index = int(np.searchsorted(self._blinks, seconds, side="right")) - 1
        if index < 0:
            return 0.0
        closing, shut, opening = self._BLINK
        since = seconds - self._blinks[index]
        if since < closing:
            return float(np.sin(np.pi / 2 * since / closing) ** 2)
        if since < closing + shut:
            return 1.0
        return float(max(0.0, 1 - (since - closing - shut) / opening) ** 1.6)
