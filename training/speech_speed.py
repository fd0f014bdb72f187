"""Train the network that says how fast speech plays, and print how well it does on speakers it never heard.

    python -m training.speech_speed            cross-validate, then write resources/sound/speech_speed.npz
    python -m training.speech_speed --check    cross-validate only

The clips come from PLOSIVE_CLIPS. Every clip is heard at its natural speed and at random speeds from 1/6.3 to 6.3,
with the voice's pitch and resonances moved by -15 to +45 % at unchanged tempo (children, deep voices), tempo moved by
±22 %, and noise, filters and reverberation added.
"""

from __future__ import annotations

import argparse
import json
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import soxr
import torch
from scipy.signal import fftconvolve

from engine.sound.speed import OCTAVES, RATE, WINDOW_SECONDS, describe_window

FloatArray = npt.NDArray[np.float32]

VARIANTS = 25
FOLDS = 5
HIDDEN = 32
STEPS = 800
LEVEL = 10 ** (-23 / 20)
TARGET = Path(__file__).parent.parent / "resources" / "sound" / "speech_speed.npz"
LONGEST_SECONDS = 25


@dataclass(frozen=True)
class Example:
    """One clip at one speed."""

    clip: str
    speaker: str
    variant: int
    octaves: float
    seconds: float
    vector: FloatArray


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="cross-validate only")
    only_check = parser.parse_args().check
    torch.manual_seed(0)
    torch.set_num_threads(1)
    data = list(examples(Path(os.environ.get("PLOSIVE_CLIPS", "../shared/clips"))))
    cross_validate(data)
    if not only_check:
        network = fit(data)
        TARGET.parent.mkdir(parents=True, exist_ok=True)
        np.savez(TARGET, **network.arrays())
        print(f"wrote {TARGET} ({TARGET.stat().st_size} bytes)")


def examples(folder: Path) -> Iterator[Example]:
    """Yield all clips in all variants."""
    for clip in json.loads((folder / "manifest.json").read_text(encoding="utf-8")):
        if clip["role"] not in {"main", "short", "hard", "known"}:
            continue
        sound, rate = decode(folder / clip["file"])
        if len(sound) < rate or 20 * np.log10(sound.std() + 1e-9) < -40:
            continue  # without a voice there is nothing to learn
        for variant in range(VARIANTS):
            random = np.random.default_rng(zlib.crc32(f"{clip['file']} {variant}".encode()))
            octaves, heard = vary(sound, rate, random, variant)
            step = WINDOW_SECONDS * RATE
            windows = [describe_window(heard[begin : begin + step]) for begin in range(0, len(heard), step)]
            kept = [window for window in windows if window is not None]
            rows = sum(window.active_rows for window in kept)
            if rows:
                mean = sum(window.vector * window.active_rows for window in kept) / rows
                yield Example(clip["file"], clip["speaker"], variant, octaves, rows / 100, np.asarray(mean, np.float32))


def decode(path: Path) -> tuple[FloatArray, int]:
    """Return the mono sound of a clip and its sample rate."""
    with av.open(str(path), options={"protocol_whitelist": "file"}) as container:
        if not container.streams.audio:
            return np.zeros(0, np.float32), RATE
        stream = container.streams.audio[0]
        resampler = av.AudioResampler(format="fltp")
        parts = [part.to_ndarray() for frame in container.decode(stream) for part in resampler.resample(frame)]
        return np.concatenate(parts, axis=1).mean(axis=0).astype(np.float32), stream.rate


def vary(sound: FloatArray, rate: int, random: np.random.Generator, variant: int) -> tuple[float, FloatArray]:
    """Return (log2 of the playing speed, the sound at :data:`RATE`); variant 0 is the clip as it is."""
    longest = LONGEST_SECONDS * rate
    if len(sound) > longest:
        begin = int(random.integers(0, len(sound) - longest))
        sound = sound[begin : begin + longest]
    if variant and random.random() < 0.6:
        voice, tempo = np.exp(random.uniform(np.log(0.85), np.log(1.45))), np.exp(random.uniform(-0.22, 0.22))
        sound = stretch(soxr.resample(sound, rate * voice, rate), rate, float(tempo / voice))
    changed = variant and random.random() < 0.6
    speed = float(np.exp(random.uniform(-np.log(6.3), np.log(6.3)))) if changed else 1.0
    heard = soxr.resample(sound, rate * speed, RATE)
    heard = heard / (np.sqrt(np.mean(heard**2)) + 1e-6) * LEVEL
    if variant:
        heard = degrade(heard, random)
    return float(np.log2(speed)), heard.astype(np.float32)


def stretch(sound: FloatArray, rate: int, tempo: float) -> FloatArray:
    """Return the sound ``tempo`` times faster at the same pitch (ffmpeg's atempo)."""
    graph = av.filter.Graph()
    source = graph.add_abuffer(sample_rate=rate, format="flt", layout="mono", time_base=Fraction(1, rate))
    tempo_filter, sink = graph.add("atempo", str(tempo)), graph.add("abuffersink")
    source.link_to(tempo_filter)
    tempo_filter.link_to(sink)
    graph.configure()
    frame = av.AudioFrame.from_ndarray(sound[None].astype(np.float32), format="flt", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
    graph.push(frame)
    graph.push(None)
    parts = []
    while True:
        try:
            parts.append(graph.pull().to_ndarray()[0])
        except (av.error.BlockingIOError, av.error.EOFError):
            return np.concatenate(parts)


def degrade(sound: FloatArray, random: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return the sound with noise, filters and reverberation, each in some of the cases."""
    out = sound.astype(np.float64)
    if random.random() < 0.5:
        noise = random.standard_normal(len(out))
        if random.random() < 0.5:
            pink = np.fft.rfft(noise) / np.sqrt(np.arange(len(out) // 2 + 1) + 20)
            noise = np.fft.irfft(pink, len(out))
        out += noise / noise.std() * LEVEL * 10 ** (-random.uniform(5, 40) / 20)
    frequency = np.fft.rfftfreq(len(out), 1 / RATE)
    gain = (np.maximum(frequency, 50) / 1000) ** random.uniform(-0.5, 0.5)
    if random.random() < 0.3:
        gain /= 1 + (frequency / random.uniform(3000, 8000)) ** 16
    if random.random() < 0.3:
        gain *= 1 - 1 / (1 + (frequency / random.uniform(60, 350)) ** 6)
    out = np.fft.irfft(np.fft.rfft(out) * gain, len(out))
    if random.random() < 0.25:
        seconds = random.uniform(0.2, 0.8)
        times = np.arange(int(RATE * seconds)) / RATE
        echo = random.standard_normal(len(times)) * np.exp(-6.9 * times / seconds)
        echo *= random.uniform(0.3, 1) / np.linalg.norm(echo)
        echo[0] = 1
        out = fftconvolve(out, echo)[: len(out)]
    return out


@dataclass(frozen=True)
class Network:
    """One hidden layer."""

    mean: FloatArray
    spread: FloatArray
    layers: torch.nn.Sequential

    def arrays(self) -> dict[str, FloatArray]:
        """Return the weights under the names that the engine reads."""
        first, second = self.layers[1], self.layers[4]
        return {
            "mean": self.mean,
            "spread": self.spread,
            "w1": first.weight.detach().numpy().T.copy(),
            "b1": first.bias.detach().numpy(),
            "w2": second.weight.detach().numpy().T.copy(),
            "b2": second.bias.detach().numpy(),
        }

    def posterior(self, vectors: FloatArray) -> FloatArray:
        """Return the probability of each answer, shape ``(n, answers)``."""
        self.layers.eval()
        scores = self.layers(torch.tensor((vectors - self.mean) / self.spread))
        return torch.softmax(scores, dim=1).detach().numpy()


def fit(data: list[Example]) -> Network:
    """Train on examples."""
    vectors = np.stack([example.vector for example in data])
    truth = np.array([example.octaves for example in data])
    targets = np.exp(-0.5 * ((truth[:, None] - OCTAVES) / 0.15) ** 2)
    targets /= targets.sum(axis=1, keepdims=True)
    mean, spread = vectors.mean(axis=0), vectors.std(axis=0) + np.float32(0.05)
    inputs = torch.tensor((vectors - mean) / spread)
    wanted = torch.tensor(targets, dtype=torch.float32)
    layers = torch.nn.Sequential(
        torch.nn.Dropout(0.1),
        torch.nn.Linear(vectors.shape[1], HIDDEN),
        torch.nn.ReLU(),
        torch.nn.Dropout(0.3),
        torch.nn.Linear(HIDDEN, len(OCTAVES)),
    )
    optimizer = torch.optim.AdamW(layers.parameters(), 3e-3, weight_decay=0.05)
    layers.train()
    for _ in range(STEPS):
        chosen = torch.randint(0, len(inputs), (256,))
        noisy = inputs[chosen] + 0.15 * torch.randn(256, inputs.shape[1])
        loss = -(wanted[chosen] * torch.log_softmax(layers(noisy), dim=1)).sum(dim=1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return Network(mean, spread, layers)


def cross_validate(data: list[Example]) -> None:
    """Print how well networks do on speakers they were not trained on."""
    speakers = sorted({example.speaker for example in data})
    np.random.default_rng(0).shuffle(speakers)
    fold_of = {speaker: number % FOLDS for number, speaker in enumerate(speakers)}
    estimates, natural = np.zeros(len(data)), np.zeros(len(data))
    for fold in range(FOLDS):
        network = fit([example for example in data if fold_of[example.speaker] != fold])
        held_out = [n for n, example in enumerate(data) if fold_of[example.speaker] == fold]
        posterior = network.posterior(np.stack([data[n].vector for n in held_out]))
        estimates[held_out] = posterior @ OCTAVES
        natural[held_out] = posterior[:, np.abs(OCTAVES) < 0.5].sum(axis=1)
    truth = np.array([example.octaves for example in data])
    seconds = np.array([example.seconds for example in data])
    print(f"{len(data)} examples, {len(speakers)} speakers, {FOLDS} folds by speaker")
    for shortest, longest in ((0, 1.5), (1.5, 3), (3, 6), (6, 99)):
        here = (seconds >= shortest) & (seconds < longest)
        right = here & (truth == 0)
        alarms = right & (natural < 0.1) & (np.abs(estimates) > 0.5)
        wrong = here & (np.abs(truth) >= 1)
        print(
            f"{shortest:4}-{longest:3} s of sound: median error "
            f"{np.median(np.abs(estimates - truth)[here]):.3f} octaves, "
            f"false alarms {alarms.sum()} of {right.sum()}, "
            f"2x and more found {(natural[wrong] < 0.1).sum()} of {wrong.sum()}"
        )
        for name in sorted({data[n].clip for n in np.flatnonzero(alarms)}):
            print(f"      false alarm: {name}")


if __name__ == "__main__":
    main()
