"""Preparing recordings for models: formats, delay, level, trimming, padding, channels, refusals, cancelling."""

from __future__ import annotations

import errno
import subprocess
import sys
import wave
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from engine.jobs import run
from engine.refusal import Refusal
from engine.sound import prepare as module
from engine.sound.prepare import default_target, prepare
from engine.sound.prepared import Prepared, sidecar
from tests.engine.sound.recordings import at_16k, read, samples_late, true_peak_db, write
from tests.engine.sound.voice import Speech, speech
from tests.media import make_clip

MADE_48K = speech(6, 48_000, seed=11)

LOSSLESS_LATE = 0.05
"""Samples of 16 kHz; three microseconds, the resolution of the comparison."""

LOSSY_LATE = 0.5
"""A lossy codec moves the correlation's peak by some tenths of a sample at low bit rates."""


def _prepared(source: Path, target: Path | None = None, **wishes: object) -> Prepared:
    result = run(prepare(source, target, **wishes))  # type: ignore[arg-type]
    assert isinstance(result, Prepared), result
    return result


def _refused(source: Path, target: Path | None = None, **wishes: object) -> str:
    result = run(prepare(source, target, **wishes))  # type: ignore[arg-type]
    assert isinstance(result, Refusal), result
    return result.code


def _check_format(path: Path) -> None:
    with wave.open(str(path), "rb") as wav:
        assert (wav.getframerate(), wav.getnchannels(), wav.getsampwidth()) == (16_000, 1, 2)


def _check_in_place(result: Prepared, made: Speech, tolerance: float) -> None:
    """The result, laid over the original at the place it claims, does not lag."""
    heard, _ = read(result.path)
    truth = at_16k(made.samples, made.rate)
    first = round(result.trimmed_head * 16_000)
    assert Fraction(first, 16_000) == result.trimmed_head
    late = samples_late(heard, truth[first : first + len(heard)])
    assert abs(late) <= tolerance
    assert result.delay_samples is not None
    assert abs(result.delay_samples) <= 0.05


@pytest.mark.parametrize(
    ("rate", "channels"),
    [(8000, 1), (11_025, 2), (16_000, 6), (22_050, 1), (44_100, 6), (48_000, 2), (96_000, 1), (96_000, 2), (16_000, 1)],
)
def test_every_rate_and_channel_count_comes_out_in_place(tmp_path: Path, rate: int, channels: int) -> None:
    made = speech(3, rate, seed=rate)
    samples = made.samples if channels == 1 else np.repeat(made.samples[:, None], channels, axis=1)
    source = write(tmp_path / "voice.wav", samples, rate, subtype="PCM_16")
    result = _prepared(source)
    _check_format(result.path)
    _check_in_place(result, made, LOSSLESS_LATE)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_every_sample_depth_is_read(tmp_path: Path, subtype: str) -> None:
    source = write(tmp_path / "voice.wav", MADE_48K.samples, 48_000, subtype=subtype)
    # Eight bits leave 46 dB between the voice and their own noise: the peak is still within a tenth of a sample.
    _check_in_place(_prepared(source), MADE_48K, 0.1 if subtype == "PCM_U8" else LOSSLESS_LATE)


@pytest.mark.parametrize(
    ("name", "options", "rate"),
    [
        ("voice.flac", (), 44_100),
        ("voice.mp3", ("-b:a", "64k"), 44_100),
        ("voice.mp3", ("-b:a", "32k"), 22_050),
        ("voice.m4a", ("-b:a", "64k"), 44_100),
        ("voice.opus", ("-b:a", "32k"), 48_000),
        ("voice.ogg", ("-c:a", "libvorbis", "-b:a", "64k"), 44_100),
        ("voice.webm", ("-c:a", "libopus", "-b:a", "32k"), 48_000),
        ("voice.mka", ("-c:a", "ac3", "-b:a", "96k"), 48_000),
        ("voice.aiff", (), 44_100),
    ],
)
def test_encoder_delay_is_gone(tmp_path: Path, name: str, options: tuple[str, ...], rate: int) -> None:
    made = speech(6, rate, seed=12)
    source = write(tmp_path / name, made.samples, rate, *options)
    lossless = name.endswith((".flac", ".aiff"))
    _check_in_place(_prepared(source), made, LOSSLESS_LATE if lossless else LOSSY_LATE)


@pytest.mark.parametrize("level", [0.002, 0.02, 0.2])
def test_level_is_the_same_whatever_it_was(tmp_path: Path, level: float) -> None:
    made = speech(8, 16_000, level=level, noise_db=-90, seed=13)
    result = _prepared(write(tmp_path / "voice.wav", made.samples, 16_000, subtype="FLOAT"))
    assert result.loudness_lufs == pytest.approx(-23.0, abs=0.3)
    heard, _ = read(result.path)
    assert true_peak_db(heard) <= -0.9  # -1 dBTP; the meter's own interpolation is good to 0.1 dB


def test_high_peaks_hold_the_level_down_instead_of_clipping(tmp_path: Path) -> None:
    made = speech(8, 16_000, level=0.01, noise_db=-90, seed=14)
    samples = made.samples.copy()
    samples[60_000] = 0.9
    result = _prepared(write(tmp_path / "voice.wav", samples, 16_000))
    heard, _ = read(result.path)
    assert true_peak_db(heard) == pytest.approx(-1.0, abs=0.1)
    assert [note.key for note in result.notes] == ["sound.note.peaks_limit"]


def test_without_normalising_samples_stay_as_they_are(tmp_path: Path) -> None:
    made = speech(3, 16_000, seed=15)
    source = write(tmp_path / "voice.wav", made.samples, 16_000, subtype="PCM_16")
    result = _prepared(source, normalise=False, trim=False)
    before, _ = read(source)
    after, _ = read(result.path)
    # The mean is taken off and rounded again: one step of 16 bits.
    assert len(after) == len(before)
    assert np.abs(after - before).max() <= 1.01 / 32768


def test_overshooting_floats_are_lowered_even_without_normalising(tmp_path: Path) -> None:
    made = speech(3, 16_000, level=0.3, seed=15)
    source = write(tmp_path / "voice.wav", made.samples * 2, 16_000, subtype="FLOAT")
    result = _prepared(source, normalise=False)
    assert result.gain_db < 0
    heard, _ = read(result.path)
    assert np.abs(heard).max() < 1


def test_constant_offset_is_taken_off(tmp_path: Path) -> None:
    made = speech(4, 16_000, seed=16)
    result = _prepared(write(tmp_path / "voice.wav", made.samples + 0.2, 16_000), trim=False)
    heard, _ = read(result.path)
    assert abs(heard.mean()) < 1e-4


@pytest.mark.parametrize("margin", [Fraction(0), Fraction(15, 100), Fraction(3, 10)])
def test_silence_is_trimmed_and_times_map_back(tmp_path: Path, margin: Fraction) -> None:
    made = speech(6, 16_000, noise_db=-75, seed=17)
    quiet = np.random.default_rng(0).standard_normal(32_000).astype(np.float32) * 10 ** (-75 / 20)
    samples = np.concatenate([quiet, made.samples, quiet])
    result = _prepared(write(tmp_path / "voice.wav", samples, 16_000, subtype="PCM_16"), margin=margin)
    begins, ends = 2 + made.phrases[0][0], 2 + made.phrases[-1][1]
    # Nothing of the voice is lost, and what is kept around it is the margin: rows of 10 ms, weak ends of a fade.
    assert 0 <= begins - float(result.source_start) - float(margin) + 0.011 <= 0.035
    assert 0 <= float(result.source_end) - ends - float(margin) + 0.021 <= 0.045
    heard, _ = read(result.path)
    moment = 2 + made.phrases[1][0]
    assert (result.source_start * 16_000).denominator == 1  # trimmed between samples of the source's clock
    there = round(float(Fraction(moment) - result.source_start) * 16_000)
    before, after = heard[there - 160 : there], heard[there + 160 : there + 800]
    assert np.sqrt(np.mean(before**2)) < 0.1 * np.sqrt(np.mean(after**2))
    assert result.trimmed_head + result.trimmed_tail + result.seconds == Fraction(len(samples), 16_000)


def test_a_click_does_not_count_as_the_beginning(tmp_path: Path) -> None:
    made = speech(6, 16_000, seed=18)
    samples = np.concatenate([np.zeros(48_000, np.float32), made.samples])
    samples[8000:8040] = 0.5
    result = _prepared(write(tmp_path / "voice.wav", samples, 16_000))
    assert float(result.source_start) > 3


@pytest.mark.parametrize(
    "fps", [Fraction(25), Fraction(30_000, 1001), Fraction(24_000, 1001), Fraction(16), Fraction(1)]
)
def test_the_end_is_padded_to_whole_frames(tmp_path: Path, fps: Fraction) -> None:
    source = write(tmp_path / "voice.wav", MADE_48K.samples[:150_001], 48_000)
    result = _prepared(source, fps=fps)
    heard, _ = read(result.path)
    assert result.frames is not None
    assert len(heard) == result.samples
    # The last frame is full to the sample, and one frame less would not have been enough.
    assert 0 <= result.seconds - result.frames / fps < Fraction(1, 16_000)
    assert (result.frames - 1) / fps < result.source_end - result.source_start
    assert result.padding_samples == 0 or not heard[-result.padding_samples :].any()


def test_a_clips_sound_keeps_its_place_on_the_clock(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", seconds=4, sound_start_ms=480, audio_codec="aac")
    result = _prepared(clip.path, trim=False)
    heard, _ = read(result.path)
    first_beep = float(clip.beeps[0])
    there = int(np.argmax(np.abs(heard) > 0.2 * np.abs(heard).max()))
    assert float(result.source_start + Fraction(there, 16_000)) == pytest.approx(first_beep, abs=0.003)


def test_opposite_polarity_does_not_cancel(tmp_path: Path) -> None:
    samples = np.stack([MADE_48K.samples, -MADE_48K.samples], axis=1)
    result = _prepared(write(tmp_path / "voice.wav", samples, 48_000))
    assert [note.key for note in result.notes] == ["sound.note.out_of_phase"]
    assert result.channel == 0
    _check_in_place(result, MADE_48K, LOSSLESS_LATE)


def test_a_dead_channel_is_left_out(tmp_path: Path) -> None:
    hiss = np.random.default_rng(0).standard_normal(len(MADE_48K.samples)).astype(np.float32) * 1e-4
    result = _prepared(write(tmp_path / "voice.wav", np.stack([hiss, MADE_48K.samples], axis=1), 48_000))
    assert [note.key for note in result.notes] == ["sound.note.dead_channel"]
    assert result.channel == 1
    assert result.loudness_lufs == pytest.approx(-23, abs=0.5)


def test_dialogue_in_the_centre_is_heard(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    samples = random.standard_normal((len(MADE_48K.samples), 6)).astype(np.float32) * 0.001
    samples[:, 2] += MADE_48K.samples
    samples[:, 3] += 0.5 * np.sin(np.arange(len(samples)) * 2 * np.pi * 50 / 48_000)  # an effect in the LFE
    result = _prepared(write(tmp_path / "voice.wav", samples, 48_000, "-c:a", "pcm_s16le"))
    _check_in_place(result, MADE_48K, LOSSLESS_LATE)


def test_facts_are_written_beside_and_read_back(tmp_path: Path) -> None:
    source = write(tmp_path / "my voice, 第一.wav", MADE_48K.samples, 48_000)
    result = _prepared(source, fps=Fraction(30_000, 1001))
    assert result.path == tmp_path / "my voice, 第一.16k.wav"
    again = Prepared.load(result.path)
    assert again.to_json() == result.to_json()
    assert again.source_start == result.source_start
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [source.name, result.path.name, sidecar(result.path).name]
    )
    sidecar(result.path).write_text("{}", encoding="utf-8")
    with pytest.raises(ValueError, match="does not describe"):
        Prepared.load(result.path)


def test_the_name_that_is_given_by_default_is_new(tmp_path: Path) -> None:
    source = tmp_path / "talk.mp4"
    assert default_target(source) == tmp_path / "talk.16k.wav"
    (tmp_path / "talk.16k.wav").symlink_to(tmp_path / "nowhere")
    sidecar(tmp_path / "talk.16k-2.wav").touch()
    assert default_target(source) == tmp_path / "talk.16k-3.wav"


def test_the_same_source_gives_the_same_bytes(tmp_path: Path) -> None:
    source = write(tmp_path / "voice.wav", MADE_48K.samples, 48_000)
    before = source.read_bytes()
    first = _prepared(source, tmp_path / "a.wav").path.read_bytes()
    assert _prepared(source, tmp_path / "b.wav").path.read_bytes() == first
    assert source.read_bytes() == before


def test_a_twentieth_of_a_second_is_enough(tmp_path: Path) -> None:
    syllable = MADE_48K.samples[26_400:28_800]
    result = _prepared(write(tmp_path / "voice.wav", syllable, 48_000), fps=Fraction(25))
    assert (result.frames, result.samples) == (2, 1280)
    assert result.source_end - result.source_start == Fraction(1, 20)


def test_one_sample_does_not_crash(tmp_path: Path) -> None:
    source = write(tmp_path / "voice.wav", np.full(1, 0.5, np.float32), 16_000)
    result = run(prepare(source, normalise=False))
    assert isinstance(result, Prepared | Refusal)


def test_silence_is_refused_unless_it_is_wanted(tmp_path: Path) -> None:
    source = write(tmp_path / "voice.wav", np.zeros(32_000, np.float32), 16_000)
    assert _refused(source) == "sound.silent"
    result = _prepared(source, trim=False)
    assert (result.samples, result.loudness_lufs, result.delay_samples) == (32_000, None, None)
    assert result.gain_db == 0


def test_empty_sound_no_sound_and_no_file_are_refused(tmp_path: Path) -> None:
    empty = write(tmp_path / "empty.wav", np.zeros(0, np.float32), 16_000)
    assert _refused(empty).startswith(("sound.", "media."))
    assert _refused(tmp_path / "missing.wav") == "media.missing"
    picture = make_clip(tmp_path / "picture.mp4", seconds=1, audio_codec=None)
    assert _refused(picture.path) == "media.no_sound"
    assert not list(tmp_path.glob("*.16k.wav"))


def test_the_source_is_never_overwritten(tmp_path: Path) -> None:
    source = write(tmp_path / "voice.wav", MADE_48K.samples, 48_000)
    before = source.read_bytes()
    link = tmp_path / "link.wav"
    link.symlink_to(source)
    assert _refused(source, source) == "export.same_file"
    assert _refused(source, link) == "export.same_file"
    assert source.read_bytes() == before


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    source = write(tmp_path / "voice.wav", MADE_48K.samples, 48_000)
    assert _refused(source, tmp_path / "nowhere" / "voice.wav") == "export.no_folder"


def test_a_full_disk_is_refused_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write(tmp_path / "voice.wav", MADE_48K.samples, 48_000)

    class Full(wave.Wave_write):
        def writeframesraw(self, data: bytes) -> None:
            if self.tell() > 20_000:
                raise OSError(errno.ENOSPC, "No space left on device")
            super().writeframesraw(data)

    monkeypatch.setattr(module.wave, "open", lambda file, _mode: Full(file))
    assert _refused(source) == "sound.disk_full"
    assert [path.name for path in tmp_path.iterdir()] == ["voice.wav"]


@pytest.mark.parametrize("share", [0.1, 0.6, 0.9])
def test_stopping_leaves_nothing_behind(tmp_path: Path, share: float) -> None:
    source = write(tmp_path / "voice.wav", np.tile(MADE_48K.samples, 5), 48_000)
    job = prepare(source)
    for progress in job:
        if progress.done >= share:
            break
    job.close()
    assert [path.name for path in tmp_path.iterdir()] == ["voice.wav"]


def test_progress_never_goes_back(tmp_path: Path) -> None:
    source = write(tmp_path / "voice.wav", np.tile(MADE_48K.samples, 3), 48_000)
    seen: list[float] = []
    run(prepare(source), lambda progress: seen.append(progress.done))
    assert seen == sorted(seen)
    assert len(seen) > 10
    assert seen[-1] <= 1


@pytest.mark.parametrize(("name", "value"), [("fps", Fraction(0)), ("margin", Fraction(-1, 10))])
def test_senseless_wishes_are_errors(tmp_path: Path, name: str, value: Fraction) -> None:
    with pytest.raises(ValueError, match=name):
        prepare(tmp_path / "voice.wav", **{name: value})


_MEMORY = """
import resource, sys
from pathlib import Path
from engine.jobs import run
from engine.sound.doctor import diagnose
from engine.sound.prepare import prepare
source, target = map(Path, sys.argv[1:])
prepared, diagnosis = run(prepare(source, target)), run(diagnose(source))
assert prepared.samples > 0 and diagnosis.seconds > 0
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    made = speech(60, 16_000, seed=20)
    data = np.rint(made.samples * 32767).astype("<i2").tobytes()
    peaks = {}
    for minutes in (5, 120):
        source = tmp_path / f"{minutes}.wav"
        with wave.open(str(source), "wb") as wav:
            wav.setnchannels(1)
            wav.setsampwidth(2)
            wav.setframerate(16_000)
            for _ in range(minutes):
                wav.writeframes(data)
        command = [sys.executable, "-c", _MEMORY, str(source), str(tmp_path / f"{minutes}.out.wav")]
        peaks[minutes] = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout) / 1024
        source.unlink()
    # Megabytes; allocators differ by a few from run to run, the sound itself would be 460 MB.
    assert peaks[120] < peaks[5] + 30, peaks
