"""Memory of large blocks goes back to the system."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import ctypes
from desktop_app.allocator import return_large_blocks
return_large_blocks()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
def resident():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmRSS"))
def fill(count, size):
    blocks = [libc.malloc(size) for _ in range(count)]
    for block in blocks:
        ctypes.memset(block, 1, size)
    return blocks
for block in fill(1, 16 << 20):  # the first one freed decides what is large where nobody said
    libc.free(block)
before = resident()
blocks = fill(60, 3 << 20)
for block in blocks[:-1]:  # the last one keeps a heap from shrinking
    libc.free(block)
print(resident() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc has to be told")
def test_freed_pictures_are_given_back() -> None:
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=root, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 10_000  # kilobytes: three megabytes are still in use
