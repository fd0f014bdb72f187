"""Settings of the published program, as people have them in shell scripts and notes, to a render of ours. Light."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from engine.generation.backends.liveavatar.config import BLOCK_FRAMES
from engine.generation.backends.liveavatar.settings import AREAS, picture_size, window_of
from engine.generation.spec import Offload, Precision, RenderSpec
from engine.media.probe import probe
from engine.refusal import Refused
from engine.words import Message

_LABELS = {
    "prompt": "prompt",
    "reference image": "image",
    "audio file": "audio",
    "number of clips": "num_clip",
    "sampling steps": "sample_steps",
    "guidance scale": "sample_guide_scale",
    "frames per clip": "infer_frames",
    "video size": "size",
    "random seed": "base_seed",
    "sampler": "sample_solver",
}
"""Labels of the published web page (the English half), and the options that are the same."""
_WITHOUT_EFFECT = {
    "sample_guide_scale",
    "sample_shift",
    "sample_solver",
    "t5_cpu",
    "convert_model_dtype",
    "ulysses_size",
}
"""Options that change nothing there either, or that the planner decides here."""
_KNOWN = {"size", "base_seed", "prompt", "image", "audio", "infer_frames", "sample_steps", "num_clip", "save_file",
          "offload_model", "fp8", "enable_online_decode", "online_decode_chunk", "audio_offset_ms", "offload_kv_cache",
          "fps", "audio_fps"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Imported:
    """What was read.

    Attributes:
        spec: the render.
        notes: what is different here, or has no effect.
    """

    spec: RenderSpec
    notes: tuple[Message, ...]


def import_settings(text: str, base: RenderSpec) -> Imported:
    """Read a command line or the settings of the web page.

    Args:
        text: ``... --size "704*384" --infer_frames 48 ...``, or lines such as ``Video Size: 704*384``.
        base: what holds where the text says nothing.

    Raises:
        Refused: ``liveavatar.no_settings`` if nothing in it is known, ``liveavatar.bad_setting`` for a value that
            cannot be read.
    """
    options = _command_line(text) if "--" in text else _page(text)
    if not options.keys() & (_KNOWN | _WITHOUT_EFFECT):
        raise Refused.because("liveavatar.no_settings")
    notes: list[Message] = []
    spec = replace(base, engine="liveavatar")
    for name, value in options.items():
        try:
            spec = _with(spec, name, value, notes)
        except ValueError as error:
            raise Refused.because("liveavatar.bad_setting", name=name, value=value) from error
    if "size" in options:
        spec = replace(spec, size=_size(spec, options["size"]))
    unused = sorted(options.keys() - _KNOWN)
    if unused:
        notes.append(Message("liveavatar.import.unused", names=", ".join(unused)))
    return Imported(spec, tuple(notes))


def _command_line(text: str) -> dict[str, str]:
    """Return options by name; a flag without a value is ``"true"``."""
    try:
        words = shlex.split(re.sub(r"\\\s*\n", " ", text))
    except ValueError as error:
        raise Refused.because("liveavatar.no_settings") from error
    options: dict[str, str] = {}
    name = None
    for word in words:
        if word.startswith("--"):
            name, _, value = word[2:].partition("=")
            options[name] = value or "true"
        elif name is not None:
            options[name] = word
            name = None
    return options


def _page(text: str) -> dict[str, str]:
    """Return options by name from lines of label and value."""
    options = {}
    for line in text.splitlines():
        label, separator, value = line.partition(":")
        english = label.rpartition("/")[2].strip().lower()
        if separator and (name := _LABELS.get(english, english.replace(" ", "_"))):
            options[name] = value.strip()
    return options


def _with(spec: RenderSpec, name: str, value: str, notes: list[Message]) -> RenderSpec:
    match name:
        case "prompt":
            return replace(spec, prompt=value)
        case "image":
            return replace(spec, source=Path(value))
        case "audio":
            return replace(spec, voice=Path(value))
        case "save_file":
            return replace(spec, target=Path(value))
        case "base_seed":
            if int(value) < 0:
                notes.append(Message("liveavatar.import.seed", seed=spec.seed))
                return spec
            return replace(spec, seed=int(value))
        case "sample_steps":
            steps = min(4, max(3, int(value)))
            if steps != int(value):
                notes.append(Message("liveavatar.import.steps", asked=int(value), steps=steps))
            return spec.with_parameters(sample_steps=steps)
        case "infer_frames":
            frames = window_of(int(value)) * BLOCK_FRAMES
            if frames != int(value):
                notes.append(Message("liveavatar.import.frames", asked=int(value), frames=frames))
            return spec.with_parameters(infer_frames=frames)
        case "num_clip":
            notes.append(Message("liveavatar.import.clips", clips=int(value)))
        case "enable_online_decode":
            return replace(spec, online_decode=_is_true(value))
        case "online_decode_chunk":
            return replace(spec, online_decode_chunk=int(value))
        case "audio_offset_ms":
            return replace(spec, audio_offset_ms=float(value))
        case "fps":
            return replace(spec, fps=Fraction(value))
        case "audio_fps":
            if int(value) != 16_000:
                raise ValueError(value)
        case "fp8":
            return replace(spec, precision=Precision.FP8) if _is_true(value) else spec
        case "offload_kv_cache":
            return spec.with_parameters(ring_place="ram") if _is_true(value) else spec
        case "offload_model":
            return replace(spec, offload=Offload.AUTO)
    return spec


def _size(spec: RenderSpec, name: str) -> tuple[int, int]:
    """Return width and height: the area of the name, the shape of the picture."""
    area = AREAS.get(name.replace("x", "*"))
    if area is None:
        raise Refused.because("liveavatar.bad_setting", name="size", value=name)
    video = probe(spec.source).video
    if video is None:
        raise Refused.because("media.no_picture", path=spec.source)
    return picture_size(area, video.display_width, video.display_height)


def _is_true(value: str) -> bool:
    return value.strip().lower() in {"true", "1", "yes", "on"}
