"""Sound: to the sample where the pictures are, at any rate, from any time, through gaps and damage."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from engine.media.frames import read_frames
from engine.media.samples import read_samples
from engine.refusal import Refused
from tests.media import beep, decoded_sound, find_beeps, make_clip, truncated

KINDS = {
    "mp4 aac": ("a.mp4", {}),
    "mp4 aac 44.1 stereo": ("b.mp4", {"sample_rate": 44_100, "channels": 2}),
    "mp4 aac 5.1": ("c.mp4", {"channels": 6}),
    "mp4 aac 7.1": ("x.mp4", {"channels": 8}),
    "mp4 mp3": ("d.mp4", {"audio_codec": "libmp3lame"}),
    "mp4 opus": ("e.mp4", {"audio_codec": "libopus"}),
    "mp4 fragmented": ("f.mp4", {"container_options": {"movflags": "frag_keyframe+empty_moov"}}),
    "mp4 sound held back": ("g.mp4", {"sound_start_ms": 500}),
    "mp4 sound cut": ("h.mp4", {"sound_start_ms": -200}),
    "mp4 picture held back": ("i.mp4", {"picture_start_ms": 500}),
    "mov pcm": ("j.mov", {"audio_codec": "pcm_s16le"}),
    "mov pcm 24": ("k.mov", {"audio_codec": "pcm_s24le", "sample_format": "s32"}),
    "mkv aac": ("l.mkv", {}),
    "mkv aac 44.1": ("m.mkv", {"sample_rate": 44_100}),
    "mkv opus": ("n.mkv", {"audio_codec": "libopus"}),
    "mkv flac": ("o.mkv", {"audio_codec": "flac"}),
    "mkv mp3": ("p.mkv", {"audio_codec": "libmp3lame"}),
    "mkv pcm": ("q.mkv", {"audio_codec": "pcm_s16le"}),
    "webm opus": ("r.webm", {"codec": "libvpx", "audio_codec": "libopus"}),
    "ts aac": ("s.ts", {}),
    "ts aac 44.1": ("t.ts", {"sample_rate": 44_100}),
    "ts mp3": ("u.ts", {"audio_codec": "libmp3lame"}),
    "flv aac": ("v.flv", {"sample_rate": 44_100}),
    "avi pcm": ("w.avi", {"codec": "mpeg4", "bframes": 0, "audio_codec": "pcm_s16le"}),
}
ALONE = {
    "mp3": ("a.mp3", {"audio_codec": "libmp3lame"}),
    "mp3 44.1": ("b.mp3", {"audio_codec": "libmp3lame", "sample_rate": 44_100}),
    "m4a": ("c.m4a", {"audio_codec": "aac"}),
    "wav": ("d.wav", {"audio_codec": "pcm_s16le"}),
    "flac": ("e.flac", {"audio_codec": "flac"}),
    "ogg opus": ("f.ogg", {"audio_codec": "libopus"}),
    "adts": ("g.aac", {"audio_codec": "aac"}),
}


def read(path, **how):
    """Return ``(start, rate, sound)`` after checking that the blocks follow each other."""
    blocks = list(read_samples(path, **how))
    assert blocks
    assert all(first.stop == second.start for first, second in pairwise(blocks))
    assert all(block.data.dtype == np.float32 for block in blocks)
    return blocks[0].start, blocks[0].sample_rate, np.concatenate([block.data for block in blocks])


def beeps_of(path, **how):
    start, rate, sound = read(path, **how)
    return [start + Fraction(index, rate) for index in find_beeps(sound, rate)]


@pytest.mark.parametrize("kind", KINDS)
def test_beeps_are_with_their_flashes_to_the_sample(clip, kind):
    name, recipe = KINDS[kind]
    made = clip(name, **recipe)
    delay = next(read_frames(made)).time.seconds - made.frame_times[0]
    found = beeps_of(made, sample_rate=None)
    assert len(found) == len(made.beeps) >= 3
    # Half a sample where ticks are finer than samples, or where the rounding of 44.1 kHz packets to milliseconds
    # determines the position. 48 kHz packets in milliseconds leave 1/6 ms.
    slack = 0.5
    if kind == "flv aac":
        slack = 1.0
    strays = [float(at - delay - true) * 48_000 for at, true in zip(found, made.beeps, strict=True)]
    assert max(map(abs, strays)) <= slack


@pytest.mark.parametrize("kind", ALONE)
def test_sound_files_begin_with_their_first_sample(clip, kind):
    name, recipe = ALONE[kind]
    made = clip(name, codec=None, **recipe)
    start, rate, sound = read(made, sample_rate=None)
    found = [Fraction(index, rate) for index in find_beeps(sound, rate)]
    # Bare AAC carries no delay: its 1024 samples of priming stay. The rest counts from its first sample.
    extra = 1024 if kind == "adts" else 0
    assert [round((at - true) * rate) for at, true in zip(found, made.beeps, strict=True)] == [extra] * 4
    assert (start > 0) == kind.startswith("mp3"), "libav puts the first sample of an MP3 after its delay"


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("source_rate", [8_000, 16_000, 44_100, 48_000])
def test_resampling_adds_no_delay(tmp_path, source_rate, rate):
    """A band-limited click keeps its time to a fiftieth of a sample: its centre is found by its phase."""
    at = Fraction(source_rate // 2 + 7, source_rate)
    time = np.arange(source_rate) / source_rate - float(at)
    band = 0.4 * min(source_rate, rate) / 2
    click = (np.sinc(2 * band * time) * np.exp(-((time * 300) ** 2))).astype(np.float32) * 0.8
    soundfile.write(tmp_path / "click.wav", click, source_rate, subtype="FLOAT")
    start, got, sound = read(tmp_path / "click.wav", sample_rate=rate)
    assert (start, got) == (0, rate)
    assert len(sound) == rate
    weight = sound.astype(np.float64) ** 2
    centre = float((np.arange(rate) * weight).sum() / weight.sum()) / rate
    assert abs(centre - float(at)) * rate < 0.02
    assert weight.sum() / rate == pytest.approx(float((click.astype(np.float64) ** 2).sum()) / source_rate, rel=0.01)


SEEKS = {**KINDS, **{kind: (name, {**recipe, "codec": None}) for kind, (name, recipe) in ALONE.items()}}


@pytest.mark.parametrize("kind", SEEKS)
def test_a_part_equals_the_same_part_of_the_whole(clip, kind):
    name, recipe = SEEKS[kind]
    made = clip(name, **recipe)
    generator = random.Random(kind)
    for rate in (None, 16_000, 44_100):
        start, got, whole = read(made, sample_rate=rate)
        for _ in range(4):
            begin = generator.uniform(0.01, 3.2)
            length = generator.uniform(0.02, 0.6)
            first, got, part = read(
                made, sample_rate=rate, start=start + Fraction(begin), stop=float(start) + begin + length
            )
            index = (first - start) * got
            assert index.denominator == 1
            assert 0 <= index / got - Fraction(begin) < Fraction(1, got)
            assert abs(len(part) - length * got) <= 1
            # Decoders with overlapping windows agree to float rounding; 2e-3 is noise substitution of surround AAC.
            expected = whole[int(index) : int(index) + len(part)]
            assert np.abs(part - expected).max() < (2e-3 if "channels" in recipe else 1e-5)


@pytest.mark.parametrize("size", [0.01, 0.3, 1, 60])
def test_blocks_have_the_length_asked_for(clip, size):
    blocks = list(read_samples(clip("a.mp4"), block_seconds=size))
    assert {len(block.data) for block in blocks[:-1]} <= {round(16_000 * size)}
    # 188 packets of 1024 samples at 48 kHz, a third of them.
    assert np.concatenate([block.data for block in blocks]).shape == (64_171,)


def test_nothing_outside_the_sound(clip):
    made = clip("a.mp4")
    assert list(read_samples(made, start=50)) == []
    assert list(read_samples(made, stop=0)) == []
    assert list(read_samples(made, start=2, stop=2)) == []
    assert next(read_samples(made, start=-3)).start == 0


def test_channels(tmp_path):
    rate = 8_000
    left, right = np.full(rate, 0.5, np.float32), np.full(rate, -0.25, np.float32)
    soundfile.write(tmp_path / "stereo.wav", np.stack([left, right], 1), rate, subtype="FLOAT")
    soundfile.write(tmp_path / "mono.wav", left, rate, subtype="FLOAT")
    assert read(tmp_path / "stereo.wav", sample_rate=None, channels=None)[2].shape == (rate, 2)
    assert read(tmp_path / "mono.wav", sample_rate=None, channels=None)[2].shape == (rate,)
    assert np.allclose(read(tmp_path / "stereo.wav", sample_rate=None)[2], 0.125, atol=1e-6)
    assert np.allclose(read(tmp_path / "mono.wav", sample_rate=None, channels=2)[2], 0.5, atol=1e-6)


def test_down_mix_of_surround_keeps_the_voice_in_the_centre(tmp_path):
    rate = 8_000
    sound = np.zeros((rate, 6), np.float32)
    sound[:, 2], sound[:, 3] = 0.4, 0.9
    soundfile.write(tmp_path / "six.wav", sound, rate, subtype="FLOAT", format="WAVEX")
    mono = read(tmp_path / "six.wav", sample_rate=None)[2]
    stereo = read(tmp_path / "six.wav", sample_rate=None, channels=2)[2]
    # ITU-R BS.775 weights of FL FR FC SL SR, normalised: 1 / (1 + 2 * 0.7071 + 2 * 0.5) and 0.7071 / (1 + 2 * 0.7071)
    assert np.allclose(mono, 0.4 / 3.41421, atol=1e-3)
    assert np.allclose(stereo, 0.4 * 0.70711 / 2.41421, atol=1e-3)


@pytest.mark.parametrize(
    "codec", ["pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_s64le", "pcm_f32le", "pcm_f64le"]
)
def test_every_sample_format_has_the_same_full_scale(clip, codec):
    formats = {"pcm_u8": "u8", "pcm_s16le": "s16", "pcm_f32le": "flt", "pcm_f64le": "dbl", "pcm_s64le": "s64"}
    made = clip(f"{codec}.wav", codec=None, audio_codec=codec, sample_format=formats.get(codec, "s32"), seconds=1)
    _, rate, sound = read(made, sample_rate=None)
    at = round(made.beeps[0] * rate)
    # 8 bits are good to 1/128 of full scale; half of it is for rounding.
    assert np.abs(sound[at : at + 1000] - beep(rate)[:1000]).max() < (0.006 if codec == "pcm_u8" else 1e-4)


def test_the_second_stream_can_be_chosen(clip):
    made = clip("two.mkv", audio_languages=("eng", "zho"))
    late = [
        b - a for a, b in zip(beeps_of(made, sample_rate=None), beeps_of(made, sample_rate=None, stream=2), strict=True)
    ]
    assert all(abs(float(shift) - 0.010) < 1 / 48_000 for shift in late)


def test_gaps_are_filled_and_what_follows_keeps_its_time(clip):
    for name in ("gap.mp4", "gap.mkv", "gap.ts"):
        made = clip(name, sound_gaps=((1.5, 2.7),))
        delay = next(read_frames(made)).time.seconds - made.frame_times[0]
        start, rate, sound = read(made, sample_rate=None)
        found = [start + Fraction(index, rate) for index in find_beeps(sound, rate)]
        assert len(made.beeps) == 3
        assert [round(float(at - delay - true) * rate) for at, true in zip(found, made.beeps, strict=True)] == [0, 0, 0]
        silent = sound[int((Fraction(8, 5) + delay - start) * rate) : int((Fraction(13, 5) + delay - start) * rate)]
        assert not silent.any()


def retimed(source: Path, target: Path, retime) -> Path:
    """Copy the sound of a file, each packet's timestamp passed through ``retime(seconds) -> seconds``."""
    with av.open(str(source)) as original, av.open(str(target), "w") as copy:
        stream = copy.add_stream_from_template(original.streams.audio[0])
        for packet in original.demux(audio=0):
            if packet.size:
                packet.pts = packet.dts = int(Fraction(retime(packet.pts * packet.time_base)) // packet.time_base)
                packet.stream = stream
                copy.mux(packet)
    return target


def strays_of(path, expected):
    """How many samples of 48 kHz each beep is from where it is expected."""
    found = beeps_of(path, sample_rate=None)
    return [round(float(at - true) * 48_000, 2) for at, true in zip(found, expected, strict=True)]


def test_overlaps_are_trimmed(tmp_path, clip):
    """Packets that say they begin 100 ms before the ones before them end."""
    source = clip("pcm.mkv", audio_codec="pcm_s16le", codec=None)
    early = Fraction(1, 10)
    path = retimed(source.path, tmp_path / "overlap.mkv", lambda at: at - early if at >= 2 else at)
    assert strays_of(path, [at if at < 2 else at - early for at in source.beeps]) == [0, 0, 0, 0]


def test_stray_timestamps_change_nothing(tmp_path, clip):
    """Recorders of live streams write times that jitter by milliseconds around an even pace."""
    source = clip("pcm.mkv", audio_codec="pcm_s16le", codec=None)
    generator = random.Random(5)
    late = Fraction(12, 1000)
    path = retimed(source.path, tmp_path / "jitter.mkv", lambda at: at + late * (at > 0 and generator.random() < 0.2))
    assert beeps_of(path, sample_rate=None) == list(source.beeps)


@pytest.mark.parametrize("lost", [Fraction(1, 1000), Fraction(5, 1000)])
def test_a_small_gap_that_comes_all_at_once_is_a_gap(tmp_path, clip, lost):
    source = clip("pcm.nut", audio_codec="pcm_s16le", codec=None)
    path = retimed(source.path, tmp_path / "step.nut", lambda at: at + lost if at >= 1 else at)
    assert strays_of(path, [at + lost if at >= 1 else at for at in source.beeps]) == [0, 0, 0, 0]


def test_a_drifting_clock_is_followed_in_steps_of_two_milliseconds(tmp_path, clip):
    """400 ppm: beside 20 s of sound the timestamps grow by 8 ms."""
    source = clip("long.nut", audio_codec="pcm_s16le", codec=None, seconds=20)
    path = retimed(source.path, tmp_path / "drift.nut", lambda at: at * Fraction(10_004, 10_000))
    strays = strays_of(path, [at * Fraction(10_004, 10_000) for at in source.beeps])
    assert max(map(abs, strays)) <= 0.0021 * 48_000
    _, rate, sound = read(path, sample_rate=None)
    # Three or four steps of 96 samples, and no silence besides.
    assert 3 * 96 <= len(sound) - 20 * rate <= 4 * 100


def test_timestamps_rounded_down_give_the_same_beginning(tmp_path, clip):
    source = clip("down.flac", sample_rate=44_100, audio_codec="flac", codec=None)
    path = retimed(source.path, tmp_path / "down.mkv", lambda at: Fraction(at * 1000 // 1, 1000))
    assert beeps_of(path, sample_rate=None) == list(source.beeps)


def test_recordings_joined_end_to_end_keep_running(tmp_path, clip):
    """Two transport streams one after the other: the clock jumps back, sound and picture go on together."""
    made = clip("a.ts")
    path = tmp_path / "twice.ts"
    path.write_bytes(made.path.read_bytes() * 2)
    heard = beeps_of(path, sample_rate=None)
    seen = [frame.time.seconds for frame in read_frames(path) if np.median(frame.image) > 180]
    assert len(heard) == len(seen) == 8
    # The streams of one recording do not end together, so what follows can be apart by that difference.
    assert [round(float(beep - flash), 3) for beep, flash in zip(heard[:4], seen[:4], strict=True)] == [0, 0, 0, 0]
    assert max(abs(float(beep - flash)) for beep, flash in zip(heard[4:], seen[4:], strict=True)) < 0.06


def test_a_clock_that_wraps_around_is_unwrapped(tmp_path):
    """A transport stream counts 33 bits of 90 kHz: 26.5 hours, then 0."""
    wrap = Fraction(2**33, 90_000)
    made = make_clip(tmp_path / "wrap.ts", container_options={"output_ts_offset": f"{float(wrap) - 2:.3f}"})
    frames = list(read_frames(made))
    assert len(frames) == 100
    heard = beeps_of(made, sample_rate=None)
    seen = [frame.time.seconds for frame in frames if np.median(frame.image) > 180]
    assert [round(float(beep - flash) * 48_000) for beep, flash in zip(heard, seen, strict=True)] == [0, 0, 0, 0]


def test_a_change_of_sample_rate_and_channels_in_mid_stream(tmp_path, clip):
    """Two AAC streams joined in one ADTS file: 48 kHz mono, then 44.1 kHz stereo."""
    first = clip("one.aac", codec=None, audio_codec="aac")
    second = clip("two.aac", codec=None, audio_codec="aac", sample_rate=44_100, channels=2)
    path = tmp_path / "joined.aac"
    path.write_bytes(first.path.read_bytes() + second.path.read_bytes())
    start, rate, sound = read(path, sample_rate=16_000)
    found = [start + Fraction(index, rate) for index in find_beeps(sound, rate)]
    length = Fraction(len(decoded_sound(first)[2]), 48_000)
    expected = [at + Fraction(1024, 48_000) for at in first.beeps]
    expected += [length + at + Fraction(1024, 44_100) for at in second.beeps]
    assert len(found) == 8
    # One output sample of rounding where the grids meet.
    assert all(abs(float(a - b)) * rate <= 2 for a, b in zip(found, expected, strict=True))


def test_mp3_without_a_lame_tag_stays_where_the_decoder_puts_it(tmp_path):
    bare = make_clip(tmp_path / "bare.mp3", codec=None, audio_codec="libmp3lame", container_options={"write_xing": "0"})
    start, rate, sound = read(bare, sample_rate=None)
    assert start == 0
    # LAME's delay (576) and the decoder's (529) cannot be known without the tag.
    assert [
        round((Fraction(i, rate) - at) * rate) for i, at in zip(find_beeps(sound, rate), bare.beeps, strict=True)
    ] == [1105] * 4


def test_a_cut_file_gives_what_is_there(tmp_path, clip):
    part = truncated(clip("l.mkv").path, tmp_path / "cut.mkv", 0.6)
    _, rate, sound = read(part)
    assert 1 < len(sound) / rate < 3.9


def test_damage_loses_a_little_sound_and_no_time(tmp_path, clip):
    made = clip("a.mp4")
    data = bytearray(made.path.read_bytes())
    with av.open(str(made.path)) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(audio=0) if packet.size]
    for position, size in packets[60:64]:
        data[position : position + size] = b"\xff" * size
    path = tmp_path / "damaged.mp4"
    path.write_bytes(data)
    found = beeps_of(path, sample_rate=None)
    assert [at for at in made.beeps if at < 1.2 or at > 1.5] == [at for at in found if at < 1.2 or at > 1.5]


def test_arguments_that_make_no_sense(clip):
    for bad in ({"channels": 3}, {"channels": 0}, {"sample_rate": 0}):
        with pytest.raises(ValueError, match="must be"):
            next(read_samples(clip("a.mp4"), **bad))


def test_memory_does_not_grow_with_a_gap(tmp_path):
    """An hour of missing sound is yielded block by block."""
    path = tmp_path / "hour.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8_000, layout="mono")
        for second in (0, 1, 2, 3, 4, 1804, 1805, 1806, 1807, 1808):
            frame = av.AudioFrame.from_ndarray(np.full((1, 8_000), 1000, np.int16), "s16", "mono")
            frame.sample_rate, frame.pts, frame.time_base = 8_000, second * 8_000, Fraction(1, 8_000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    total = loud = 0
    for block in read_samples(path, sample_rate=None):
        assert len(block.data) <= 8_000
        total += len(block.data)
        loud += int(np.count_nonzero(block.data))
    assert total == 1809 * 8_000
    assert loud == 10 * 8_000


def test_refusals_come_through(tmp_path):
    (tmp_path / "empty.wav").touch()
    with pytest.raises(Refused):
        next(read_samples(tmp_path / "empty.wav"))


def test_the_template_of_a_beep_is_found_where_it_is():
    sound = np.zeros(48_000, np.float32)
    sound[12_345 : 12_345 + len(beep(48_000))] = beep(48_000)
    assert find_beeps(sound, 48_000) == [12_345]


def test_paths_may_be_text_or_path(clip):
    made = clip("a.mp4")
    assert next(read_samples(str(made.path))).start == next(read_samples(Path(made.path))).start == 0
