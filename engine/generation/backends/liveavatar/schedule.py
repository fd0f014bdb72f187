"""In which order blocks and denoising steps go through the layers: one after the other, or four at a time.

Every step has a ring of its own, so step ``i`` of a block needs the step before it and step ``i`` of earlier blocks,
nothing else. The *wavefront* uses that: at tick ``t`` it takes step ``i`` of block ``t - i`` for all ``i`` together.
They are independent, the result is the same to the last bit, and every weight is fetched once instead of four times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from engine.generation.backends.liveavatar.config import LatentSize
from engine.generation.backends.liveavatar.model import S2VTransformer
from engine.generation.backends.liveavatar.sampler import NoiseLevels
from engine.generation.backends.liveavatar.stage import Stage, Work


class Finished(NamedTuple):
    """A block without noise: its number and its latents ``[channels, 3, height, width]``, float32."""

    block: int
    latents: Tensor


@dataclass(frozen=True, eq=False)
class Script:
    """What every block is made from.

    Attributes:
        size: of a latent frame.
        levels: noise levels.
        blocks: how many there are.
        reference: latents of the picture, ``[channels, 1, height, width]``.
        motion: latents of the past before the first block, ``[channels, 19, height, width]``.
        noise: the latents a block begins with, ``[channels, 3, height, width]``.
        features: what a block hears, ``[25, audio_dim, 12]``.
        prompt: number of a block's prompt.
        context: T5's output for a prompt by its number, ``[tokens, text_dim]``.
        distance: how far ahead the reference stands, by block and step, 4 to 30.
        anchor_block: from which block on the first generated latent frame takes the place of the reference, so that a
            long video does not drift; at least the number of steps. ``None`` keeps the picture.
    """

    size: LatentSize
    levels: NoiseLevels
    blocks: int
    reference: Tensor
    motion: Tensor
    noise: Callable[[int], Tensor]
    features: Callable[[int], Tensor]
    prompt: Callable[[int], int]
    context: Callable[[int], Tensor]
    distance: Callable[[int, int], int]
    anchor_block: int | None = None


@dataclass(eq=False)
class _Flight:
    """A block on its way: what it looks like now, which step is next, and what it looks at."""

    latents: Tensor
    step: int
    sink: int
    prompt: int


class Conductor:
    """Begins blocks, turns what comes out of the layers into less noisy latents, and knows when a sink is needed.

    Args:
        model: with its ends; the layers themselves may be elsewhere.
        script: what the blocks are made from.
    """

    def __init__(self, model: S2VTransformer, script: Script) -> None:
        self.script = script
        self.flights: dict[int, _Flight] = {}
        self.done = 0
        self._model = model
        self._modulations = [model.modulation(timestep) for timestep in script.levels.timesteps]
        self._still = model.modulation(0.0)
        self._contexts: dict[int, Tensor] = {}
        self._anchor: Tensor | None = None
        self._sink = -1
        self._sink_made_for: tuple[int, bool] | None = None

    @property
    def steps(self) -> int:
        """Denoising steps of a block."""
        return self.script.levels.steps

    def begin(self, block: int, latents: Tensor | None = None, step: int = 0) -> list[tuple[Work, Tensor]]:
        """Put a block on its way; return the pass of a new sink if the block needs one.

        Args:
            block: its number; blocks begin in order.
            latents: what to begin with if not the script's noise.
            step: which step is next.
        """
        prompt = self.script.prompt(block)
        anchored = self.script.anchor_block is not None and block >= self.script.anchor_block
        works = []
        if (prompt, anchored) != self._sink_made_for:
            self._sink_made_for = prompt, anchored
            self._sink += 1
            works.append(self._sink_pass(block, prompt, anchored=anchored))
        if latents is None:
            latents = self.script.noise(block)
        # Here and in what a pass is made from, no copy to a card waits for the passes before it.
        there = latents.to(self._model.device, torch.float32, non_blocking=True)
        self.flights[block] = _Flight(there, step, self._sink, prompt)
        return works

    def _sink_pass(self, block: int, prompt: int, *, anchored: bool) -> tuple[Work, Tensor]:
        reference = self.script.reference
        if anchored:
            assert self._anchor is not None, "the anchor block begins before the first block is done"
            reference = self._anchor
        work = Work(block, None, self._sink, self._oldest_sink(), 0, self._still.blocks, self._context(prompt), None)
        return work, self._model.embed_sink(reference, self.script.motion)

    def next_pass(self, block: int) -> tuple[Work, Tensor]:
        """Return the next step of a block that is on its way, and its tokens."""
        flight = self.flights[block]
        work = Work(
            block,
            flight.step,
            flight.sink,
            self._oldest_sink(),
            self.script.distance(block, flight.step),
            self._modulations[flight.step].blocks,
            self._context(flight.prompt),
            self._model.embed_audio(self.script.features(block)),
        )
        return work, self._model.embed_block(flight.latents)

    def take(self, work: Work, hidden: Tensor) -> Finished | None:
        """Take what a pass has become after the last layer; return the block if that was its last step."""
        if work.step is None:
            return None
        flight = self.flights[work.block]
        velocity = self._model.velocity(hidden.to(self._model.device), self._modulations[work.step], self.script.size)
        flight.latents = flight.latents + self.script.levels.change(work.step) * velocity
        flight.step += 1
        if flight.step < self.steps:
            return None
        del self.flights[work.block]
        self.done = work.block + 1
        if work.block == 0:
            self._anchor = flight.latents[:, :1]
        return Finished(work.block, flight.latents)

    def hand_over(self, block: int) -> Tensor:
        """Return the latents of a block whose other steps somebody else takes, and forget it."""
        return self.flights.pop(block).latents

    def anchor_on(self, latent: Tensor) -> None:
        """Give the first generated latent frame ``[channels, 1, height, width]`` to one who has not seen it done."""
        self._anchor = latent.to(self._model.device)

    def _oldest_sink(self) -> int:
        return min((flight.sink for flight in self.flights.values()), default=self._sink)

    def _context(self, prompt: int) -> Tensor:
        if prompt not in self._contexts:
            used = {flight.prompt for flight in self.flights.values()}
            self._contexts = {number: kept for number, kept in self._contexts.items() if number in used}
            self._contexts[prompt] = self._model.embed_text(self.script.context(prompt))
        return self._contexts[prompt]

    def save(self, path: Path) -> None:
        """Write everything that cannot be had from the script again to one file."""
        from safetensors.torch import save_file

        tensors = {f"latents.{block}": flight.latents.cpu() for block, flight in self.flights.items()}
        if self._anchor is not None:
            tensors["anchor"] = self._anchor.cpu().contiguous()
        prompt, anchored = self._sink_made_for or (-1, False)
        numbers = [self.done, self._sink, prompt, int(anchored)]
        for block, flight in sorted(self.flights.items()):
            numbers += [block, flight.step, flight.sink, flight.prompt]
        save_file({**tensors, "numbers": torch.tensor(numbers)}, path)

    def restore(self, path: Path) -> None:
        """Read back what :meth:`save` wrote."""
        from safetensors.torch import load_file

        tensors = load_file(path, device=str(self._model.device))
        self.done, self._sink, prompt, anchored, *flights = tensors["numbers"].tolist()
        self._sink_made_for = None if prompt < 0 else (prompt, bool(anchored))
        self._anchor = tensors.get("anchor")
        self.flights = {
            block: _Flight(tensors[f"latents.{block}"], step, sink, prompt)
            for block, step, sink, prompt in zip(*(flights[n::4] for n in range(4)), strict=True)
        }


Schedule = Callable[[Conductor, Stage], Iterator[Finished]]
"""Yields blocks in order; between two blocks conductor and stage may be saved, and another schedule may go on."""


def sequential(conductor: Conductor, stage: Stage) -> Iterator[Finished]:
    """Take every step of every block by itself: the published order, and the reference for the others."""
    for block in range(conductor.done, conductor.script.blocks):
        finished = None
        while finished is None:
            for work, tokens in next_passes(conductor, block):
                finished = conductor.take(work, stage.run([work], [tokens])[0])
        yield finished


def wavefront(conductor: Conductor, stage: Stage) -> Iterator[Finished]:
    """Take all steps together, each of another block, through one pass over the weights."""
    for _, blocks in ticks(conductor):
        works = [pair for block in blocks for pair in next_passes(conductor, block)]
        hidden = stage.run([work for work, _ in works], [tokens for _, tokens in works])
        results = [conductor.take(work, tokens) for (work, _), tokens in zip(works, hidden, strict=True)]
        yield from (finished for finished in results if finished is not None)


def ticks(conductor: Conductor) -> Iterator[tuple[int, Sequence[int]]]:
    """Yield numbers of ticks and the blocks that take a step in them, newest first, from where the conductor stands.

    At tick ``t`` it is step ``t - b`` of block ``b``.
    """
    steps, blocks = conductor.steps, conductor.script.blocks
    start = min((block + flight.step for block, flight in conductor.flights.items()), default=conductor.done)
    oldest = conductor.done
    for tick in range(start, blocks + steps - 1):
        yield tick, range(min(tick, blocks - 1), max(oldest - 1, tick - steps), -1)


def next_passes(conductor: Conductor, block: int) -> list[tuple[Work, Tensor]]:
    """Return the next pass of a block, preceded by that of its sink if the block is new and needs one."""
    works = [] if block in conductor.flights else conductor.begin(block)
    return [*works, conductor.next_pass(block)]
