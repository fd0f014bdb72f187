"""What came of a render. Light: the window shows it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Any

from engine.generation.spec import RenderSpec
from engine.sync.result import Measurement
from engine.words import Message


class SyncCheck(StrEnum):
    """What measuring the finished clip said."""

    PASSED = "passed"
    """Within 20 ms."""
    CORRECTED = "corrected"
    """A constant offset was taken out by shifting the sound, and the clip was measured again."""
    OFF = "off"
    """Out of sync in a way that a shift does not cure, or correcting was not wanted."""
    UNMEASURABLE = "unmeasurable"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Statistics:
    """The time per picture over a run, in milliseconds, and what else the log says.

    Attributes:
        frames: pictures counted.
        first_ms: the first picture.
        last_ms: median of the last tenth.
        median_ms: of all.
        p95_ms: 95 of 100 pictures took less.
        growth_ms: median of the last tenth minus that of the first tenth after the first picture.
        encode_ms: the encoder's median.
        audio_load_ms: reading and preparing the voice, per second of voice.
        feature_extract_ms: the engine's getting ready, per second of voice; ``None`` if it did not say.
        feature_swing_ms: greatest difference between such times within a run.
        peak_ram_bytes: greatest main memory of the process.
        peak_vram_bytes: greatest memory in use of any graphics card; 0 without one.
    """

    frames: int = 0
    first_ms: float = 0.0
    last_ms: float = 0.0
    median_ms: float = 0.0
    p95_ms: float = 0.0
    growth_ms: float = 0.0
    encode_ms: float = 0.0
    audio_load_ms: float = 0.0
    feature_extract_ms: float | None = None
    feature_swing_ms: float = 0.0
    peak_ram_bytes: int = 0
    peak_vram_bytes: int = 0


@dataclass(frozen=True, slots=True)
class RenderReport:
    """A finished clip.

    Attributes:
        path: the clip.
        spec: what was wanted.
        spec_file: where that is saved.
        log_file: telemetry, one JSON object per line.
        frames: pictures.
        fps: pictures per second.
        size: width and height.
        seconds: length of the picture.
        resumed_segments: segments that an earlier run had finished.
        segments: segments in all.
        render_seconds: how long this run took.
        check: what measuring said.
        measured: the measurement of the pictures with the sound where the engine put it; ``None`` if skipped.
        measured_after: the measurement after a correction.
        shift_ms: by how much the sound's timestamps were shifted to take out the engine's bias; positive, later. Zero
            undoes it: see ``plosive fix``.
        statistics: times and memory.
        verdict: the outcome in a sentence.
        advice: what could go better next time.
        notes: what was unusual: steps down, voice encoded anew, frames without a face.
    """

    path: Path
    spec: RenderSpec
    spec_file: Path
    log_file: Path
    frames: int
    fps: Fraction
    size: tuple[int, int]
    seconds: Fraction
    resumed_segments: int
    segments: int
    render_seconds: float
    check: SyncCheck
    verdict: Message
    measured: Measurement | None = None
    measured_after: Measurement | None = None
    shift_ms: float = 0.0
    statistics: Statistics = Statistics()
    advice: tuple[Message, ...] = ()
    notes: tuple[Message, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return plain data with the documented names."""
        return {
            "file": str(self.path),
            "spec": self.spec.to_json(),
            "log": str(self.log_file),
            "frames": self.frames,
            "fps": str(self.fps),
            "size": list(self.size),
            "seconds": float(self.seconds),
            "resumed_segments": self.resumed_segments,
            "segments": self.segments,
            "render_seconds": round(self.render_seconds, 3),
            "check": self.check.value,
            "verdict": self.verdict.text(),
            "measured": None if self.measured is None else self.measured.to_json(),
            "measured_after": None if self.measured_after is None else self.measured_after.to_json(),
            "shift_ms": round(self.shift_ms, 3),
            "statistics": {name: getattr(self.statistics, name) for name in Statistics.__dataclass_fields__},
            "advice": [each.text() for each in self.advice],
            "notes": [each.text() for each in self.notes],
        }
