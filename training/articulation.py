"""Train the Draft engine's articulation model: what is heard to what the mouth does.

``python -m training.articulation`` takes minutes on one core. Each clip is first put in sync by the sync detector's own
measurement of it; drawn talkers, whose timing is exact, are added. Speakers held out of training give the correlations
that are printed and written into the data card.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from scipy.interpolate import CubicSpline
from torch import Tensor, nn

from engine.face.landmarks import shape_of
from engine.face.mesh import Mesh
from engine.generation.backends.draft import hearing
from engine.generation.backends.draft.articulation import OUTPUTS, read_model
from engine.generation.backends.draft.parameters import NAMED, OPENING, SHAPES, Basis, measures
from engine.media.frames import read_frames
from engine.sample.clip import plan_sample_clip
from engine.sync.towers import shipped_model
from training.augment import reverberant, warped
from training.dataset import Record, clips_folder, folds_of, load_records, trainable
from training.towers import KERNELS, Block
from training.train import Arrays, write_arrays
from training.trials import answer, window_evidence

Floats = npt.NDArray[np.float32]

_SURE_MASS = 0.6
"""Posterior mass from which the detector's offset of a clip is taken."""
_SHUT = 0.022
"""Inner-lip gap, in eye distances, below which lips count as shut: the landmarks' own noise stays below."""
_DRAWN = 10
"""Drawn talkers added, of 20 s each."""
_DRAWN_SHARE = 0.12
_EYES_MM = 63.0
"""Distance between the drawn talkers' eyes."""
_GAP = 0.07
"""Sightings further apart than this (seconds) are not bridged."""


@dataclass(frozen=True, slots=True)
class Talk:
    """Sound and mouth of one speaker on one clock.

    Attributes:
        speaker: who.
        bands: mel magnitudes, 100 rows a second, shape ``(2 * rows, 40)``.
        heard: where in ``bands`` there is sound.
        points: displacement from the resting face, 50 rows a second, shape ``(rows, 61, 3)``; for drawn talkers only
            the named parameters are known, and this is empty.
        named: named parameters, shape ``(rows, 4)``.
        known: rows in which the mouth was seen, shape ``(rows,)``.
        gain: how much the speaker moves against the others.
        mouth_width: of the resting mouth.
        drawn: whether it is a drawn talker.
    """

    speaker: str
    bands: Floats
    heard: npt.NDArray[np.bool_]
    points: Floats
    named: Floats
    known: npt.NDArray[np.bool_]
    gain: float
    mouth_width: float
    drawn: bool


def talk_of(record: Record) -> Talk | None:
    """Put one clip in sync and on the grid; ``None`` where the detector is not sure of the offset."""
    model = shipped_model()
    found = window_evidence(record, model, record.start, record.stop + 0.04)
    if found is None or record.seconds < 1.5:
        return None
    peak, _ = answer(found, model.null)
    if peak.mass < _SURE_MASS:
        return None
    bands = hearing.magnitudes(record.samples)
    bands = bands[: len(bands) // 2 * 2]
    rows = len(bands) // 2
    heard_at = record.sound_start + np.arange(rows) / hearing.ROW_RATE + hearing.ROW_CENTRE
    seen_at = heard_at - peak.lag_ms / 1000
    points = np.zeros((rows, len(record.tracks[0].points[0]), 3), np.float32)
    known = np.zeros(rows, bool)
    for track in record.tracks:
        if len(track) < 8:
            continue
        after = np.clip(np.searchsorted(track.times, seen_at), 1, len(track) - 1)
        near = (track.times[after] - track.times[after - 1] <= _GAP) & (np.abs(track.yaw[after]) < 35)
        inside = (seen_at >= track.times[0]) & (seen_at <= track.times[-1]) & near
        if inside.any():
            points[inside] = CubicSpline(track.times, track.points, axis=0)(seen_at[inside])
            known |= inside
    if known.sum() < 50:
        return None
    resting = resting_face(points[known])
    displaced = points - resting
    named = displaced.reshape(rows, -1) @ measures().T
    # Openings are absolute: what gap the resting lips leave is not the person's, and must be closed for a p.
    named[:, OPENING] += resting.reshape(-1) @ measures()[OPENING]
    gain = float(np.clip(named[known][:, OPENING].std() / 0.05, 0.4, 2.0))
    width = float(np.linalg.norm(resting[10] - resting[0]))
    return Talk(
        record.speaker,
        bands,
        np.ones(len(bands), bool),
        displaced / gain,
        named / gain,
        known,
        gain,
        width,
        drawn=False,
    )


def resting_face(points: Floats) -> Floats:
    """Return the points of a resting mouth: the median over the frames whose lips are closest, shape ``(61, 3)``."""
    gap = points.reshape(len(points), -1) @ measures()[OPENING]
    return np.median(points[gap <= np.quantile(gap, 0.15)], axis=0)


def drawn_talk(seed: int) -> Talk:
    """Return a drawn talker, whose mouth is known exactly."""
    plan = plan_sample_clip(offset_ms=0, seconds=20, seed=seed)
    sound = plan.soundtrack()
    import soxr

    samples = soxr.resample(sound.read(0, 20 * sound.sample_rate), sound.sample_rate, hearing.SAMPLE_RATE)
    bands = hearing.magnitudes(np.asarray(samples, np.float32))
    bands = bands[: len(bands) // 2 * 2]
    rows = len(bands) // 2
    mouth = plan.articulation.at(np.arange(rows) / hearing.ROW_RATE + hearing.ROW_CENTRE)
    named = np.stack([mouth.opening, mouth.width, 5.0 * mouth.rounding, mouth.jaw], axis=1).astype(
        np.float32
    ) / np.float32(_EYES_MM)
    gain = float(np.clip(named[:, OPENING].std() / 0.05, 0.4, 2.0))
    return Talk(
        f"drawn-{seed}", bands, np.ones(len(bands), bool), np.zeros((0, 0, 3), np.float32), named / gain,
        np.ones(rows, bool), gain, 0.0, drawn=True,
    )  # fmt: skip


def average_mesh(records: Sequence[Record], clips: Path, most: int = 40) -> Floats:
    """Return an average face with its lips shut, in the face's own frame, shape ``(468, 3)``."""
    by_speaker = {record.speaker: record for record in records if record.real and record.alone}
    meshes = []
    follower = Mesh()
    for record in list(by_speaker.values())[:most]:
        track = max(record.tracks, key=len)
        gaps = track.points.reshape(len(track), -1) @ measures()[OPENING] + np.abs(track.yaw) * 0.002
        time = float(track.times[int(np.argmin(gaps))])
        image = next(read_frames(clips / record.name, start=time - 1e-3)).image
        box = track.boxes[int(np.argmin(gaps))] * np.array([image.shape[1], image.shape[0]] * 2, np.float32)
        follower.restart()
        found = None
        for _ in range(4):
            found = follower.follow(image, box) or found
        if found is not None:
            shape = shape_of(found.points)
            meshes.append((found.points[:468] - shape.origin) @ shape.rotation / shape.scale)
    follower.close()
    mean = np.median(meshes, axis=0)
    # Which point mirrors which is not listed anywhere: it is the nearest one.
    mirrored = mean * (-1, 1, 1)
    partner = [int(np.argmin(np.square(mean - point).sum(1))) for point in mirrored]
    return np.asarray((mean + mean[partner] * (-1, 1, 1)) / 2, np.float32)


class Net(nn.Module):
    """What :mod:`engine.generation.backends.draft.articulation` computes, with gradients."""

    def __init__(self, channels: int = 64) -> None:
        super().__init__()
        self.enter = nn.Linear(hearing.WIDTH, channels)
        self.blocks = nn.ModuleList(Block(channels, kernel, dilation) for kernel, dilation in KERNELS)
        self.leave = nn.Linear(channels, OUTPUTS + 1)

    def forward(self, rows: Tensor) -> Tensor:
        """Map ``(batch, rows, 80)`` to ``(batch, rows, 9)``."""
        mask = torch.ones(1, 1, 1)
        x = self.enter(rows)
        for block in self.blocks:
            x = block(x, mask)
        leaving: Tensor = self.leave(x)
        return leaving


@dataclass(frozen=True, slots=True)
class Lesson:
    """A talk as the network sees it.

    Attributes:
        targets: standardised parameters, shape ``(rows, 8)``.
        weights: what each target counts, shape ``(rows, 8)``.
        shut: whether the lips are shut, shape ``(rows,)``.
    """

    talk: Talk
    targets: Floats
    weights: Floats
    shut: Floats


@dataclass(frozen=True, slots=True)
class Scale:
    """Mean and deviation of each parameter."""

    basis: Basis
    mean: Floats
    spread: Floats


def scale_of(talks: Sequence[Talk]) -> Scale:
    """Fit basis, means and deviations on real talks."""
    real = [talk for talk in talks if not talk.drawn]
    basis = Basis.of(np.concatenate([talk.points[talk.known][::3] for talk in real]))
    values = np.concatenate([_parameters(talk, basis)[talk.known] for talk in real])
    return Scale(basis, values.mean(0), values.std(0))


def _parameters(talk: Talk, basis: Basis) -> Floats:
    if talk.drawn:
        return np.concatenate([talk.named, np.zeros((len(talk.named), SHAPES), np.float32)], axis=1)
    shapes = basis.parameters(talk.points)
    return np.concatenate([talk.named, shapes[:, len(NAMED) :]], axis=1)


def lesson_of(talk: Talk, scale: Scale) -> Lesson:
    """Standardise one talk's targets."""
    values = _parameters(talk, scale.basis)
    weights = np.repeat(talk.known[:, None], OUTPUTS, 1).astype(np.float32)
    if talk.drawn:
        weights[:, len(NAMED) :] = 0
    shut = (values[:, OPENING] * talk.gain < _SHUT).astype(np.float32)
    return Lesson(talk, (values - scale.mean) / scale.spread, weights, shut)


class Crops:
    """Draws training batches."""

    def __init__(self, lessons: Sequence[Lesson], seed: int, rows: int = 150) -> None:
        self._rng = np.random.default_rng(seed)
        self._rows = rows
        self._lessons = [lesson for lesson in lessons if len(lesson.targets) >= rows]
        drawn = np.array([lesson.talk.drawn for lesson in self._lessons])
        seconds: dict[str, float] = {}
        for lesson in self._lessons:
            seconds[lesson.talk.speaker] = seconds.get(lesson.talk.speaker, 0.0) + len(lesson.targets)
        weights = np.array([len(item.targets) / np.sqrt(seconds[item.talk.speaker]) for item in self._lessons])
        weights[~drawn] *= (1 - _DRAWN_SHARE) / weights[~drawn].sum()
        if drawn.any():
            weights[drawn] *= _DRAWN_SHARE / weights[drawn].sum()
        self._odds = weights / weights.sum()

    def batch(self, size: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return rows, targets, weights and shut."""
        rng = self._rng
        sides: list[tuple[Floats, ...]] = []
        while len(sides) < size:
            lesson = self._lessons[int(rng.choice(len(self._lessons), p=self._odds))]
            begin = int(rng.integers(0, len(lesson.targets) - self._rows + 1))
            here = slice(begin, begin + self._rows)
            if lesson.weights[here].sum() < 0.4 * self._rows:
                continue
            bands = self._bent(lesson.talk.bands)
            rows = hearing.Colour.of([bands]).rows(bands)
            sides.append((rows[here], lesson.targets[here], lesson.weights[here], lesson.shut[here]))
        stacked = (torch.from_numpy(np.stack([side[part] for side in sides]).astype(np.float32)) for part in range(4))
        return tuple(stacked)  # type: ignore[return-value]

    def _bent(self, bands: Floats) -> Floats:
        """Change voice, room, noise and microphone."""
        rng = self._rng
        if rng.random() < 0.5:
            bands = warped(bands, float(np.exp(rng.uniform(-0.12, 0.12))))
        if rng.random() < 0.15:
            bands = reverberant(bands, rng)
        if rng.random() < 0.4:
            noise = np.linspace(1, 2, hearing.BANDS) ** rng.normal(0, 1.5) * rng.gamma(8, 1 / 8, bands.shape)
            level = np.sqrt((bands**2).mean()) * 10 ** (-rng.uniform(5, 40) / 20)
            bands = np.sqrt(bands**2 + (noise * level) ** 2)
        if rng.random() < 0.5:
            bumps = np.interp(np.arange(hearing.BANDS), np.linspace(0, hearing.BANDS - 1, 5), rng.normal(0, 0.4, 5))
            bands = bands * np.exp(bumps + rng.normal(0, 0.4) * np.linspace(-1, 1, hearing.BANDS))
        return bands.astype(np.float32)


def train(talks: Sequence[Talk], steps: int, seed: int, name: str) -> Arrays:
    """Train one model and return the arrays :func:`read_model` reads."""
    torch.manual_seed(seed)
    scale = scale_of(talks)
    crops = Crops([lesson_of(talk, scale) for talk in talks], seed)
    net = Net()
    optimiser = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=0.03)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps, pct_start=0.1)
    importance = torch.tensor([3.0, 1.5, 1.0, 1.5] + [1.0] * SHAPES)
    recent = 0.0
    net.train()
    for step in range(1, steps + 1):
        rows, targets, weights, shut = crops.batch(20)
        out = net(rows)
        values = out[..., :OUTPUTS]
        error = (weights * importance * (values - targets) ** 2).mean()
        # Motion counts apart: a mouth that is right on average but does not move is no mouth.
        both = weights[:, 1:] * weights[:, :-1]
        speed = (both * importance * (values.diff(dim=1) - targets.diff(dim=1)) ** 2).mean()
        closed = nn.functional.binary_cross_entropy_with_logits(
            out[..., OUTPUTS], shut, weight=weights[..., OPENING], pos_weight=torch.tensor(2.0)
        )
        loss = error + 3.0 * speed + 0.5 * closed
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        recent += loss.item()
        if step % 200 == 0:
            print(f"{name}: step {step}, loss {recent / 200:.3f}", file=sys.stderr, flush=True)
            recent = 0.0
    arrays: Arrays = {key: value.detach().numpy().astype(np.float16) for key, value in net.state_dict().items()}
    real = [talk for talk in talks if not talk.drawn]
    return arrays | {
        "directions": scale.basis.directions,
        "dilations": np.array([dilation for _, dilation in KERNELS]),
        "mean": scale.mean,
        "spread": scale.spread,
        "gain": np.ones(OUTPUTS, np.float32),
        "mouth_width": np.array(np.median([talk.mouth_width for talk in real]), np.float32),
    }


def scores(arrays: Arrays, talks: Sequence[Talk]) -> tuple[Floats, Floats, Floats]:
    """Return per talk the correlation of every parameter, the ratio of deviations, and the lag of the opening in ms."""
    model = read_model(arrays)
    correlations, ratios, lags = [], [], []
    for talk in talks:
        values = _parameters(talk, model.basis)
        said, _ = model(hearing.Colour.of([talk.bands]).rows(talk.bands))
        known = talk.known
        correlations.append([np.corrcoef(values[known, p], said[known, p])[0, 1] for p in range(OUTPUTS)])
        ratios.append(said[known].std(0) / values[known].std(0))
        lags.append(_lag_ms(values[:, OPENING], said[:, OPENING], known))
    return np.array(correlations), np.array(ratios), np.array(lags)


def _lag_ms(true: Floats, said: Floats, known: npt.NDArray[np.bool_]) -> float:
    """Return how much later the prediction moves than the mouth."""
    grid = np.arange(len(true))
    curve = CubicSpline(grid, said)
    speed = np.gradient(true)
    shifts = np.arange(-6, 6.01, 0.1)
    inside = known & (grid > 8) & (grid < len(true) - 8)
    match = [np.corrcoef(speed[inside], curve(grid[inside] + shift, 1))[0, 1] for shift in shifts]
    return float(shifts[int(np.argmax(match))] * 1000 / hearing.ROW_RATE)


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=Path("out/training"))
    parser.add_argument("--clips", type=Path, default=None)
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--target", type=Path, default=Path("resources/generation/articulation.npz"))
    parser.add_argument("--fold", type=int, default=0, help="speakers held out for the printed correlations")
    options = parser.parse_args()
    torch.set_num_threads(1)

    records = list(trainable(load_records(options.cache / "records", options.clips, 1)))
    talks = [talk for talk in map(talk_of, records) if talk is not None]
    drawn = [drawn_talk(seed) for seed in range(40, 40 + _DRAWN)]
    print(f"{len(talks)} clips of {len({talk.speaker for talk in talks})} speakers, {len(drawn)} drawn talkers")
    fold_of = folds_of(records)
    learnt = [talk for talk in talks if fold_of[talk.speaker] != options.fold]
    held_out = [talk for talk in talks if fold_of[talk.speaker] == options.fold and talk.known.sum() >= 150]
    arrays = train(learnt + drawn, options.steps, 0, "held out")
    correlations, ratios, lags = scores(arrays, held_out)
    names = [*NAMED, *(f"shape {number + 1}" for number in range(SHAPES))]
    print(f"held out: {len(held_out)} clips of {len({talk.speaker for talk in held_out})} speakers")
    print("| parameter | correlation (median of clips) | deviation, predicted / measured |\n| --- | --- | --- |")
    for number, name in enumerate(names):
        print(f"| {name} | {np.median(correlations[:, number]):.2f} | {np.median(ratios[:, number]):.2f} |")
    print(f"opening moves {np.median(lags):+.1f} ms after the mouth (quartiles {np.quantile(lags, [0.25, 0.75])})")
    shipped = train(talks + drawn, options.steps, 1, "shipped")
    # A prediction is smaller than the truth by what it cannot know; the mouth shall move as much as mouths do.
    named = np.arange(OUTPUTS) < len(NAMED)
    shipped["gain"] = np.where(named, np.clip(1 / np.median(ratios, axis=0), 1, 1.5), 1).astype(np.float32)
    shipped["mesh"] = average_mesh(records, options.clips or clips_folder()).astype(np.float16)
    write_arrays(options.target, shipped)
    print(f"wrote {options.target}, {options.target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
