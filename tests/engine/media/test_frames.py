"""Pictures: their times, their order, the way up, seeking, damage."""

from __future__ import annotations

import os
import random
import subprocess
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
import pytest

from engine.media.frames import FrameReader, VideoSource, read_frames
from engine.refusal import Refused
from tests.media import FLASH_FRAMES, frame_number, make_clip, make_still, truncated

KINDS = {
    "mp4": ("a.mp4", {}),
    "mp4 hevc": ("h.mp4", {"codec": "libx265"}),
    "mp4 long gop": ("g.mp4", {"gop": 250, "seconds": 6}),
    "mp4 vfr": ("v.mp4", {"frame_ticks": (2, 4, 8, 3)}),
    "mp4 edit list": ("e.mp4", {"picture_start_ms": 500}),
    "mp4 fragmented": ("f.mp4", {"container_options": {"movflags": "frag_keyframe+empty_moov"}}),
    "mov ntsc": ("n.mov", {"rate": Fraction(30_000, 1001), "audio_codec": "pcm_s16le"}),
    "mkv": ("a.mkv", {}),
    "webm": ("a.webm", {"codec": "libvpx-vp9", "audio_codec": "libopus"}),
    "ts": ("a.ts", {}),
    "avi": ("a.avi", {"codec": "mpeg4", "bframes": 0, "audio_codec": "pcm_s16le"}),
    "flv": ("a.flv", {"sample_rate": 44_100}),
    "mpeg2 ts": ("m.ts", {"codec": "mpeg2video", "audio_codec": "libmp3lame"}),
}
DELAYED = {"ts", "flv", "mpeg2 ts", "mp4 fragmented"}
"""Containers without negative times: the muxer moves everything later by the reordering delay of the B frames."""


def numbers(frames):
    return [frame_number(frame.image) for frame in frames]


@pytest.mark.parametrize("kind", KINDS)
def test_every_frame_comes_once_at_its_time(clip, kind):
    name, recipe = KINDS[kind]
    made = clip(name, **recipe)
    frames = list(read_frames(made))
    assert numbers(frames) == list(range(len(made.frame_times)))
    delay = frames[0].time.seconds - made.frame_times[0]
    assert (delay > 0) == (kind in DELAYED)
    # Matroska and FLV round to milliseconds; the others are exact.
    slack = Fraction(1, 2000) if kind in {"mkv", "webm", "flv"} else 0
    strays = [abs(frame.time.seconds - delay - time) for frame, time in zip(frames, made.frame_times, strict=True)]
    assert max(strays) <= slack


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("threading", ["frame", "slice"])
def test_start_and_stop_land_exactly(clip, kind, threading):
    name, recipe = KINDS[kind]
    made = clip(name, **recipe)
    whole = [(frame.time, frame_number(frame.image)) for frame in read_frames(made)]
    generator = random.Random(kind)
    for _ in range(6):
        first, last = sorted(generator.sample(range(len(whole)), 2))
        start, stop = whole[first][0].seconds, whole[last][0].seconds
        part = list(read_frames(made, start=start, stop=stop, threading=threading))
        assert [(frame.time, frame_number(frame.image)) for frame in part] == whole[first:last]
        between = start + (whole[first + 1][0].seconds - start) / 3
        assert next(read_frames(made, start=between, threading=threading)).time == whole[first + 1][0]


@pytest.mark.parametrize("kind", KINDS)
def test_frame_at_is_the_frame_on_screen(clip, kind):
    name, recipe = KINDS[kind]
    made = clip(name, **recipe)
    whole = [(frame.time, frame_number(frame.image)) for frame in read_frames(made)]
    generator = random.Random(kind)
    asked = [generator.randrange(len(whole)) for _ in range(20)]
    asked += list(range(40, 50)) + list(range(49, 30, -1))
    with FrameReader(made) as reader:
        for index in asked:
            time, number = whole[index]
            after = whole[index + 1][0].seconds if index + 1 < len(whole) else time.seconds + 1
            frame = reader.frame_at(time.seconds + (after - time.seconds) * Fraction(generator.randrange(10), 10))
            assert (frame.time, frame_number(frame.image)) == (time, number)
        assert reader.frame_at(-100).time == whole[0][0]
        assert reader.frame_at(1000).time == whole[-1][0]


def test_nothing_is_yielded_outside_the_file(clip):
    made = clip("a.mp4")
    assert list(read_frames(made, start=100)) == []
    assert list(read_frames(made, stop=-1)) == []
    assert len(list(read_frames(made, start=-5, stop=100))) == 100


def test_every_takes_the_first_frame_of_each_interval(clip):
    made = clip("fast.mp4", rate=60, seconds=2, audio_codec=None)
    times = [frame.time.seconds for frame in read_frames(made, every=Fraction(1, 25))]
    assert len(times) == 50
    assert times == [min(time for time in made.frame_times if time >= Fraction(n, 25)) for n in range(50)]
    slow = clip("slow.mp4", rate=10, seconds=2, audio_codec=None)
    assert [frame.time.seconds for frame in read_frames(slow, every=Fraction(1, 25))] == list(slow.frame_times)


def test_size_and_pixel_format(clip):
    made = clip("a.mp4")
    for height, shape in ((None, (180, 320)), (90, (90, 160)), (100, (100, 178)), (720, (180, 320))):
        colour = next(read_frames(made, max_height=height)).image
        grey = next(read_frames(made, max_height=height, pixel_format="gray")).image
        assert colour.shape == (*shape, 3)
        assert grey.shape == shape
        for image in (colour, grey):
            assert image.dtype == np.uint8
            assert image.flags.c_contiguous
        # The picture is grey, so both must agree; 3 levels for chroma and rounding.
        assert np.abs(colour.mean(axis=2) - grey).max() <= 3


def test_levels_and_colours_are_right(tmp_path):
    """Full-range RGB of a limited-range, BT.709 picture: white is 255, black is 0, red stays red."""
    image = np.zeros((96, 96, 3), np.uint8)
    image[:32], image[32:64] = 255, (200, 30, 40)
    path = tmp_path / "colours.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "0", "preset": "ultrafast"})
        stream.width = stream.height = 96
        stream.pix_fmt = "yuv444p"
        stream.codec_context.colorspace, stream.codec_context.color_range = 1, 1
        frame = av.VideoFrame.from_ndarray(image, "rgb24")
        container.mux(stream.encode(frame.reformat(format="yuv444p", dst_colorspace="ITU709", dst_color_range="MPEG")))
        container.mux(stream.encode(None))
    found = next(read_frames(path)).image
    # Two conversions of 8 bits: at most 3 levels.
    assert np.abs(found.astype(int) - image).max() <= 3


@pytest.mark.parametrize("matrix", range(15))
def test_any_colour_matrix_is_shown_somehow(tmp_path, matrix):
    """Even reserved numbers and those that no converter knows."""
    path = tmp_path / "matrix.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        stream.width, stream.height = 64, 48
        # RGB, matrix 0, is coded as 4:4:4 planes.
        stream.pix_fmt = "yuv420p" if matrix else "yuv444p"
        stream.codec_context.colorspace = matrix
        frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 200, np.uint8), "rgb24")
        container.mux(stream.encode(frame.reformat(format=stream.pix_fmt)))
        container.mux(stream.encode(None))
    assert abs(int(next(read_frames(path)).image.mean()) - 200) < 12 or matrix == 0
    assert next(read_frames(path, pixel_format="gray", max_height=24)).image.shape == (24, 32)


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_rotation_turns_the_picture_as_players_do(clip, rotation):
    made = clip(f"turned{rotation}.mp4", rotation=rotation)
    for height in (None, 90):
        image = next(read_frames(made, max_height=height)).image
        assert frame_number(np.rot90(image, rotation // 90)) == 0
        assert image.shape[0] == (height or (180 if rotation == 180 else 320))
    assert np.abs(next(read_frames(made)).image.astype(int) - first_frame_by_ffmpeg(made.path)).mean() < 2


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_mirrored_pictures_too(tmp_path, rotation):
    path = tmp_path / "mirrored.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "10", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        stream.set_display_rotation(-rotation, hflip=True)
        image = np.zeros((180, 320, 3), np.uint8)
        image[20:60, 30:120] = 220
        image[100:, 200:] = 120
        container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        container.mux(stream.encode(None))
    found = next(read_frames(path)).image
    assert np.abs(found.astype(int) - first_frame_by_ffmpeg(path)).mean() < 2


def first_frame_by_ffmpeg(path: Path) -> np.ndarray:
    """Return the first frame as the ffmpeg program shows it, as integers."""
    png = path.with_suffix(".first.png")
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-i", str(path), "-frames:v", "1", str(png)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return next(read_frames(png)).image.astype(int)


def test_oblong_pixels_are_made_square(tmp_path):
    path = tmp_path / "pal.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 720, 576, "yuv420p"
        stream.sample_aspect_ratio = Fraction(64, 45)
        container.mux(stream.encode(av.VideoFrame(720, 576, "yuv420p")))
        container.mux(stream.encode(None))
    assert next(read_frames(path)).image.shape == (576, 1024, 3)
    assert next(read_frames(path, max_height=288)).image.shape == (288, 512, 3)


def test_still_pictures(tmp_path):
    for name in ("a.png", "a.jpg"):
        (frame,) = read_frames(make_still(tmp_path / name))
        assert frame_number(frame.image) == 5
        with FrameReader(tmp_path / name) as reader:
            assert frame_number(reader.frame_at(7.5).image) == 5


def test_a_bare_stream_without_timestamps_is_counted(tmp_path, clip):
    path = tmp_path / "bare.h264"
    with av.open(str(clip("a.mp4", bframes=0).path)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0], opaque=True)
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    frames = list(read_frames(path))
    assert numbers(frames) == list(range(100))
    times = [frame.time.seconds for frame in frames]
    assert all(later - earlier == Fraction(1, 25) for earlier, later in pairwise(times))


def test_damaged_frames_are_left_out(tmp_path, clip):
    data = bytearray(clip("a.mp4").path.read_bytes())
    generator = random.Random(4)
    for _ in range(200):
        data[generator.randrange(5000, len(data) // 2)] ^= 255
    path = tmp_path / "damaged.mp4"
    path.write_bytes(data)
    times = [frame.time.seconds for frame in read_frames(path)]
    assert len(times) > 40
    assert all(earlier < later for earlier, later in pairwise(times))


def test_a_cut_file_gives_what_is_there(tmp_path, clip):
    part = truncated(clip("a.mkv").path, tmp_path / "cut.mkv", 0.6)
    assert 20 < len(list(read_frames(part))) < 100


def test_recordings_joined_end_to_end_keep_running(tmp_path, clip):
    """Two transport streams one after the other: the clock jumps back, the frames go on."""
    data = clip("a.ts").path.read_bytes()
    path = tmp_path / "twice.ts"
    path.write_bytes(data + data)
    frames = list(read_frames(path))
    assert len(frames) >= 195
    assert all(earlier.time < later.time for earlier, later in pairwise(frames))


def test_nothing_decodable_is_refused(tmp_path, clip):
    data = bytearray(clip("a.mkv").path.read_bytes())
    generator = random.Random(1)
    with av.open(str(clip("a.mkv").path)) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    for position, size in packets:
        # The block header stays, nothing of the picture does: a slice header that survives is decoded and concealed.
        data[position + 4 : position + size] = generator.randbytes(size - 4)
    path = tmp_path / "noise.mkv"
    path.write_bytes(data)
    with pytest.raises(Refused) as caught:
        list(read_frames(path))
    assert caught.value.refusal.code == "media.undecodable"


def test_reading_can_be_given_up_at_any_time(tmp_path, clip):
    made = clip("a.mp4")
    reading = read_frames(made)
    next(reading)
    reading.close()
    make_clip(tmp_path / "other.mp4", seconds=1)


def test_flashes_are_where_they_were_put(clip):
    made = clip("a.mp4")
    bright = [frame.time.seconds for frame in read_frames(made) if np.median(frame.image) > 180]
    assert bright == list(made.flashes)
    assert [frame_number(frame.image) for frame in read_frames(made) if frame.time.seconds in bright] == [
        number for number in FLASH_FRAMES if number < 100
    ]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="only Linux lists threads there")
def test_a_closed_source_keeps_no_decoder_though_it_is_kept_itself(tmp_path: Path) -> None:
    def threads() -> int:
        return len(list(Path("/proc/self/task").iterdir()))

    made = make_clip(tmp_path / "closed.mp4")
    before = threads()
    source = VideoSource(made.path, None, "frame", most_threads=2)
    pictures = source.pictures(0)
    next(pictures)
    # One thread per frame; none where there is one core.
    assert threads() - before == (2 if (os.cpu_count() or 1) > 1 else 0)
    del pictures
    source.close()
    source.close()
    assert threads() == before
    assert source.time_base > 0
