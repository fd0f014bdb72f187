"""What each process of a divided transformer does.

*Layer split*: every rank has some of the layers, with their share of all rings. The first one begins and ends passes;
the passes of four blocks are on their way at any time, so no rank waits for another. *Pipeline*: every rank has all
layers and takes some of the denoising steps of every block, as the published program does it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.distributed as dist
from safetensors.torch import load_file, save_file
from torch import Tensor

from engine.generation.backends.liveavatar.attention import attention_kernel, check_kernel
from engine.generation.backends.liveavatar.config import (
    AUDIO_LAYERS,
    BLOCK_FRAMES,
    BLOCK_LATENTS,
    LatentSize,
    WeightFormat,
)
from engine.generation.backends.liveavatar.failures import failure, is_out_of_memory
from engine.generation.backends.liveavatar.files import Files
from engine.generation.backends.liveavatar.links import END, PASS, RESTORE, SAVE, Chain, PassReceiver, PassSender, meet
from engine.generation.backends.liveavatar.model import S2VTransformer
from engine.generation.backends.liveavatar.planner import Choice, ScheduleName, layer_shares
from engine.generation.backends.liveavatar.sampler import NoiseLevels
from engine.generation.backends.liveavatar.schedule import Conductor, Finished, Script, ticks
from engine.generation.backends.liveavatar.stage import RingOptions, Stage, Work
from engine.generation.backends.liveavatar.streaming import StreamedLayers
from engine.generation.backends.liveavatar.weights import Transformer, load_network
from engine.jobs import run
from engine.refusal import Refused

Numbers = npt.NDArray[np.float32]
_READY = "ready.safetensors"


@dataclass(frozen=True, slots=True, eq=False)
class RankJob:
    """What all ranks are told when they start.

    Attributes:
        files: where the weights are.
        weight_format: how they are stored.
        choice: the planner's.
        devices: one per rank.
        dtype: of the activations.
        kernel: which attention kernel.
        compiled: whether the layers are compiled in the first pass.
        meeting: a file that does not exist yet, over which the ranks find each other.
        size: of a latent frame.
        levels: noise levels.
        blocks: how many there are.
        anchor_block: see :class:`~..schedule.Script`.
        reference: see there.
        motion: see there.
    """

    files: Files
    weight_format: WeightFormat
    choice: Choice
    devices: tuple[str, ...]
    dtype: torch.dtype
    kernel: str
    compiled: bool
    meeting: Path
    size: LatentSize
    levels: NoiseLevels
    blocks: int
    anchor_block: int | None
    reference: Numbers
    motion: Numbers


@dataclass(frozen=True, slots=True, eq=False)
class BlockInputs:
    """What one block is made from.

    Attributes:
        noise: see :class:`~..schedule.Script`.
        features: see there.
        prompt: number of the prompt.
        context: T5's output for it, if it was not sent before.
        distances: of the reference, by step.
    """

    noise: Numbers
    features: Numbers
    prompt: int
    context: Numbers | None
    distances: tuple[int, ...]


def rank_main(rank: int, job: RankJob, pipe: Connection) -> None:
    """Run one rank until it is told to end; everything it has to say goes through the pipe."""
    try:
        device = torch.device(job.devices[rank])
        if device.type == "cuda":
            torch.cuda.set_device(device)
        chain = Chain(rank, len(job.devices), meet(rank, len(job.devices), job.meeting, device))
        kind = _SplitRank if job.choice.schedule is ScheduleName.LAYER_SPLIT else _PipelineRank
        with torch.inference_mode(), attention_kernel(job.kernel):
            worker = kind(chain, job, device)
            pipe.send(("ready",))
            worker.lead(pipe) if rank == 0 else worker.follow()
        dist.destroy_process_group()
    except Refused as refused:
        pipe.send(("refused", refused.refusal))
    except (RuntimeError, MemoryError) as error:
        refusal = failure(error, job.devices[rank])
        if refusal is not None:
            pipe.send(("refused", refusal))
            return
        pipe.send(("memory" if is_out_of_memory(error) else "failed", str(error)))
        raise


class _Rank(ABC):
    """What both kinds have in common."""

    def __init__(
        self, chain: Chain, job: RankJob, device: torch.device, layers: range, steps: range, *, ends: bool
    ) -> None:
        self._job = job
        self._chain = chain
        choice, config = job.choice, job.files.config()
        check_kernel(job.kernel, config.num_heads, config.head_dim, device, job.dtype)
        waiting = "cpu" if choice.stream_weights else None
        self._network: S2VTransformer = run(
            load_network(
                Transformer(job.files, job.weight_format), layers, ends=ends, device=device, dtype=job.dtype,
                layers_device=waiting,
            )
        )  # fmt: skip
        if job.compiled:
            self._network.compile_layers()
        streamed = StreamedLayers(self._network, device) if choice.stream_weights else None
        rings = RingOptions(choice.window, choice.fp8_rings, choice.rings_on_host)
        self._stage = Stage(
            self._network, job.size, steps, rings=rings, layers=streamed, device=device, dtype=job.dtype
        )
        self._inputs: dict[int, BlockInputs] = {}
        self._contexts: dict[int, Tensor] = {}
        self._ready: deque[Finished] = deque()

    def _script(self) -> Script:
        job = self._job
        return Script(
            size=job.size,
            levels=job.levels,
            blocks=job.blocks,
            reference=torch.from_numpy(job.reference),
            motion=torch.from_numpy(job.motion),
            noise=lambda block: torch.from_numpy(self._inputs[block].noise),
            features=lambda block: torch.from_numpy(self._inputs[block].features),
            prompt=lambda block: self._inputs[block].prompt,
            context=lambda prompt: self._contexts[prompt],
            distance=lambda block, step: self._inputs[block].distances[step],
            anchor_block=job.anchor_block,
        )

    def lead(self, pipe: Connection) -> None:
        """Do what the parent process asks for, as the first rank."""
        blocks: Iterator[Finished] | None = None
        while True:
            message: tuple[Any, ...] = pipe.recv()
            if message[0] == "next":
                self._feed(message[1])
                blocks = blocks or self._blocks()
                finished = self._ready.popleft() if self._ready else next(blocks, None)
                pipe.send(("block", None if finished is None else (finished.block, finished.latents.cpu().numpy())))
            elif message[0] == "save":
                self._save(message[1])
                pipe.send(("saved",))
            elif message[0] == "restore":
                pipe.send(("restored", self._restore(message[1])))
            else:
                if self._chain.ranks > 1:
                    self._chain.send_header(END)
                return

    def _feed(self, inputs: dict[int, BlockInputs]) -> None:
        self._inputs |= inputs
        given = [each for each in inputs.values() if each.context is not None]
        self._contexts |= {each.prompt: torch.from_numpy(each.context) for each in given}
        for block in [block for block in self._inputs if block < self._oldest()]:
            del self._inputs[block]

    @abstractmethod
    def _oldest(self) -> int: ...

    @abstractmethod
    def _blocks(self) -> Iterator[Finished]: ...

    @abstractmethod
    def _drain(self) -> None: ...

    @abstractmethod
    def _save_own(self, folder: Path) -> None: ...

    @abstractmethod
    def _restore_own(self, folder: Path) -> int: ...

    def _save(self, folder: Path) -> None:
        self._drain()
        ready = {str(block): latents.cpu().contiguous() for block, latents in self._ready}
        save_file({**ready, "count": torch.tensor(len(ready))}, folder / _READY)
        self._save_own(folder)
        self._tell(SAVE, folder)

    def _restore(self, folder: Path) -> int:
        """Restore everybody; return the first block that is not begun."""
        kept = load_file(folder / _READY)
        self._ready = deque(Finished(int(name), kept[name]) for name in sorted(kept.keys() - {"count"}, key=int))
        first = self._restore_own(folder)
        self._tell(RESTORE, folder)
        return first

    def _tell(self, kind: int, folder: Path) -> None:
        if self._chain.ranks > 1:
            self._chain.send_path(kind, folder)
            self._chain.wait_for_answer()

    def follow(self) -> None:
        """Do what the rank before sends, as one of the others."""
        while True:
            header = self._chain.receive_header()
            if header[0] == END:
                if not self._chain.is_last:
                    self._chain.send_header(END)
                return
            if header[0] in {SAVE, RESTORE}:
                folder = self._chain.receive_path(header[1])
                if header[0] == SAVE:
                    self._save_own(folder)
                else:
                    self._restore_own(folder)
                if self._chain.is_last:
                    self._chain.answer()
                else:
                    self._chain.send_path(header[0], folder)
            else:
                self._pass_on(header)

    @abstractmethod
    def _pass_on(self, header: list[int]) -> None: ...


class _SplitRank(_Rank):
    """Some of the layers."""

    def __init__(self, chain: Chain, job: RankJob, device: torch.device) -> None:
        mine = layer_shares(job.files.config().num_layers, job.choice)[chain.rank]
        super().__init__(chain, job, device, mine, range(job.levels.steps), ends=chain.rank == 0)
        config = self._network.config
        self._sender = PassSender(self._chain, job.dtype)
        self._receiver = PassReceiver(self._chain, config, job.dtype)
        self._pending: deque[tuple[Work, Tensor]] = deque()
        self._conductor = Conductor(self._network, self._script()) if chain.rank == 0 else None

    @property
    def _leader(self) -> Conductor:
        assert self._conductor is not None
        return self._conductor

    def _oldest(self) -> int:
        return self._leader.done

    def _blocks(self) -> Iterator[Finished]:
        """Yield blocks; a pass is sent on its way as soon as the one it needs has come back."""
        conductor = self._leader
        anchor = self._job.anchor_block
        for tick, blocks in ticks(conductor):
            for block in blocks:
                step = tick - block
                if step == 0 and block not in conductor.flights:
                    while block == anchor and conductor.done == 0:
                        yield from self._collected()
                    for work, tokens in conductor.begin(block):
                        self._submit(work, tokens)
                while block >= conductor.done and conductor.flights[block].step < step:
                    yield from self._collected()
                if block >= conductor.done and conductor.flights[block].step == step:
                    self._submit(*conductor.next_pass(block))
        while self._pending:
            yield from self._collected()

    def _submit(self, work: Work, tokens: Tensor) -> None:
        [tokens] = self._stage.run([work], [tokens])
        self._pending.append((work, tokens))
        if self._chain.ranks > 1:
            self._sender.send(work, tokens)

    def _collected(self) -> Iterator[Finished]:
        work, tokens = self._pending.popleft()
        if self._chain.ranks > 1:
            tokens = self._chain.receive(tokens.shape, self._job.dtype, back=True)
        finished = self._leader.take(work, tokens)
        if finished is not None:
            yield finished

    def _drain(self) -> None:
        while self._pending:
            self._ready.extend(self._collected())

    def _save_own(self, folder: Path) -> None:
        self._stage.save(folder)
        if self._conductor is not None:
            self._conductor.save(folder / "conductor.safetensors")

    def _restore_own(self, folder: Path) -> int:
        self._stage.restore(folder)
        if self._conductor is None:
            return 0
        self._conductor.restore(folder / "conductor.safetensors")
        return self._conductor.done

    def _pass_on(self, header: list[int]) -> None:
        assert header[0] == PASS
        work, tokens = self._receiver.receive(header)
        [tokens] = self._stage.run([work], [tokens])
        if self._chain.is_last:
            self._chain.send([tokens], back=True)
        else:
            self._sender.send(work, tokens)


class _PipelineRank(_Rank):
    """All layers, for some of the denoising steps."""

    def __init__(self, chain: Chain, job: RankJob, device: torch.device) -> None:
        each = job.levels.steps // len(job.devices)
        self._steps = range(chain.rank * each, (chain.rank + 1) * each)
        super().__init__(chain, job, device, range(job.files.config().num_layers), self._steps, ends=True)
        self._conductor = Conductor(self._network, self._script())
        self._begun = 0
        self._done = 0
        self._anchor: Tensor | None = None
        self._known_prompts: set[int] = set()

    def _oldest(self) -> int:
        return self._begun

    def _blocks(self) -> Iterator[Finished]:
        ahead = self._chain.ranks
        for block in range(self._begun, self._job.blocks):
            while block - self._done >= ahead or (block == self._job.anchor_block and self._done == 0):
                yield self._collected()
            latents = self._own_steps(block, None)
            self._begun = block + 1
            if self._chain.ranks == 1:
                self._done = block + 1
                self._note_anchor(block, latents)
                yield Finished(block, latents)
            else:
                self._send(block, latents)
        while self._done < self._begun:
            yield self._collected()

    def _own_steps(self, block: int, latents: Tensor | None) -> Tensor:
        """Take this rank's steps of a block."""
        conductor = self._conductor
        works = conductor.begin(block, latents, self._steps.start)
        for work, tokens in works:
            self._stage.run([work], [tokens])
        for step in self._steps:
            work, tokens = conductor.next_pass(block)
            finished = conductor.take(work, self._stage.run([work], [tokens])[0])
            if step == self._job.levels.steps - 1:
                assert finished is not None
                return finished.latents
        return conductor.hand_over(block)

    def _note_anchor(self, block: int, latents: Tensor) -> None:
        if block == 0:
            self._anchor = latents[:, :1]
            self._conductor.anchor_on(self._anchor)

    def _shape(self, frames: int = BLOCK_LATENTS) -> tuple[int, ...]:
        return self._network.config.in_dim, frames, self._job.size.height, self._job.size.width

    def _collected(self) -> Finished:
        latents = self._chain.receive(self._shape(), torch.float32, back=True)
        block, self._done = self._done, self._done + 1
        self._note_anchor(block, latents)
        return Finished(block, latents)

    def _send(self, block: int, latents: Tensor) -> None:
        given = self._inputs[block]
        is_new = given.prompt not in self._known_prompts
        self._known_prompts.add(given.prompt)
        context = self._contexts[given.prompt]
        anchored = block == self._job.anchor_block
        numbers = (block, given.prompt, int(is_new), context.shape[0], int(anchored))
        self._chain.send_header(PASS, *numbers)
        parts = [latents, torch.from_numpy(given.features), torch.tensor(given.distances)]
        if is_new:
            parts.append(context.float())
        if anchored:
            assert self._anchor is not None
            parts.append(self._anchor)
        self._chain.send(parts)

    def _pass_on(self, header: list[int]) -> None:
        _, block, prompt, is_new, tokens, anchored, *_ = header
        config, chain = self._network.config, self._chain
        latents = chain.receive(self._shape(), torch.float32)
        features = chain.receive((AUDIO_LAYERS, config.audio_dim, BLOCK_FRAMES), torch.float32)
        distances = chain.receive((self._job.levels.steps,), torch.int64)
        if is_new:
            self._contexts[prompt] = chain.receive((tokens, config.text_dim), torch.float32)
        if anchored:
            self._anchor = chain.receive(self._shape(1), torch.float32)
            self._conductor.anchor_on(self._anchor)
        plain = features.cpu().numpy()
        self._inputs = {block: BlockInputs(plain, plain, prompt, None, tuple(distances.tolist()))}
        latents = self._own_steps(block, latents)
        if chain.is_last:
            chain.send([latents], back=True)
        else:
            self._send(block, latents)

    def _drain(self) -> None:
        while self._done < self._begun:
            self._ready.append(self._collected())

    def _save_own(self, folder: Path) -> None:
        self._stage.save(folder)
        rank = self._chain.rank
        self._conductor.save(folder / f"conductor-{rank}.safetensors")
        kept = {f"context.{prompt}": context.cpu() for prompt, context in self._contexts.items()}
        if self._anchor is not None:
            kept["anchor"] = self._anchor.cpu().contiguous()
        save_file({**kept, "numbers": torch.tensor([self._begun, self._done])}, folder / f"rank-{rank}.safetensors")

    def _restore_own(self, folder: Path) -> int:
        self._stage.restore(folder)
        rank = self._chain.rank
        self._conductor.restore(folder / f"conductor-{rank}.safetensors")
        kept = load_file(folder / f"rank-{rank}.safetensors")
        self._begun, self._done = kept["numbers"].tolist()
        self._contexts = {int(name.split(".")[1]): value for name, value in kept.items() if name.startswith("context.")}
        self._known_prompts = set()  # the first rank has prompts that it had not sent on yet
        if "anchor" in kept:
            self._anchor = kept["anchor"].to(self._network.device)
        return self._begun
