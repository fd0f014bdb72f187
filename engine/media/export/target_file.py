"""The file that is being written: checked beforehand, temporary until it is whole, and gone if it never gets whole."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engine.media.opening import local_file
from engine.refusal import Refused

_NAME_BYTES = 60
_LEFTOVER = re.compile(r"([0-9a-f]{1,8})-[0-9a-f]{8}\.\w+")


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What tells that a file is still the one that was opened."""

    device: int
    inode: int
    size: int
    modified: int

    @classmethod
    def of(cls, path: Path) -> Fingerprint:
        """Look at a file.

        Raises:
            OSError: if it is gone.
        """
        status = path.stat()
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def check_target(sources: list[Path], target: Path, *, overwrite: bool, needs: int) -> None:
    """Refuse a target that cannot, or must not, be written.

    Args:
        sources: files that must not be replaced.
        target: the file to be written.
        overwrite: whether it may replace another file.
        needs: about how many bytes it will have.

    Raises:
        Refused: ``export.same_file``, ``export.exists``, ``export.target_is_folder``, ``export.target_is_no_file``,
            ``export.no_folder``, ``export.name_too_long`` or ``export.disk_too_small``.
    """
    try:
        _check_target(sources, target, overwrite=overwrite, needs=needs)
    except OSError as error:
        raise _refused(error, target) from error


def _check_target(sources: list[Path], target: Path, *, overwrite: bool, needs: int) -> None:
    if target.is_dir():
        raise Refused.because("export.target_is_folder", path=target)
    if target.exists() and not target.is_file():  # a device or a pipe would be replaced, not written to
        raise Refused.because("export.target_is_no_file", path=target)
    if target.exists() or target.is_symlink():
        for source in sources:
            with contextlib.suppress(OSError):
                if target.samefile(source):
                    raise Refused.because("export.same_file", path=target)
        if not overwrite:
            raise Refused.because("export.exists", path=target)
    if not target.parent.is_dir():
        raise Refused.because("export.no_folder", path=target.parent)
    free = shutil.disk_usage(target.parent).free
    if free < needs:
        raise Refused.because(
            "export.disk_too_small", path=target.parent, needed=_megabytes(needs), free=_megabytes(free)
        )


@contextmanager
def written(sources: list[Path], target: Path, *, overwrite: bool) -> Iterator[Workplace]:
    """Give a place to write ``target``; put it where it belongs on leaving, or remove all traces of it.

    Raises:
        Refused: ``export.read_only``, ``export.disk_full``, ``export.too_large_for_disk``, ``export.write_failed``,
            ``export.source_changed`` or ``export.exists``.
    """
    before = [Fingerprint.of(local_file(source)) for source in sources]
    remove_leftovers(target)
    place = Workplace(target)
    try:
        yield place
        if not place.result.exists():
            raise FileNotFoundError(errno.ENOENT, "nothing was written")
        for source, fingerprint in zip(sources, before, strict=True):
            with contextlib.suppress(OSError):
                if Fingerprint.of(source) == fingerprint:
                    continue
            raise Refused.because("export.source_changed", path=source)
        if not overwrite and (target.exists() or target.is_symlink()):
            raise Refused.because("export.exists", path=target)
        place.result.replace(target)
    except OSError as error:
        raise _refused(error, target) from error
    finally:
        place.clear()


class Workplace:
    """Temporary files beside the target.

    Attributes:
        result: what becomes the target.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._files: list[Path] = []
        self.result = self.another()

    def another(self, suffix: str = ".part") -> Path:
        """Return a new, empty file beside the target that is removed in the end."""
        path = self._target.with_name(f"{_beginning(self._target)}{os.getpid():x}-{secrets.token_hex(4)}{suffix}")
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        except OSError as error:
            raise _refused(error, self._target) from error
        self._files.append(path)
        return path

    def empty(self) -> None:
        """Forget what has been written so far, for another attempt."""
        for path in self._files:
            with path.open("wb"):
                pass

    def clear(self) -> None:
        """Remove what is left."""
        for path in self._files:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def remove_leftovers(target: Path) -> bool:
    """Remove what processes that were killed left behind while they wrote ``target``.

    Args:
        target: the file that was to be written; it is not touched.

    Returns:
        Whether nothing is left; files of a process that still runs are left alone.
    """
    beginning = _beginning(target)
    is_clean = True
    with contextlib.suppress(OSError), os.scandir(target.parent) as entries:
        for entry in entries:
            owner = _LEFTOVER.fullmatch(entry.name[len(beginning) :]) if entry.name.startswith(beginning) else None
            if owner is None:
                continue
            try:
                if _is_running(int(owner[1], 16)):
                    is_clean = False
                else:
                    Path(entry.path).unlink(missing_ok=True)
            except OSError:  # Windows removes no file that is open
                is_clean = False
    return is_clean


def _beginning(target: Path) -> str:
    name = target.name.encode()[:_NAME_BYTES].decode(errors="ignore")
    return f".{name}."


def _is_running(process: int) -> bool:
    if os.name == "nt":  # there the question would end the process
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _refused(error: OSError, target: Path) -> Refused:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return Refused.because("export.disk_full", path=target.parent)
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return Refused.because("export.read_only", path=target.parent)
    if error.errno == errno.EFBIG:
        return Refused.because("export.too_large_for_disk", path=target.parent)
    if error.errno == errno.ENAMETOOLONG:
        return Refused.because("export.name_too_long", path=target)
    return Refused.because("export.write_failed", path=target, detail=error.strerror or str(error))


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB"
