"""Names of targets."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Callable
from pathlib import Path

import av
import imageio_ffmpeg
import pytest

from engine.media.export.containers import default_target
from engine.media.export.report import Mode
from tests.engine.media.export.measuring import exported, flashes_at
from tests.media import Clip


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("talk.mp4", "talk-insync.mp4"),
        ("talk.MOV", "talk-insync.MOV"),
        ("talk.webm", "talk-insync.webm"),
        ("talk.m2ts", "talk-insync.m2ts"),
        ("talk.avi", "talk-insync.mkv"),
        ("talk.flv", "talk-insync.mkv"),
        ("talk", "talk-insync.mkv"),
        (".hidden", ".hidden-insync.mkv"),
        ("a.b.c.mkv", "a.b.c-insync.mkv"),
        ("讲话.mp4", "讲话-insync.mp4"),
    ],
)
def test_default_target_stands_beside_the_source(name: str, expected: str, tmp_path: Path) -> None:
    assert default_target(tmp_path / name, Mode.LOSSLESS) == tmp_path / expected


def test_default_target_never_exists(tmp_path: Path) -> None:
    source = tmp_path / "talk.mp4"
    seen = {source}
    for mode in itertools.islice(itertools.cycle(Mode), 12):
        target = default_target(source, mode)
        assert target not in seen
        assert target.suffix == ".mp4"
        seen.add(target)
        target.touch()
    (tmp_path / "other-insync.mp4").symlink_to("nowhere")
    assert default_target(tmp_path / "other.mp4", Mode.LOSSLESS).name == "other-insync-2.mp4"


def test_default_target_of_a_long_name_fits(tmp_path: Path) -> None:
    for letter in ("x", "讲"):
        target = default_target(tmp_path / (letter * (250 // len(letter.encode())) + ".mp4"), Mode.COMPATIBLE)
        target.touch()
        assert target.exists()


def test_sources_in_other_containers_can_be_exported_by_default(clip: Callable[..., Clip], tmp_path: Path) -> None:
    source = tmp_path / "talk.flv"
    source.write_bytes(clip("source.flv", bframes=0).path.read_bytes())
    target = default_target(source, Mode.LOSSLESS)
    assert exported(source, target, 40).error_ms == pytest.approx(0, abs=0.5)


@pytest.mark.parametrize(("suffix", "codec"), [("avi", "mpeg4"), ("mpg", "mpeg2video"), ("mpg", "mpeg1video")])
@pytest.mark.parametrize("target_suffix", ["mkv", "mp4"])
def test_containers_that_leave_out_presentation_times_lose_no_picture(
    suffix: str, codec: str, target_suffix: str, clip: Callable[..., Clip], tmp_path: Path
) -> None:
    source, target = tmp_path / f"talk.{suffix}", tmp_path / f"talk.{target_suffix}"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-i", str(clip("base.mp4", seconds=4).path)]
    command += ["-c:v", codec, "-bf", "2", "-q:v", "2", "-c:a", "mp2", str(source)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    assert exported(source, target, 40).error_ms == pytest.approx(0, abs=0.5)  # half a tick of Matroska's
    times = []
    for path in (source, target):
        with av.open(str(path)) as container:
            times.append([float(frame.time or 0) for frame in container.decode(video=0)])
    before, after = ([time - each[0] for time in each] for each in times)
    assert after == pytest.approx(before, abs=0.0011)  # Matroska's ticks
    flashes = [
        [float(time) - each[0] for time in flashes_at(path)] for path, each in zip((source, target), times, strict=True)
    ]
    assert flashes[1] == pytest.approx(flashes[0], abs=0.0011)
