"""Settings of the published program, as people have them in shell scripts and notes, to a render of ours. Light."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from engine.generation.backends.liveavatar.config import BLOCK_FRAMES, LEAD_IN, RATES, WINDOW_BLOCKS
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
    "enable lora": "load_lora",
    "lora path": "lora_path_dmd",
}
"""Labels of the published web page (the English half), and the options that are the same."""
_FIELDS = {
    "size": "size",
    "base_seed": "seed",
    "prompt": "prompt",
    "image": "source",
    "audio": "voice",
    "save_file": "target",
    "num_clip": "most_frames",
    "enable_online_decode": "online_decode",
    "audio_offset_ms": "audio_offset_ms",
    "fps": "fps",
    "fp8": "precision",
    "offload_model": "offload",
}
"""Options that become a field of the spec."""
_PARAMETERS = {
    "infer_frames": "infer_frames",
    "sample_steps": "sample_steps",
    "offload_kv_cache": "ring_place",
    "ENABLE_COMPILE": "compile",
}
"""Options (and a variable of the environment) that become one of the engine's parameters."""
_WITHOUT_EFFECT = {"sample_guide_scale", "sample_shift", "sample_solver", "ENABLE_FP8", "frame_num", "audio_fps"}
"""Options that the published program reads and does nothing with; the rate of the sound is always 16 kHz."""
_BLOCK_BY_BLOCK = {"online_decode_chunk"}
"""Pictures decoded at a time: told of the published program, but in no version of it. Here it is always a block."""
_OWN_DECISION = {
    *("t5_cpu", "t5_fsdp", "dit_fsdp", "convert_model_dtype", "ulysses_size", "single_gpu", "num_gpus_dit"),
    *("enable_vae_parallel", "task", "ckpt_dir", "load_lora", "lora_path", "lora_path_dmd", "using_merged_ckpt"),
    *("training_config", "nproc_per_node", "nnodes", "node_rank", "master_port", "master_addr", "server_port"),
    *("server_name", "CUDA_VISIBLE_DEVICES"),
}
"""Which files, which cards, how the work is divided: the planner and the finder of models see to it."""
_NOT_OFFERED = {
    *("pose_video", "start_from_ref", "enable_tts", "tts_prompt_audio", "tts_prompt_text", "tts_text", "save_dir"),
    *("use_prompt_extend", "prompt_extend_method", "prompt_extend_model", "prompt_extend_target_lang", "use_dataset"),
    *("dataset_sample_idx", "drop_motion_noisy"),
}
"""What the published program does, or does in other modes, and this engine does not."""
_SWITCHES = {
    *("t5_fsdp", "t5_cpu", "dit_fsdp", "use_prompt_extend", "convert_model_dtype", "enable_tts", "start_from_ref"),
    *("load_lora", "use_dataset", "drop_motion_noisy", "single_gpu", "using_merged_ckpt", "enable_vae_parallel"),
    *("offload_kv_cache", "enable_online_decode", "fp8"),
}
"""Options without a value; what follows them is not theirs."""
_TRUE, _FALSE = {"true", "1", "yes", "on"}, {"false", "0", "no", "off"}
_VARIABLE = re.compile(r"([A-Z][A-Z0-9_]+)=(.*)")


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of the text.

    Attributes:
        name: as published.
        value: as written; ``true`` for a switch.
        here: what it is called in a spec; a parameter of the engine as ``parameters.<name>``. Empty if it was not
            taken over.
        becomes: its value in the spec, as in its JSON.
        why_not: why it was not taken over.
    """

    name: str
    value: str
    here: str = ""
    becomes: Any = None
    why_not: Message | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """What was read.

    Attributes:
        spec: the render.
        notes: what is different here, or has no effect.
        settings: everything in the text, in its order.
    """

    spec: RenderSpec
    notes: tuple[Message, ...]
    settings: tuple[Setting, ...] = ()


def import_settings(text: str, base: RenderSpec) -> Imported:
    """Read a command line or the settings of the web page.

    Args:
        text: ``... --size "704*384" --infer_frames 48 ...``, or lines such as ``Video Size: 704*384``.
        base: what holds where the text says nothing.

    Raises:
        Refused: ``liveavatar.no_settings`` if nothing in it is known, ``liveavatar.bad_setting`` for a value that
            cannot be read.
    """
    options = _command_line(text) if re.search(r"(?:^|\s)--\w", text) else _page(text)
    if not any(name in _FIELDS or name in _PARAMETERS or _reason(name) != _UNKNOWN for name in options):
        raise Refused.because("liveavatar.no_settings")
    notes: list[Message] = []
    spec = replace(base, engine="liveavatar")
    for name, value in options.items():
        try:
            spec = _with(spec, name, value, notes)
        except (ValueError, ZeroDivisionError) as error:
            raise Refused.because("liveavatar.bad_setting", name=name, value=value) from error
    if "num_clip" in options:
        spec = _shortened(spec, int(options["num_clip"]), notes)
    if "size" in options:
        spec = _sized(spec, options["size"], notes)
    unused = {name: _reason(name) for name in options if name not in _FIELDS and name not in _PARAMETERS}
    for reason in dict.fromkeys(unused.values()):
        names = sorted(name for name, why in unused.items() if why == reason)
        notes.append(Message(f"liveavatar.import.{reason}", names=", ".join(names)))
    return Imported(spec, tuple(notes), tuple(_setting(name, value, spec) for name, value in options.items()))


def _command_line(text: str) -> dict[str, str]:
    """Return options by name; a switch is ``"true"``. Lines of comment are passed over."""
    joined = re.sub(r"\\\s*\n", " ", re.sub(r"(?m)^\s*#.*$", "", text))
    try:
        words = shlex.split(joined)
    except ValueError as error:
        raise Refused.because("liveavatar.no_settings") from error
    options: dict[str, str] = {}
    name = None
    for word in words:
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            options[name] = value if equals else "true"
            if equals:
                name = None
        elif name is not None:
            if name not in _SWITCHES or word.lower() in _TRUE | _FALSE:
                options[name] = word
            name = None
        elif variable := _VARIABLE.fullmatch(word):
            options[variable[1]] = variable[2]
    return options


def _page(text: str) -> dict[str, str]:
    """Return options by name from lines of label and value; a prompt may go on in the lines below."""
    options: dict[str, str] = {}
    name = None
    for line in text.splitlines():
        label, separator, value = line.replace("\uff1a", ":", 1).partition(":")
        english = label.rpartition("/")[2].strip().lower()
        if english in _LABELS or (separator and name != "prompt" and english):
            name = _LABELS.get(english, english.replace(" ", "_"))
            options[name] = value.strip()
        elif name is not None and line.strip():
            options[name] = f"{options[name]} {line.strip()}".strip()
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
        case "enable_online_decode":
            return replace(spec, online_decode=_is_true(value))
        case "audio_offset_ms":
            return replace(spec, audio_offset_ms=float(value))
        case "fps":
            rate = Fraction(value)
            if rate <= 0:
                raise ValueError(value)
            if rate not in RATES:
                notes.append(_other_rate(value))
            return replace(spec, fps=rate if rate in RATES else None)
        case "num_clip" if int(value) < 1:
            raise ValueError(value)
        case "audio_fps" if int(value) != 16_000:
            raise ValueError(value)
        case "fp8":
            return replace(spec, precision=Precision.FP8) if _is_true(value) else spec
        case "offload_kv_cache":
            return spec.with_parameters(ring_place="ram") if _is_true(value) else spec
        case "ENABLE_COMPILE":
            return spec.with_parameters(compile=_is_true(value))
        case "offload_model":
            return replace(spec, offload=Offload.AUTO)
    return spec


def _shortened(spec: RenderSpec, clips: int, notes: list[Message]) -> RenderSpec:
    """Return the spec with the length of so many clips: published, three pictures less, and never beyond the voice."""
    clip = int(spec.parameters.get("infer_frames", WINDOW_BLOCKS * BLOCK_FRAMES))
    frames = clips * clip - LEAD_IN
    notes.append(Message("liveavatar.import.clips", clips=clips, frames=frames))
    return replace(spec, most_frames=frames)


def _sized(spec: RenderSpec, name: str, notes: list[Message]) -> RenderSpec:
    """Return the spec with width and height: the area of the name, the shape of the picture."""
    area = AREAS.get(re.sub("[x\u00d7]", "*", name.lower()))
    if area is None:
        raise Refused.because("liveavatar.bad_setting", name="size", value=name)
    try:
        video = probe(spec.source).video
    except Refused:
        video = None
    if video is None:
        notes.append(_no_picture(spec, name))
        return replace(spec, size=None)
    return replace(spec, size=picture_size(area, video.display_width, video.display_height))


def _other_rate(value: str) -> Message:
    return Message("liveavatar.import.rate", asked=value, rates=", ".join(map(str, RATES)), rate=str(RATES[0]))


def _no_picture(spec: RenderSpec, name: str) -> Message:
    return Message("liveavatar.import.no_picture", name=name, path=spec.source)


_UNKNOWN = "unknown"


def _reason(name: str) -> str:
    """Return why an option is not taken over: the last part of a sentence's key."""
    if name in _WITHOUT_EFFECT:
        return "without_effect"
    if name in _BLOCK_BY_BLOCK:
        return "block_by_block"
    if name in _OWN_DECISION or name.startswith(("NCCL_", "TORCH_")):
        return "own_decision"
    return "not_offered" if name in _NOT_OFFERED else _UNKNOWN


def _setting(name: str, value: str, spec: RenderSpec) -> Setting:
    """Return what a setting has become in the finished spec."""
    if name == "size" and spec.size is None:
        return Setting(name, value, why_not=_no_picture(spec, value))
    if name == "fps" and spec.fps is None:
        return Setting(name, value, why_not=_other_rate(value))
    if name in _FIELDS:
        return Setting(name, value, _FIELDS[name], spec.to_json()[_FIELDS[name]])
    if name in _PARAMETERS:
        here = _PARAMETERS[name]
        parameters: Mapping[str, Any] = spec.parameters
        return Setting(name, value, f"parameters.{here}", parameters.get(here))
    return Setting(name, value, why_not=Message(f"liveavatar.import.{_reason(name)}", names=name))


def _is_true(value: str) -> bool:
    return value.strip().lower() in _TRUE
