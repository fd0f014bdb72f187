"""Whether the packages of the neural engines are installed, told without importing them. Light."""

from __future__ import annotations

from importlib.util import find_spec

from engine.refusal import Refused

NEURAL = ("torch", "diffusers", "transformers", "safetensors")
"""What networks need."""
HUB = ("huggingface_hub",)
"""What downloading needs."""


def missing_packages(wanted: tuple[str, ...] = NEURAL) -> tuple[str, ...]:
    """Return those that are not installed."""
    return tuple(name for name in wanted if find_spec(name) is None)


def require_packages(wanted: tuple[str, ...] = NEURAL) -> None:
    """Refuse to go on without them.

    Raises:
        Refused: ``models.packages``.
    """
    if missing := missing_packages(wanted):
        raise Refused.because("models.packages", names=", ".join(missing))
