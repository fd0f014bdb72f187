"""Any picture and any video becomes frames of one size, in step with the clip, by the length policy."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from engine.generation.backend import Capabilities, SourceKind
from engine.generation.face_source import (
    VideoFaceSource,
    clip_fps,
    clip_frames,
    clip_size,
    fitted,
    look_at,
    open_source,
)
from engine.generation.plan import FrameMap
from engine.generation.spec import LengthPolicy, RenderSpec
from engine.words import Message
from tests.engine.generation.conftest import face, write_picture
from tests.media import frame_number, make_clip

ENGINE = Capabilities("x", Message("x.y"), Message("x.y"), "1")
SPEC = RenderSpec(Path("face.png"), Path("voice.wav"), Path("clip.mp4"))
RATES = [Fraction(16), Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(50), Fraction(60)]


def colours(path: Path) -> tuple[list[int], list[int]]:
    """Return the colours at the left and right of what engines get of a picture."""
    info = look_at(path)
    assert info.kind is SourceKind.PICTURE
    source = open_source(info, SPEC, clip_size(SPEC, info, ENGINE), Fraction(25))
    picture = source.frame_at(12)
    middle = picture.shape[0] // 2
    return picture[middle, 4].tolist(), picture[middle, -5].tolist()


@pytest.mark.parametrize(("codec", "pixel_format"), [("png", "rgb24"), ("png", "rgba"), ("mjpeg", "yuvj444p")])
def test_colours_arrive(tmp_path: Path, codec: str, pixel_format: str) -> None:
    left, right = colours(write_picture(tmp_path / "face.x", face(), codec, pixel_format))
    np.testing.assert_allclose(left, [220, 0, 0], atol=6)  # JPEG blurs and rounds
    np.testing.assert_allclose(right, [0, 0, 220], atol=6)


def test_a_grey_picture_is_grey(tmp_path: Path) -> None:
    left, right = colours(write_picture(tmp_path / "grey.png", face(), "png", "gray"))
    assert left == [left[0]] * 3
    assert right == [right[0]] * 3


def test_what_is_transparent_is_white(tmp_path: Path) -> None:
    pixels = np.dstack([face(), np.full((64, 96), 255, np.uint8)])
    pixels[:, :48, 3] = 0
    left, right = colours(write_picture(tmp_path / "alpha.png", pixels, "png", "rgba"))
    assert left == [255, 255, 255]
    assert right == [0, 0, 220]


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_a_cmyk_photograph_is_shown_in_colour(tmp_path: Path, suffix: str) -> None:
    image = pytest.importorskip("PIL.Image")  # nothing else here writes CMYK
    ink = np.zeros((64, 96, 4), np.uint8)
    ink[:, :48] = (0, 255, 255, 0)
    ink[:, 48:] = (255, 255, 0, 0)
    path = tmp_path / f"photo.{suffix}"
    image.fromarray(ink, "CMYK").save(path)
    left, right = colours(path)
    np.testing.assert_allclose(left, [255, 0, 0], atol=8)  # JPEG blurs and rounds
    np.testing.assert_allclose(right, [0, 0, 255], atol=8)


def exif_rotated(path: Path, orientation: int) -> Path:
    """Write a JPEG that says how it has to be turned (EXIF 2.32, tag 274)."""
    plain = write_picture(path.with_suffix(".plain.jpg"), face(), "mjpeg", "yuvj444p").read_bytes()
    tiff = b"II*\x00\x08\x00\x00\x00\x01\x00" + b"\x12\x01\x03\x00\x01\x00\x00\x00" + bytes([orientation, 0, 0, 0])
    body = b"Exif\x00\x00" + tiff + bytes(4)
    path.write_bytes(plain[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + plain[2:])
    return path


@pytest.mark.parametrize(
    ("orientation", "size", "top"), [(1, (96, 64), None), (6, (64, 96), "red"), (8, (64, 96), "blue")]
)
def test_a_photograph_is_turned_upright(
    tmp_path: Path, orientation: int, size: tuple[int, int], top: str | None
) -> None:
    info = look_at(exif_rotated(tmp_path / "photo.jpg", orientation))
    assert info.size == size
    picture = open_source(info, SPEC, size, Fraction(25)).frame_at(0)
    assert picture.shape == (size[1], size[0], 3)
    if top is not None:
        strongest = "red" if picture[5, 30, 0] > picture[5, 30, 2] else "blue"
        assert strongest == top


def test_huge_and_tiny_pictures_have_a_sensible_size(tmp_path: Path) -> None:
    huge = look_at(write_picture(tmp_path / "huge.jpg", np.zeros((8000, 8000, 3), np.uint8), "mjpeg", "yuvj420p"))
    width, height = clip_size(SPEC, huge, ENGINE)
    assert width == height
    assert 1400 <= width <= 1440
    assert open_source(huge, SPEC, (width, height), Fraction(25)).frame_at(0).shape == (height, width, 3)
    tiny = look_at(write_picture(tmp_path / "tiny.png", face(40, 40)))
    assert clip_size(SPEC, tiny, ENGINE) == (40, 40)
    odd = look_at(write_picture(tmp_path / "odd.png", face(41, 63)))
    assert clip_size(SPEC, odd, ENGINE) == (40, 62)


def test_an_engine_with_a_size_of_its_own_gets_it(tmp_path: Path) -> None:
    info = look_at(write_picture(tmp_path / "wide.png", face(1280, 720)))
    engine = replace(ENGINE, size_multiple=64, most_pixels=704 * 384, keeps_size=False)
    width, height = clip_size(SPEC, info, engine)
    assert width % 64 == height % 64 == 0
    assert 0.8 * 704 * 384 <= width * height <= 704 * 384
    small = look_at(write_picture(tmp_path / "small.png", face(128, 72)))
    assert clip_size(SPEC, small, engine) == (width, height)
    assert clip_size(replace(SPEC, size=(640, 384)), info, engine) == (640, 384)


@pytest.mark.parametrize(
    ("source", "expected"),
    [((1280, 720), (704, 384)), ((128, 72), (704, 384)), ((300, 300), (512, 512)), ((90, 210), (320, 768))],
)
def test_an_engine_with_a_usual_area_gets_it_in_the_source_s_shape(
    tmp_path: Path, source: tuple[int, int], expected: tuple[int, int]
) -> None:
    """Of a small picture too: a network that was trained at one area draws badly at others."""
    info = look_at(write_picture(tmp_path / "face.png", face(*source)))
    engine = replace(ENGINE, size_multiple=64, usual_pixels=704 * 384)
    assert clip_size(SPEC, info, engine) == expected
    assert clip_size(replace(SPEC, size=(64, 128)), info, engine) == (64, 128)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("fps", [Fraction(16), Fraction(25), Fraction(30000, 1001), Fraction(60)])
def test_a_video_is_shown_by_time_at_any_rate(tmp_path: Path, rate: Fraction, fps: Fraction) -> None:
    path = make_clip(tmp_path / "face.mp4", seconds=2, rate=rate, audio_codec=None).path
    info = look_at(path)
    assert info.fps == rate
    source = open_source(info, SPEC, (320, 180), fps)
    count = int(2 * fps) - 1
    shown = [frame_number(picture) for picture in source.frames(0, count)]
    assert shown == [int(n / fps * rate) for n in range(count)]
    assert [source.picture_number(n) for n in range(count)] == shown
    source.close()


def test_a_video_can_be_taken_up_in_the_middle(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "face.mp4", seconds=4, audio_codec=None).path
    source = open_source(look_at(path), SPEC, (320, 180), Fraction(25))
    assert [frame_number(source.frame_at(n)) for n in (70, 71, 3, 99, 0)] == [70, 71, 3, 99, 0]
    source.close()


@pytest.mark.parametrize(
    ("policy", "frames", "after"),
    [
        (LengthPolicy.END_WITH_VOICE, 75, [24, 23, 22]),
        (LengthPolicy.PING_PONG, 75, [24, 23, 22]),
        (LengthPolicy.LOOP, 75, [0, 1, 2]),
        (LengthPolicy.HOLD, 75, [24, 24, 24]),
        (LengthPolicy.CUT, 25, []),
    ],
)
def test_a_short_video_follows_the_policy(tmp_path: Path, policy: LengthPolicy, frames: int, after: list[int]) -> None:
    info = look_at(make_clip(tmp_path / "face.mp4", seconds=1, audio_codec=None).path)
    spec = replace(SPEC, length_policy=policy)
    assert clip_frames(spec, info, 48_000, FrameMap(Fraction(25))) == frames
    source = open_source(info, spec, (320, 180), Fraction(25))
    assert isinstance(source, VideoFaceSource)
    assert [frame_number(source.frame_at(25 + n)) for n in range(len(after))] == after
    if frames > 25:
        assert all(0 <= source.picture_number(n) < 25 for n in range(frames))
    source.close()


def test_a_long_video_follows_the_policy(tmp_path: Path) -> None:
    info = look_at(make_clip(tmp_path / "face.mp4", seconds=3, audio_codec=None).path)
    frames = FrameMap(Fraction(25))
    counts = {policy: clip_frames(replace(SPEC, length_policy=policy), info, 16_000, frames) for policy in LengthPolicy}
    assert counts == {
        LengthPolicy.END_WITH_VOICE: 25,
        LengthPolicy.CUT: 25,
        LengthPolicy.HOLD: 75,
        LengthPolicy.LOOP: 75,
        LengthPolicy.PING_PONG: 75,
    }


def test_a_clip_can_be_shortened_further_but_not_lengthened(tmp_path: Path) -> None:
    moving = look_at(make_clip(tmp_path / "face.mp4", seconds=3, audio_codec=None).path)
    still = look_at(write_picture(tmp_path / "face.png", face()))
    frames = FrameMap(Fraction(25))
    for info in (moving, still):
        for most, count in ((1, 1), (20, 20), (25, 25), (1000, 25)):
            assert clip_frames(replace(SPEC, most_frames=most), info, 16_000, frames) == count
    assert clip_frames(replace(SPEC, most_frames=30, length_policy=LengthPolicy.HOLD), moving, 16_000, frames) == 30


def test_the_rate_is_the_videos_where_the_engine_can(tmp_path: Path) -> None:
    info = look_at(make_clip(tmp_path / "face.mp4", seconds=1, rate=Fraction(30000, 1001), audio_codec=None).path)
    assert clip_fps(SPEC, info, ENGINE) == Fraction(30000, 1001)
    assert clip_fps(SPEC, info, replace(ENGINE, fps=(Fraction(25),))) == 25
    assert clip_fps(replace(SPEC, fps=Fraction(16)), info, ENGINE) == 16


def test_what_sticks_out_is_cut_evenly() -> None:
    wide = np.zeros((100, 300, 3), np.uint8)
    wide[:, 100:200] = 255
    assert fitted(wide, (50, 50)).min() == 255
    tall = np.swapaxes(wide, 0, 1)
    assert fitted(tall, (50, 50)).min() == 255
    assert fitted(wide, (600, 200)).shape == (200, 600, 3)


def test_pyav_still_needs_no_help_to_read_animations(tmp_path: Path) -> None:
    """A GIF with several pictures is a video."""
    path = tmp_path / "moving.gif"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("gif", rate=10)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "rgb8"
        for number in range(5):
            pixels = np.full((32, 32, 3), 50 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24").reformat(format="rgb8")))
        container.mux(stream.encode(None))
    info = look_at(path)
    assert info.kind is SourceKind.VIDEO
    assert info.times is not None
    assert len(info.times) == 5
