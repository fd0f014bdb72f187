"""Measure an engine's own offset: a drawn face says "peak, top, kick", is rendered, measured, and the result kept."""

from __future__ import annotations

import tempfile
import wave
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from engine.generation.backend import SourceKind
from engine.generation.face_source import clip_fps, look_at
from engine.generation.machine import host
from engine.generation.plan import make_plan
from engine.generation.profiles import CalibrationProfile, remember
from engine.generation.registry import open_engine
from engine.generation.render import render
from engine.generation.spec import ParameterValue, RenderSpec
from engine.jobs import Job, Progress, part_of
from engine.refusal import Refusal, Refused
from engine.sample.clip import build_sample_clip, plan_sample_clip
from engine.sample.text import sample_text
from engine.sample.voice import NATIVE_RATE, Speech, speak
from engine.sync.measure import measure

WORDS = "peak, top, kick."
"""Each begins with a closure and a burst, the instants that eye and ear agree on."""

SECONDS = Fraction(16)
"""Enough speech for an offset to a few milliseconds (see the figures of the detector)."""

_SIZE = (640, 640)
_BLOCK = NATIVE_RATE
_PAUSE_AT = 0.1
"""A moment of the lead-in, when the drawn person has its mouth shut."""


def calibrate(
    engine: str, parameters: Mapping[str, ParameterValue] | None = None, **choices: object
) -> Job[CalibrationProfile | Refusal]:
    """Render a short clip of a known voice with an engine, measure it, and remember the offset for this machine.

    Args:
        engine: name of the engine.
        parameters: its own parameters.
        **choices: further fields of :class:`~engine.generation.spec.RenderSpec`, such as ``fps`` or ``devices``.

    Returns:
        The profile, or a refusal: of the render, or ``generation.calibration_unmeasurable``.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="plosive-") as folder:
            spec = RenderSpec(
                Path(folder) / "face.png",
                Path(folder) / "voice.wav",
                Path(folder) / "clip.mp4",
                engine=engine,
                parameters=dict(parameters or {}),
                verify=False,
            )
            return (yield from _calibrated(replace(spec, **choices)))  # type: ignore[arg-type]
    except Refused as refused:
        return refused.refusal


def _calibrated(spec: RenderSpec) -> Job[CalibrationProfile | Refusal]:
    yield Progress("drawing", 0.0)
    opened = open_engine(spec.engine)
    capabilities = opened.capabilities()
    opened.close()
    write_voice(speak(calibration_text(), at_least=SECONDS), spec.voice)
    if SourceKind.PICTURE in capabilities.takes:
        draw_face(spec.source)
    else:
        spec = replace(spec, source=spec.source.with_suffix(".mp4"))
        yield from part_of(
            build_sample_clip(spec.source, seconds=SECONDS, size=_SIZE, text=calibration_text()), 0.0, 0.2
        )
    report = yield from part_of(render(spec), 0.2, 0.7)
    if isinstance(report, Refusal):
        return report
    measured = yield from part_of(measure(report.path, thorough=True), 0.7, 1.0)
    if isinstance(measured, Refusal):
        return measured
    plan = make_plan(
        spec,
        fps=clip_fps(spec, look_at(spec.source), capabilities),
        size=report.size,
        frame_count=report.frames,
        voice_samples=0,
        block_frames=capabilities.block_frames,
    )
    profile = remember(spec, capabilities, plan, host(spec.target.parent), measured)
    if profile is None:
        return Refusal.of("generation.calibration_unmeasurable", engine=capabilities.title, why=measured.verdict)
    return profile


def calibration_text() -> list[str]:
    """Return what is said: the words of bursts, and between them sentences.

    The words alone would repeat themselves, and fit about as well one repetition earlier or later.
    """
    return [text for sentence in sample_text("sentences") for text in (WORDS, sentence)]


def write_voice(speech: Speech, path: Path) -> None:
    """Write something said as a 16-bit WAV file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(speech.sample_rate)
        for start in range(0, len(speech), _BLOCK):
            block = speech.read(start, min(start + _BLOCK, len(speech)))
            file.writeframes((np.clip(block, -1, 1) * 32767).astype("<i2").tobytes())


def draw_face(path: Path, size: tuple[int, int] = _SIZE) -> None:
    """Write the sample person with its mouth shut as a PNG picture."""
    picture = plan_sample_clip(size=size, seconds=1).scene().frame(_PAUSE_AT)
    with av.open(f"file:{path.absolute()}", "w", format="image2", options={"update": "1"}) as container:
        stream = container.add_stream("png", rate=1)
        stream.width, stream.height = size
        stream.pix_fmt = "rgb24"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
