"""The transformer divided among processes draws what one process draws; one that dies ends the job in words."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
import torch
from torch import Tensor

from engine.generation.backends.liveavatar import cluster as cluster_module
from engine.generation.backends.liveavatar.cluster import ClusterDenoiser, load_cluster
from engine.generation.backends.liveavatar.denoiser import load_local
from engine.generation.backends.liveavatar.files import Files
from engine.generation.backends.liveavatar.planner import Choice, ScheduleName
from engine.generation.backends.liveavatar.schedule import Finished
from engine.generation.backends.liveavatar.weights import Transformer
from engine.generation.child import Child
from engine.jobs import run
from engine.refusal import Refused
from tests.engine.generation.backends.liveavatar.checkpoint import write_official
from tests.engine.generation.backends.liveavatar.tiny import script
from tests.golden import worst

BLOCKS = 7
ALLOWED = 1e-5
"""Matrix products of the same shape give the same bits; what is left is the order of sums in other processes."""


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Transformer:
    folder = tmp_path_factory.mktemp("cluster")
    write_official(folder)
    return Transformer(Files.in_folder(folder))


@pytest.fixture(scope="module")
def reference(weights: Transformer) -> list[Tensor]:
    choice = Choice(ScheduleName.SEQUENTIAL)
    alone = run(load_local(weights, script(BLOCKS), choice, "cpu", torch.float32, "auto"))
    return [latents for _, latents in alone.blocks()]


def cluster(weights: Transformer, schedule: ScheduleName, ranks: int, blocks: int = BLOCKS) -> ClusterDenoiser:
    choice = Choice(schedule, ranks)
    return run(load_cluster(weights, script(blocks), choice, ["cpu"] * ranks, torch.float32, "auto"))


def same(found: list[Tensor], expected: list[Tensor]) -> bool:
    return len(found) == len(expected) and all(worst(a, b) <= ALLOWED for a, b in zip(found, expected, strict=True))


@pytest.fixture(scope="module")
def pair(weights: Transformer) -> Iterator[ClusterDenoiser]:
    """Two ranks that share the layers, started once: every process imports torch first."""
    # More blocks than can be on their way, so that there is something left to lose.
    several = cluster(weights, ScheduleName.LAYER_SPLIT, 2, BLOCKS + 6)
    yield several
    several.close()


@pytest.fixture(scope="module")
def halves(pair: ClusterDenoiser) -> Iterator[Finished]:
    """Their blocks, in order."""
    return pair.blocks()


def test_two_halves_are_sequential(halves: Iterator[Finished], reference: list[Tensor]) -> None:
    assert same([latents for _, latents in islice(halves, BLOCKS)], reference)


def test_a_lost_rank_ends_the_job_and_takes_the_others_along(pair: ClusterDenoiser, halves: Iterator[Finished]) -> None:
    assert next(halves).block <= BLOCKS
    os.kill(pair._children[1].pid, signal.SIGKILL)
    with pytest.raises(Refused, match=r"ended unexpectedly \(exit code 137\)"):
        list(halves)
    assert not any(child.is_alive for child in pair._children)


@pytest.mark.slow  # every process imports torch first
@pytest.mark.parametrize(
    ("schedule", "ranks"),
    [
        *((ScheduleName.LAYER_SPLIT, ranks) for ranks in (1, 2, 3, 4)),
        *((ScheduleName.PIPELINE, ranks) for ranks in (2, 4)),
    ],
)
def test_divided_is_sequential(
    weights: Transformer, reference: list[Tensor], schedule: ScheduleName, ranks: int
) -> None:
    several = cluster(weights, schedule, ranks)
    try:
        assert same([latents for _, latents in several.blocks()], reference)
    finally:
        several.close()


@pytest.mark.slow
@pytest.mark.parametrize(("schedule", "ranks"), [(ScheduleName.LAYER_SPLIT, 2), (ScheduleName.PIPELINE, 2)])
def test_a_stopped_cluster_goes_on(
    weights: Transformer, reference: list[Tensor], schedule: ScheduleName, ranks: int, tmp_path: Path
) -> None:
    first = cluster(weights, schedule, ranks)
    found = [latents for _, latents in islice(first.blocks(), 3)]
    first.save(tmp_path)
    first.stop()
    first.close()
    second = cluster(weights, schedule, ranks)
    try:
        second.restore(tmp_path)
        assert same(found + [latents for _, latents in second.blocks()], reference)
    finally:
        second.close()


@pytest.mark.slow
@pytest.mark.parametrize("phase", ["loading", "first block", "saving", "last block"])
def test_a_rank_lost_at_any_time_is_told(
    weights: Transformer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, phase: str
) -> None:
    """Nobody waits for it for ever, and nobody is left over."""
    children: list[Child] = []

    def born(*body: object) -> Child:
        children.append(Child(*body))  # type: ignore[arg-type]
        return children[-1]

    monkeypatch.setattr(cluster_module, "Child", born)
    choice = Choice(ScheduleName.LAYER_SPLIT, 2)
    loading = load_cluster(weights, script(BLOCKS), choice, ["cpu"] * 2, torch.float32, "auto")
    next(loading)
    if phase == "loading":
        os.kill(children[1].pid, signal.SIGKILL)
        with pytest.raises(Refused, match=r"ended unexpectedly \(exit code 137\)"):
            run(loading)
    else:
        several = run(loading)
        blocks = several.blocks()
        for _ in range({"first block": 0, "saving": 2, "last block": BLOCKS - 1}[phase]):
            next(blocks)
        os.kill(children[1].pid, signal.SIGKILL)
        # What the ranks had finished before is still handed out: the loss is told when something is missing.
        with pytest.raises(Refused, match=r"ended unexpectedly \(exit code 137\)"):
            several.save(tmp_path) if phase == "saving" else list(blocks)
        several.close()
    assert not any(child.is_alive for child in children)
