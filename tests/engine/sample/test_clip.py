import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from engine.jobs import run
from engine.refusal import Refused
from engine.sample.clip import SamplePlan, build_sample_clip, plan_sample_clip
from engine.sample.look import LOOKS
from engine.sample.soundtrack import Delay
from engine.sample.voice import NATIVE_RATE

SMALL = {"size": (192, 108), "people": 0}
"""Nobody in the picture: quick to make, and the sound is the same."""


def decoded_sound(path: Path) -> np.ndarray:
    """The clip's sound, which must begin at time 0 and have no gap (Matroska rounds times to 1 ms)."""
    out = np.zeros(0, np.float32)
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            assert abs(frame.pts * frame.time_base - Fraction(len(out), NATIVE_RATE)) < Fraction(1, 1000)
            out = np.concatenate([out, frame.to_ndarray()[0]])
    return out


def decoded_times(path: Path) -> list[Fraction]:
    with av.open(str(path)) as container:
        return [frame.pts * frame.time_base for frame in container.decode(video=0)]


def lag_in_samples(sound: np.ndarray, reference: np.ndarray) -> int:
    size = 1 << (len(sound) + len(reference)).bit_length()
    likeness = np.fft.irfft(np.fft.rfft(sound, size) * np.conj(np.fft.rfft(reference, size)))
    best = int(np.argmax(likeness))
    return best if best < size // 2 else best - size


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("offset_ms", [80.0, -83.0])
def test_decoded_sound_is_late_by_exactly_what_was_asked(tmp_path: Path, suffix: str, offset_ms: float) -> None:
    path = run(build_sample_clip(tmp_path / f"a{suffix}", offset_ms=offset_ms, seconds=3, **SMALL))
    speech = plan_sample_clip(offset_ms=offset_ms, seconds=3, **SMALL).speech
    lag = lag_in_samples(decoded_sound(path), speech.read(0, 3 * NATIVE_RATE))
    assert lag == round(offset_ms * NATIVE_RATE / 1000)
    assert decoded_times(path)[0] == 0


@pytest.mark.parametrize("rate", [Fraction(25), Fraction(30_000, 1001), Fraction(24_000, 1001), Fraction(50)])
def test_frames_have_exact_presentation_times(tmp_path: Path, rate: Fraction) -> None:
    path = run(build_sample_clip(tmp_path / "a.mp4", seconds=2, rate=rate, **SMALL))
    times = decoded_times(path)
    assert times == [number / rate for number in range(len(times))]
    assert 2 <= len(times) / rate < 2 + 1 / rate


def test_bursts_are_heard_where_the_truth_says(tmp_path: Path) -> None:
    """Voiceless stops: the sound's own onset after the closure, within 1 ms, in the decoded file."""
    path = run(build_sample_clip(tmp_path / "a.mp4", truth=tmp_path / "a.json", text="Peak, top, kick.", **SMALL,
                                 seconds=8, offset_ms=40))  # fmt: skip
    truth = json.loads((tmp_path / "a.json").read_text())
    high = np.abs(sosfilt(butter(2, 700, "high", fs=NATIVE_RATE, output="sos"), decoded_sound(path)))
    bursts = [burst for burst in truth["bursts"] if burst["phone"] in "ptk"]
    assert len(bursts) >= 12
    for burst in bursts:
        assert burst["heard"] - burst["seen"] == pytest.approx(0.040, abs=1e-9)
        middle = round(burst["heard"] * NATIVE_RATE)
        near = high[middle - NATIVE_RATE // 50 : middle + NATIVE_RATE // 100]
        onset = (middle - NATIVE_RATE // 50 + np.argmax(near > 0.25 * near.max())) / NATIVE_RATE
        assert abs(onset - burst["heard"]) < 0.001


def test_a_drift_moves_the_sound_by_its_rate() -> None:
    plan = plan_sample_clip(offset_ms=20, drift_ppm=2000, seconds=12, **SMALL)
    sound = plan.soundtrack().read(0, 12 * NATIVE_RATE)
    place = (np.arange(len(sound)) / NATIVE_RATE - 0.020) / 1.002 * NATIVE_RATE
    expected = np.interp(
        place, np.arange(-NATIVE_RATE, 13 * NATIVE_RATE), plan.speech.read(-NATIVE_RATE, 13 * NATIVE_RATE)
    )
    for second in range(1, 12):
        window = slice(second * NATIVE_RATE, (second + 1) * NATIVE_RATE)
        assert lag_in_samples(sound[window], expected[window]) == 0
    seen, heard = plan.truth()["bursts"][10]["seen"], plan.truth()["bursts"][10]["heard"]
    assert heard == pytest.approx(seen * 1.002 + 0.020, abs=1e-9)


def test_steps_change_the_offset_at_their_time() -> None:
    plan = plan_sample_clip(offset_ms=0, steps=[(Fraction(6), 120.0), (Fraction(12), -60.0)], seconds=18, **SMALL)
    sound = plan.soundtrack().read(0, 18 * NATIVE_RATE)
    for time, expected in ((3, 0), (9, 120), (15, -60)):
        window = slice((time - 2) * NATIVE_RATE, (time + 2) * NATIVE_RATE)
        lag = lag_in_samples(sound[window], plan.speech.read(window.start, window.stop))
        assert lag == expected * NATIVE_RATE // 1000
    for burst in plan.truth()["bursts"]:
        expected = 0 if burst["heard"] < 6 else 0.120 if burst["heard"] < 12 else -0.060
        assert burst["heard"] - burst["seen"] == pytest.approx(expected, abs=1e-9)


def test_an_instant_across_a_step_is_heard_twice_or_never() -> None:
    delay = Delay(0, 0, ((Fraction(2), 100.0), (Fraction(4), 0.0)))
    assert delay.heard(Fraction(195, 100), 48_000) == (Fraction(195, 100), Fraction(205, 100))
    assert delay.heard(Fraction(395, 100), 48_000) == ()


def test_sound_is_the_same_in_blocks_of_any_size() -> None:
    track = plan_sample_clip(offset_ms=13, drift_ppm=150, steps=[(Fraction(1), 50.0)], seconds=3, **SMALL).soundtrack()
    whole = track.read(0, 2 * NATIVE_RATE)
    pieces = np.concatenate([track.read(n, min(n + 1000, 2 * NATIVE_RATE)) for n in range(0, 2 * NATIVE_RATE, 1000)])
    assert np.allclose(whole, pieces, atol=1e-6)


def test_different_seeds_show_and_say_different_things() -> None:
    first, second = plan_sample_clip(seed=0), plan_sample_clip(seed=1)
    assert first.looks != second.looks
    assert first.speech.phones != second.speech.phones
    assert plan_sample_clip(seed=1).speech.phones == second.speech.phones


def test_an_unknown_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        run(build_sample_clip(tmp_path / "a.gif", **SMALL))
    assert refused.value.refusal.code == "sample.unknown_suffix"
    assert ".mp4" in str(refused.value.refusal)


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        run(build_sample_clip(tmp_path / "nowhere" / "a.mp4", **SMALL))
    assert refused.value.refusal.code.startswith("export.")
    assert "nowhere" in str(refused.value.refusal)


def test_a_clip_given_up_half_way_leaves_nothing_and_keeps_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"old")
    job = build_sample_clip(path, seconds=2, **SMALL)
    for _ in range(10):
        next(job)
    job.close()
    assert [file.name for file in tmp_path.iterdir()] == ["a.mp4"]
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("choices", [{"size": (321, 180)}, {"seconds": 0}, {"text": "xylophone"}])
def test_impossible_choices_are_errors(choices: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"cannot draw|xylophone"):
        plan_sample_clip(**choices)


def landmark_openings(plan: SamplePlan) -> tuple[np.ndarray, np.ndarray]:
    """Inner-lip opening in mm as an independent eye sees it: MediaPipe's own tracker on the whole frames."""
    from mediapipe.python.solutions.face_mesh import FaceMesh

    scene = plan.scene()
    times, openings = [], []
    with FaceMesh(refine_landmarks=True, max_num_faces=1) as mesh:
        for number in range(plan.frames):
            time = number / plan.rate
            faces = mesh.process(scene.frame(float(time))).multi_face_landmarks
            assert faces, f"no face in frame {number}"
            points = np.array([(point.x * plan.size[0], point.y * plan.size[1]) for point in faces[0].landmark])
            eyes = np.linalg.norm(points[468] - points[473])
            times.append(float(time))
            openings.append(63 * np.linalg.norm(points[13] - points[14]) / eyes)
    return np.array(times), np.array(openings)


@pytest.mark.parametrize("look", range(len(LOOKS)))
def test_landmarks_follow_the_drawn_lips(look: int) -> None:
    plan = plan_sample_clip(seconds=6, size=(640, 360), look=LOOKS[look], seed=20 + look)
    times, seen = landmark_openings(plan)

    def likeness(lag: float) -> float:
        return float(np.corrcoef(seen, plan.articulation.at(times - lag).opening)[0, 1])

    lags = np.arange(-0.06, 0.0601, 0.001)
    curve = np.array([likeness(lag) for lag in lags])
    assert likeness(0.0) > 0.95
    assert abs(lags[np.argmax(curve)]) <= 0.005
    truth = plan.articulation.at(times).opening
    # half a millimetre of some ten: what the mesh shows for touching lips of real people
    assert np.percentile(seen[truth == 0], 90) < 1.0
    assert np.median(seen[truth > 6]) > 4.0
