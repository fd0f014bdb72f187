"""What tensors a checkpoint file holds, without reading them and without running anything that it says. Light.

A ``.safetensors`` file begins with a JSON table. A PyTorch file is a pickle, in a ZIP archive (since 1.6) or followed
by raw data (before): a program in a small language, which could do anything. Here it meets an interpreter that knows
dictionaries, lists, numbers, and tensors as mere shapes; whatever else it asks for ends the reading.
"""

from __future__ import annotations

import json
import pickle
import stat
import struct
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

from engine.refusal import Refused

WRAPPERS = ("state_dict", "model_state_dict", "model")
"""Names under which training programs put the tensors beside counters and loss histories."""

_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
"""First value of a PyTorch file written before 1.6 (``torch.serialization.MAGIC_NUMBER``)."""
_LARGEST_JSON = 100_000_000
"""The safetensors format's own limit for its table, bytes."""
_LFS_POINTER = b"version https://git-lfs"
NONSENSE = (
    ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError, pickle.UnpicklingError,
    struct.error, zlib.error,
)  # fmt: skip
"""What parsers raise over bytes that mean nothing: a folder may hold any file, and none of them may end the search."""

_STORAGE_BYTES = {
    "DoubleStorage": 8, "LongStorage": 8, "FloatStorage": 4, "IntStorage": 4, "HalfStorage": 2, "BFloat16Storage": 2,
    "ShortStorage": 2, "CharStorage": 1, "ByteStorage": 1, "BoolStorage": 1, "UntypedStorage": 1,
}  # fmt: skip


class FileFormat(StrEnum):
    """How the tensors lie in the file."""

    SAFETENSORS = "safetensors"
    ARCHIVE = "archive"
    LEGACY = "legacy"


@dataclass(frozen=True, slots=True)
class Header:
    """The table of contents of a checkpoint.

    Attributes:
        format: how the file is laid out.
        shapes: shape by tensor name.
        wrapper: the entry that holds the tensors, one of :data:`WRAPPERS`, or ``None`` when nothing is around them.
    """

    format: FileFormat
    shapes: Mapping[str, tuple[int, ...]]
    wrapper: str | None = None


@dataclass(frozen=True, slots=True)
class _Storage:
    itemsize: int
    key: str
    count: int


@dataclass(frozen=True, slots=True)
class _Tensor:
    shape: tuple[int, ...]


class _Foreign(Exception):  # noqa: N818 - it says what the pickle asked for
    """The pickle names something that is neither data nor a tensor."""


class _Reader(pickle.Unpickler):
    """Interprets the pickle of a state dict, with shapes in place of tensors."""

    def find_class(self, module: str, name: str) -> Any:
        known: dict[tuple[str, str], Any] = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch", "Size"): tuple,
            ("torch._utils", "_rebuild_tensor"): _tensor,
            ("torch._utils", "_rebuild_tensor_v2"): _tensor,
            ("torch._utils", "_rebuild_parameter"): _parameter,
        }
        if (module, name) in known:
            return known[module, name]
        if module in {"torch", "torch.storage"} and name in _STORAGE_BYTES:
            return name
        raise _Foreign(f"{module}.{name}")

    def persistent_load(self, pid: Any) -> _Storage:
        _, kind, key, _, count = pid[:5]  # "storage", type, key, device, count[, view]
        return _Storage(_STORAGE_BYTES[kind], str(key), int(count))


def _tensor(_storage: object, _offset: int, shape: tuple[int, ...], *_rest: object) -> _Tensor:
    return _Tensor(tuple(int(side) for side in shape))


def _parameter(value: object, *_rest: object) -> object:
    return value


def read_header(path: Path) -> Header:
    """Read the table of contents of a ``.safetensors``, ``.pt``, ``.pth``, ``.bin`` or ``.model`` file.

    Raises:
        Refused: ``models.missing``, ``models.unreadable``, ``models.empty``, ``models.pointer`` (a Git LFS
            placeholder), ``models.truncated``, ``models.code`` (a pickle that would run a program) or
            ``models.not_a_checkpoint``.
    """
    try:
        # A named pipe would be waited for without end.
        if not stat.S_ISREG(path.stat().st_mode):
            raise Refused.because("models.not_a_checkpoint", path=path)
        with path.open("rb") as stream:
            return _read(path, stream)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Refused.because("models.missing", path=path) from error
    except OSError as error:
        raise Refused.because("models.unreadable", path=path, why=error.strerror or str(error)) from error
    except _Foreign as foreign:
        raise Refused.because("models.code", path=path, name=str(foreign)) from foreign
    except (*NONSENSE, MemoryError) as error:  # lengths that no file has
        raise Refused.because("models.not_a_checkpoint", path=path) from error


def _read(path: Path, stream: IO[bytes]) -> Header:
    start = stream.read(len(_LFS_POINTER))
    size = path.stat().st_size
    if not start:
        raise Refused.because("models.empty", path=path)
    if start == _LFS_POINTER:
        raise Refused.because("models.pointer", path=path)
    stream.seek(0)
    if start[:4] == b"PK\x03\x04":
        return _archive(path, stream)
    if start[8:9] == b"{":
        return _safetensors(path, stream, size)
    if start[:1] == b"\x80":
        return _legacy(path, stream, size)
    raise Refused.because("models.not_a_checkpoint", path=path)


def _safetensors(path: Path, stream: IO[bytes], size: int) -> Header:
    (length,) = struct.unpack("<Q", stream.read(8))
    if length > _LARGEST_JSON:
        raise Refused.because("models.not_a_checkpoint", path=path)
    table = stream.read(length)
    if len(table) < length:
        raise Refused.because("models.truncated", path=path)
    entries = {name: each for name, each in json.loads(table).items() if name != "__metadata__"}
    end = max((each["data_offsets"][1] for each in entries.values()), default=0)
    shapes = {name: tuple(int(side) for side in each["shape"]) for name, each in entries.items()}
    if 8 + length + end > size:
        raise Refused.because("models.truncated", path=path)
    return Header(FileFormat.SAFETENSORS, shapes)


def _archive(path: Path, stream: IO[bytes]) -> Header:
    try:
        with zipfile.ZipFile(stream) as archive:
            names = archive.namelist()
            table = next((name for name in names if name.endswith("/data.pkl")), None)
            if table is None:
                raise Refused.because("models.not_a_checkpoint", path=path)
            if any(name.endswith("/constants.pkl") for name in names):
                raise _Foreign("TorchScript")
            held = _unpickled(path, archive.open(table))
    except zipfile.BadZipFile as error:  # its directory stands at the end
        raise Refused.because("models.truncated", path=path) from error
    return _header(path, FileFormat.ARCHIVE, held)


def _legacy(path: Path, stream: IO[bytes], size: int) -> Header:
    storages: dict[str, _Storage] = {}

    class Reader(_Reader):
        def persistent_load(self, pid: Any) -> _Storage:
            storage = super().persistent_load(pid)
            storages[storage.key] = storage
            return storage

    if _unpickled(path, stream) != _LEGACY_MAGIC:
        raise Refused.because("models.not_a_checkpoint", path=path)
    for _ in range(2):  # version of the protocol, and sizes of the writer's types
        _unpickled(path, stream)
    held = _unpickled(path, stream, Reader)
    _unpickled(path, stream)  # the order of the storages that follow
    wanted = sum(8 + storage.itemsize * storage.count for storage in storages.values())
    if stream.tell() + wanted > size:
        raise Refused.because("models.truncated", path=path)
    return _header(path, FileFormat.LEGACY, held)


def _unpickled(path: Path, stream: IO[bytes], reader: type[_Reader] = _Reader) -> Any:
    try:
        return reader(stream, encoding="utf-8").load()
    except EOFError as error:
        raise Refused.because("models.truncated", path=path) from error


def _header(path: Path, file_format: FileFormat, held: object) -> Header:
    if isinstance(held, Mapping):
        for wrapper in (None, *WRAPPERS):
            tensors = held if wrapper is None else held.get(wrapper)
            if isinstance(tensors, Mapping):
                shapes = {str(name): each.shape for name, each in tensors.items() if isinstance(each, _Tensor)}
                if shapes:
                    return Header(file_format, shapes, wrapper)
    raise Refused.because("models.not_a_checkpoint", path=path)
