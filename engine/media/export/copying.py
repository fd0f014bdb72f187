"""Copy bytes from one open file to another, in the kernel where it can, with a pause after every few megabytes."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from typing import BinaryIO

_PIECE = 16 << 20
_NOT_HERE = {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF, errno.EPERM}


def copy_range(source: BinaryIO, target: BinaryIO, start: int, length: int) -> Iterator[int]:
    """Append ``length`` bytes of ``source`` from ``start`` on to ``target``.

    ``copy_file_range`` spares the way through this process, and on file systems that share extents also the disk.

    Yields:
        The number of bytes of each piece, after it is written.

    Raises:
        OSError: if reading or writing fails, or ``source`` ends early (``EIO``).
    """
    target.flush()
    in_kernel = hasattr(os, "copy_file_range")
    position = start
    end = start + length
    while position < end:
        wanted = min(_PIECE, end - position)
        if in_kernel:
            try:
                done = os.copy_file_range(source.fileno(), target.fileno(), wanted, position, target.tell())
            except OSError as error:
                if error.errno not in _NOT_HERE:
                    raise
                in_kernel = False
                continue
            target.seek(done, os.SEEK_CUR)
        else:
            source.seek(position)
            done = target.write(source.read(wanted))
        if done == 0:
            raise OSError(errno.EIO, "the file ended early")
        position += done
        yield done
