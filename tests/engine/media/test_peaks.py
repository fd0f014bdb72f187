"""The waveform pyramid: right at every zoom, progressive, cached, and rebuilt when the cache lies."""

from __future__ import annotations

import os
import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine.jobs import run
from engine.media import samples as samples_module
from engine.media.cache import Cache, content_key
from engine.media.peaks import BIN_SAMPLES, PeakBlock, build_peaks
from engine.media.samples import read_samples
from engine.places import cache_folder
from engine.refusal import Refused
from tests.media import make_still


@pytest.fixture(autouse=True)
def _empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PLOSIVE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def noise(tmp_path):
    """Forty seconds of noise whose level changes, and its samples as int16."""
    rate = 44_100
    generator = np.random.default_rng(3)
    sound = generator.standard_normal(rate * 40) * np.abs(np.sin(np.arange(rate * 40) / 50_000)) * 0.2
    data = np.clip(sound * 32767, -32767, 32767).astype(np.int16)
    soundfile.write(tmp_path / "noise.wav", data, rate)
    return tmp_path / "noise.wav", data


def naive_window(data, rate, start, stop, columns):
    """Least and greatest sample per column, straight from the samples."""
    edges = start * rate + np.arange(columns + 1) * (stop - start) * rate / columns
    low, high = np.floor(edges[:-1]).astype(int), np.ceil(edges[1:]).astype(int)
    pairs = [data[max(0, a) : max(0, b)] for a, b in zip(low, high, strict=True)]
    return np.array([p.min() if len(p) else 0 for p in pairs]), np.array([p.max() if len(p) else 0 for p in pairs])


@pytest.mark.parametrize(
    ("start", "stop", "columns"), [(0, 40, 800), (3, 9, 500), (10, 11.5, 200), (-5, 60, 333), (39, 41, 64)]
)
def test_a_window_holds_the_extremes_of_its_samples(noise, start, stop, columns):
    path, data = noise
    peaks = run(build_peaks(path))
    mins, maxs = peaks.window(start, stop, columns)
    assert mins.shape == maxs.shape == (columns,)
    true_mins, true_maxs = naive_window(data, 44_100, start, stop, columns)
    # One step of 16 bits for the rounding outwards: nothing is ever hidden ...
    assert (mins <= true_mins + 1).all()
    assert (maxs >= true_maxs - 1).all()
    # ... and what is drawn beyond it lies within one bin beside the column.
    beside = (stop - start) / columns + 2 * BIN_SAMPLES * 8 ** (len(peaks.levels) - 1) / 44_100
    for column in range(0, columns, 7):
        middle = start + (column + 0.5) * (stop - start) / columns
        near = data[max(0, int((middle - beside) * 44_100)) : max(0, int((middle + beside) * 44_100))]
        if len(near):
            assert mins[column] >= min(0, near.min()) - 1
            assert maxs[column] <= max(0, near.max()) + 1


def test_levels_are_eight_times_coarser_each(noise):
    peaks = run(build_peaks(noise[0]))
    assert len(peaks.levels[0]) == -(-40 * 44_100 // 256)
    for fine, coarse in zip(peaks.levels, peaks.levels[1:], strict=False):
        assert len(coarse) == -(-len(fine) // 8)
        assert coarse[:, 0].min() == fine[:, 0].min()
        assert coarse[:, 1].max() == fine[:, 1].max()
    assert len(peaks.levels[-1]) <= 512
    assert (peaks.start, peaks.stop, peaks.samples) == (0, 40, 40 * 44_100)


def test_blocks_arrive_while_it_is_read_and_make_up_the_whole(noise):
    job, blocks, shares = build_peaks(noise[0]), [], []
    peaks = run(job, lambda progress: (blocks.append(progress.partial), shares.append(progress.done)))
    assert len(blocks) >= 4
    assert all(isinstance(block, PeakBlock) for block in blocks)
    assert [block.first_bin for block in blocks] == list(np.cumsum([0] + [len(b.extremes) for b in blocks[:-1]]))
    assert np.array_equal(np.concatenate([block.extremes for block in blocks]), peaks.levels[0])
    assert shares == sorted(shares)


def test_beeps_stand_where_they_sound(clip):
    made = clip("a.mp4")
    peaks = run(build_peaks(made))
    for at in made.beeps:
        before = peaks.window(at - Fraction(1, 20), at - Fraction(1, 100), 1)
        during = peaks.window(at, at + Fraction(1, 50), 1)
        assert before[1][0] < 1500
        assert during[1][0] > 12_000
        assert during[0][0] < -12_000


def test_channels_out_of_phase_do_not_cancel(tmp_path):
    tone = (np.sin(np.arange(48_000) / 10) * 0.5).astype(np.float32)
    soundfile.write(tmp_path / "phase.wav", np.stack([tone, -tone], axis=1), 48_000)
    assert run(build_peaks(tmp_path / "phase.wav")).window(0, 1, 1)[1][0] > 16_000


def test_a_second_build_reads_the_cache_only(noise, monkeypatch):
    first = run(build_peaks(noise[0]))
    monkeypatch.setattr(samples_module, "SoundSource", lambda *_: pytest.fail("read again"))
    blocks = []
    second = run(build_peaks(noise[0]), lambda progress: blocks.append(progress.partial))
    assert all(np.array_equal(one, other) for one, other in zip(first.levels, second.levels, strict=True))
    assert (first.start, first.sample_rate, first.samples) == (second.start, second.sample_rate, second.samples)
    assert [len(block.extremes) for block in blocks] == [len(first.levels[0])]


def test_other_content_or_another_stream_has_its_own_key(noise, tmp_path, clip):
    path = noise[0]
    keys = {content_key(path, 0, 1), content_key(path, 1, 1), content_key(path, 0, 2)}
    os.utime(path, ns=(0, 12345))
    keys.add(content_key(path, 0, 1))
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(0, 12345))
    keys.add(content_key(path, 0, 1))
    assert len(keys) == 5
    moved = tmp_path / "moved.wav"
    shutil.move(path, moved)
    assert content_key(moved, 0, 1) in keys
    two = clip("two.mkv", audio_languages=("eng", "zho"))
    assert run(build_peaks(two, 1)).levels[0].shape == run(build_peaks(two, 2)).levels[0].shape
    assert not np.array_equal(run(build_peaks(two, 1)).levels[0], run(build_peaks(two, 2)).levels[0])


@pytest.mark.parametrize("damage", ["cut", "noise", "empty", "flip", "lie"])
def test_a_damaged_cache_is_rebuilt(noise, damage):
    first = run(build_peaks(noise[0]))
    (cached,) = (cache_folder() / "peaks").iterdir()
    data = bytearray(cached.read_bytes())
    if damage == "cut":
        data = data[: len(data) // 2]
    elif damage == "noise":
        data = bytearray(np.random.default_rng(0).bytes(len(data)))
    elif damage == "empty":
        data = bytearray()
    elif damage == "flip":
        data[len(data) // 2] ^= 4
    cached.write_bytes(data)
    if damage == "lie":
        with cached.open("wb") as target:
            np.savez(target, header=np.array([0, 1, 44_100, 99], np.int64), finest=np.zeros((7, 2), np.int16))
    second = run(build_peaks(noise[0]))
    assert np.array_equal(first.levels[0], second.levels[0])
    assert np.array_equal(run(build_peaks(noise[0])).levels[0], first.levels[0])


def test_giving_up_leaves_nothing_behind(noise):
    job = build_peaks(noise[0])
    next(job)
    job.close()
    assert not (cache_folder() / "peaks").exists()


def test_a_cache_that_cannot_be_written_is_no_failure(noise, tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv("PLOSIVE_CACHE", str(blocked / "below"))
    assert run(build_peaks(noise[0])).samples == 40 * 44_100


def test_the_cache_drops_what_was_used_longest_ago(tmp_path, monkeypatch):
    monkeypatch.setenv("PLOSIVE_CACHE", str(tmp_path / "small"))
    cache = Cache("things", limit_bytes=250)
    for number, key in enumerate("abc"):
        cache.keep(key, lambda target: target.write(bytes(100)))
        os.utime(tmp_path / "small" / "things" / key, ns=(0, number))
        if key == "b":
            assert cache.find("a") is not None
    assert cache.find("b") is None
    assert cache.find("a") == tmp_path / "small" / "things" / "a"
    assert cache.find("c") is not None
    cache.keep("large", lambda target: target.write(bytes(1000)))
    assert sorted(path.name for path in (tmp_path / "small" / "things").iterdir()) == ["large"]


def test_no_partial_file_remains_when_writing_fails(tmp_path, monkeypatch):
    monkeypatch.setenv("PLOSIVE_CACHE", str(tmp_path / "full"))

    def disk_full(target):
        target.write(b"some")
        raise OSError(28, "No space left on device")

    Cache("things", 100).keep("a", disk_full)
    assert list((tmp_path / "full" / "things").iterdir()) == []


def test_sound_shorter_than_a_bin(tmp_path):
    soundfile.write(tmp_path / "short.wav", np.full(100, 0.25, np.float32), 8_000)
    peaks = run(build_peaks(tmp_path / "short.wav"))
    assert peaks.samples == 100
    mins, maxs = peaks.window(0, 1, 10)
    assert maxs[0] == pytest.approx(0.25 * 32767, abs=2)
    assert mins[5] == maxs[5] == 0


def test_refusals_and_senseless_windows(tmp_path, noise):
    with pytest.raises(Refused) as caught:
        run(build_peaks(make_still(tmp_path / "a.png")))
    assert caught.value.refusal.code == "media.no_sound"
    peaks = run(build_peaks(noise[0]))
    with pytest.raises(ValueError, match="nothing to draw"):
        peaks.window(0, 1, 0)
    with pytest.raises(ValueError, match="nothing to draw"):
        peaks.window(1, 1, 10)


def test_the_finest_level_is_that_of_the_decoded_samples(clip):
    made = clip("b.mp4", sample_rate=44_100, channels=2)
    peaks = run(build_peaks(Path(made.path)))
    sound = np.concatenate([block.data for block in read_samples(made, sample_rate=None, channels=None)])
    assert peaks.samples == len(sound)
    whole = sound[: len(sound) // 256 * 256].reshape(-1, 512) * 32767
    assert np.array_equal(peaks.levels[0][: len(whole), 0], np.floor(whole.min(axis=1)))
    assert np.array_equal(peaks.levels[0][: len(whole), 1], np.ceil(whole.max(axis=1)))
