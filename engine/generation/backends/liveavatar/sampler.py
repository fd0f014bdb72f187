"""Denoising times of the distilled model: flow matching, Euler steps, shift 3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SHIFT = 3
TRAIN_STEPS = 1000


@dataclass(frozen=True, slots=True)
class NoiseLevels:
    """Noise levels from pure noise to none.

    Attributes:
        timesteps: what the network is told, one per step, 1000 to above 0.
        sigmas: share of noise before each step, and after the last one (0).
    """

    timesteps: tuple[float, ...]
    sigmas: tuple[float, ...]

    @property
    def steps(self) -> int:
        """Number of denoising steps."""
        return len(self.timesteps)

    def change(self, step: int) -> float:
        """Return the factor of the velocity in a step: ``x + change * velocity``."""
        return self.sigmas[step + 1] - self.sigmas[step]


def noise_levels(steps: int) -> NoiseLevels:
    """Return the levels for a number of steps, as diffusers' scheduler has them.

    It shifts its end points and then its grid again; the distilled weights were trained with exactly that.
    """
    from diffusers import FlowMatchEulerDiscreteScheduler

    scheduler: Any = FlowMatchEulerDiscreteScheduler(num_train_timesteps=TRAIN_STEPS, shift=SHIFT)
    scheduler.set_timesteps(steps)
    return NoiseLevels(tuple(scheduler.timesteps.tolist()), tuple(scheduler.sigmas.tolist()))
