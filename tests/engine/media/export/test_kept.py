"""What a lossless export keeps: everything that is not the time of the sound."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import imageio_ffmpeg
import pytest

from engine.media.export.report import Fate, Mode
from engine.media.probe import probe
from engine.words import Message
from tests.engine.media.export.measuring import exported, flashes_at, moved_ms
from tests.media import Clip

MakeClip = Callable[..., Clip]


def ffmpeg(*arguments: str) -> None:
    """Run ffmpeg to build a source with streams that PyAV does not write."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-loglevel", "error", "-y", *arguments]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


@pytest.fixture
def rich(clip: MakeClip, tmp_path: Path) -> Callable[[str], Path]:
    """Return ``rich(suffix)``: a clip with two languages, subtitles, chapters, tags, a cover and an attachment."""

    def make(suffix: str) -> Path:
        base = clip(
            f"base.{suffix}",
            audio_languages=("deu", "eng"),
            chapters=((0, 1.5, "One"), (1.5, 4, "Two")),
            metadata={"title": "A talk", "artist": "Somebody"},
            rotation=90 if suffix != "mkv" else 0,
            color={"color_primaries": 9, "color_trc": 16, "colorspace": 9, "color_range": 1},
        )
        subtitles = tmp_path / "lines.srt"
        subtitles.write_text("1\n00:00:00,500 --> 00:00:01,500\nHello\n\n2\n00:00:02,000 --> 00:00:03,000\nthere\n")
        cover = tmp_path / "cover.png"
        ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64:d=0.04:r=25", "-frames:v", "1", str(cover))
        source = tmp_path / f"rich.{suffix}"
        arguments = ["-i", str(base.path), "-i", str(subtitles)]
        if suffix == "mkv":
            font = tmp_path / "letters.ttf"
            font.write_bytes(bytes(range(256)) * 40)
            arguments += ["-map", "0", "-map", "1", "-c", "copy", "-c:s", "srt", "-attach", str(font)]
            arguments += ["-metadata:s:t", "mimetype=application/x-truetype-font"]
        else:
            arguments += ["-i", str(cover), "-map", "0:v", "-map", "0:a", "-map", "1", "-map", "2"]
            arguments += ["-c", "copy", "-c:s", "mov_text"]
            arguments += ["-disposition:v:1", "attached_pic", "-timecode", "01:00:00:00"]
        ffmpeg(*arguments, "-metadata:s:s:0", "language=fra", "-disposition:a:1", "hearing_impaired", str(source))
        return source

    return make


def described(path: Path) -> list[tuple[object, ...]]:
    """Return what a player would show of each stream."""
    with av.open(str(path)) as container:
        streams = []
        for stream in container.streams:
            context = stream.codec_context
            tag = context.codec_tag if context is not None else None
            tags = {key: value for key, value in stream.metadata.items() if key not in {"DURATION", "encoder"}}
            streams.append((stream.type, context and context.name, tag, int(stream.disposition), tags))
        return streams


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
def test_everything_else_stays(suffix: str, rich: Callable[[str], Path], tmp_path: Path) -> None:
    source, target = rich(suffix), tmp_path / f"target.{suffix}"
    report = exported(source, target, -83, verify=False)
    assert described(target) == described(source)
    before, after = probe(source), probe(target)
    assert after.metadata == before.metadata
    assert after.chapters == before.chapters
    assert len(after.chapters) == 2
    for name in ("rotation", "sample_aspect", "color_primaries", "color_transfer", "color_matrix", "color_range"):
        assert getattr(after.video, name) == getattr(before.video, name)
    assert [stream.language for stream in after.audios] == [stream.language for stream in before.audios]
    assert len(after.others) == len(before.others) >= 2
    assert all(stream.fate in {Fate.COPIED, Fate.MOVED} for stream in report.streams)
    assert len(report.streams) == len(before.videos) + len(before.audios) + len(before.others)


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
def test_copies_with_new_sound_keep_the_rest_too(suffix: str, rich: Callable[[str], Path], tmp_path: Path) -> None:
    source, target = rich(suffix), tmp_path / f"target.{suffix}"
    report = exported(source, target, -83, Mode.COMPATIBLE, verify=False)
    before, after = probe(source), probe(target)
    tags = {key.lower(): value for key, value in after.metadata.items()}
    assert (tags["title"], tags["artist"]) == ("A talk", "Somebody")
    assert after.chapters == before.chapters
    assert after.video is not None
    assert before.video is not None
    assert (after.video.rotation, after.video.color_transfer) == (before.video.rotation, before.video.color_transfer)
    assert [stream.language for stream in after.audios] == [stream.language for stream in before.audios]
    assert {(stream.kind, stream.is_cover) for stream in after.others} == {
        (stream.kind, stream.is_cover) for stream in before.others
    }
    assert [stream[3] for stream in described(target) if stream[0] == "audio"] == [
        stream[3] for stream in described(source) if stream[0] == "audio"
    ]
    assert Fate.DROPPED not in {stream.fate for stream in report.streams}
    with av.open(str(target)) as container:
        assert [stream.metadata.get("language") for stream in container.streams.subtitles] == ["fra"]


def test_what_finds_no_place_is_named(rich: Callable[[str], Path], tmp_path: Path) -> None:
    report = exported(rich("mkv"), tmp_path / "target.mp4", 40, verify=False)
    lost = [stream for stream in report.streams if stream.fate is Fate.DROPPED]
    assert [stream.kind for stream in lost] == ["attachment"]
    assert str(lost[0].reason) == "MP4 has no place for it"
    converted = [stream for stream in report.streams if stream.fate is Fate.CONVERTED]
    assert [stream.kind for stream in converted] == ["subtitle"]


@pytest.mark.parametrize("mode", [Mode.LOSSLESS, Mode.COMPATIBLE])
def test_tags_without_a_place_are_named(mode: Mode, clip: MakeClip, tmp_path: Path) -> None:
    source = clip("tagged.mkv", metadata={"title": "A talk", "SCENE_NUMBER": "12"}).path
    report = exported(source, tmp_path / "target.mp4", 40, mode, verify=False)
    assert [note for note in report.notes if note.key == "export.note.tags_left_out"] == [
        Message("export.note.tags_left_out", container="MP4", names="SCENE_NUMBER")
    ]
    same = exported(source, tmp_path / "target.mkv", 40, mode, verify=False)
    assert "export.note.tags_left_out" not in {note.key for note in same.notes}


@pytest.mark.parametrize(("suffix", "mode"), [("mp4", Mode.COMPATIBLE), ("mkv", Mode.LOSSLESS)])
def test_a_copy_says_when_the_recording_was_made(suffix: str, mode: Mode, clip: MakeClip, tmp_path: Path) -> None:
    source = clip("dated.mp4", metadata={"creation_time": "2024-05-06T07:08:09.000000Z"}).path
    target = tmp_path / f"target.{suffix}"
    report = exported(source, target, 40, mode, verify=False)
    assert probe(target).metadata["creation_time"] == "2024-05-06T07:08:09.000000Z"
    assert "export.note.tags_left_out" not in {note.key for note in report.notes}


def test_what_a_transport_stream_counts_anew_is_said(clip: MakeClip, tmp_path: Path) -> None:
    report = exported(clip("source.ts").path, tmp_path / "target.ts", 40, verify=False)
    assert "export.note.transport_anew" in {note.key for note in report.notes}
    into = exported(clip("source.ts").path, tmp_path / "target.mp4", 40, verify=False)
    assert "export.note.transport_anew" not in {note.key for note in into.notes}


def test_unknown_tracks_and_boxes_are_copied(clip: MakeClip, tmp_path: Path) -> None:
    """A camera's private data has no place in a general muxer, but it is bytes like any other."""
    source = tmp_path / "camera.mp4"
    whole = clip("source.mp4").path.read_bytes()
    moov = whole.index(b"moov") - 4
    private = struct.pack(">I4s", 24, b"uuid") + bytes(range(16))
    inner = struct.pack(">I4s", 16, b"udtx") + b"gps-data"
    size = struct.unpack_from(">I", whole, moov)[0]
    grown = struct.pack(">I", size + len(inner)) + whole[moov + 4 : moov + size] + inner
    assert moov + size == len(whole)
    source.write_bytes(whole[:moov] + grown + private)
    target = tmp_path / "target.mp4"
    exported(source, target, 13, verify=False)
    written = target.read_bytes()
    assert private in written
    assert inner in written
    assert moved_ms(source, target) == pytest.approx(13, abs=0.021)


@pytest.mark.parametrize("order", ["first", "last"])
def test_index_stays_where_it_was(order: str, clip: MakeClip, tmp_path: Path) -> None:
    options = {"movflags": "faststart"} if order == "first" else {}
    source = clip("source.mp4", container_options={**options, "movie_timescale": "1000"})
    target = tmp_path / "target.mp4"
    exported(source, target, -12.345, verify=False)
    written = target.read_bytes()
    assert (written.index(b"moov") < written.index(b"mdat")) == (order == "first")


def test_matroska_can_be_sought_and_knows_its_length(clip: MakeClip, tmp_path: Path) -> None:
    source = clip("source.mkv", seconds=8)
    for shift in (40, -83.4):
        target = tmp_path / f"target{shift}.mkv"
        exported(source, target, shift, verify=False)
        with av.open(str(target)) as container, av.open(str(source.path)) as original:
            video = container.streams.video[0]
            assert container.duration == pytest.approx(original.duration + max(0, shift) * 1000, abs=60_000)
            container.seek(int(5 / video.time_base), stream=video)
            assert len(video.index_entries) >= 5
            packet = next(container.demux(video))
            assert packet.is_keyframe
            assert 4 < packet.pts * video.time_base <= 5


@pytest.mark.parametrize("suffix", ["mp4", "mov"])
@pytest.mark.parametrize("mode", [Mode.LOSSLESS, Mode.COMPATIBLE])
def test_hidden_frames_stay_hidden(suffix: str, mode: Mode, clip: MakeClip, tmp_path: Path) -> None:
    """An editor trimmed the clip without re-encoding: the edit list hides what was cut."""
    base = clip(f"base.{suffix}", gop=50)
    source = tmp_path / f"trimmed.{suffix}"
    ffmpeg("-ss", "0.9", "-i", str(base.path), "-c", "copy", str(source))
    target = tmp_path / f"target.{suffix}"
    report = exported(source, target, 40, mode)
    before, after = flashes_at(source), flashes_at(target)
    assert [time - after[0] for time in after] == [time - before[0] for time in before]
    assert probe(target).video.start - probe(source).video.start < Fraction(1, 100)  # type: ignore[union-attr]
    assert moved_ms(source, target) == pytest.approx(40, abs=0.05)
    assert report.error_ms == pytest.approx(0, abs=0.05)
