"""A render as the command line that asks for it: the inverse of ``plosive render``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from engine.generation.presets import preset
from engine.generation.spec import RenderSpec

_PRESET = "balanced"
"""What ``plosive render`` takes without ``--preset``."""


def render_line(spec: RenderSpec) -> list[str]:
    """Return the words of a command line that renders a spec; what has its default is left out.

    Fields that the command line has no option for (points in a face, offsets that change on the way, the quality of the
    picture other than a preset's) are not in it: they stay in the spec's JSON.
    """
    words = [
        "plosive",
        "render",
        _operand(spec.source),
        _operand(spec.voice),
        "-o",
        str(spec.target),
        "--engine",
        spec.engine,
    ]
    for name, value in _options(spec):
        words += [name] if value is None else [name, value]
    return words


def _operand(path: Path) -> str:
    """Return a path so that it is not taken for an option."""
    return f"./{path}" if str(path).startswith("-") else str(path)


def _options(spec: RenderSpec) -> Iterator[tuple[str, str | None]]:
    plain = RenderSpec(spec.source, spec.voice, spec.target, spec.engine)
    wanted = preset(_PRESET).parameters.get(spec.engine, {})
    for name, value in sorted(spec.parameters.items()):
        if wanted.get(name) != value:
            yield "--set", f"{name}={str(value).lower() if isinstance(value, bool) else value}"
    for text in spec.prompts or ((spec.prompt,) if spec.prompt else ()):
        yield "--prompt", text
    if spec.size is not None:
        yield "--size", f"{spec.size[0]}x{spec.size[1]}"
    for option, name in _VALUES.items():
        value = getattr(spec, name)
        if value != getattr(plain, name):
            yield option, str(value)
    if spec.devices != plain.devices:
        yield from (("--device", device) for device in spec.devices)
    for option, is_set in (
        ("--online-decode", spec.online_decode),
        ("--allow-smaller", spec.allow_smaller),
        ("--no-verify", not spec.verify),
        ("--no-correct", not spec.correct_bias),
        ("--overwrite", spec.overwrite),
    ):
        if is_set:
            yield option, None


_VALUES = {
    "--fps": "fps",
    "--seed": "seed",
    "--audio-offset-ms": "audio_offset_ms",
    "--lead-in": "lead_in",
    "--length": "length_policy",
    "--frames": "most_frames",
    "--silence": "silence_policy",
    "--segment-seconds": "segment_seconds",
    "--online-decode-chunk": "online_decode_chunk",
    "--face": "face",
    "--offload": "offload",
    "--precision": "precision",
}
