"""Train the sync model: cross-validate by speaker, refine labels, train on everything, calibrate, write the weights.

Run it as ``python -m training.train``; finished parts are kept in the cache, so an interrupted run goes on.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from engine.sync.towers import SyncModel, read_model
from training.augment import Basis, Clip, Sampler
from training.calibrate import calibrated
from training.dataset import FOLDS, Record, folds_of, load_records, relabelled, trainable
from training.towers import KERNELS, Towers
from training.trials import consensus_labels, run_trials

Arrays = dict[str, npt.NDArray[np.generic]]

ZERO_MS = -17.0
"""What the towers say when sound and lips are together; three anchors agree on it (see the data card)."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one member is trained.

    Attributes:
        steps: optimiser steps.
        batch: crops per step.
        rate: highest learning rate of the one-cycle schedule.
        channels: width of the towers.
        outputs: size of the embeddings.
        components: principal components per side (landmarks, picture).
        lengths: shortest and longest crop in seconds.
    """

    steps: int = 1400
    batch: int = 40
    rate: float = 3e-3
    channels: int = 64
    outputs: int = 32
    components: int = 24
    lengths: tuple[float, float] = (1.0, 6.0)


def train_member(records: Sequence[Record], recipe: Recipe, seed: int, name: str) -> Arrays:
    """Train one pair of towers and return its weights, under the names :func:`engine.sync.towers.read_model` reads."""
    torch.manual_seed(seed)
    clips = [Clip(record) for record in trainable(records)]
    basis = Basis.of(clips, recipe.components)
    sampler = Sampler(clips, basis, seed, recipe.lengths)
    towers = Towers(2 * recipe.components, 80, recipe.channels, recipe.outputs)
    optimiser = torch.optim.AdamW(towers.parameters(), lr=recipe.rate, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.rate, total_steps=recipe.steps, pct_start=0.1)
    begin, recent = time.monotonic(), 0.0
    towers.train()
    for step in range(1, recipe.steps + 1):
        mouth, seen, sound, heard, target = sampler.batch(recipe.batch)
        logits = towers(mouth, seen, sound, heard)
        loss = -(target * logits.log_softmax(1)).sum(1).mean()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(towers.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        recent += loss.item()
        if step % 250 == 0:
            print(
                f"{name}: step {step}, loss {recent / 250:.3f}, {time.monotonic() - begin:.0f} s",
                file=sys.stderr,
                flush=True,
            )
            recent = 0.0
    weights: Arrays = {key: value.detach().numpy() for key, value in towers.state_dict().items()}
    return weights | {"points_basis": basis.points, "patches_basis": basis.patches}


def pack(members: Sequence[Arrays], *, zero_ms: float, tables: Arrays) -> Arrays:
    """Put members that share a basis into one weights file's arrays (half precision: the towers do not feel it)."""
    packed: Arrays = {
        "points_basis": members[0]["points_basis"].astype(np.float16),
        "patches_basis": members[0]["patches_basis"].astype(np.float16),
        "dilations": np.array([dilation for _, dilation in KERNELS]),
        "scales": np.array([np.exp(member["scale"]) for member in members]),
        "null": np.mean([member["null"] for member in members]),
        "zero_ms": np.array(zero_ms),
    }
    for number, member in enumerate(members):
        for key, value in member.items():
            if key.startswith(("mouth.", "sound.")):
                packed[f"{number}.{key}"] = value.astype(np.float16)
    return packed | {f"calibration.{name}": table for name, table in tables.items()}


class Workshop:
    """The cache folder: everything finished is read back instead of made again."""

    def __init__(self, cache: Path, jobs: int) -> None:
        self.cache = cache
        self.jobs = jobs

    def members(self, tasks: Sequence[tuple[str, Sequence[Record], Recipe, int]]) -> list[Arrays]:
        """Train what is missing, ``jobs`` at a time, and return all in order."""
        missing = [task for task in tasks if not self._file(task[0]).exists()]
        # Spawned, not forked: PyTorch's thread pools do not survive a fork.
        with get_context("spawn").Pool(self.jobs) as pool:
            for _ in pool.imap_unordered(_train_to_file, [(self._file(task[0]), *task) for task in missing]):
                pass
        return [dict(np.load(self._file(task[0]))) for task in tasks]

    def _file(self, name: str) -> Path:
        return self.cache / f"{name}.npz"


def _train_to_file(task: tuple[Path, str, Sequence[Record], Recipe, int]) -> None:
    target, name, records, recipe, seed = task
    torch.set_num_threads(1)
    write_arrays(target, train_member(records, recipe, seed, name))


def write_arrays(target: Path, arrays: Arrays) -> None:
    """Write a weights file: beside the target first, then in its place."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    part = target.with_name(target.name + ".part")
    part.write_bytes(buffer.getvalue())
    part.replace(target)


def fold_models(
    workshop: Workshop, records: Sequence[Record], recipe: Recipe, tag: str, members: int
) -> list[SyncModel]:
    """Return, per fold, an ensemble that never saw the fold's speakers."""
    fold_of = folds_of(records)
    tasks = [
        (
            f"{tag}-fold{fold}-{member}",
            [record for record in records if fold_of[record.speaker] != fold],
            recipe,
            member,
        )
        for fold in range(FOLDS)
        for member in range(members)
    ]
    trained = workshop.members(tasks)
    return [
        read_model(pack(trained[fold * members : (fold + 1) * members], zero_ms=0.0, tables={}))
        for fold in range(FOLDS)
    ]


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=Path("out/training"))
    parser.add_argument("--clips", type=Path, default=None)
    parser.add_argument("--rounds", type=int, default=2, help="rounds of cross-validation and relabelling")
    parser.add_argument("--members", type=int, default=2, help="tower pairs in the model that ships")
    parser.add_argument("--fold-members", type=int, default=1, help="tower pairs per cross-validation model")
    parser.add_argument("--steps", type=int, default=Recipe().steps)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--zero-ms", type=float, default=ZERO_MS, help="the common zero")
    parser.add_argument("--target", type=Path, default=Path("resources/sync/towers.npz"))
    options = parser.parse_args()

    recipe = Recipe(steps=options.steps)
    workshop = Workshop(options.cache, options.jobs)
    records = load_records(options.cache / "records", options.clips, options.jobs)
    for number in range(1, options.rounds):
        labels_file = options.cache / f"labels-{number}.json"
        if not labels_file.exists():
            models = fold_models(workshop, records, recipe, f"round{number}", members=1)
            labels_file.write_text(json.dumps(consensus_labels(records, models), indent=1), encoding="utf-8")
        records = relabelled(records, json.loads(labels_file.read_text(encoding="utf-8")))
    models = fold_models(workshop, records, recipe, f"round{options.rounds}", options.fold_members)
    # Trials are judged against the last round's own consensus, from models that never saw the speaker.
    records = relabelled(records, consensus_labels(records, models))

    tables = calibrated(run_trials(records, models, per_clip=6, jobs=options.jobs))
    final = workshop.members([(f"final-{member}", records, recipe, 100 + member) for member in range(options.members)])
    options.target.parent.mkdir(parents=True, exist_ok=True)
    write_arrays(options.target, pack(final, zero_ms=options.zero_ms, tables=tables))
    print(f"wrote {options.target}, {options.target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
