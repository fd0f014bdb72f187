"""Two recordings of one event, made by code: the delay is known to the sample, whatever the microphones do to it."""

from __future__ import annotations

from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from scipy import signal

from engine.jobs import run
from engine.media.export.job import export
from engine.media.export.report import Mode
from engine.refusal import Refusal
from engine.sample.clip import build_sample_clip, plan_sample_clip
from engine.sync.alignment import Alignment, align
from engine.sync.result import Kind
from engine.timing import Correction, DriftCorrection, StepCorrection
from engine.words import Message

RATE = 16_000


@cache
def event(seconds: int, seed: int = 0) -> np.ndarray:
    """Something like talk in a room: syllables of random length, pitch and colour, with pauses."""
    random = np.random.default_rng(seed)
    count = seconds * RATE
    noise = random.normal(size=count).astype(np.float32)
    steps = count // 800
    open_share = np.repeat(np.clip(random.normal(0.2, 0.6, steps + 1), 0, 1.5), 800)[:count]
    colour = np.repeat(random.uniform(0, 1, steps + 1), 800)[:count]
    low = signal.lfilter(*signal.butter(2, [200, 900], "band", fs=RATE), noise)
    high = signal.lfilter(*signal.butter(2, [1500, 5000], "band", fs=RATE), noise)
    smooth = signal.lfilter([0.02], [1, -0.98], open_share)
    out = smooth * (colour * low + (1 - colour) * high) + 1e-4 * random.normal(size=count)
    return (0.1 * out / np.sqrt(np.mean(out**2))).astype(np.float32)


def microphone(
    sound: np.ndarray,
    seed: int,
    *,
    snr_db: float = 40.0,
    reverb: float = 0.0,
    direct_db: float = -3.0,
    clip: float = 0.0,
) -> np.ndarray:
    """What a microphone makes of it: a room (exponential decay), its own band, noise, level, perhaps clipping."""
    random = np.random.default_rng(seed)
    out = sound
    if reverb:
        length = int(reverb * RATE)
        tail = random.normal(size=length) * np.exp(-6.9 * np.arange(length) / length)
        tail[: RATE // 500] = 0
        response = tail / np.sqrt(np.sum(tail**2)) * 10 ** (-direct_db / 20)
        response[0] = 1
        out = signal.oaconvolve(out, response)[: len(sound)]
    edges = [random.uniform(50, 150), random.uniform(4000, 7500)]
    out = signal.lfilter(*signal.butter(1, edges, "band", fs=RATE), out)
    level = np.sqrt(np.mean(out**2))
    out = out + random.normal(size=len(out)) * level * 10 ** (-snr_db / 20)
    if clip:
        out = np.clip(out, -clip * level, clip * level)
    return (out * random.uniform(0.3, 2)).astype(np.float32)


def write(path: Path, sound: np.ndarray, rate: int = RATE) -> Path:
    soundfile.write(path, np.clip(sound, -1, 1), rate, subtype="PCM_16")
    return path


def aligned(reference: Path, other: Path) -> Alignment:
    result = run(align(reference, other))
    assert isinstance(result, Alignment), result
    return result


CONDITIONS = {
    "clean": ({}, 1.0),
    "noise": ({"snr_db": 5.0}, 3.0),
    "loud noise": ({"snr_db": -5.0}, 3.0),
    "reverb": ({"reverb": 0.6, "snr_db": 20.0}, 3.0),
    "reverb and noise": ({"reverb": 0.6, "snr_db": 5.0}, 3.0),
    "clipped": ({"clip": 1.0}, 1.0),
}


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("late_s", [-37.12345, 0.0405, 12.5])
def test_a_constant_offset_is_found_in_any_condition(tmp_path: Path, condition: str, late_s: float) -> None:
    how, tolerance_ms = CONDITIONS[condition]
    whole = event(90)
    shift = round(abs(late_s) * RATE)
    begin = shift if late_s < 0 else 0
    lead = np.random.default_rng(9).normal(0, 1e-3, shift if late_s > 0 else 0)
    first = write(tmp_path / "camera.wav", microphone(whole, 1, reverb=0.3, direct_db=3.0))
    second = write(
        tmp_path / "recorder.wav", microphone(np.concatenate([lead, whole[begin : begin + 45 * RATE]]), 2, **how)
    )
    result = aligned(first, second)
    truth = np.copysign(shift, late_s) / RATE * 1000
    assert result.kind is Kind.CONSTANT
    assert result.offset_ms == pytest.approx(truth, abs=tolerance_ms)
    assert result.confidence > 0.99
    assert result.correction == Correction(-result.offset_ms)
    assert result.drift_ppm == 0
    assert result.overlap[0] == pytest.approx(max(0.0, -truth / 1000), abs=0.1)
    assert result.overlap[1] == pytest.approx(max(0.0, -truth / 1000) + 45, abs=0.1)


def test_roles_swapped_change_the_sign_only(tmp_path: Path) -> None:
    whole = event(60)
    camera = write(tmp_path / "camera.wav", microphone(whole, 1))
    recorder = write(tmp_path / "recorder.wav", microphone(whole[5 * RATE : 35 * RATE], 2))
    one, two = aligned(camera, recorder), aligned(recorder, camera)
    assert one.offset_ms == pytest.approx(-5000.0, abs=0.5)
    assert two.offset_ms == pytest.approx(5000.0, abs=0.5)


def test_polarity_rate_and_level_do_not_matter(tmp_path: Path) -> None:
    whole = event(60)
    camera = write(tmp_path / "camera.wav", microphone(whole, 1))
    other = soxr.resample(-0.02 * microphone(whole[RATE : 40 * RATE], 2), RATE, 44_100)
    recorder = write(tmp_path / "recorder.wav", other, 44_100)
    result = aligned(camera, recorder)
    assert result.offset_ms == pytest.approx(-1000.0, abs=0.5)
    assert result.is_inverted
    assert not aligned(camera, camera).is_inverted


def test_the_sound_of_a_video_is_a_reference_on_the_pictures_clock(tmp_path: Path) -> None:
    camera = run(build_sample_clip(tmp_path / "camera.mp4", offset_ms=250, seconds=10, size=(64, 36), people=0))
    # The clip's own voice without the 250 ms, from one second on.
    plan = plan_sample_clip(offset_ms=0, seconds=10, size=(64, 36), people=0)
    track = plan.soundtrack()
    recorder = write(tmp_path / "recorder.wav", track.read(track.sample_rate, 9 * track.sample_rate), track.sample_rate)
    result = aligned(camera, recorder)
    assert result.offset_ms == pytest.approx(-1250.0, abs=0.2)


@pytest.mark.parametrize("ppm", [1000.0, -250.0, 1e6 / 24])
def test_drift_is_found_and_undone(tmp_path: Path, ppm: float) -> None:
    whole = event(150)
    camera = write(tmp_path / "camera.wav", microphone(whole, 1))
    late = 3 * RATE
    slow = soxr.resample(whole[late:], 1.0, 1 + ppm / 1e6, quality="VHQ").astype(np.float32)
    recorder = write(tmp_path / "recorder.wav", microphone(slow, 2, snr_db=15.0))
    result = aligned(camera, recorder)
    assert result.kind is Kind.DRIFT
    assert result.drift_ppm == pytest.approx(ppm, abs=6.0)
    assert abs(result.drift_ppm - ppm) <= 2 * result.drift_uncertainty_ppm
    assert result.drift_cause is not None
    middle = sum(result.overlap) / 2
    assert result.offset_ms == pytest.approx((middle - 3) * ppm / 1000 - 3000, abs=1.0)
    correction = result.correction
    assert isinstance(correction, DriftCorrection)
    for here in (5.0, 70.0, 140.0):
        there = (here - 3) * (1 + ppm / 1e6)
        assert there + correction.at(there) / 1000 == pytest.approx(here, abs=1e-3)


def test_dropped_pieces_are_steps(tmp_path: Path) -> None:
    whole = event(240)
    kept = np.concatenate([whole[: 80 * RATE], whole[80 * RATE + 4800 : 160 * RATE], whole[162 * RATE :]])
    camera = write(tmp_path / "camera.wav", microphone(whole, 1))
    recorder = write(tmp_path / "recorder.wav", microphone(kept, 2, snr_db=20.0, reverb=0.3))
    result = aligned(camera, recorder)
    assert result.kind is Kind.STEPS
    assert [step.offset_ms for step in result.steps] == pytest.approx([0.0, -300.0, -2300.0], abs=0.5)
    assert [step.t for step in result.steps] == pytest.approx([0.0, 80.0, 160.0], abs=0.8)
    correction = result.correction
    assert isinstance(correction, StepCorrection)
    assert [ms for _, ms in correction.steps] == pytest.approx([0.0, 300.0, 2300.0], abs=0.5)
    # Times of a correction are those of the sound that is moved.
    assert [float(time) for time, _ in correction.steps] == pytest.approx([0.0, 80.0, 159.7], abs=0.8)


def test_a_drifting_recorder_that_dropped_a_piece_keeps_both(tmp_path: Path) -> None:
    whole = event(300)
    kept = np.concatenate([whole[: 150 * RATE], whole[151 * RATE :]])
    slow = soxr.resample(kept, 1.0, 1 + 200e-6, quality="VHQ").astype(np.float32)
    camera = write(tmp_path / "camera.wav", microphone(whole, 1))
    result = aligned(camera, write(tmp_path / "recorder.wav", microphone(slow, 2)))
    assert result.kind is Kind.STEPS
    assert result.drift_ppm == pytest.approx(200.0, abs=10.0)
    assert isinstance(result.correction, StepCorrection)
    for here in (10.0, 80.0, 140.0, 160.0, 220.0, 290.0):
        there = (here if here < 150 else here - 1) * (1 + 200e-6)
        # Steps leave at most 2.5 ms of the drift.
        assert there + result.correction.at(there) / 1000 == pytest.approx(here, abs=0.0035)


def test_recordings_of_different_events_are_refused(tmp_path: Path) -> None:
    recordings = [
        write(tmp_path / f"{index}.wav", microphone(event(20 + 3 * index, 100 + index), index, snr_db=20.0, reverb=0.3))
        for index in range(11)
    ]
    pairs = list(combinations(recordings, 2))
    assert len(pairs) == 55
    for first, second in pairs:
        result = run(align(first, second))
        assert isinstance(result, Refusal)
        assert result.code == "alignment.no_match"


def test_what_two_rooms_share_by_chance_is_no_match(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    t = np.arange(40 * RATE) / RATE
    hum = sum(np.sin(2 * np.pi * 50 * k * t) / k for k in range(1, 20)) * 0.02
    clicks = np.zeros(len(t))
    clicks[:: RATE // 2] = 1.0
    beat = signal.lfilter([1.0], [1.0, -0.995], clicks) * random.normal(size=len(t)) * 0.3
    for index, shared in enumerate((hum, beat)):
        first = write(tmp_path / f"{index}a.wav", event(40, 7) + shared)
        second = write(tmp_path / f"{index}b.wav", event(40, 8) + np.roll(shared * random.choice([-1, 1], len(t)), 777))
        assert isinstance(run(align(first, second)), Refusal)


def test_silence_short_and_bad_files_are_refused_with_words(tmp_path: Path) -> None:
    good = write(tmp_path / "good.wav", event(30))
    silent = write(tmp_path / "silent.wav", np.zeros(30 * RATE))
    short = write(tmp_path / "short.wav", event(30)[:RATE])
    text = tmp_path / "text.wav"
    text.write_text("no sound here", encoding="utf-8")
    for path, code in (
        (silent, "alignment.silent"),
        (short, "alignment.too_short"),
        (text, "media.not_media"),
        (tmp_path / "none.wav", "media.missing"),
    ):
        for pair in ((good, path), (path, good)):
            refusal = run(align(*pair))
            assert isinstance(refusal, Refusal)
            assert refusal.code == code
            for language in ("en", "zh_CN"):
                assert path.name in refusal.sentence.text(language)
                assert refusal.remedy.text(language)


def test_it_can_be_watched_and_stopped(tmp_path: Path) -> None:
    first = write(tmp_path / "a.wav", microphone(event(90), 1))
    second = write(tmp_path / "b.wav", microphone(event(90)[RATE:], 2))
    seen = []
    result = run(align(first, second), seen.append)
    assert isinstance(result, Alignment)
    shares = [progress.done for progress in seen]
    assert shares == sorted(shares)
    assert 0 <= shares[0] < shares[-1] <= 1
    assert {progress.stage for progress in seen} >= {"searching", "measuring"}
    job = align(first, second)
    next(job)
    job.close()


def test_plain_data_has_the_documented_names(tmp_path: Path) -> None:
    first = write(tmp_path / "a.wav", microphone(event(60), 1))
    result = aligned(first, write(tmp_path / "b.wav", microphone(event(60)[RATE:], 2)))
    data = result.to_json()
    assert data["kind"] == "constant"
    assert data["offset_ms"] == pytest.approx(-1000.0, abs=0.5)
    assert data["points"]
    assert "early" in data["verdict"]
    assert result.verdict.text("zh_CN")


@pytest.mark.slow
def test_forty_four_minutes_at_145_millionths(tmp_path: Path) -> None:
    whole = event(44 * 60, 3)
    camera = write(tmp_path / "camera.wav", microphone(whole, 1, reverb=0.5, snr_db=10.0))
    slow = soxr.resample(whole[7 * RATE :], 1.0, 1 + 145e-6, quality="VHQ").astype(np.float32)
    recorder = write(tmp_path / "recorder.wav", microphone(slow, 2, snr_db=15.0))
    result = aligned(camera, recorder)
    assert result.kind is Kind.DRIFT
    assert result.drift_ppm == pytest.approx(145.0, abs=2.0)
    assert result.drift_cause is not None
    assert result.drift_cause.key == "alignment.cause.clock"
    assert isinstance(result.correction, DriftCorrection)
    end = (44 * 60 - 7) * (1 + 145e-6)
    assert end + result.correction.at(end) / 1000 == pytest.approx(44 * 60, abs=2e-3)


def test_a_shift_beyond_the_limit_of_one_export_is_still_a_plain_number(tmp_path: Path) -> None:
    whole = event(120)
    camera = write(tmp_path / "camera.wav", microphone(whole[100 * RATE :], 1))
    result = aligned(camera, write(tmp_path / "recorder.wav", microphone(whole, 2)))
    assert result.offset_ms == pytest.approx(100_000.0, abs=0.5)
    assert "1:40.000" in result.verdict.text("en")


@pytest.fixture(scope="module")
def shoot(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """A camera's clip of 60 s, and the voice in it as a recorder half a second ahead of it hears it."""
    how = {"offset_ms": 0, "seconds": 60, "size": (32, 18), "people": 0}
    camera = run(build_sample_clip(tmp_path_factory.mktemp("shoot") / "camera.mkv", **how))
    track = plan_sample_clip(**how).soundtrack()
    voice = soxr.resample(track.read(0, 60 * track.sample_rate), track.sample_rate, RATE).astype(np.float32)
    return camera, np.concatenate([np.random.default_rng(0).normal(0, 1e-4, RATE // 2), voice])


@pytest.mark.parametrize("how", ["constant", "drift", "steps"])
def test_the_correction_puts_the_recorder_under_the_picture(
    tmp_path: Path, shoot: tuple[Path, np.ndarray], how: str
) -> None:
    camera, sound = shoot
    if how == "drift":
        sound = soxr.resample(sound, 1.0, 1.0004, quality="VHQ")
    elif how == "steps":
        sound = np.concatenate([sound[: 30 * RATE], sound[30 * RATE + RATE // 4 :]])
    recorder = write(tmp_path / "recorder.wav", sound)
    before = aligned(camera, recorder)
    assert before.kind.value == how
    mode = {"constant": Mode.COMPATIBLE, "drift": Mode.STRETCH, "steps": Mode.PIECEWISE}[how]
    target = tmp_path / "fixed.mkv"
    run(export(camera, target, before.correction, mode, audio=recorder))
    after = aligned(camera, target)
    assert all(abs(point.offset_ms) < 1.0 for point in after.points)
    assert len(after.points) >= 6


@pytest.mark.parametrize("kind", [Kind.CONSTANT, Kind.DRIFT, Kind.STEPS, Kind.JITTER])
@pytest.mark.parametrize("side", ["late", "early"])
def test_every_verdict_has_words(kind: Kind, side: str) -> None:
    amount = Message("alignment.amount.milliseconds", ms=83.04)
    direction = Message("alignment.runs.slow")
    values = {"uncertainty": 0.1, "ppm": 145.0, "uncertainty_ppm": 0.2, "levels": 2, "scatter": 30.0}
    message = Message(f"alignment.verdict.{kind.value}_{side}", amount=amount, direction=direction, **values)
    assert f"83.0 ms {side}" in message.text("en")
    assert "83.0 毫秒" in message.text("zh_CN")


def test_an_edited_recording_wanders(tmp_path: Path) -> None:
    whole = event(120)
    random = np.random.default_rng(6)
    # Every two seconds cut elsewhere by up to 60 ms: no level lasts, no line fits.
    pieces = [whole[max(0, at + int(random.uniform(-960, 960))) :][: 2 * RATE] for at in range(0, 118 * RATE, 2 * RATE)]
    camera = write(tmp_path / "camera.wav", microphone(whole, 1))
    result = aligned(camera, write(tmp_path / "edited.wav", np.concatenate(pieces)))
    assert result.kind in {Kind.JITTER, Kind.STEPS}
    assert abs(result.offset_ms) < 80
    assert result.uncertainty_ms > 1
