"""Sync of what the Draft engine renders, measured twice: by the detector, and by correlation with the driving trace.

The correlation knows nothing of the detector: it compares the speed of the lips' landmarks in the encoded clip with the
speed of the opening that the engine was driven by, on a grid of one millisecond.
"""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from engine.face.tracks import FaceTracker
from engine.generation.backend import Picture
from engine.generation.backends.draft.parameters import OPENING, measures
from engine.jobs import run
from engine.media.frames import read_frames
from engine.media.samples import read_samples
from engine.refusal import Refusal
from engine.sync.measure import measure
from tests.engine.generation.backends.draft.talk import (
    RATE,
    drawn_face,
    loaded,
    performance,
    render_job,
    sample_voice,
)  # fmt: skip

RATES = (
    Fraction(16), Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(30), Fraction(50), Fraction(60),
)  # fmt: skip
PAIRS = 30


def written(path: Path, pictures: list[Picture], fps: Fraction, voice: np.ndarray) -> Path:
    """Write pictures and voice, the sound without an encoder's delay."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=fps, options={"preset": "veryfast", "crf": "18"})
        video.width, video.height, video.pix_fmt = pictures[0].shape[1], pictures[0].shape[0], "yuv420p"
        video.codec_context.time_base = 1 / fps
        sound = container.add_stream("pcm_s16le", rate=RATE, layout="mono")
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, 1 / fps
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        samples = np.round(np.clip(voice, -1, 1) * 32767).astype(np.int16)
        for first in range(0, len(samples), 4096):
            block = av.AudioFrame.from_ndarray(samples[None, first : first + 4096], format="s16", layout="mono")
            block.sample_rate, block.pts, block.time_base = RATE, first, Fraction(1, RATE)
            container.mux(sound.encode(block))
        container.mux(sound.encode(None))
    return path


def rendered(path: Path, face: Picture, voice: np.ndarray, fps: Fraction, seed: int) -> Path:
    job = render_job([face], voice, fps, seed=seed)
    engine = loaded(job)
    pictures = [picture for segment in job.plan.segments for picture in engine.render(segment)]
    engine.close()
    return written(path, [picture for picture in pictures if isinstance(picture, np.ndarray)], fps, voice)


def detector_ms(clip: Path) -> float:
    found = run(measure(clip, thorough=True))
    assert not isinstance(found, Refusal)
    assert found.offset is not None, found
    return found.offset.ms


def correlation_ms(clip: Path, voice: np.ndarray, fps: Fraction) -> float:
    """How much later the lips of a clip move than the trace they were driven by: sound early, so negative."""
    with FaceTracker() as tracker:
        frames = ((float(frame.time), frame.image) for frame in read_frames(clip))
        track = max(tracker.follow(frames), key=len)
    seen = np.gradient(track.points.reshape(len(track), -1) @ measures()[OPENING], track.times)
    fine = np.arange(0, len(voice) / RATE, 0.001)
    trace = performance(voice).at(fine, float(1 / fps))[0][:, OPENING]
    lags = np.arange(-80, 81)
    match = [
        np.corrcoef(seen, np.gradient(np.interp(track.times - lag / 1000, fine, trace), track.times))[0, 1]
        for lag in lags
    ]
    assert max(match) > 0.8
    return -float(lags[int(np.argmax(match))])


def test_a_draft_is_in_sync(tmp_path: Path) -> None:
    fps, voice = RATES[3], sample_voice(7)
    clip = rendered(tmp_path / "clip.mov", drawn_face(0, (480, 360)), voice, fps, 1)
    assert abs(detector_ms(clip)) <= 20
    assert abs(correlation_ms(clip, voice, fps)) <= 10


def check(voices: list[np.ndarray], tmp_path: Path) -> None:
    """Render every voice with another face and rate, and hold both measurements to what a draft must reach."""
    by_detector, by_correlation = [], []
    for number, voice in enumerate(voices):
        fps = RATES[number % len(RATES)]
        face = drawn_face(number % 6, (640, 360))
        clip = rendered(tmp_path / f"{number}.mov", face, voice, fps, number)
        by_detector.append(detector_ms(clip))
        by_correlation.append(correlation_ms(clip, voice, fps))
        clip.unlink()
    for errors in (by_detector, by_correlation):
        assert np.median(np.abs(errors)) <= 10, errors
        assert np.abs(errors).max() <= 20, errors


@pytest.mark.slow
def test_thirty_drawn_pairs_are_in_sync_at_every_rate(tmp_path: Path) -> None:
    check([sample_voice(100 + number, 10) for number in range(PAIRS)], tmp_path)


@pytest.mark.slow
@pytest.mark.clips
def test_thirty_real_voices_are_in_sync_at_every_rate(clips_folder: Path, tmp_path: Path) -> None:
    voices: list[np.ndarray] = []
    for clip in json.loads((clips_folder / "manifest.json").read_text(encoding="utf-8")):
        if clip["role"] in ("hard", "known"):  # noise, music, several people: no measurement is to be had there
            continue
        data = np.concatenate([block.data for block in read_samples(clips_folder / clip["file"])])
        if len(data) >= 6 * RATE:
            voices.append(data[: 10 * RATE])
    spread = np.linspace(0, len(voices) - 1, PAIRS).round().astype(int)
    check([voices[number] for number in spread], tmp_path)
