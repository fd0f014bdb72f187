"""Trials on speakers a model never saw: windows of real clips, the sound moved by a known amount."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import Pool

import numpy as np
import numpy.typing as npt

from engine.face.tracks import FaceTrack
from engine.sync.evidence import Evidence, Sound, evidence
from engine.sync.search import Blocks, Peak, blocks_of, peak_of
from engine.sync.towers import SyncModel
from training.augment import magnitudes
from training.dataset import SAMPLE_RATE, Record, folds_of

Floats = npt.NDArray[np.float32]
Bend = Callable[[Floats, np.random.Generator], Floats]
"""Something that happens to the sound (16 kHz samples in, samples out)."""

LENGTHS = (1.5, 3.0, 5.0, 10.0, 20.0)
TESTED_ROLES = ("main", "short", "container")
SHIFT_SECONDS = 1.0
_SURE_MASS = 0.5
"""Posterior mass from which the answer is a clip's label: of 1.5 s windows with as much, nine in ten were right."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One window and what the model said.

    Attributes:
        name: clip.
        speaker: its speaker.
        studio: see ``Record.studio``.
        length: seconds of picture asked for.
        foreign: whether the sound was somebody else's.
        error_ms: answer minus truth; NaN for foreign sound and for clips without a label.
        peak: the answer.
        seconds: seconds of evidence.
    """

    name: str
    speaker: str
    studio: bool
    length: float
    foreign: bool
    error_ms: float
    peak: Peak
    seconds: float


def main_track(record: Record, start: float, stop: float) -> FaceTrack | None:
    """Return the frames of a record between two times as one track, or ``None`` if there are fewer than two."""
    parts = [_part(track, (track.times >= start - 1e-6) & (track.times < stop)) for track in record.tracks]
    longest = max(parts, key=len)
    return longest if len(longest) >= 2 else None


def _part(track: FaceTrack, chosen: npt.NDArray[np.bool_]) -> FaceTrack:
    return FaceTrack(
        number=track.number,
        times=track.times[chosen],
        points=track.points[chosen],
        patches=track.patches[chosen],
        boxes=track.boxes[chosen],
        lips=track.lips[chosen],
        eye_distance=track.eye_distance[chosen],
        yaw=track.yaw[chosen],
        residual=track.residual[chosen],
        missed=0,
    )


def thinned(track: FaceTrack, rate: float) -> FaceTrack:
    """Return what a camera of a lower frame rate would have seen of a track."""
    wanted = np.arange(track.times[0], track.times[-1], 1 / rate)
    picked = np.unique(np.clip(np.searchsorted(track.times, wanted), 0, len(track) - 1))
    chosen = np.zeros(len(track), bool)
    chosen[picked] = True
    return _part(track, chosen)


def window_evidence(
    record: Record,
    model: SyncModel,
    start: float,
    stop: float,
    *,
    moved: float = 0.0,
    sound_of: Record | None = None,
    bend: Bend | None = None,
    rng: np.random.Generator | None = None,
    rate: float | None = None,
) -> Evidence | None:
    """Weigh a window of a record whose sound starts ``moved`` seconds later than in the clip.

    Args:
        record: the clip.
        model: must not have seen the speaker.
        start: seconds.
        stop: seconds.
        moved: seconds the sound is delayed by.
        sound_of: take the sound from this record instead.
        bend: applied to the sound.
        rng: for ``bend``.
        rate: thin the picture to this frame rate.
    """
    track = main_track(record, start, stop)
    if track is None:
        return None
    if rate is not None:
        track = thinned(track, rate)
    source = sound_of or record
    reach = 1.7
    first = max(0, round((start - moved - reach - source.sound_start) * SAMPLE_RATE))
    last = max(0, round((stop - moved + reach - source.sound_start) * SAMPLE_RATE))
    samples = source.samples[first:last]
    if len(samples) < SAMPLE_RATE // 2:
        return None
    if bend is not None:
        samples = bend(samples, rng or np.random.default_rng(0))
    sound = Sound(source.sound_start + first / SAMPLE_RATE + moved, magnitudes(samples))
    return evidence(track, sound, model, start=start, stop=stop)


def answer(found: Evidence, null: float) -> tuple[Peak, Blocks]:
    """Return the best constant lag of some evidence and its blocks."""
    blocks = blocks_of([found])
    return peak_of(blocks.along(0.0, float(blocks.times.mean()), blocks.lags_ms), blocks.lags_ms, null), blocks


def consensus_labels(records: Sequence[Record], models: Sequence[SyncModel]) -> dict[str, float]:
    """Return each clip's offset as a model says that never saw its speaker, where it is sure."""
    fold_of = folds_of(records)
    labels = {}
    for record in records:
        model = models[fold_of[record.speaker]]
        found = window_evidence(record, model, record.start, record.stop + 0.04)
        if found is None or record.seconds < 1.3:
            continue
        peak, _ = answer(found, model.null)
        if peak.mass > _SURE_MASS:
            labels[record.name] = round(peak.lag_ms, 2)
    return labels


def run_trials(
    records: Sequence[Record],
    models: Sequence[SyncModel],
    *,
    per_clip: int = 6,
    lengths: Sequence[float] = LENGTHS,
    bend: Bend | None = None,
    rate: float | None = None,
    jobs: int = 2,
) -> list[Trial]:
    """Run trials over every tested clip: own sound at random shifts, and somebody else's."""
    fold_of = folds_of(records)
    tested = [record for record in records if record.real and record.role in TESTED_ROLES and record.alone]
    tasks = [
        (record, tested, models[fold_of[record.speaker]], number, per_clip, tuple(lengths), bend, rate)
        for number, record in enumerate(tested)
    ]
    with Pool(jobs) as pool:
        return [trial for trials in pool.imap(_trials_of, tasks, chunksize=4) for trial in trials]


def _trials_of(
    task: tuple[Record, Sequence[Record], SyncModel, int, int, tuple[float, ...], Bend | None, float | None],
) -> list[Trial]:
    record, tested, model, number, per_clip, lengths, bend, rate = task
    rng = np.random.default_rng(1000 + number)
    trials = []
    for length in lengths:
        # A short file of 2.9 s still counts as 3 s; very short clips are tested at 1.5 s only.
        if record.seconds < length - 0.15:
            continue
        span = min(length, record.seconds)
        for _ in range(min(per_clip, 1 + int(2 * record.seconds / length))):
            start = record.start + rng.uniform(0, max(record.seconds - span, 1e-6))
            moved = float(rng.uniform(-SHIFT_SECONDS, SHIFT_SECONDS))
            own = window_evidence(record, model, start, start + span, moved=moved, bend=bend, rng=rng, rate=rate)
            if own is not None:
                peak, blocks = answer(own, model.null)
                truth = np.nan if record.label_ms is None else record.label_ms + moved * 1000
                seconds = float(blocks.seconds.sum())
                trials.append(
                    Trial(record.name, record.speaker, record.studio, length, False, peak.lag_ms - truth, peak, seconds)
                )
            other = tested[int(rng.integers(len(tested)))]
            while other.speaker == record.speaker:
                other = tested[int(rng.integers(len(tested)))]
            shift = start - other.start - rng.uniform(0, max(other.seconds - span, 1e-6))
            foreign = window_evidence(
                record, model, start, start + span, moved=shift, sound_of=other, bend=bend, rng=rng, rate=rate
            )
            if foreign is not None:
                peak, blocks = answer(foreign, model.null)
                seconds = float(blocks.seconds.sum())
                trials.append(Trial(record.name, record.speaker, record.studio, length, True, np.nan, peak, seconds))
    return trials
