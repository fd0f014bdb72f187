"""The whole path on a tiny network in the official layout: load, draw, mux; sound and picture; stop and go on."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.generation.backends.liveavatar import audio
from engine.generation.backends.liveavatar.importing import import_settings
from engine.generation.backends.liveavatar.planner import MemoryPlan, Planner
from engine.generation.render import render
from engine.generation.report import RenderReport
from engine.generation.spec import RenderSpec
from engine.generation.storage import work_folder
from engine.jobs import Progress, run
from engine.media.frames import read_frames
from engine.media.probe import probe
from engine.media.samples import read_samples
from tests.engine.generation.conftest import write_picture
from tests.engine.generation.test_render import content, rendered
from tests.media.voices import write_voice

GIB = 1 << 30


@pytest.mark.slow
def test_four_seconds_become_a_clip(spec: RenderSpec) -> None:
    write_voice(spec.voice, seconds=4.0)
    seen: list[Progress] = []
    report = run(render(replace(spec, online_decode=True)), seen.append)
    assert isinstance(report, RenderReport), report
    info = probe(spec.target)
    assert info.video is not None
    assert info.audio is not None
    assert (info.video.frame_count, info.video.rate, info.video.start) == (100, 25, 0)
    assert (report.frames, report.size) == (100, (64, 64))
    assert info.audio.start == 0
    assert info.audio.duration == pytest.approx(4.0, abs=0.05)  # an AAC frame at either end
    assert {"loading", "listening", "reading_prompt", "looking", "rendering"} <= {progress.stage for progress in seen}
    moving = [frame.image.astype(int) for frame in read_frames(spec.target)]
    assert np.mean([np.abs(one - other).mean() for one, other in pairwise(moving)]) > 0.5


def lag(clip: Path, fps: int) -> float:
    """Return by how many ms the sound of a clip is late against its brightness: where both fit best."""
    shown = np.array([float(frame.image.mean()) for frame in read_frames(clip)])
    sound = np.concatenate([block.data for block in read_samples(clip)]).reshape(-1)
    rate = len(sound) / (len(shown) / fps)
    window = int(rate / fps)
    shown, steps = shown - shown.mean(), 8

    def fit(step: int) -> float:
        heard = [
            np.abs(sound[max(0, begin) : max(0, begin) + window]).mean() if begin + window < len(sound) else 0.0
            for begin in (int((n + step / steps) * rate / fps) for n in range(len(shown)))
        ]
        return float(np.dot(shown, np.array(heard) - np.mean(heard)))

    return max(range(-6 * steps, 6 * steps + 1), key=fit) / steps * 1000 / fps


@pytest.mark.usefixtures("metered")
@pytest.mark.parametrize("fps", [25, 16])
def test_pictures_are_those_of_their_sound(spec: RenderSpec, fps: int) -> None:
    """Within the 20 ms of a row of features and the 27 ms by which the published mapping stretches."""
    write_voice(spec.voice, seconds=4.0)
    rendered(replace(spec, fps=Fraction(fps)))
    assert abs(lag(spec.target, fps)) <= 50
    early = replace(spec, fps=Fraction(fps), audio_offset_ms=-200.0, overwrite=True)
    rendered(early)
    assert lag(spec.target, fps) == pytest.approx(200, abs=50)  # the mouth moves earlier, so the sound is late


@pytest.mark.usefixtures("metered")
def test_without_lead_in_the_published_mistake_shows(spec: RenderSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three pictures thrown away and their sound kept: what the test above has to notice."""
    write_voice(spec.voice, seconds=4.0)
    real = audio.VoiceFeatures

    def unled(*arguments: Any) -> audio.VoiceFeatures:
        return real(*arguments[:-1], 0)

    monkeypatch.setattr(audio, "VoiceFeatures", unled)
    rendered(spec)
    assert lag(spec.target, 25) == pytest.approx(120, abs=50)


def stop_after(segments: int) -> Callable[[Progress], None]:
    done: list[int] = []

    def watch(progress: Progress) -> None:
        done.append(1)
        if progress.stage == "rendering" and progress.done > 0.06 + 0.8 * segments / 4 + 0.05:
            raise KeyboardInterrupt

    return watch


@pytest.mark.slow
@pytest.mark.parametrize("rings", ["kept", "gone"])
def test_a_stopped_render_goes_on_to_the_same_file(spec: RenderSpec, rings: str) -> None:
    rendered(spec)
    whole = content(spec.target)
    spec = replace(spec, overwrite=True)
    with pytest.raises(KeyboardInterrupt):
        run(render(spec), stop_after(2))
    saved = list((work_folder(spec.target) / "engine").glob("rings-*"))
    assert len(saved) == 1
    if rings == "gone":
        shutil.rmtree(saved[0])
    report = rendered(spec)
    assert report.resumed_segments > 0
    assert content(spec.target) == whole


@pytest.mark.slow
@pytest.mark.parametrize("change", [{"window": 3}, {"fp8_rings": True}], ids=str)
def test_a_stopped_render_goes_on_although_memory_is_scarcer_now(
    spec: RenderSpec, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    """Rings of another kind are not taken up; the pictures before are drawn again, unseen."""
    with pytest.raises(KeyboardInterrupt):
        run(render(spec), stop_after(2))
    assert list((work_folder(spec.target) / "engine").glob("rings-*"))
    real = Planner.plan

    def scarcer(*given: Any) -> MemoryPlan:
        plan = real(*given)
        assert plan is not None
        return replace(plan, choice=replace(plan.choice, **change))

    monkeypatch.setattr(Planner, "plan", scarcer)
    report = rendered(spec)
    assert report.resumed_segments > 0
    assert report.frames == 38


@pytest.mark.slow
def test_seed_prompt_steps_and_picture_count(spec: RenderSpec) -> None:
    write_voice(spec.voice, seconds=0.4)
    spec = replace(spec, overwrite=True)
    seen = {content_of(spec), content_of(spec)}
    assert len(seen) == 1
    seen.add(content_of(replace(spec, seed=1)))
    seen.add(content_of(replace(spec, prompt="somebody else")))
    seen.add(content_of(spec.with_parameters(sample_steps=3)))
    write_picture(spec.source, np.full((80, 80, 3), 90, np.uint8))
    seen.add(content_of(spec))
    assert len(seen) == 5


def content_of(spec: RenderSpec) -> str:
    rendered(spec)
    return content(spec.target)


@pytest.mark.usefixtures("metered")
@pytest.mark.parametrize(("clips", "frames"), [(1, 45), (3, 75)])
def test_num_clip_shortens_as_the_voice_does(spec: RenderSpec, clips: int, frames: int) -> None:
    write_voice(spec.voice, seconds=3.0)
    read = import_settings(f"--num_clip {clips} --size 704*384", replace(spec, engine="draft"))
    report = rendered(read.spec)
    assert report.frames == frames  # one clip less the three pictures; then the voice is what ends it
    info = probe(spec.target)
    assert info.video is not None
    assert info.audio is not None
    assert info.video.frame_count == frames
    assert info.audio.duration == pytest.approx(frames / 25, abs=0.05)  # an AAC frame at either end
