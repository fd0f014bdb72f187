"""What the rendering commands do, as jobs that a child process can start from plain arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.jobs import Job, Progress
from engine.refusal import Refusal, Refused

if TYPE_CHECKING:
    from engine.generation.backend import Capabilities
    from engine.generation.profiles import CalibrationProfile
    from engine.generation.report import RenderReport
    from engine.generation.spec import ParameterValue, RenderSpec

_TRUE, _FALSE = {"true", "yes", "on", "1"}, {"false", "no", "off", "0"}


def render_file(
    source: str,
    *,
    voice: str,
    output: str | None,
    engine: str,
    preset: str,
    settings: Sequence[str],
    fields: Mapping[str, Any],
    resume: bool,
) -> Job[RenderReport | Refusal]:
    """Render a clip; what its engine is going to do, and what that takes, is said before anything is loaded.

    Args:
        source: the face.
        voice: the voice.
        output: the clip; by default named after both, beside the face.
        engine: name of the engine.
        preset: name of the preset.
        settings: ``name=value`` of the engine's parameters.
        fields: fields of the spec, as in its JSON; ``None`` leaves it to the preset.
        resume: take up an unfinished run.
    """
    from engine.generation.backend import Estimate
    from engine.generation.events import Notice
    from engine.generation.render import estimate, render

    try:
        spec = spec_of(source, voice, output, engine, preset, settings, fields)
    except Refused as refused:
        return refused.refusal
    planned = yield from estimate(spec)
    for note in planned.notes if isinstance(planned, Estimate) else ():
        yield Progress("planning", 0.0, Notice(note))
    return (yield from render(spec, resume=resume))


def spec_of(
    source: str,
    voice: str,
    output: str | None,
    engine: str,
    preset: str,
    settings: Sequence[str],
    fields: Mapping[str, Any],
) -> RenderSpec:
    """Return what a command line asks for; see :func:`render_file`.

    Raises:
        Refused: if engine, preset or face are not there, or a value cannot be.
    """
    from engine.generation.face_source import look_at
    from engine.generation.presets import preset as preset_of
    from engine.generation.spec import RenderSpec

    capabilities = _capabilities(engine)
    chosen = preset_of(preset)
    target = Path(output) if output is not None else default_output(Path(source), Path(voice))
    spec = chosen.applied(RenderSpec(Path(source), Path(voice), target, engine=engine), capabilities)
    if fields.get("size") is None and chosen.most_pixels is not None:
        size = chosen.size(look_at(Path(source)).size, capabilities)
        fields = {**fields, "size": size}
    given = {name: value for name, value in fields.items() if value is not None}
    spec = RenderSpec.from_json(spec.to_json() | given)
    return spec.with_parameters(**_parameters(capabilities, settings))


def calibrate_engine(
    engine: str, *, settings: Sequence[str], fps: str | None, devices: Sequence[str]
) -> Job[CalibrationProfile | Refusal]:
    """Measure an engine's own offset and remember it."""
    from engine.generation.calibrate import calibrate

    try:
        parameters = _parameters(_capabilities(engine), settings)
    except Refused as refused:
        return refused.refusal
    rate = None if fps is None else Fraction(fps)
    return (yield from calibrate(engine, parameters, fps=rate, devices=tuple(devices)))


def try_file(engine: str, *, output: str, overwrite: bool) -> Job[RenderReport | Refusal]:
    """Render the sample person with an engine, and measure the clip."""
    from engine.generation.trial import try_engine

    return try_engine(engine, Path(output), overwrite=overwrite)


def default_output(source: Path, voice: Path) -> Path:
    """Return the name of a clip when none is asked for: that of face and voice, beside the face."""
    return source.with_name(f"{source.stem}-{voice.stem}.mp4")


def _capabilities(engine: str) -> Capabilities:
    from engine.generation.registry import open_engine

    opened = open_engine(engine)
    try:
        return opened.capabilities()
    finally:
        opened.close()


def _parameters(capabilities: Capabilities, settings: Sequence[str]) -> dict[str, ParameterValue]:
    """Read ``name=value`` by the kinds of the engine's parameters.

    An unknown name, or a value of another kind, stays text, which the render refuses with what is known.
    """
    kinds = {each.name: each.kind.value for each in capabilities.parameters}
    return {name: _value(text, kinds.get(name)) for name, _, text in (each.partition("=") for each in settings)}


def _value(text: str, kind: str | None) -> ParameterValue:
    try:
        match kind:
            case "flag" if text.lower() in _TRUE | _FALSE:
                return text.lower() in _TRUE
            case "whole":
                return int(text)
            case "number":
                return float(text)
    except ValueError:
        return text
    return text
