"""Everything that decides how a rendered clip looks: one value, checked, saved as JSON beside the clip."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Any

from engine.refusal import Refusal, Refused

ParameterValue = bool | int | float | str
"""What an engine's own parameter may be."""

_VERSION = 1
_MOST_OFFSET_MS = 2000.0
_LARGEST_SIDE = 8192
_FASTEST = Fraction(120)
_DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d{1,2})?")


class LengthPolicy(StrEnum):
    """How long the clip is, and what the picture does, when voice and video are not equally long.

    A still picture is always shown as long as the voice lasts.
    """

    END_WITH_VOICE = "end_with_voice"
    """As long as the voice; a shorter video runs forth and back."""
    HOLD = "hold"
    """As long as the longer one; a shorter video stands still on its last picture."""
    LOOP = "loop"
    """As long as the longer one; a shorter video begins again."""
    PING_PONG = "ping_pong"
    """As long as the longer one; a shorter video runs forth and back."""
    CUT = "cut"
    """As long as the shorter one."""


class SilencePolicy(StrEnum):
    """What the mouth does while nobody speaks."""

    CLOSED = "closed"
    ORIGINAL = "original"


class Offload(StrEnum):
    """Where the weights of a big model wait for their turn, from the fastest to the most frugal."""

    AUTO = "auto"
    NONE = "none"
    MODEL = "model"
    """Whole parts (text encoder, decoder...) wait in main memory."""
    LAYERS = "layers"
    """Every layer waits in main memory."""


class Precision(StrEnum):
    """Number format a model computes in, from the most to the least exact."""

    AUTO = "auto"
    FP32 = "fp32"
    BF16 = "bf16"
    FP16 = "fp16"
    FP8 = "fp8"


@dataclass(frozen=True, slots=True)
class RenderSpec:
    """What is to be rendered.

    Attributes:
        source: the face: a picture or a video.
        voice: a file with the voice; its sound becomes that of the clip.
        target: the clip to write, MP4, MOV or MKV by suffix.
        engine: name of the engine in the registry.
        parameters: the engine's own parameters, by name; those left out have their defaults.
        fps: frames per second; ``None`` takes the video's where the engine can, else the engine's.
        size: width and height in pixels, even; ``None`` takes the source's as far as the engine can.
        seed: of everything random. Same spec, same seed, same pictures.
        prompt: for engines that read one.
        prompts: successive prompts, each for ten seconds of voice, the last one for the rest; replaces ``prompt``.
        audio_offset_ms: shift of the sound that drives the mouth; negative, the mouth moves earlier. The sound that is
            heard is not moved by it.
        audio_offset_steps: ``(from_seconds, audio_offset_ms)``, ascending: other offsets from these times on.
        lead_in: pictures that the engine draws before the first one shown while it hears silence, and that are thrown
            away; ``None`` leaves it to the engine.
        length_policy: when voice and video differ in length.
        most_frames: the clip ends after so many frames at the latest, its sound with it; ``None`` without a limit.
        silence_policy: what the mouth does in pauses.
        segment_seconds: length of a segment, after which a stopped render goes on; ``None`` goes by the length rule.
        online_decode: whether an engine that can do so continues from its decoded pictures.
        online_decode_chunk: pictures decoded at a time, ``None`` leaves it to the engine.
        face: which face moves, counted from the left beginning with 1; ``None`` is the most prominent one.
        face_points: for a picture in which no face is found: right eye, left eye, right and left mouth corner (the
            person's right, so left in the picture), as shares of the upright picture's width and height.
        devices: ``auto``, ``cpu``, ``cuda:0``...; several where the engine can use them.
        offload: where weights wait.
        precision: number format.
        allow_smaller: whether the clip may get smaller when memory does not suffice.
        crf: quality of the H.264 picture, 0 (lossless) to 51; smaller is better.
        verify: whether the clip is measured when it is done.
        correct_bias: whether a constant offset that is measured is taken out by shifting the sound's timestamps.
        overwrite: whether the target may be replaced.
    """

    source: Path
    voice: Path
    target: Path
    engine: str = "draft"
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict)
    fps: Fraction | None = None
    size: tuple[int, int] | None = None
    seed: int = 0
    prompt: str = ""
    prompts: tuple[str, ...] = ()
    audio_offset_ms: float = 0.0
    audio_offset_steps: tuple[tuple[Fraction, float], ...] = ()
    lead_in: int | None = None
    length_policy: LengthPolicy = LengthPolicy.END_WITH_VOICE
    most_frames: int | None = None
    silence_policy: SilencePolicy = SilencePolicy.CLOSED
    segment_seconds: Fraction | None = None
    online_decode: bool = False
    online_decode_chunk: int | None = None
    face: int | None = None
    face_points: tuple[tuple[float, float], ...] = ()
    devices: tuple[str, ...] = ("auto",)
    offload: Offload = Offload.AUTO
    precision: Precision = Precision.AUTO
    allow_smaller: bool = False
    crf: int = 16
    verify: bool = True
    correct_bias: bool = True
    overwrite: bool = False

    def problem(self) -> Refusal | None:
        """Return what makes this spec impossible whatever the engine, or ``None``."""
        for is_wrong, name, value in self._checks():
            if is_wrong:
                return Refusal.of(f"generation.spec.{name}", value=value)
        return None

    def _checks(self) -> tuple[tuple[bool, str, object], ...]:
        offsets = (self.audio_offset_ms, *(offset for _, offset in self.audio_offset_steps))
        times = [time for time, _ in self.audio_offset_steps]
        sides = self.size or (2, 2)
        points = [value for point in self.face_points for value in point]
        return (
            (self.fps is not None and not 1 <= self.fps <= _FASTEST, "fps", self.fps),
            (any(side % 2 or not 2 <= side <= _LARGEST_SIDE for side in sides), "size", f"{sides[0]}x{sides[1]}"),
            (not all(abs(each) <= _MOST_OFFSET_MS for each in offsets), "audio_offset_ms", max(offsets, key=abs)),
            (times != sorted(set(times)) or any(time < 0 for time in times), "audio_offset_steps", len(times)),
            (not 0 <= self.seed < 2**63, "seed", self.seed),
            (self.lead_in is not None and not 0 <= self.lead_in <= 100, "lead_in", self.lead_in),
            (self.most_frames is not None and self.most_frames < 1, "most_frames", self.most_frames),
            (self.segment_seconds is not None and self.segment_seconds <= 0, "segment_seconds", self.segment_seconds),
            (
                self.online_decode_chunk is not None and self.online_decode_chunk < 1,
                "online_decode_chunk",
                self.online_decode_chunk,
            ),
            (self.face is not None and self.face < 1, "face", self.face),
            (
                bool(points) and (len(points) != 8 or not all(0 <= value <= 1 for value in points)),
                "face_points",
                len(points) // 2,
            ),
            (
                not self.devices or not all(_DEVICE.fullmatch(each) for each in self.devices),
                "devices",
                ", ".join(self.devices),
            ),
            (not 0 <= self.crf <= 51, "crf", self.crf),
        )

    def with_parameters(self, **parameters: ParameterValue) -> RenderSpec:
        """Return the same spec with some of the engine's parameters set."""
        return replace(self, parameters={**self.parameters, **parameters})

    def to_json(self) -> dict[str, Any]:
        """Return plain data; exact numbers as fractions in text."""
        return {"version": _VERSION} | {each.name: _plain(getattr(self, each.name)) for each in fields(self)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RenderSpec:
        """Read what :meth:`to_json` returned; names left out have their defaults.

        Raises:
            Refused: ``generation.spec.unreadable`` for anything else.
        """
        try:
            values = {name: _READERS[name](value) for name, value in data.items()}
            del values["version"]
            return cls(**values)
        except (AttributeError, KeyError, TypeError, ValueError, ZeroDivisionError) as error:
            raise Refused.because("generation.spec.unreadable", why=str(error)) from error

    @classmethod
    def load(cls, path: Path) -> RenderSpec:
        """Read a spec file.

        Raises:
            Refused: ``generation.spec.unreadable``.
        """
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise Refused.because("generation.spec.unreadable", why=str(error)) from error
        return cls.from_json(data)


def spec_path(target: Path) -> Path:
    """Return where the spec of a clip is saved."""
    return target.with_name(f"{target.name}.render.json")


def _plain(value: object) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, Fraction | Path):
        return str(value)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in sorted(value.items())}
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is neither true nor false")
    return value


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{value!r} is no whole number")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no number")
    return float(value)


def _parameters(value: Any) -> dict[str, ParameterValue]:
    if not all(isinstance(each, bool | int | float | str) for each in value.values()):
        raise ValueError("a parameter is a number, a text, true or false")
    return {_text(name): each for name, each in value.items()}


def _maybe(reader: Any) -> Any:
    return lambda value: None if value is None else reader(value)


def _several(reader: Any) -> Any:
    return lambda value: tuple(reader(each) for each in value)


def _pair(first: Any, second: Any) -> Any:
    def read(value: Any) -> tuple[Any, Any]:
        one, two = value
        return first(one), second(two)

    return read


def _version(value: Any) -> int:
    if value != _VERSION:
        raise ValueError(f"version {value!r} is not known")
    return _VERSION


_READERS: dict[str, Any] = {
    "version": _version,
    "source": lambda value: Path(_text(value)),
    "voice": lambda value: Path(_text(value)),
    "target": lambda value: Path(_text(value)),
    "engine": _text,
    "parameters": _parameters,
    "fps": _maybe(Fraction),
    "size": _maybe(_pair(_whole, _whole)),
    "seed": _whole,
    "prompt": _text,
    "prompts": _several(_text),
    "audio_offset_ms": _number,
    "audio_offset_steps": _several(_pair(Fraction, _number)),
    "lead_in": _maybe(_whole),
    "length_policy": LengthPolicy,
    "most_frames": _maybe(_whole),
    "silence_policy": SilencePolicy,
    "segment_seconds": _maybe(Fraction),
    "online_decode": _flag,
    "online_decode_chunk": _maybe(_whole),
    "face": _maybe(_whole),
    "face_points": _several(_pair(_number, _number)),
    "devices": _several(_text),
    "offload": Offload,
    "precision": Precision,
    "allow_smaller": _flag,
    "crf": _whole,
    "verify": _flag,
    "correct_bias": _flag,
    "overwrite": _flag,
}
