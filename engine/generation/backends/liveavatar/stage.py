"""One device's share of the network: its layers, and what those layers remember."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from engine.generation.backends.liveavatar.audio_encoder import AudioTokens
from engine.generation.backends.liveavatar.config import WINDOW_BLOCKS, LatentSize
from engine.generation.backends.liveavatar.memory import Ring, Sink
from engine.generation.backends.liveavatar.model import Modulation, Pass, S2VTransformer
from engine.generation.backends.liveavatar.paging import PageTraffic
from engine.generation.backends.liveavatar.rotary import block_rotation, reference_shift, sink_rotation


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """One pass of a block at a denoising step (or of the sink) through the layers, as any stage can do it.

    Attributes:
        block: number of the block; of the first block that uses it, for a sink.
        step: denoising step, ``None`` for a sink.
        sink: number of the sink that is made or looked at.
        oldest_sink: sinks with smaller numbers are not needed any more.
        distance: how far ahead of the block the reference stands (see :mod:`rotary`).
        modulation: of the denoising time, ``[6, dim]`` float32.
        context: embedded prompt, ``[text_len, dim]``.
        audio: what the block hears, ``None`` for a sink.
    """

    block: int
    step: int | None
    sink: int
    oldest_sink: int
    distance: int
    modulation: Tensor
    context: Tensor
    audio: AudioTokens | None


@dataclass(frozen=True, slots=True)
class RingOptions:
    """How much the network remembers, and where.

    Attributes:
        window: blocks a block sees, itself included.
        fp8: keep the rings in 8 bits.
        on_host: keep the rings in main memory.
    """

    window: int = WINDOW_BLOCKS
    fp8: bool = False
    on_host: bool = False


class Stopped(Exception):  # noqa: N818 - somebody wanted it so
    """A pass ended before its last layer."""


class LayerSource(Protocol):
    """Sees to it that what belongs to a layer (weights, pages of rings) is where it is computed with."""

    def using(self, layer: int) -> AbstractContextManager[None]:
        """Return a context inside which the layer can be computed; layers come in ascending order, again and again."""
        ...


class Resident:
    """Everything is on the device already."""

    def using(self, layer: int) -> AbstractContextManager[None]:  # noqa: ARG002 - there is nothing to fetch
        """Return a context that does nothing."""
        return contextlib.nullcontext()


class Stage:
    """Layers with their rings and sinks.

    Args:
        model: the layers (``model.owned`` of them).
        size: of a latent frame.
        steps: the denoising steps that come through here.
        rings: how much is remembered, and where.
        layers: where the weights come from.
        device: where it is computed.
        dtype: precision of the activations.

    Attributes:
        traffic: brings pages of rings that wait in main memory, ``None`` if they do not.
        stop: set by another thread to end a pass at the next layer; nothing can be computed with this stage after it.
    """

    def __init__(
        self,
        model: S2VTransformer,
        size: LatentSize,
        steps: range,
        *,
        rings: RingOptions = RingOptions(),
        layers: LayerSource | None = None,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.device = torch.device(device)
        self.dtype = dtype
        self._model = model
        self._size = size
        self._layers = layers or Resident()
        self.traffic = PageTraffic(model.owned, self.device) if rings.on_host else None
        self._rings = {
            step: Ring(
                model.owned, rings.window, size, model.config, dtype, device, fp8=rings.fp8, carrier=self.traffic
            )
            for step in steps
        }
        self._sinks: dict[int, Sink] = {}
        self.stop = threading.Event()

    def run(self, works: Sequence[Work], hidden: Sequence[Tensor]) -> list[Tensor]:
        """Take independent passes through all layers together.

        A sink may be among them if it comes before the blocks that look at it: layer by layer it is ready when they
        need it.

        Args:
            works: what each pass is.
            hidden: tokens ``[tokens, dim]`` of each.

        Returns:
            The tokens of each after the last layer here.

        Raises:
            Stopped: if :attr:`stop` was set.
        """
        given = [self._given(work) for work in works]
        after = [tokens.to(self.device, self.dtype) for tokens in hidden]
        visits = [(self._rings[work.step], work.block) for work in works if work.step is not None]
        with self._trip(visits) as pages:
            for layer in self._model.owned:
                if self.stop.is_set():
                    raise Stopped
                with self._layers.using(layer), pages.using(layer):
                    after = self._model.layer(layer, after, given)
        for number in [number for number in self._sinks if number < min(work.oldest_sink for work in works)]:
            del self._sinks[number]
        return after

    @contextlib.contextmanager
    def _trip(self, visits: Sequence[tuple[Ring, int]]) -> Iterator[LayerSource]:
        """Return a context with what brings the pages of each layer."""
        if self.traffic is None:
            yield Resident()
            return
        with self.traffic.trip(visits):
            yield self.traffic

    def _given(self, work: Work) -> Pass:
        modulation = Modulation(work.modulation.to(self.device), work.modulation[0])
        context = work.context.to(self.device, self.dtype)
        head_dim = self._model.config.head_dim
        if work.step is None:
            sink = self._sinks[work.sink] = Sink()
            return Pass(modulation, sink_rotation(self._size, head_dim, self.device), context, None, sink)
        assert work.audio is not None
        shift = reference_shift(work.block, work.distance)
        memory = self._rings[work.step].at(
            work.block, self._sinks[work.sink], sink_rotation(self._size, head_dim, self.device, shift)
        )
        rotation = block_rotation(work.block, self._size, head_dim, self.device)
        audio = AudioTokens(*(part.to(self.device, self.dtype) for part in work.audio))
        return Pass(modulation, rotation, context, audio, memory)

    def save(self, folder: Path) -> None:
        """Write rings and sinks to files in a folder, layer by layer; the names tell layer and steps."""
        from safetensors.torch import save_file

        if self.traffic is not None:
            self.traffic.settle()
        steps = "-".join(map(str, self._rings))
        for layer in self._model.owned:
            state = dict(self._remembered(layer))
            held = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
            save_file(held, folder / f"layer-{layer}-steps-{steps}.safetensors")

    def _remembered(self, layer: int) -> Iterator[tuple[str, Tensor]]:
        for step, ring in self._rings.items():
            yield from ((f"ring.{step}.{name}", tensor) for name, tensor in ring.state(layer).items())
        for number, sink in self._sinks.items():
            yield f"sink.{number}.k", sink.keys[layer]
            yield f"sink.{number}.v", sink.values[layer]

    def restore(self, folder: Path) -> None:
        """Read back what :meth:`save` wrote, here or on other stages: any that hold these layers and steps."""
        from safetensors import safe_open

        self._sinks.clear()
        for layer in self._model.owned:
            for path in sorted(folder.glob(f"layer-{layer}-steps-*.safetensors")):
                with safe_open(path, "pt", device="cpu") as file:
                    state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dictionary
                self._restore_layer(layer, state)

    def _restore_layer(self, layer: int, state: dict[str, Tensor]) -> None:
        for step, ring in self._rings.items():
            begin = f"ring.{step}."
            if mine := {name.removeprefix(begin): value for name, value in state.items() if name.startswith(begin)}:
                ring.restore(layer, mine)
        for name, value in state.items():
            kind, number, part = name.split(".")
            if kind == "sink":
                sink = self._sinks.setdefault(int(number), Sink())
                (sink.keys if part == "k" else sink.values)[layer] = value.to(self.device)
