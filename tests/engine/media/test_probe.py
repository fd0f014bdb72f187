"""What a file holds, when its streams truly begin, and why a file is refused."""

from __future__ import annotations

import os
import shutil
import socket
from fractions import Fraction
from pathlib import Path

import pytest
from PIL import Image

from engine.media.frames import read_frames
from engine.media.probe import Gap, probe
from engine.media.samples import read_samples
from engine.refusal import Refused
from tests.media import (
    PLAYLISTS,
    make_clip,
    make_encrypted,
    make_playlists,
    make_still,
    make_unknown_codec,
    make_with_cover,
    truncated,
)

CONTAINERS = {
    "mp4 aac": ("a.mp4", {}),
    "mp4 mp3": ("a.mp4", {"audio_codec": "libmp3lame"}),
    "mp4 opus": ("a.mp4", {"audio_codec": "libopus"}),
    "mov pcm": ("a.mov", {"audio_codec": "pcm_s16le"}),
    "mkv aac": ("a.mkv", {}),
    "mkv aac 44.1": ("a.mkv", {"sample_rate": 44_100}),
    "mkv opus": ("a.mkv", {"audio_codec": "libopus"}),
    "mkv mp3": ("a.mkv", {"audio_codec": "libmp3lame"}),
    "webm vp8 opus": ("a.webm", {"codec": "libvpx", "audio_codec": "libopus"}),
    "webm vp9 opus": ("a.webm", {"codec": "libvpx-vp9", "audio_codec": "libopus"}),
    "ts aac": ("a.ts", {}),
    "avi pcm": ("a.avi", {"codec": "mpeg4", "bframes": 0, "audio_codec": "pcm_s16le"}),
    "flv aac": ("a.flv", {"sample_rate": 44_100}),
}
PRIMING = {"mp4 aac": 1024, "mp4 mp3": 1105, "mp4 opus": 312, "mov pcm": 0, "mkv aac": 1024, "mkv aac 44.1": 1024}
PRIMING |= {"mkv opus": 312, "mkv mp3": 1105, "webm vp8 opus": 312, "webm vp9 opus": 312, "ts aac": 0, "avi pcm": 0}
PRIMING |= {"flv aac": 0}


@pytest.mark.parametrize("kind", CONTAINERS)
@pytest.mark.parametrize("full", [False, True])
def test_starts_are_those_of_what_is_decoded(clip, kind, full):
    name, recipe = CONTAINERS[kind]
    made = clip(name, **recipe)
    info = probe(made, full=full)
    assert info.video is not None
    assert info.audio is not None
    assert info.video.start == next(read_frames(made)).time.seconds
    assert info.audio.start == next(read_samples(made)).start
    assert info.container_delay == info.audio.start - info.video.start
    assert info.start == min(info.video.start, info.audio.start)
    assert info.audio.priming_samples == PRIMING[kind]
    assert info.is_complete
    assert (info.video.rate, info.video.is_variable, info.video.frame_count) == (25, False, 100)
    assert info.video.duration == 4


@pytest.mark.parametrize("kind", [kind for kind in CONTAINERS if PRIMING[kind] or "pcm" in kind])
def test_no_delay_is_reported_where_both_begin_together(clip, kind):
    """The start times in these containers' headers do differ, by the priming."""
    name, recipe = CONTAINERS[kind]
    assert probe(clip(name, **recipe)).container_delay == 0


@pytest.mark.parametrize(
    ("recipe", "delay"),
    [
        ({"sound_start_ms": -200}, 0),
        ({"picture_start_ms": 500}, Fraction(-1, 2)),
        # Sound held back by an empty edit keeps its priming: 1024 samples before its 0.5 s.
        ({"sound_start_ms": 500}, Fraction(1, 2) - Fraction(1024, 48_000)),
    ],
)
def test_edit_lists_are_applied_and_reported(clip, recipe, delay):
    info = probe(clip("edits.mp4", **recipe))
    assert info.container_delay == delay
    assert info.has_edit_list == (delay != 0)
    assert info.audio is not None
    assert info.audio.edits


def test_standard_rates_are_recognised_through_millisecond_timestamps(clip):
    for rate in (Fraction(24_000, 1001), Fraction(24), Fraction(30_000, 1001), Fraction(30), Fraction(60_000, 1001)):
        info = probe(clip("rate.mkv", rate=rate, seconds=6, audio_codec=None))
        assert info.video is not None
        assert info.video.rate == rate
        assert not info.video.is_variable
        assert not info.is_complete, "a file of six seconds is not read to its end"


def test_the_header_tells_the_rate_of_a_clip_too_short_for_milliseconds_to_tell_it(clip):
    for rate in (Fraction(24_000, 1001), Fraction(30_000, 1001), Fraction(60_000, 1001)):
        info = probe(clip("short.mkv", rate=rate, seconds=1, audio_codec=None), full=True)
        assert info.video is not None
        assert info.video.rate == rate
        assert info.is_complete


def test_variable_rate_is_the_mean(clip):
    made = clip("vfr.mp4", frame_ticks=(2, 4, 8, 3))
    info = probe(made)
    assert info.video is not None
    assert info.video.is_variable
    assert info.video.frame_count == len(made.frame_times)
    assert info.video.rate == pytest.approx(float(len(made.frame_times) / Fraction(4)), rel=0.01)


def test_gaps_are_reported_where_they_are(clip):
    info = probe(clip("gaps.mp4", picture_gaps=((1, 2),), sound_gaps=((1.5, 2.5),)), full=True)
    assert info.video is not None
    assert info.audio is not None
    assert info.video.gaps == (Gap(Fraction(1), Fraction(2)),)
    assert not info.video.is_variable
    (gap,) = info.audio.gaps
    # Whole packets of 1024 samples are missing, those that begin inside the gap.
    assert abs(gap.start - Fraction(3, 2)) <= Fraction(1024, 48_000)
    assert abs(gap.stop - Fraction(5, 2)) <= Fraction(1024, 48_000)


def test_times_before_zero_are_kept(clip):
    recipe = {"picture_start_ms": -200, "sound_start_ms": -200, "container_options": {"avoid_negative_ts": "disabled"}}
    made = clip("early.ts", **recipe)
    info = probe(made)
    assert info.video is not None
    assert info.video.start == Fraction(-1, 5)
    # The priming of AAC in a transport stream is sound like any other.
    assert info.start == Fraction(-1, 5) - Fraction(1024, 48_000)
    assert info.has_negative_start
    assert [frame.time.seconds for frame in read_frames(made)] == list(made.frame_times)
    assert next(read_frames(made, start=0)).time.seconds == 0
    assert next(read_samples(made, start=0, sample_rate=None)).start == 0


def test_orientation_and_colour(clip):
    upright, turned = probe(clip("a.mp4")).video, probe(clip("turned.mp4", rotation=90)).video
    assert upright is not None
    assert turned is not None
    assert (upright.rotation, upright.display_width, upright.display_height) == (0, 320, 180)
    assert (turned.rotation, turned.display_width, turned.display_height) == (90, 180, 320)
    assert (turned.width, turned.height) == (320, 180)
    hdr = probe(clip("hdr.mp4", codec="libx265", hdr=True, pixel_format="yuv420p10le", seconds=1)).video
    assert hdr is not None
    assert hdr.is_hdr
    assert (hdr.color_primaries, hdr.color_transfer, hdr.color_matrix, hdr.color_range) == (9, 16, 9, 1)
    assert not upright.is_hdr


def test_streams_tags_and_chapters(clip):
    made = clip(
        "two.mkv",
        audio_languages=("eng", "zho"),
        chapters=((0, 2, "one"), (2, 4, "two")),
        metadata={"title": "Take 3"},
    )
    info = probe(made)
    assert [stream.language for stream in info.audios] == ["eng", "zho"]
    assert info.audio is info.audios[0]
    assert info.metadata["title"] == "Take 3"
    assert info.chapters == ((0, 2, "one"), (2, 4, "two"))


def test_pictures_and_sound_alone(tmp_path, clip):
    for name in ("still.png", "still.jpg", "img%03d.png", "img%03d.jpg"):
        info = probe(make_still(tmp_path / name))
        assert info.is_picture
        assert info.duration is None
        assert info.audio is None
        assert info.container_delay is None
    for name, codec in (("s.mp3", "libmp3lame"), ("s.m4a", "aac"), ("s.wav", "pcm_s16le"), ("s.flac", "flac")):
        info = probe(clip(name, codec=None, audio_codec=codec))
        assert info.video is None
        assert info.audio is not None
        assert not info.is_picture
        assert float(info.audio.duration or 0) == pytest.approx(4, abs=0.03)
    assert probe(clip("silent.mp4", audio_codec=None)).audio is None


# The eight orientations of EXIF (CIPA DC-008, table 6): how to show what is stored.
@pytest.mark.parametrize(
    ("number", "orientation"),
    [
        (1, (0, False)),
        (2, (0, True)),
        (3, (180, False)),
        (4, (180, True)),
        (5, (270, True)),
        (6, (90, False)),
        (7, (90, True)),
        (8, (270, False)),
    ],
)
def test_photographs_are_upright(number, orientation, tmp_path):
    photograph = Image.new("RGB", (60, 40))
    tags = photograph.getexif()
    tags[0x0112] = number
    photograph.save(tmp_path / "photograph.jpg", exif=tags)
    info = probe(tmp_path / "photograph.jpg")
    assert info.is_picture
    assert (info.video.rotation, info.video.is_mirrored) == orientation


def test_a_cover_is_no_moving_picture(tmp_path):
    for name in ("cover.mp3", "cover.mp4"):
        info = probe(make_with_cover(tmp_path / name))
        assert info.video is None
        assert not info.is_picture
        assert [other.is_cover for other in info.others] == [True]


# Refusals


def code_of(path: str | os.PathLike[str]) -> str:
    with pytest.raises(Refused) as caught:
        probe(path)
    refusal = caught.value.refusal
    for language in ("en", "zh_CN"):
        assert refusal.sentence.text(language).strip()
        assert refusal.remedy.text(language).strip()
    return refusal.code


def test_each_bad_file_has_its_own_refusal(tmp_path, clip):
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "noise.mp4").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "zeros.mp4").write_bytes(bytes(9000))
    (tmp_path / "text.txt").write_text("Not a film.\n" * 100)
    (tmp_path / "titles.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nhello\n")
    os.mkfifo(tmp_path / "pipe")
    assert code_of(tmp_path / "empty.mp4") == "media.empty"
    assert code_of(tmp_path / "noise.mp4") == "media.not_media"
    assert code_of(tmp_path / "zeros.mp4") == "media.not_media"
    assert code_of(tmp_path / "text.txt") == "media.not_media"
    assert code_of(tmp_path / "titles.srt") == "media.not_media"
    assert code_of(tmp_path) == "media.directory"
    assert code_of(tmp_path / "none.mp4") == "media.missing"
    assert code_of(tmp_path / ("n" * 300 + ".mp4")) == "media.missing"
    assert code_of("a\0b.mp4") == "media.missing"
    assert code_of(tmp_path / "pipe") == "media.not_a_file"
    assert code_of(truncated(clip("a.mp4").path, tmp_path / "cut.mp4", 0.5)) == "media.truncated"
    assert code_of(truncated(clip("a.mkv").path, tmp_path / "cut.mkv", 0.001)) == "media.damaged"
    assert code_of(make_encrypted(tmp_path / "drm.mp4")) == "media.encrypted"
    assert code_of(make_unknown_codec(tmp_path / "unknown.mp4")) == "media.unknown_codec"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path, clip):
    shutil.copy(clip("a.mp4"), tmp_path / "locked.mp4")
    (tmp_path / "locked.mp4").chmod(0)
    assert code_of(tmp_path / "locked.mp4") == "media.unreadable"


def test_a_file_that_fails_while_it_is_opened(clip, monkeypatch):
    def denied(*_, **__):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", denied)
        with pytest.raises(Refused) as caught:
            probe(clip("a.mp4").path)
    assert caught.value.refusal.code == "media.unreadable"


@pytest.mark.parametrize("address", ["http://localhost/a.mp4", "https://a.b/c", "rtsp://a", "concat:a|b", "pipe:0"])
def test_addresses_are_refused_by_name(address, monkeypatch):
    monkeypatch.setattr(socket, "socket", pytest.fail)
    assert code_of(address) == "media.not_local"
    assert code_of(Path(address)) == "media.not_local"


@pytest.mark.parametrize("name", PLAYLISTS)
def test_playlists_are_refused_whatever_they_are_called(name, tmp_path, clip):
    make_playlists(tmp_path, clip("a.mp4").path)
    assert code_of(tmp_path / name) == "media.playlist"
    disguised = tmp_path / "film.mp4"
    shutil.copy(tmp_path / name, disguised)
    assert code_of(disguised) == "media.playlist"


ODD_NAMES = [
    "-i.mp4",
    "with space.mp4",
    "quo'te\".mp4",
    "new\nline.mp4",
    "中文 视频.mp4",
    "concat:a.mp4",
    "http:a.mp4",
    "file:a.mp4",
    "img%03d.mp4",
    "every*[x]{y}.mp4",
    "$HOME;`x`.mp4",
    "n" * 250 + ".mp4",
    os.fsdecode(b"\xff\xfe.mp4"),
]


@pytest.mark.parametrize("name", ODD_NAMES, ids=range(len(ODD_NAMES)))
def test_any_name_is_only_a_name(name, tmp_path, clip, monkeypatch):
    shutil.copy(clip("a.mp4"), tmp_path / name)
    assert probe(tmp_path / name).video is not None
    monkeypatch.chdir(tmp_path)
    assert probe(name).audio is not None
    assert next(read_frames(name)).time.seconds == 0
    assert next(read_samples(name)).start == 0


def test_a_long_path(tmp_path, clip):
    folder = tmp_path / ("d" * 150) / ("e" * 150)
    folder.mkdir(parents=True)
    shutil.copy(clip("a.mp4"), folder / "a.mp4")
    assert probe(folder / "a.mp4").video is not None


def test_no_sound_and_no_picture_have_their_own_words(clip):
    with pytest.raises(Refused) as caught:
        next(read_samples(clip("silent.mp4", audio_codec=None)))
    assert caught.value.refusal.code == "media.no_sound"
    with pytest.raises(Refused) as caught:
        next(read_frames(clip("s.wav", codec=None, audio_codec="pcm_s16le")))
    assert caught.value.refusal.code == "media.no_picture"


@pytest.mark.clips
def test_real_clips_begin_as_they_decode(clips_folder):
    files = sorted(clips_folder.glob("*.mp4"))[:6]
    assert files
    for file in files:
        info = probe(file)
        assert info.video is not None
        assert info.audio is not None
        assert info.video.start == next(read_frames(file, max_height=90)).time.seconds
        assert info.audio.start == next(read_samples(file)).start


def test_the_builder_tells_the_truth_about_late_sound(tmp_path):
    """The clip's own times are what the other tests rest on."""
    made = make_clip(tmp_path / "late.mp4", offset_ms=80)
    assert [beep - flash for beep, flash in zip(made.beeps, made.flashes, strict=True)] == [Fraction(2, 25)] * 4
