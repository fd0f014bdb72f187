"""Measure how well the detector does on speakers it never saw, and write the tables into the README.

Run it as ``python -m training.report`` after ``python -m training.train``; it uses the fold models of the cache.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.sync.calibration import Calibration
from engine.sync.conclude import StretchEvidence, conclude
from engine.sync.result import Kind
from engine.sync.stretches import consecutive
from engine.sync.towers import SyncModel, read_model
from training.conditions import conditions
from training.dataset import SAMPLE_RATE, Record, folds_of, load_records, relabelled, shrunk
from training.train import Recipe, Workshop, fold_models
from training.trials import LENGTHS, Trial, consensus_labels, run_trials, window_evidence

BEGIN, END = "<!-- accuracy: made by training/report.py -->", "<!-- /accuracy -->"
SURE = 0.95
DRIFT_LENGTHS = {15.0: (5000.0, 20_000.0), 30.0: (2000.0, 10_000.0), 60.0: (1000.0, 5000.0), 600.0: (50.0, 1000.0)}
"""Length of a talk in seconds, and the range of drifts (ppm) tried on it."""
DRIFT_TRIALS = 40


def _share(values: Iterable[bool]) -> str:
    found = list(values)
    return f"{100 * np.mean(found):.1f}" if found else "–"


def _errors(trials: Sequence[Trial]) -> npt.NDArray[np.float64]:
    return np.abs([trial.error_ms for trial in trials if not trial.foreign and np.isfinite(trial.error_ms)])


def window_table(trials: Sequence[Trial], calibration: Calibration) -> list[str]:
    """Return the table of accuracy by length of the window."""
    lines = [
        (
            "| picture and speech | clips | trials | within 20 ms | within 40 ms | median error | answers with "
            "confidence ≥ 0.95 | of these right | somebody else's voice ≥ 0.95 |"
        ),
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for length in LENGTHS:
        for name, studio in (("studio", True), ("wild", False)):
            chosen = [trial for trial in trials if trial.length == length and trial.studio == studio]
            own = [trial for trial in chosen if not trial.foreign and np.isfinite(trial.error_ms)]
            foreign = [trial for trial in chosen if trial.foreign]
            if len(own) < 10:
                continue
            errors = _errors(own)
            sure = [trial for trial in own if calibration.confidence(trial.peak, trial.seconds) >= SURE]
            fooled = [calibration.confidence(trial.peak, trial.seconds) >= SURE for trial in foreign]
            lines.append(
                f"| {length:g} s | {name} | {len(own)} | {_share(errors <= 20)} % | {_share(errors <= 40)} % "
                f"| {np.median(errors):.1f} ms | {100 * len(sure) / len(own):.1f} % "
                f"| {_share(_errors(sure) <= 40)} % | {_share(fooled)} % of {len(foreign)} |"
            )
    return lines


def condition_table(
    records: Sequence[Record], models: Sequence[SyncModel], cache: Path, clips: Path | None, jobs: int
) -> list[str]:
    """Return the table of hard conditions, 10 s windows."""
    lines = [
        "| condition (10 s windows) | trials | within 40 ms | median error | bias |",
        "| --- | --- | --- | --- | --- |",
    ]
    for condition in conditions(records):
        used = records if condition.eyes is None else shrunk(records, condition.eyes, cache / "small", clips, jobs)
        trials = run_trials(
            used, models, per_clip=3, lengths=(10.0,), bend=condition.bend, rate=condition.rate, jobs=jobs
        )
        signed = np.array([t.error_ms for t in trials if not t.foreign and np.isfinite(t.error_ms)])
        errors = np.abs(signed)
        near = signed[errors <= 40]
        lines.append(
            f"| {condition.name} | {len(errors)} | {_share(errors <= 40)} % | {np.median(errors):.1f} ms "
            f"| {abs(np.median(near)):.1f} ms {'late' if np.median(near) > 0 else 'early'} |"
        )
    return lines


def drift_table(records: Sequence[Record], models: Sequence[SyncModel], calibration: Calibration) -> list[str]:
    """Return the table of drift: talks whose sound runs away by a known rate, through the product's own verdict."""
    lines = [
        (
            "| speech | trials | median slope error | offset error in the middle "
            "| drifts of at least (ppm): claimed | drift claimed where there is none |"
        ),
        "| --- | --- | --- | --- | --- | --- |",
    ]
    rng = np.random.default_rng(5)
    for length, (least, most) in DRIFT_LENGTHS.items():
        slopes, offsets, found, false = [], [], [], []
        for _ in range(DRIFT_TRIALS):
            for drift_ppm in (0.0, float(rng.uniform(least, most) * rng.choice([-1, 1]))):
                truth = float(rng.uniform(-300, 300))
                talk = _talk(records, models, length, truth, drift_ppm, rng)
                conclusion = conclude(talk, models[0].null, calibration)
                if conclusion is None:
                    continue
                slopes.append(abs(conclusion.line.slope * 1000 - drift_ppm))
                offsets.append(abs(conclusion.line.at(length / 2) - truth))
                if drift_ppm == 0:
                    false.append(conclusion.kind is not Kind.CONSTANT)
                else:
                    found.append(conclusion.kind is Kind.DRIFT)
        lines.append(
            f"| {length:g} s | {len(slopes)} | {np.median(slopes):.0f} ppm | {np.median(offsets):.1f} ms "
            f"| {least:g}: {_share(found)} % | {_share(false)} % of {len(false)} |"
        )
    return lines


def _talk(
    records: Sequence[Record],
    models: Sequence[SyncModel],
    length: float,
    offset_ms: float,
    drift_ppm: float,
    rng: np.random.Generator,
) -> list[StretchEvidence]:
    """Join pieces of clips, each freed of its own offset, to a talk whose sound runs away.

    One speaker's clips as far as they reach, then the next speaker's; every piece is judged by a model that never saw
    its speaker.

    Args:
        records: where pieces come from.
        models: one per fold.
        length: seconds.
        offset_ms: offset in the middle of the talk.
        drift_ppm: growth of the offset.
        rng: chooses the speakers.
    """
    fold_of = folds_of(records)
    usable = [
        record
        for record in records
        if record.studio and record.alone and record.role == "main" and record.label_ms is not None
    ]
    speakers = rng.permutation(sorted({record.speaker for record in usable}))
    queue = [record for speaker in speakers for record in usable if record.speaker == speaker]
    talk: list[StretchEvidence] = []
    done = 0.0
    for record in queue:
        for stretch in consecutive(record.start, record.stop):
            piece = min(stretch.stop - stretch.start, length - done)
            if piece < 2:
                return talk
            middle = stretch.start + piece / 2
            lateness_ms = offset_ms + drift_ppm * (done + piece / 2 - length / 2) / 1000
            item = window_evidence(
                _stretched(record, drift_ppm, middle),
                models[fold_of[record.speaker]],
                stretch.start,
                stretch.start + piece,
                moved=(lateness_ms - (record.label_ms or 0.0)) / 1000,
            )
            if item is not None:
                talk.append(StretchEvidence({1: (replace(item, times=item.times - stretch.start + done),)}))
            done += piece
    return talk


def _stretched(record: Record, drift_ppm: float, middle: float) -> Record:
    """Return the record with sound that gets later by ``drift_ppm``, unmoved at ``middle`` seconds."""
    factor = 1 + drift_ppm / 1e6
    pivot = (middle - record.sound_start) * SAMPLE_RATE
    count = round(len(record.samples) * factor)
    source = (np.arange(count) - pivot * factor) / factor + pivot
    samples = np.interp(source, np.arange(len(record.samples)), record.samples).astype(np.float32)
    # Sample n of the stretched sound shows what was n / factor before; the pivot must stay where it was.
    start = record.sound_start + pivot / SAMPLE_RATE * (1 - factor)
    return replace(record, samples=samples, sound_start=start)


def _kept(file: Path, make: Callable[[], list[str]]) -> str:
    """Return a table from the cache, made now if it is not there: an interrupted report goes on."""
    if not file.exists():
        file.write_text("\n".join(make()), encoding="utf-8")
    return file.read_text(encoding="utf-8")


def main() -> None:
    """Parse the command line, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=Path("out/training"))
    parser.add_argument("--clips", type=Path, default=None)
    parser.add_argument("--rounds", type=int, default=2, help="as they were trained")
    parser.add_argument("--fold-members", type=int, default=1, help="tower pairs per cross-validation model")
    parser.add_argument("--steps", type=int, default=Recipe().steps, help="as they were trained")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--weights", type=Path, default=Path("resources/sync/towers.npz"))
    parser.add_argument("--readme", type=Path, default=Path("README.md"))
    options = parser.parse_args()

    records = load_records(options.cache / "records", options.clips, options.jobs)
    if options.rounds > 1:
        labels = json.loads((options.cache / f"labels-{options.rounds - 1}.json").read_text(encoding="utf-8"))
        records = relabelled(records, labels)
    workshop = Workshop(options.cache, options.jobs)
    models = fold_models(workshop, records, Recipe(steps=options.steps), f"round{options.rounds}", options.fold_members)
    records = relabelled(records, consensus_labels(records, models))
    calibration = Calibration.of(read_model(dict(np.load(options.weights))).calibration)

    def windows() -> list[str]:
        return window_table(run_trials(records, models, per_clip=10, jobs=options.jobs), calibration)

    def hard() -> list[str]:
        return condition_table(records, models, options.cache, options.clips, options.jobs)

    def drift() -> list[str]:
        return drift_table(records, models, calibration)

    made_with = f"{options.weights.stem}-{options.rounds}-{options.fold_members}-{options.steps}"
    parts = [_kept(options.cache / f"report-{part.__name__}-{made_with}.md", part) for part in (windows, hard, drift)]
    text = "\n\n".join([BEGIN, *parts, END])
    readme = options.readme.read_text(encoding="utf-8")
    before, rest = readme.split(BEGIN)
    options.readme.write_text(before + text + rest.split(END)[1], encoding="utf-8")


if __name__ == "__main__":
    main()
