"""Crops of talking, bent in every way that recordings differ but sync does not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from scipy.signal import fftconvolve
from torch import Tensor

from engine.face.landmarks import MOUTH_REGION, mirror_order
from engine.sound.features import log_mel
from engine.sync.rows import MAX_GAP, PATCH_SHAPE, ROW_RATE, normalised_patches, sound_rows
from training.dataset import SAMPLE_RATE, Record

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

REACH = 55
"""Lags trained on, in rows to each side (1.1 s)."""

LABEL_SIGMA_ROWS = 0.8
"""Labels are blurred by 16 ms: they are not known better."""

ROW = 1 / ROW_RATE
BANDS = 40
_FLOOR = 1e-5


def magnitudes(samples: Floats) -> Floats:
    """Return the mel magnitudes the product computes, shape ``(rows, 40)``."""
    bands: Floats = np.exp(log_mel(samples, SAMPLE_RATE, floor=_FLOOR)) - _FLOOR
    return bands


class Basis:
    """Principal components of mouth landmarks and mouth pictures, with softened whitening.

    Attributes:
        points: shape ``(183, n)``.
        patches: shape ``(384, m)``.
    """

    def __init__(self, points: Floats, patches: Floats) -> None:
        self.points = points
        self.patches = patches

    @classmethod
    def of(cls, crops: Sequence[Clip], components: int = 24, softness: float = 0.1) -> Basis:
        """Fit on clips; ``softness`` (share of the largest variance) keeps noise components small."""

        def fit(sides: list[Floats]) -> Floats:
            rows = np.concatenate([(side - side.mean(0))[:: max(1, len(side) // 300)] for side in sides]).astype(float)
            values, vectors = np.linalg.eigh(rows.T @ rows / len(rows))
            values, vectors = values[::-1][:components], vectors[:, ::-1][:, :components]
            return (vectors / np.sqrt(values + softness * values[0])).astype(np.float32)

        return cls(fit([crop.points for crop in crops]), fit([crop.patches for crop in crops]))

    def project(self, points: Floats, patches: Floats) -> Floats:
        """Return components of both side by side, each side's mean removed, shape ``(rows, n + m)``."""
        return np.concatenate(
            [(points - points.mean(0)) @ self.points, (patches - patches.mean(0)) @ self.patches], axis=1
        )


class Clip:
    """A record unpacked for cropping."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.times = np.concatenate([track.times for track in record.tracks])
        self.shot = np.concatenate([np.full(len(track), number) for number, track in enumerate(record.tracks)])
        self.points = np.concatenate([track.points.reshape(len(track), -1) for track in record.tracks])
        self.patches = np.concatenate([normalised_patches(track.patches) for track in record.tracks])
        self.magnitudes = magnitudes(record.samples)
        self.frame_seconds = float(np.median(np.diff(self.times)))

    def mirrored(self) -> tuple[Floats, Floats]:
        """Return points and patches of the mirror image."""
        points = self.points.reshape(-1, len(MOUTH_REGION), 3)[:, mirror_order()] * np.array([-1, 1, 1], np.float32)
        patches = self.patches.reshape(-1, *PATCH_SHAPE)[:, :, ::-1]
        return points.reshape(len(points), -1), patches.reshape(len(patches), -1)

    def magnitudes_at(self, times: npt.NDArray[np.float64]) -> tuple[Floats, Mask]:
        """Return mel magnitudes interpolated at times (seconds) and where there is sound."""
        position = (times - self.record.sound_start) * 100
        index = np.floor(position).astype(int)
        heard = (index >= 0) & (index < len(self.magnitudes) - 1)
        share = (position - index).astype(np.float32)[:, None]
        index = np.clip(index, 0, len(self.magnitudes) - 2)
        return self.magnitudes[index] * (1 - share) + self.magnitudes[index + 1] * share, heard


class Sampler:
    """Draws training batches."""

    def __init__(self, clips: Sequence[Clip], basis: Basis, seed: int, lengths: tuple[float, float]) -> None:
        self._rng = np.random.default_rng(seed)
        self._clips = clips
        self._basis = basis
        self._lengths = lengths
        sides = [(basis.project(clip.points, clip.patches), basis.project(*clip.mirrored())) for clip in clips]
        self._sides = [(straight.astype(np.float32), mirror.astype(np.float32)) for straight, mirror in sides]
        self._weights = _clip_weights(clips)
        self._music = [magnitudes(chords(np.random.default_rng(number)).astype(np.float32)) for number in range(8)]

    def batch(self, size: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Return mouth rows, seen, sound rows, heard and targets (see ``Towers.forward``)."""
        low, high = np.log(self._lengths)
        rows = round(np.exp(self._rng.uniform(low, high)) * ROW_RATE)
        crops = [self._crop(rows) for _ in range(size)]
        mouth, seen, sound, heard, target = (
            torch.from_numpy(np.stack([np.asarray(crop[side], np.float32) for crop in crops])) for side in range(5)
        )
        return mouth, seen[..., None], sound, heard[..., None], target

    def _draw(self) -> int:
        return int(self._rng.choice(len(self._clips), p=self._weights))

    def _crop(self, rows: int) -> tuple[Floats, Mask, Floats, Mask, Floats]:
        """Return one crop; tries again with another clip until mouth and sound are both there."""
        while True:
            made = self._try_crop(rows)
            if made is not None:
                return made

    def _try_crop(self, rows: int) -> tuple[Floats, Mask, Floats, Mask, Floats] | None:
        rng = self._rng
        chosen = self._draw()
        clip = self._clips[chosen]
        pace = float(np.exp(rng.uniform(-0.16, 0.16)))
        slack = clip.times[-1] - clip.times[0] - rows * ROW * pace
        start = clip.times[0] + rng.uniform(min(slack, 0), max(slack, 0))
        times = start + np.arange(rows) * ROW * pace
        side = self._mouth(chosen, times)
        if side is None:
            return None
        mouth, seen = side

        lag = rng.uniform(-REACH + 4, REACH - 4)
        shift = (clip.record.label_ms or 0.0) / 1000 - lag * ROW * pace
        at = start + shift + (np.arange(2 * (rows + 2 * REACH)) / 2 - REACH) * ROW * pace
        source, foreign = clip, rng.random() < 0.2
        if foreign:
            others = (self._clips[self._draw()] for _ in range(50))
            source = next((other for other in others if other.record.speaker != clip.record.speaker), clip)
            foreign = source is not clip
        if foreign:
            length = len(source.magnitudes) / 100
            at = at - at.mean() + source.record.sound_start + rng.uniform(0.2, 0.8) * length
        bands, heard = source.magnitudes_at(at)
        if rng.random() < 0.5:  # sound that is no longer than the picture, as in a short file
            begin = 2 * (REACH + (0 if rng.random() < 0.6 else int(rng.integers(-40, 40))))
            inside = np.arange(len(heard))
            heard = heard & (inside >= begin) & (inside < begin + 2 * rows)
        if heard.sum() < 60:
            return None
        sound = sound_rows(self._colour(bands, heard), heard)
        target = np.zeros(2 * REACH + 2, np.float32)
        if foreign:
            target[-1] = 1
        else:
            blurred = np.exp(-0.5 * ((np.arange(-REACH, REACH + 1) - lag) / LABEL_SIGMA_ROWS) ** 2)
            target[:-1] = blurred / blurred.sum()
        return mouth, seen, sound, heard.reshape(-1, 2).all(1), target

    def _mouth(self, chosen: int, times: npt.NDArray[np.float64]) -> tuple[Floats, Mask] | None:
        rng, clip = self._rng, self._clips[chosen]
        components = self._sides[chosen][int(rng.integers(2))]
        own, shot = clip.times, clip.shot
        if rng.random() < 0.35:
            wanted = 1 / rng.uniform(8, 25)
            if wanted > clip.frame_seconds:
                # The earliest frame of each coarser interval, as a camera of that rate would have taken it.
                picked = np.unique(np.searchsorted(own, np.arange(own[0], own[-1], wanted)))
                components, own, shot = components[picked], own[picked], shot[picked]
        inside = (own >= times[0] - 0.06) & (own <= times[-1] + 0.06)
        if inside.sum() < 8:
            return None
        components, own, shot = components[inside], own[inside], shot[inside]
        if rng.random() < 0.5:
            points = self._basis.points
            wobble = rng.standard_normal((len(components), len(points))).astype(np.float32) @ points
            grain = rng.standard_normal((len(components), self._basis.patches.shape[1])).astype(np.float32)
            wobble *= rng.choice([0.003, 0.006, 0.012])
            components = components + np.concatenate([wobble, grain * rng.uniform(0, 0.15)], axis=1)
        after = np.clip(np.searchsorted(own, times), 1, len(own) - 1)
        gap = own[after] - own[after - 1]
        weight = (times - own[after - 1]) / np.maximum(gap, 1e-6)
        seen = (gap <= MAX_GAP) & (weight >= -0.5) & (weight <= 1.5) & (shot[after] == shot[after - 1])
        if rng.random() < 0.15:
            begin = int(rng.integers(len(times)))
            seen[begin : begin + int(rng.integers(5, max(6, len(times) // 3)))] = False
        if seen.sum() < 12:
            return None
        share = np.clip(weight, 0, 1).astype(np.float32)[:, None]
        mouth = components[after - 1] * (1 - share) + components[after] * share
        mouth = (mouth - mouth[seen].mean(0)) * np.float32(np.exp(rng.normal(0, 0.2)))
        return mouth * seen[:, None], seen

    def _colour(self, bands: Floats, heard: Mask) -> Floats:
        """Change voice, room, noise and microphone."""
        rng = self._rng
        if rng.random() < 0.5:
            bands = warped(bands, float(np.exp(rng.uniform(-0.12, 0.12))))
        if rng.random() < 0.25:
            bands = reverberant(bands, rng)
        if rng.random() < 0.55:
            level = np.sqrt((bands[heard] ** 2).mean())
            snr = 10 ** (rng.uniform(-4, 25) / 20)
            bands = np.sqrt(bands**2 + (self._noise(len(bands)) * level / snr) ** 2)
        if rng.random() < 0.5:
            tilt = rng.normal(0, 0.6) * np.linspace(-1, 1, BANDS)
            bumps = np.interp(np.arange(BANDS), np.linspace(0, BANDS - 1, 5), rng.normal(0, 0.4, 5))
            bands = bands * np.exp(tilt + bumps)
        if rng.random() < 0.12:  # telephone and the like
            pass_band = np.full(BANDS, 0.01)
            pass_band[rng.integers(1, 9) : rng.integers(26, BANDS)] = 1
            bands = bands * pass_band
        if rng.random() < 0.08:  # clipping: loud rows are cut to one level and smeared over the bands
            loudness = bands.mean(1, keepdims=True)
            ceiling = np.quantile(loudness, rng.uniform(0.4, 0.8)) + 1e-9
            over = np.maximum(loudness / ceiling, 1)
            bands = bands / over + 0.1 * (over - 1) / over * bands.mean(1, keepdims=True)
        return bands.astype(np.float32)

    def _noise(self, rows: int) -> Floats:
        """Return rows of noise with unit power: coloured, babble, music, or the clips' own hum."""
        rng = self._rng
        kind = rng.integers(4)
        if kind == 0:
            shape = np.exp(rng.normal(0, 1) * np.linspace(-1, 1, BANDS)) * np.linspace(1, 3, BANDS)
            noise = shape * rng.gamma(8, 1 / 8, (rows, BANDS))
        elif kind == 1:
            power = np.zeros((rows, BANDS))
            for _ in range(int(rng.integers(3, 8))):
                voice = self._clips[self._draw()].magnitudes
                turned = np.roll(voice, int(rng.integers(len(voice))), axis=0)
                power += (np.resize(turned, (rows, BANDS)) / (voice.mean() + 1e-6)) ** 2
            noise = np.sqrt(power)
        elif kind == 2:
            tune = self._music[int(rng.integers(len(self._music)))]
            noise = np.resize(np.roll(tune, int(rng.integers(len(tune))), axis=0), (rows, BANDS))
        else:
            quiet = np.quantile(self._clips[self._draw()].magnitudes, 0.3, axis=0)
            noise = quiet * rng.gamma(8, 1 / 8, (rows, BANDS))
        return (noise / (np.sqrt((noise**2).mean()) + 1e-9)).astype(np.float32)


def _clip_weights(clips: Sequence[Clip]) -> npt.NDArray[np.float64]:
    """Speakers by the square root of their length, generated ones half as often as real ones."""
    seconds: dict[str, float] = {}
    for clip in clips:
        seconds[clip.record.speaker] = seconds.get(clip.record.speaker, 0.0) + clip.record.seconds
    weights = np.array(
        [
            clip.record.seconds / np.sqrt(seconds[clip.record.speaker]) * (1.0 if clip.record.real else 0.5)
            for clip in clips
        ]
    )
    return np.asarray(weights / weights.sum())


def warped(bands: Floats, factor: float) -> Floats:
    """Stretch the mel axis: another vocal tract length."""
    position = np.clip(np.arange(BANDS) * factor, 0, BANDS - 1.001)
    index = position.astype(int)
    share = (position - index).astype(np.float32)
    return bands[:, index] * (1 - share) + bands[:, index + 1] * share


def reverberant(bands: Floats, rng: np.random.Generator) -> Floats:
    """Spread power over time like a diffuse room: exponential decay by 60 dB over the reverberation time."""
    rows = max(3, round(rng.uniform(0.2, 1.0) * 100))
    decay = np.exp(-13.8 * np.arange(rows) / rows)
    decay *= 10 ** rng.uniform(-0.6, 0.5) / decay.sum()
    decay[0] += 1
    power = fftconvolve(bands**2, decay[:, None], axes=0)[: len(bands)]
    return np.sqrt(np.maximum(power, 0)).astype(np.float32)


def chords(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return 12 s of made-up music at 16 kHz: chords with a beat."""
    length = 12 * SAMPLE_RATE
    tune = np.zeros(length)
    beat = 60 / rng.uniform(70, 140)
    root = 110 * 2 ** (rng.integers(0, 12) / 12)
    for number in range(int(12 / beat)):
        begin = int(number * beat * SAMPLE_RATE)
        seconds = np.arange(min(int(beat * 2 * SAMPLE_RATE), length - begin)) / SAMPLE_RATE
        decay = np.exp(-seconds / rng.uniform(0.15, 0.6))
        for interval in rng.choice([0, 3, 4, 7, 12, 16, 19, 24], 4):
            pitch = root * 2 ** (interval / 12)
            note = sum(np.sin(2 * np.pi * pitch * harmonic * seconds) / harmonic for harmonic in range(1, 7))
            tune[begin : begin + len(seconds)] += note * decay * rng.uniform(0.3, 1)
        hit = seconds[: int(0.12 * SAMPLE_RATE)]
        tune[begin : begin + len(hit)] += 3 * rng.standard_normal(len(hit)) * np.exp(-hit / 0.02)
    return np.asarray(tune / np.abs(tune).max())
