"""A card that is not there: code made for CUDA runs with shapes instead of numbers, and what it would do is watched.

torch's fake tensors know their device and compute nothing, so the branches for a card are taken on any machine. Found
are

* tensors of different devices in one operation (torch finds those itself), and layouts that 8-bit products refuse;
* races: an operation on one stream that reads or writes memory while another stream, or the processor, may still write
  or read it. Every stream has a vector clock (Mattern 1989); waiting for a stream or an event joins clocks;
* memory given back to the allocator while a stream other than its own may still use it (what ``record_stream`` is for);
* operations in which the processor waits for the card: they are counted, since a loop that has one starves the card.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._pytree import tree_leaves

_HOST = "the processor"


class Stream:
    """In the place of ``torch.cuda.Stream``."""

    card: FakeCard

    def __init__(self, device: torch.device | str | int | None = None, name: str = "") -> None:
        self.device = _indexed(torch.device("cuda" if device is None else device))
        self.name = name or f"stream {len(self.card.clocks)} of {self.device}"
        self.card.clocks[self.name] = {}

    def wait_stream(self, other: Stream) -> None:
        _join(self.card.clocks[self.name], self.card.clocks[other.name])

    def wait_event(self, event: Event) -> None:
        _join(self.card.clocks[self.name], event.clock)

    def synchronize(self) -> None:
        self.card.host_waits += 1
        _join(self.card.clocks[_HOST], self.card.clocks[self.name])


class Event:
    """In the place of ``torch.cuda.Event``."""

    def __init__(self) -> None:
        self.clock: dict[str, int] = {}

    def record(self, stream: Stream) -> None:
        self.clock = dict(stream.card.clocks[stream.name])


@dataclass
class _Memory:
    """What was done with one storage.

    Attributes:
        home: the stream it was allocated for.
        alive: says whether anybody still refers to it.
        uses: time of the last use by stream, range of bytes and kind (written or read).
        recorded: streams that the allocator was told of.
    """

    home: str
    alive: StorageWeakRef
    uses: dict[tuple[str, int, int, bool], int] = field(default_factory=dict)
    recorded: set[str] = field(default_factory=set)


class FakeCard(FakeTensorMode):
    """Watches what is done; use :func:`fake_card`.

    Attributes:
        clocks: what each stream, and the processor, knows to be over.
        host_waits: how often the processor waited for the card.
        faults: what was found.
    """

    def __init__(self) -> None:
        super().__init__(allow_non_fake_inputs=True)
        self.clocks: dict[str, dict[str, int]] = {_HOST: {}}
        self.host_waits = 0
        self.faults: list[str] = []
        self._memory: dict[int, _Memory] = {}
        self._abroad: set[int] = set()
        self._current: dict[torch.device, Stream] = {}

    def current_stream(self, device: torch.device | str | int | None = None) -> Stream:
        device = _indexed(torch.device("cuda" if device is None else device))
        if device not in self._current:
            self._current[device] = Stream(device, f"main stream of {device}")
        return self._current[device]

    @contextmanager
    def stream(self, stream: Stream | None) -> Iterator[None]:
        if stream is None:
            yield
            return
        before = self.current_stream(stream.device)
        self._current[stream.device] = stream
        yield
        self._current[stream.device] = before

    def record_stream(self, tensor: Tensor, stream: Stream) -> None:
        self._of(tensor).recorded.add(stream.name)

    def put(self, network: nn.Module, device: str, dtype: torch.dtype) -> None:
        """Put a network on a device, as ``network.to`` does with tensors that hold something."""
        for part in network.modules():
            for held in (part._parameters, part._buffers):
                for name, value in held.items():
                    if value is not None:
                        kind = dtype if value.is_floating_point() else value.dtype
                        fake = torch.zeros(value.shape, dtype=kind, device=device)
                        held[name] = nn.Parameter(fake, requires_grad=False) if held is part._parameters else fake

    def __torch_dispatch__(
        self, func: Any, types: Sequence[object], args: Sequence[Any] = (), kwargs: Mapping[str, Any] = {}
    ) -> Any:
        """Do one operation; note what it reads and writes, and on which stream."""
        made = super().__torch_dispatch__(func, types, args, kwargs)
        returns = func._schema.returns
        is_view = any(each.alias_info is not None and not each.alias_info.is_write for each in returns)
        if is_view or func.namespace in {"prim", "prims"}:  # prims: what an operation on fakes is made of
            return made
        given = dict(zip((each.name for each in func._schema.arguments), args, strict=False)) | dict(kwargs)
        writes = {each.name for each in func._schema.arguments if each.alias_info and each.alias_info.is_write}
        written = [each for name in writes for each in _tensors(given.get(name))]
        read = [each for name, value in given.items() if name not in writes for each in _tensors(value)]
        self._happened(str(func), read, [*written, *_tensors(made)], waits=not given.get("non_blocking", False))
        return made

    def _happened(self, what: str, read: list[Tensor], written: list[Tensor], *, waits: bool) -> None:
        tensors = [*read, *written]
        cards = list(dict.fromkeys(each.device for each in tensors if each.device.type == "cuda"))
        stream = self.current_stream(cards[0]).name if cards else _HOST
        clock = self.clocks[stream]
        others = [self.clocks[self.current_stream(card).name] for card in cards[1:]]
        for other in (self.clocks[_HOST], *others):  # what was done before the launch; both ends of a copy wait
            _join(clock, other)
        clock[stream] = now = clock.get(stream, 0) + 1
        for tensors, is_write in ((read, False), (written, True)):
            for tensor in tensors:
                self._touch(what, tensor, stream, now, is_write=is_write)
        for other in others:
            _join(other, clock)
        if cards and waits and any(each.device.type == "cpu" and each.dim() for each in tensors + read):
            self.host_waits += 1
            _join(self.clocks[_HOST], clock)
        self._see_what_is_gone()

    def _touch(self, what: str, tensor: Tensor, stream: str, now: int, *, is_write: bool) -> None:
        if not tensor.numel():
            return
        memory = self._of(tensor)
        reach = sum((size - 1) * step for size, step in zip(tensor.shape, tensor.stride(), strict=True)) + 1
        begin = int(tensor.storage_offset()) * tensor.itemsize
        end = begin + int(reach) * tensor.itemsize
        for (by, first, last, wrote), when in memory.uses.items():
            overlap = first < end and begin < last
            if overlap and (is_write or wrote) and self.clocks[stream].get(by, 0) < when:
                kind = f"{'written' if is_write else 'read'} while it may still be {'written' if wrote else 'read'}"
                self.faults.append(f"{what} on {stream}: {tuple(tensor.shape)} is {kind} by {by}")
        memory.uses[stream, begin, end, is_write] = now
        if stream != memory.home and _HOST not in {stream, memory.home}:
            self._abroad.add(tensor.untyped_storage()._cdata)

    def _of(self, tensor: Tensor) -> _Memory:
        storage = tensor.untyped_storage()
        # A weak reference keeps the address of its storage from being used again.
        if storage._cdata not in self._memory:
            home = self.current_stream(tensor.device).name if tensor.is_cuda else _HOST
            self._memory[storage._cdata] = _Memory(home, StorageWeakRef(storage))
        return self._memory[storage._cdata]

    def _see_what_is_gone(self) -> None:
        for key in [key for key in self._abroad if self._memory[key].alive.expired()]:
            self._abroad.remove(key)
            memory = self._memory[key]
            home = self.clocks[memory.home]
            for (by, *_), when in memory.uses.items():
                if by != memory.home and by not in memory.recorded and home.get(by, 0) < when:
                    self.faults.append(f"memory of {memory.home} is given back while {by} may still use it")


@contextmanager
def fake_card(monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int] = (9, 0)) -> Iterator[FakeCard]:
    """Let ``cuda`` be a card that computes nothing; at the end, nothing may have been found.

    Args:
        monkeypatch: of the test.
        capability: compute capability of the card.
    """
    card = FakeCard()
    real = torch.from_numpy

    def from_numpy(array: npt.NDArray[Any]) -> Tensor:  # torch would compute with these numbers on the card
        return torch.zeros(array.shape, dtype=real(np.empty(0, array.dtype)).dtype)

    with monkeypatch.context() as patch, card:
        patch.setattr(Stream, "card", card, raising=False)
        patch.setattr(torch, "from_numpy", from_numpy)
        patch.setattr(torch.cuda, "Stream", Stream)
        patch.setattr(torch.cuda, "Event", Event)
        patch.setattr(torch.cuda, "current_stream", card.current_stream)
        patch.setattr(torch.cuda, "stream", card.stream)
        patch.setattr(torch.cuda, "get_device_capability", lambda _=None: capability)
        patch.setattr(torch.Tensor, "record_stream", lambda tensor, stream: card.record_stream(tensor, stream))
        patch.setattr(torch.Tensor, "__getitem__", _view)
        patch.setattr(torch.Tensor, "__setitem__", lambda tensor, places, value: _set(_view(tensor, places), value))
        patch.setattr(torch.Tensor, "copy_", _copy)
        patch.setattr(torch.Tensor, "contiguous", _contiguous)
        yield card
    assert not card.faults, "\n".join(dict.fromkeys(card.faults))


def _copy(tensor: Tensor, source: Tensor, non_blocking: bool = False) -> Tensor:
    """Copy as tensors do; see :func:`_view`."""
    copied: Tensor = torch.ops.aten.copy_.default(tensor, source, non_blocking)
    return copied


def _set(tensor: Tensor, value: Tensor | float) -> Tensor:
    return _copy(tensor, value) if isinstance(value, Tensor) else tensor.fill_(value)


def _contiguous(tensor: Tensor, memory_format: torch.memory_format = torch.contiguous_format) -> Tensor:
    """Copy where tensors do; see :func:`_view`."""
    if tensor.is_contiguous(memory_format=memory_format):
        return tensor
    copied: Tensor = torch.ops.aten.clone.default(tensor, memory_format=memory_format)
    return copied


def _view(tensor: Tensor, places: Any) -> Tensor:
    """Index as tensors do; without a driver, torch does not do it for a card."""
    places = places if isinstance(places, tuple) else (places,)
    if ... in places:
        at = places.index(...)
        rest = len([place for place in places if place is not None]) - 1
        places = (*places[:at], *[slice(None)] * (tensor.dim() - rest), *places[at + 1 :])
    axis = 0
    for place in places:
        if place is None:
            tensor = tensor.unsqueeze(axis)
        elif isinstance(place, slice):
            tensor = torch.ops.aten.slice(tensor, axis, place.start, place.stop, place.step or 1)
        else:
            tensor = tensor.select(axis, place)
            continue
        axis += 1
    return tensor


def _tensors(value: Any) -> list[Tensor]:
    return [each for each in tree_leaves(value) if isinstance(each, FakeTensor)]


def _join(clock: dict[str, int], other: dict[str, int]) -> None:
    for stream, when in other.items():
        clock[stream] = max(clock.get(stream, 0), when)


def _indexed(device: torch.device) -> torch.device:
    return device if device.index is not None else torch.device(device.type, 0)
