"""The transformer divided among processes, one per card: start them, feed them, notice when one dies."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.generation.backend import OutOfMemory
from engine.generation.backends.liveavatar.planner import Choice
from engine.generation.backends.liveavatar.ranks import BlockInputs, Numbers, RankJob, rank_main
from engine.generation.backends.liveavatar.schedule import Finished, Script
from engine.generation.backends.liveavatar.stage import Stopped
from engine.generation.backends.liveavatar.weights import Transformer
from engine.generation.child import Child, ChildDied
from engine.jobs import Job, Progress
from engine.refusal import Refused

_PATIENCE = 0.4
"""Seconds between two looks at the processes."""
_LAST_WORD = 5.0
"""Seconds that a process has to end by itself."""


class ClusterDenoiser:
    """A transformer in other processes; see :class:`~..denoiser.Denoiser`.

    Args:
        script: what the blocks are made from.
        job: what the ranks are told.
    """

    def __init__(self, script: Script, job: RankJob) -> None:
        self._script = script
        self._job = job
        self._stopped = False
        self._fed = 0
        self._done = 0
        self._sent_prompts: set[int] = set()
        self._children = [Child(rank_main, rank, job) for rank in range(len(job.devices))]

    def started(self) -> Job[None]:
        """Wait until every rank has loaded its share.

        Raises:
            Refused: if one cannot, or dies.
            OutOfMemory: if its memory does not suffice.
        """
        ready: set[int] = set()
        while len(ready) < len(self._children):
            yield Progress("loading", len(ready) / len(self._children))
            ready |= self._heard().keys()

    def blocks(self) -> Iterator[Finished]:
        """See :class:`~..denoiser.Denoiser`."""
        while True:
            _, found = self._asked("next", self._inputs())
            if found is None:
                return
            self._done = found[0] + 1
            yield Finished(found[0], torch.from_numpy(found[1]))

    def _inputs(self) -> dict[int, BlockInputs]:
        """Return what the next blocks are made from, as many as can be on their way."""
        script, steps = self._script, self._script.levels.steps
        inputs = {}
        last = min(script.blocks, self._done + steps + 1 + len(self._children))
        for block in range(self._fed, last):
            prompt = script.prompt(block)
            context = None if prompt in self._sent_prompts else script.context(prompt)
            self._sent_prompts.add(prompt)
            distances = tuple(script.distance(block, step) for step in range(steps))
            inputs[block] = BlockInputs(
                _plain(script.noise(block)),
                _plain(script.features(block)),
                prompt,
                None if context is None else _plain(context),
                distances,
            )
        self._fed = max(self._fed, last)
        return inputs

    def save(self, folder: Path) -> None:
        """See :class:`~..denoiser.Denoiser`."""
        self._asked("save", folder)

    def restore(self, folder: Path) -> None:
        """See :class:`~..denoiser.Denoiser`."""
        _, first = self._asked("restore", folder)
        self._fed = self._done = first
        self._sent_prompts.clear()

    def stop(self) -> None:
        """See :class:`~..denoiser.Denoiser`."""
        self._stopped = True

    def close(self) -> None:
        """End all processes."""
        with contextlib.suppress(ChildDied):
            self._children[0].send(("end",))
        self._end(0 if self._stopped else _LAST_WORD)

    def _asked(self, *message: Any) -> tuple[Any, ...]:
        """Ask the first rank for something and wait for its answer; notice if any of them dies meanwhile."""
        try:
            self._children[0].send(message)
        except ChildDied as error:
            raise self._lost(0, error.code) from error
        while not self._stopped:
            answer = self._heard().get(0)
            if answer is not None:
                return answer
        raise Stopped

    def _heard(self) -> dict[int, tuple[Any, ...]]:
        """Return what the ranks say within a moment.

        Raises:
            Refused: if one is dead or cannot go on.
            OutOfMemory: if its memory does not suffice.
        """
        ready = wait([child.line for child in self._children], timeout=_PATIENCE)
        said: dict[int, tuple[Any, ...]] = {}
        for rank, child in enumerate(self._children):
            if child.line in ready:
                try:
                    said[rank] = child.received()
                except ChildDied as error:
                    raise self._lost(rank, error.code) from error
        # One that is lost makes others fail: it is the one to tell of.
        for rank, message in said.items():
            self._check(rank, message)
        return said

    def _check(self, rank: int, message: tuple[Any, ...]) -> None:
        match message[0]:
            case "memory":
                self._end(0)
                raise OutOfMemory(self._job.devices[rank])
            case "refused":
                self._end(0)
                raise Refused(message[1])
            case "failed":
                raise self._lost(rank, 1) from RuntimeError(message[1])

    def _lost(self, rank: int, exit_code: int) -> Refused:
        self._end(0)
        return Refused.because("liveavatar.rank_lost", device=self._job.devices[rank], exit_code=exit_code)

    def _end(self, patience: float) -> None:
        """End all processes, after so many seconds by force."""
        for child in self._children:
            child.end(patience)


def load_cluster(
    weights: Transformer,
    script: Script,
    choice: Choice,
    devices: Sequence[str],
    dtype: torch.dtype,
    kernel: str,
    *,
    compiled: bool = False,
) -> Job[ClusterDenoiser]:
    """Start a process per device and wait until all have loaded their share.

    Args:
        weights: the tensors, checked.
        script: what the blocks are made from.
        choice: the planner's; ``choice.stages`` devices are used.
        devices: one per process.
        dtype: of the activations.
        kernel: which attention kernel.
        compiled: whether the layers are compiled in the first pass.

    Raises:
        Refused: if a process cannot load its share, or dies.
        OutOfMemory: if its memory does not suffice.
    """
    folder = tempfile.TemporaryDirectory(prefix="plosive-")
    job = RankJob(
        files=weights.files,
        weight_format=weights.format,
        choice=choice,
        devices=tuple(devices),
        dtype=dtype,
        kernel=kernel,
        compiled=compiled,
        meeting=Path(folder.name) / "ranks",
        size=script.size,
        levels=script.levels,
        blocks=script.blocks,
        anchor_block=script.anchor_block,
        reference=_plain(script.reference),
        motion=_plain(script.motion),
    )
    cluster = ClusterDenoiser(script, job)
    try:
        yield from cluster.started()
    except BaseException:
        cluster.stop()
        cluster.close()
        raise
    finally:
        folder.cleanup()
    return cluster


def _plain(tensor: Tensor) -> Numbers:
    """Return numbers that travel by themselves: a tensor would travel as a file handle."""
    return tensor.detach().float().cpu().numpy()
