"""What is known about the engines' own offsets on this machine: measured once, offered ever after.

Light: the window shows the profiles.
"""

from __future__ import annotations

import hashlib
import json
import platform
import secrets
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

from engine.generation.backend import Capabilities, Host
from engine.generation.machine import processor
from engine.generation.plan import Plan
from engine.generation.spec import RenderSpec
from engine.places import data_folder
from engine.sync.result import Measurement

_MOST = 200


@dataclass(frozen=True, slots=True)
class CalibrationProfile:
    """An engine's own offset, as measured on a clip that it drew here.

    Attributes:
        engine: its name.
        settings: digest of what the offset may depend on: engine version, parameters, precision, frame rate.
        offset_ms: how late its sound was when the driving voice was not shifted; negative, early.
        uncertainty_ms: half-width of the 95 % interval.
        fps: frames per second, as a fraction in text.
        device: processor or graphics card.
        driver: its driver's version, or the operating system's.
        date: when, as ``2026-03-09``.
    """

    engine: str
    settings: str
    offset_ms: float
    uncertainty_ms: float
    fps: str
    device: str
    driver: str
    date: str

    @property
    def audio_offset_ms(self) -> float:
        """The shift of the driving voice that undoes the offset: a sound that is late lets the mouth wait for it."""
        return self.offset_ms

    @property
    def is_known(self) -> bool:
        """Whether the offset is more than what its measurement may err by; else there is nothing to be undone."""
        return abs(self.offset_ms) > self.uncertainty_ms


def profiles_path() -> Path:
    """Return the file of the profiles."""
    return data_folder() / "calibration.json"


def profiles() -> tuple[CalibrationProfile, ...]:
    """Return all profiles, the newest last; none if the file is missing or damaged."""
    try:
        return tuple(CalibrationProfile(**each) for each in json.loads(profiles_path().read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return ()


def offered(spec: RenderSpec, capabilities: Capabilities) -> CalibrationProfile | None:
    """Return the newest profile that fits a spec whose driving voice is not shifted yet.

    ``None`` if there is none, or if the offset is within what the measurement may err by.
    """
    if spec.audio_offset_ms or spec.audio_offset_steps:
        return None
    fps = spec.fps or capabilities.default_fps
    wanted = settings_digest(spec, capabilities, fps)
    found = next((each for each in reversed(profiles()) if each.settings == wanted), None)
    return found if found is not None and found.is_known else None


def remember(
    spec: RenderSpec, capabilities: Capabilities, plan: Plan, host: Host, measured: Measurement
) -> CalibrationProfile | None:
    """Keep what a measurement says about an engine; nothing, if there is no number or shifts varied over the clip.

    Returns:
        The profile, or ``None``.
    """
    if measured.offset is None or spec.audio_offset_steps:
        return None
    gpu = host.gpus[0] if host.gpus and capabilities.needs_gpu else None
    profile = CalibrationProfile(
        engine=capabilities.name,
        settings=settings_digest(spec, capabilities, plan.fps),
        # A driving voice that was moved later by so much made the sound early by as much.
        offset_ms=round(measured.offset.ms + spec.audio_offset_ms, 2),
        uncertainty_ms=round(measured.offset.uncertainty_ms, 2),
        fps=str(plan.fps),
        device=processor() if gpu is None else gpu.title,
        driver=platform.platform(terse=True) if gpu is None else gpu.driver,
        date=datetime.now(UTC).date().isoformat(),
    )
    _save([*(each for each in profiles() if each.settings != profile.settings), profile][-_MOST:])
    return profile


def forget(profile: CalibrationProfile) -> None:
    """Remove a profile."""
    _save([each for each in profiles() if each != profile])


def settings_digest(spec: RenderSpec, capabilities: Capabilities, fps: Fraction) -> str:
    """Return what tells settings apart under which an engine's offset may differ."""
    known = [
        capabilities.name,
        capabilities.version,
        sorted(capabilities.values(spec).items()),
        spec.precision.value,
        spec.lead_in,
        str(fps),
    ]
    return hashlib.sha256(json.dumps(known).encode()).hexdigest()[:24]


def _save(kept: list[CalibrationProfile]) -> None:
    """Write the file; a folder that cannot be written only means that nothing is remembered."""
    path = profiles_path()
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.write_text(json.dumps([asdict(each) for each in kept], indent=1), encoding="utf-8")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
