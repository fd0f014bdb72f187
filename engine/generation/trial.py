"""Try an engine with the files that are there: a drawn face says a few sentences, and the clip is measured."""

from __future__ import annotations

import tempfile
from fractions import Fraction
from pathlib import Path

from engine.generation.calibrate import calibration_text, draw_face, write_voice
from engine.generation.render import render
from engine.generation.report import RenderReport
from engine.generation.spec import RenderSpec
from engine.jobs import Job, Progress, part_of
from engine.refusal import Refusal
from engine.sample.voice import speak

_SECONDS = Fraction(5)
"""As little as can be measured with confidence: without a graphics card every second is minutes of work."""


def try_engine(engine: str, target: Path, *, overwrite: bool = False) -> Job[RenderReport | Refusal]:
    """Render the sample person with an engine, as it stands, and measure the clip.

    Args:
        engine: name of the engine.
        target: the clip.
        overwrite: whether the target may be replaced.

    Returns:
        What came of it; or a refusal.
    """
    with tempfile.TemporaryDirectory(prefix="plosive-") as folder:
        yield Progress("drawing", 0.0)
        face, voice = Path(folder) / "face.png", Path(folder) / "voice.wav"
        draw_face(face)
        write_voice(speak(calibration_text(), at_least=_SECONDS), voice)
        spec = RenderSpec(face, voice, target, engine=engine, overwrite=overwrite, correct_bias=False)
        return (yield from part_of(render(spec), 0.05, 1.0))
