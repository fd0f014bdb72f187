"""What is known of a recording that was made ready for a model, and the JSON file beside it that holds it. Light."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from engine.words import Message

RATE = 16_000
"""Samples per second that Whisper, wav2vec 2 and SyncNet are trained on."""

_SIDECAR_VERSION = 1
_EXACT = ("source_start", "source_end", "trimmed_head", "trimmed_tail")
_PLAIN = (
    "samples",
    "padding_samples",
    "frames",
    "gain_db",
    "loudness_lufs",
    "true_peak_dbtp",
    "channel",
    "delay_samples",
)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A prepared recording, and how its times map back.

    Attributes:
        path: the 16 kHz mono 16-bit WAV file; its facts are in a JSON file beside it (see :func:`sidecar`).
        source: the recording it was made from, as it was named.
        samples: length, padding included.
        source_start: when sample 0 sounds, in seconds on the source's clock.
        source_end: when the last sample that is not padding has sounded, on the same clock.
        trimmed_head: seconds of silence left out at the beginning.
        trimmed_tail: seconds left out at the end.
        padding_samples: zeros appended to fill the last frame.
        fps: frames per second it was padded for, or ``None``.
        frames: number of frames it fills, or ``None``.
        gain_db: by how much the mix was raised.
        loudness_lufs: loudness of the result, ``None`` for silence.
        true_peak_dbtp: highest level of the result, between samples too.
        channel: the one channel of several that was used (from 0), or ``None`` for all.
        delay_samples: how many samples later than in the source the sound is, as measured; ``None`` where there is
            nothing to measure it on.
        notes: what was unusual.
    """

    path: Path
    source: Path
    samples: int
    source_start: Fraction
    source_end: Fraction
    trimmed_head: Fraction
    trimmed_tail: Fraction
    padding_samples: int
    fps: Fraction | None
    frames: int | None
    gain_db: float
    loudness_lufs: float | None
    true_peak_dbtp: float
    channel: int | None
    delay_samples: float | None
    notes: tuple[Message, ...] = ()

    @property
    def seconds(self) -> Fraction:
        """Length, padding included."""
        return Fraction(self.samples, RATE)

    def to_json(self) -> dict[str, Any]:
        """Return plain data; exact times as fractions in text."""

        def exact(value: Fraction | None) -> str | None:
            return None if value is None else str(value)

        return {
            "version": _SIDECAR_VERSION,
            "file": self.path.name,
            "source": str(self.source),
            "sample_rate": RATE,
            "samples": self.samples,
            "source_start": exact(self.source_start),
            "source_end": exact(self.source_end),
            "trimmed_head": exact(self.trimmed_head),
            "trimmed_tail": exact(self.trimmed_tail),
            "padding_samples": self.padding_samples,
            "fps": exact(self.fps),
            "frames": self.frames,
            "gain_db": round(self.gain_db, 3),
            "loudness_lufs": None if self.loudness_lufs is None else round(self.loudness_lufs, 2),
            "true_peak_dbtp": round(self.true_peak_dbtp, 2),
            "channel": self.channel,
            "delay_samples": None if self.delay_samples is None else round(self.delay_samples, 4),
            "notes": [{"key": note.key, "values": dict(note.values)} for note in self.notes],
        }

    @classmethod
    def load(cls, path: Path) -> Prepared:
        """Read the facts of a prepared file back from the JSON beside it.

        Raises:
            OSError: if there is none.
            ValueError: if it was not written by :func:`~engine.sound.prepare.prepare`.
        """
        try:
            facts = json.loads(sidecar(path).read_text(encoding="utf-8"))
            if facts["version"] != _SIDECAR_VERSION:
                raise ValueError(f"version {facts['version']} is not known")
            values: dict[str, Any] = {name: facts[name] for name in _PLAIN}
            values.update({name: Fraction(facts[name]) for name in _EXACT})
            return cls(
                path=path,
                source=Path(facts["source"]),
                fps=None if facts["fps"] is None else Fraction(facts["fps"]),
                notes=tuple(Message(note["key"], **note["values"]) for note in facts["notes"]),
                **values,
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"{sidecar(path)} does not describe a prepared recording: {error}") from error


def sidecar(path: Path) -> Path:
    """Return where the facts about a prepared file are written."""
    return path.with_name(f"{path.name}.json")
