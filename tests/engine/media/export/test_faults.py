"""What goes wrong is said in a sentence, and nothing is left behind."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.jobs import run
from engine.media.export import copying, encode, ffmpeg, target_file
from engine.media.export.job import export
from engine.media.export.report import Mode
from engine.refusal import Refused
from engine.timing import Correction, DriftCorrection, StepCorrection
from tests.engine.media.export.measuring import exported
from tests.media import Clip

MakeClip = Callable[..., Clip]


def refused(code: str, *arguments: object, **options: object) -> Refused:
    """Export, and expect a refusal with both its sentences."""
    with pytest.raises(Refused) as caught:
        exported(*arguments, **options)  # type: ignore[arg-type]
    refusal = caught.value.refusal
    assert refusal.code == code
    for language in ("en", "zh_CN"):
        assert refusal.sentence.text(language)
        assert refusal.remedy.text(language)
    return caught.value


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def source(clip: MakeClip, tmp_path: Path) -> Path:
    """A clip of one's own in a folder of its own."""
    path = tmp_path / "source.mp4"
    path.write_bytes(clip("source.mp4").path.read_bytes())
    return path


def test_the_source_is_never_the_target(source: Path, tmp_path: Path) -> None:
    before = source.read_bytes()
    (tmp_path / "symbolic.mp4").symlink_to(source)
    (tmp_path / "hard.mp4").hardlink_to(source)
    for name in ("source.mp4", "symbolic.mp4", "hard.mp4", "./source.mp4"):
        for overwrite in (False, True):
            refused("export.same_file", source, tmp_path / name, 40, overwrite=overwrite)
    assert source.read_bytes() == before
    assert left_in(tmp_path) == ["hard.mp4", "source.mp4", "symbolic.mp4"]


def test_the_other_sound_is_never_the_target(source: Path, clip: MakeClip, tmp_path: Path) -> None:
    sound = tmp_path / "sound.mp4"
    sound.write_bytes(clip("source.mp4").path.read_bytes())
    refused("export.same_file", source, sound, 40, audio=sound, overwrite=True)


def test_an_existing_target_is_kept_unless_allowed(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "target.mp4"
    target.write_bytes(b"precious")
    refused("export.exists", source, target, 40)
    assert target.read_bytes() == b"precious"
    exported(source, target, 40, overwrite=True, verify=False)
    assert len(target.read_bytes()) > 1000


def test_a_target_that_appears_meanwhile_is_kept(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "target.mp4"
    work = export(source, target, Correction(40))
    next(work)
    next(work)
    target.write_bytes(b"precious")
    with pytest.raises(Refused, match="exists already"):
        run(work)
    assert target.read_bytes() == b"precious"
    assert left_in(tmp_path) == ["source.mp4", "target.mp4"]


def test_places_that_cannot_be_written(source: Path, tmp_path: Path) -> None:
    (tmp_path / "folder.mp4").mkdir()
    refused("export.target_is_folder", source, tmp_path / "folder.mp4", 40)
    refused("export.no_folder", source, tmp_path / "none" / "target.mp4", 40)
    refused("export.unknown_container", source, tmp_path / "target.avi", 40)
    refused("export.unknown_container", source, tmp_path / "target", 40)
    refused("export.name_too_long", source, tmp_path / ("x" * 300 + ".mp4"), 40)


def test_a_folder_that_may_not_be_written(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open

    def forbidden(path: object, flags: int, *rest: int) -> int:
        if flags & os.O_CREAT:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return real(path, flags, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(target_file.os, "open", forbidden)
    refused("export.read_only", source, tmp_path / "target.mp4", 40)


def test_a_disk_that_is_too_small_is_found_before_writing(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(target_file.shutil, "disk_usage", lambda _: usage)
    caught = refused("export.disk_too_small", source, tmp_path / "target.mp4", 40)
    assert "0.0 MB left" in str(caught)
    assert left_in(tmp_path) == ["source.mp4"]


@pytest.mark.parametrize(
    ("code", "said"), [(errno.ENOSPC, "disk_full"), (errno.EFBIG, "too_large_for_disk"), (errno.EIO, "write_failed")]
)
def test_a_disk_that_fails_while_copying(
    code: int, said: str, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> Iterator[int]:
        yield 1
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("engine.media.export.isobmff.copy_range", failing)
    refused(f"export.{said}", source, tmp_path / "target.mp4", 40)
    assert left_in(tmp_path) == ["source.mp4"]


def test_a_disk_that_fails_while_encoding(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> Iterator[object]:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        yield

    monkeypatch.setattr("engine.media.export.encoded.encode", failing)
    refused("export.disk_full", source, tmp_path / "target.mp4", 40, Mode.COMPATIBLE)
    assert left_in(tmp_path) == ["source.mp4"]
    assert encode.encode is not failing


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can mount a small disk")
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize("mode", [Mode.LOSSLESS, Mode.COMPATIBLE])
def test_a_disk_that_is_really_full(
    suffix: str, mode: Mode, clip: MakeClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = clip(f"source.{suffix}", noise=0.3)
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=48k", "tmpfs", str(disk)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        # The look at the free space is taken away, so that writing itself has to fail.
        monkeypatch.setattr("engine.media.export.lossless.size_needed", lambda *_: 0)
        refused("export.disk_full", source, disk / f"target.{suffix}", 40, mode)
        assert left_in(disk) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_source_that_changes_or_disappears(source: Path, tmp_path: Path) -> None:
    for change in (lambda: source.write_bytes(source.read_bytes() + b"\0" * 8), source.unlink):
        work = export(source, tmp_path / "target.mp4", Correction(40))
        next(work)
        next(work)
        change()
        with pytest.raises(Refused) as caught:
            run(work)
        assert caught.value.refusal.code in {"export.source_changed", "media.missing"}
        assert not (tmp_path / "target.mp4").exists()
    assert left_in(tmp_path) == []


def test_nothing_to_move_or_nothing_to_move_against(clip: MakeClip, tmp_path: Path) -> None:
    target = tmp_path / "target.mp4"
    refused("export.no_sound", clip("mute.mp4", audio_codec=None), target, 40)
    refused("export.no_picture", clip("sound.m4a", codec=None), target, 40)
    refused("export.no_sound", clip("source.mp4"), target, 40, audio=clip("mute.mp4", audio_codec=None).path)
    refused("media.missing", tmp_path / "none.mp4", target, 40)


@pytest.mark.parametrize("mode", [Mode.LOSSLESS, Mode.COMPATIBLE])
@pytest.mark.parametrize("shift", [4000, -4100, 1e7])
def test_a_correction_longer_than_the_clip(mode: Mode, shift: float, clip: MakeClip, tmp_path: Path) -> None:
    refused("export.shift_too_large", clip("source.mp4"), tmp_path / "target.mp4", shift, mode)
    assert left_in(tmp_path) == []


def test_a_shift_that_leaves_nothing_of_a_short_sound(clip: MakeClip, tmp_path: Path) -> None:
    for suffix in ("mp4", "mkv"):
        refused(
            "export.shift_too_large", clip(f"short.{suffix}", sound_seconds=1), tmp_path / f"target.{suffix}", -2000
        )
    assert left_in(tmp_path) == []


def test_the_mode_has_to_suit_the_correction(clip: MakeClip, tmp_path: Path) -> None:
    source, target = clip("source.mp4"), tmp_path / "target.mp4"
    steps = StepCorrection(((0, 0.0), (2, 10.0)))  # type: ignore[arg-type]
    for mode in (Mode.LOSSLESS, Mode.COMPATIBLE, Mode.PIECEWISE):
        refused("export.needs_stretch", source, target, DriftCorrection(0, 100), mode)
    for mode in (Mode.LOSSLESS, Mode.COMPATIBLE, Mode.STRETCH):
        refused("export.needs_piecewise", source, target, steps, mode)
    for mode in (Mode.STRETCH, Mode.PIECEWISE):
        report = exported(source, tmp_path / f"{mode}.mp4", 40, mode)
        assert report.error_ms == pytest.approx(0, abs=0.05)


def test_a_container_without_a_place_for_the_picture(clip: MakeClip, tmp_path: Path) -> None:
    caught = refused("export.cannot_hold", clip("source.mp4"), tmp_path / "target.webm", 40)
    assert "WebM" in str(caught)
    assert left_in(tmp_path) == []


@pytest.mark.parametrize(
    ("suffix", "mode"),
    [
        ("mp4", Mode.LOSSLESS),
        ("mkv", Mode.LOSSLESS),
        ("ts", Mode.LOSSLESS),
        ("mp4", Mode.COMPATIBLE),
        ("mp4", Mode.STRETCH),
    ],
)
def test_a_closed_job_leaves_nothing_behind(suffix: str, mode: Mode, clip: MakeClip, tmp_path: Path) -> None:
    source = clip(f"source.{suffix}", noise=0.3)
    stages = set()
    for steps in range(1, 60):
        work = export(Path(source), tmp_path / f"target.{suffix}", Correction(40), mode)
        for _ in range(steps):
            progress = next(work, None)
            if progress is None:
                assert left_in(tmp_path) == [f"target.{suffix}"]
                assert {"copying", "checking"} <= stages
                return
            stages.add(progress.stage)
        work.close()
        assert left_in(tmp_path) == []
    raise AssertionError("the job never ended")


def test_progress_grows_to_one(clip: MakeClip, tmp_path: Path) -> None:
    for suffix, mode in (("mp4", Mode.LOSSLESS), ("mp4", Mode.COMPATIBLE), ("mkv", Mode.LOSSLESS)):
        shares: list[float] = []
        run(
            export(Path(clip(f"source.{suffix}")), tmp_path / f"{mode}.{suffix}", Correction(40), mode),
            lambda progress, shares=shares: shares.append(progress.done),  # type: ignore[misc]
        )
        assert shares == sorted(shares)
        assert shares[-1] == 1


def test_ctrl_c_leaves_nothing_behind(source: Path, tmp_path: Path) -> None:
    """Another process is interrupted in the middle of copying with ffmpeg."""
    folder = tmp_path / "out"
    folder.mkdir()
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from engine.jobs import run\n"
        "from engine.media.export import ffmpeg\n"
        "from engine.media.export.job import export\n"
        "from engine.media.export.report import Mode\n"
        "from engine.timing import Correction\n"
        # A suite that was started in the background of a shell hands an ignored Ctrl-C on.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "honest = ffmpeg._started\n"
        "def interrupted(*arguments, **options):\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    return honest(*arguments, **options)\n"
        "ffmpeg._started = interrupted\n"
        "run(export(Path(sys.argv[1]), Path(sys.argv[2]), Correction(40), Mode.COMPATIBLE))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(source), str(folder / "target.mp4")],
        check=False,
        capture_output=True,
        cwd=Path(__file__).parents[4],
    )
    assert b"KeyboardInterrupt" in done.stderr
    assert done.returncode in {-signal.SIGINT, 1, 130}
    assert left_in(folder) == []


def test_ffmpeg_is_ended_with_the_job(clip: MakeClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    processes: list[subprocess.Popen[bytes]] = []
    real = subprocess.Popen

    def remembered(*arguments: object, **options: object) -> subprocess.Popen[bytes]:
        processes.append(real(*arguments, **options))  # type: ignore[call-overload]
        return processes[-1]

    monkeypatch.setattr(ffmpeg.subprocess, "Popen", remembered)
    work = export(Path(clip("source.mp4")), tmp_path / "target.mp4", Correction(40), Mode.COMPATIBLE)
    while not processes:
        next(work)
    work.close()
    assert processes[0].poll() is not None
    assert left_in(tmp_path) == []


@pytest.mark.parametrize(
    "name", ["a b.mp4", "it's “quoted”.mp4", "-dash.mp4", "中文 视频.mp4", "line\nbreak.mp4", "100%d.mp4", "a:b.mp4"]
)
@pytest.mark.parametrize("mode", [Mode.LOSSLESS, Mode.COMPATIBLE])
def test_any_name_will_do(
    name: str, mode: Mode, clip: MakeClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(clip("source.mp4").path.read_bytes())
    target = Path("-out " + name)
    report = exported(Path(name), target, 40, mode)
    assert target.exists()
    assert report.error_ms == pytest.approx(0, abs=0.05)


def test_copying_works_without_the_kernels_help(
    clip: MakeClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick, slow = tmp_path / "quick.mp4", tmp_path / "slow.mp4"
    exported(clip("source.mp4"), quick, 40, verify=False)

    def unsupported(*_: object) -> int:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(copying.os, "copy_file_range", unsupported, raising=False)
    exported(clip("source.mp4"), slow, 40, verify=False)
    assert slow.read_bytes() == quick.read_bytes()


def test_what_a_killed_export_left_goes_when_the_same_copy_is_written_again(source: Path, tmp_path: Path) -> None:
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from engine.media.export.job import export\n"
        "from engine.timing import Correction\n"
        "work = export(Path(sys.argv[1]), Path(sys.argv[2]), Correction(40))\n"
        "next(work); next(work)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    target = tmp_path / "target.mp4"
    command = [sys.executable, "-c", program, str(source), str(target)]
    done = subprocess.run(command, check=False, capture_output=True, cwd=Path(__file__).parents[4])
    assert done.returncode == -signal.SIGKILL, done.stderr
    (left,) = [path for path in tmp_path.iterdir() if path != source]
    assert left.name.startswith(".target.mp4.")
    exported(source, target, 40, verify=False)
    assert left_in(tmp_path) == ["source.mp4", "target.mp4"]
