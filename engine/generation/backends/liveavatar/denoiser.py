"""The transformer on one device: what the engine asks for block after block."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import torch

from engine.generation.backends.liveavatar.attention import attention_kernel, check_kernel
from engine.generation.backends.liveavatar.planner import Choice, ScheduleName
from engine.generation.backends.liveavatar.schedule import Conductor, Finished, Script, sequential, wavefront
from engine.generation.backends.liveavatar.stage import RingOptions, Stage
from engine.generation.backends.liveavatar.streaming import StreamedLayers
from engine.generation.backends.liveavatar.weights import Transformer, load_network
from engine.jobs import Job

_CONDUCTOR = "conductor.safetensors"


class Denoiser(Protocol):
    """Makes blocks of latents, in order."""

    def blocks(self) -> Iterator[Finished]:
        """Yield blocks from where it stands to the end."""
        ...

    def save(self, folder: Path) -> None:
        """Write everything the next blocks depend on; only between two blocks."""
        ...

    def restore(self, folder: Path) -> None:
        """Go on from what :meth:`save` wrote; before the first block is asked for."""
        ...

    def stop(self) -> None:
        """End the block that is being made, from another thread; no block can be made after it."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...


class LocalDenoiser:
    """The transformer in this process.

    Args:
        conductor: begins and ends passes.
        stage: all layers.
        schedule: in which order.
        kernel: which attention kernel.
    """

    def __init__(self, conductor: Conductor, stage: Stage, schedule: ScheduleName, kernel: str = "auto") -> None:
        self._conductor = conductor
        self._stage = stage
        self._schedule = sequential if schedule is ScheduleName.SEQUENTIAL else wavefront
        self._kernel = kernel

    def blocks(self) -> Iterator[Finished]:
        """See :class:`Denoiser`."""
        made = self._schedule(self._conductor, self._stage)
        while True:
            with torch.inference_mode(), attention_kernel(self._kernel):
                finished = next(made, None)
            if finished is None:
                return
            yield finished

    def save(self, folder: Path) -> None:
        """See :class:`Denoiser`."""
        self._conductor.save(folder / _CONDUCTOR)
        self._stage.save(folder)

    def restore(self, folder: Path) -> None:
        """See :class:`Denoiser`."""
        self._conductor.restore(folder / _CONDUCTOR)
        self._stage.restore(folder)

    def stop(self) -> None:
        """See :class:`Denoiser`."""
        self._stage.stop.set()

    def close(self) -> None:
        """See :class:`Denoiser`; memory goes with the last reference."""


def load_local(
    weights: Transformer,
    script: Script,
    choice: Choice,
    device: str,
    dtype: torch.dtype,
    kernel: str,
    *,
    compiled: bool = False,
) -> Job[LocalDenoiser]:
    """Load the transformer onto one device (or beside it).

    Args:
        weights: the tensors.
        script: what the blocks are made from.
        choice: the planner's.
        device: where it is computed.
        dtype: of the activations.
        kernel: which attention kernel.
        compiled: whether the layers are compiled in the first pass.

    Raises:
        Refused: as :func:`engine.generation.backends.liveavatar.weights.load_network`.
        RuntimeError: torch's, if the device has no such attention kernel.
    """
    config = weights.config
    check_kernel(kernel, config.num_heads, config.head_dim, device, dtype)
    waiting = "cpu" if choice.stream_weights else None
    network = yield from load_network(weights, device=device, dtype=dtype, layers_device=waiting)
    layers = StreamedLayers(network, torch.device(device)) if choice.stream_weights else None
    if compiled:
        network.compile_layers()
    rings = RingOptions(choice.window, choice.fp8_rings, choice.rings_on_host)
    stage = Stage(
        network, script.size, range(script.levels.steps), rings=rings, layers=layers, device=device, dtype=dtype
    )
    with torch.inference_mode():
        conductor = Conductor(network, script)
    return LocalDenoiser(conductor, stage, choice.schedule, kernel)
