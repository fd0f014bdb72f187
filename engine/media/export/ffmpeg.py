"""Run the ffmpeg binary that comes with imageio-ffmpeg: argument lists, local files, killed when no longer wanted."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

import imageio_ffmpeg

ALL_TIMES = ("-fflags", "+genpts")
"""AVI and MPEG program streams leave out presentation times; without them pictures are lost in any other container."""
_LOCAL = ("-protocol_whitelist", "file,pipe")
_QUIET = ("-hide_banner", "-nostdin", "-nostats", "-loglevel", "error", "-y")
_LAST_WORDS = 4000
_CANNOT_HOLD = re.compile(
    r"not currently supported in container|Could not find tag|codec not (?:currently )?supported|"
    r"Only (?:audio|VP8|video)|is not supported|Unsupported codec|Could not write header|"
    r"does not support|Unable to (?:find|choose)|incorrect codec parameters",
    re.IGNORECASE,
)


class FfmpegFailed(Exception):  # noqa: N818 - it carries what ffmpeg said, for the one who called it
    """ffmpeg gave up; the text is the end of what it said."""


class CannotHold(FfmpegFailed):
    """The target container has no place for one of the streams."""


def binary() -> str:
    """Return the path of the ffmpeg binary.

    Raises:
        FfmpegFailed: if there is none for this system.
    """
    try:
        return imageio_ffmpeg.get_ffmpeg_exe()  # type: ignore[no-any-return]
    except RuntimeError as error:
        raise FfmpegFailed(str(error)) from error


def read_from(path: Path) -> list[str]:
    """Return the arguments that make a local file an input."""
    return [*_LOCAL, *ALL_TIMES, "-i", f"file:{path.absolute()}"]


def run(arguments: Sequence[str], target: Path, size: int) -> Iterator[float]:
    """Run ffmpeg to its end.

    Args:
        arguments: everything but the output.
        target: the file to write; it exists already, empty.
        size: about how many bytes it will have.

    Yields:
        The share of the work that is done.

    Raises:
        CannotHold: if the container has no place for a stream.
        FfmpegFailed: if it gives up for another reason.
        OSError: if the disk is full.
    """
    command = [*_QUIET, "-progress", "pipe:1", "-stats_period", "0.25", *arguments, f"file:{target.absolute()}"]
    with _started(command) as process:
        for line in process.stdout or ():
            key, _, value = line.decode("ascii", "replace").strip().partition("=")
            if key == "total_size" and value.isdigit():
                yield min(1.0, int(value) / max(1, size))


@contextmanager
def piped(arguments: Sequence[str]) -> Iterator[BinaryIO]:
    """Run ffmpeg with its output as an open file.

    Raises:
        CannotHold: on leaving, if the container has no place for a stream.
        FfmpegFailed: on leaving, if it gave up for another reason.
    """
    with _started([*_QUIET, *arguments, "pipe:1"], buffering=1 << 20) as process:
        assert process.stdout is not None
        yield process.stdout  # type: ignore[misc]


@contextmanager
def _started(arguments: Sequence[str], buffering: int = -1) -> Iterator[subprocess.Popen[bytes]]:
    """Start ffmpeg; on leaving, wait for it and judge, or end it if left by an exception."""
    with tempfile.TemporaryFile() as words:
        process = subprocess.Popen(
            [binary(), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=words,
            bufsize=buffering,
            # Ctrl-C is for this process, which ends the other one; no console window on Windows.
            start_new_session=os.name == "posix",
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        try:
            yield process
            code = process.wait()
        except BaseException as error:
            # A reader that stumbles at the end of the stream is told by ffmpeg why it ended.
            if isinstance(error, Exception) and not isinstance(error, OSError) and _has_ended(process):
                _judge(process.wait(), words)
            process.kill()
            process.wait()
            raise
        finally:
            if process.stdout is not None:
                process.stdout.close()
        _judge(code, words)


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether ffmpeg has closed its output, which it does on its way out."""
    return process.stdout is not None and not process.stdout.read(1)


def _judge(code: int, words: IO[bytes]) -> None:
    if code == 0:
        return
    words.seek(max(0, words.seek(0, os.SEEK_END) - _LAST_WORDS))
    said = words.read().decode("utf-8", "replace").strip()
    if "No space left on device" in said:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if "File too large" in said:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    raise (CannotHold if _CANNOT_HOLD.search(said) else FfmpegFailed)(said)
