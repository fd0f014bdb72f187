"""What a measurement looked at, as numbers for other programs: the mouth's opening, the sound's energy and features."""

from __future__ import annotations

import csv
import io
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.jobs import Job, Progress
from engine.media.export.target_file import check_target, written
from engine.media.samples import read_samples
from engine.refusal import Refusal, Refused
from engine.sound.features import ROW_RATE, log_mel
from engine.sync.result import Measurement

SUFFIXES = (".npz", ".csv")

_RATE = 16_000
_HOP = _RATE // ROW_RATE
_BANDS = 40
_CONTEXT = 4
"""Rows on either side of a block that its windows reach into."""
_BLOCK_ROWS = 3000

Rows = npt.NDArray[np.float32]


def write_traces(
    measurement: Measurement, target: Path, *, audio: Path | None = None, overwrite: bool = False
) -> Job[Path | Refusal]:
    """Write mouth and sound of a measured clip over the stretches that were looked at.

    ``.npz`` holds ``mouth_times`` and ``mouth_opening`` (shape ``(frames,)``; seconds, and share of the mouth's width),
    ``sound_times``, ``sound_energy_db`` (``(rows,)``, 100 per second) and ``sound_log_mel`` (``(rows, 40)``),
    ``bursts_seen`` and ``bursts_heard`` (``(bursts,)``, seconds). ``.csv`` has one line per picture: time, opening,
    energy at that time, and whether a burst is seen or heard until the next picture.

    Args:
        measurement: with its mouth trace.
        target: the file, ``.npz`` or ``.csv``.
        audio: the sound that was measured, if it was not the clip's own.
        overwrite: replace ``target`` if it exists; what was measured is never replaced.

    Returns:
        The file, or a refusal: ``traces.suffix``, ``traces.nothing``, or why it cannot be read or written.
    """
    if target.suffix.lower() not in SUFFIXES:
        return Refusal.of("traces.suffix", path=target, suffixes=", ".join(SUFFIXES))
    mouth = measurement.mouth
    if mouth is None or not len(mouth.times):
        return Refusal.of("traces.nothing", path=measurement.file)
    start, stop = float(mouth.times[0]), float(mouth.times[-1]) + 1 / ROW_RATE
    first, end = int(np.floor(start * ROW_RATE)), int(np.ceil(stop * ROW_RATE)) + 1
    sources = [Path(measurement.file), *([audio] if audio else [])]
    try:
        check_target(sources, target, overwrite=overwrite, needs=0)
        with (
            tempfile.TemporaryDirectory(prefix="plosive-") as folder,
            written(sources, target, overwrite=overwrite) as place,
        ):
            features: Rows = np.lib.format.open_memmap(  # type: ignore[no-untyped-call]
                Path(folder) / "sound_log_mel.npy", "w+", np.float32, (end - first, _BANDS)
            )
            features[:] = np.nan
            for row, rows in _features(audio or Path(measurement.file), first, end):
                features[row - first : row - first + len(rows)] = rows
                yield Progress("listening", (row - first) / (end - first))
            energy = _energy(features)
            times = np.arange(first, end) / ROW_RATE
            if target.suffix.lower() == ".csv":
                place.result.write_text(_table(measurement, times, energy), encoding="utf-8", newline="")
            else:
                features.flush()  # type: ignore[attr-defined]
                _pack(place.result, measurement, times, energy, Path(folder) / "sound_log_mel.npy")
            del features
    except Refused as refused:
        return refused.refusal
    return target


def _features(path: Path, first: int, end: int) -> Iterator[tuple[int, Rows]]:
    """Yield ``(row, rows)`` of the sound's log-mel features; row ``r`` is centred on ``r / 100`` seconds."""
    for row in range(first, end, _BLOCK_ROWS):
        stop = min(end, row + _BLOCK_ROWS)
        begin = Fraction(row - _CONTEXT, ROW_RATE)
        length = Fraction(stop - row + 2 * _CONTEXT, ROW_RATE)
        reading = read_samples(path, sample_rate=_RATE, start=begin, stop=begin + length, block_seconds=length)
        with closing(reading) as blocks:
            block = next(blocks, None)
        if block is not None:
            # Before its first sample, and after its last, a sound is silent.
            before = round((block.start - begin) * _RATE)
            rows = log_mel(np.pad(block.data, (before, _HOP)), _RATE, bands=_BANDS)[_CONTEXT:]
            yield row, rows[: stop - row]


def _energy(features: Rows) -> Rows:
    """Return the sound's level in decibels, of the sum of all bands, shape ``(rows,)``."""
    total = np.empty(len(features), np.float32)
    for begin in range(0, len(features), 65_536):
        total[begin : begin + 65_536] = np.exp(features[begin : begin + 65_536]).sum(axis=1)
    return np.asarray(20 * np.log10(total), np.float32)


def _table(measurement: Measurement, times: npt.NDArray[np.float64], energy: Rows) -> str:
    assert measurement.mouth is not None
    shown = measurement.mouth.times
    seen = _count([pair.seen for pair in measurement.plosives], shown)
    heard = _count([pair.heard for pair in measurement.plosives], shown)
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(("t", "opening", "energy_db", "bursts_seen", "bursts_heard"))
    at = np.clip(np.rint((shown - times[0]) * ROW_RATE).astype(int), 0, len(times) - 1)
    for time, opening, row, one, other in zip(shown, measurement.mouth.opening, at, seen, heard, strict=True):
        table.writerow((f"{time:.6f}", _number(opening, 5), _number(energy[row], 2), one, other))
    return text.getvalue()


def _number(value: np.float32, digits: int) -> str:
    """Return a number, or nothing where nothing is known."""
    return f"{float(value):.{digits}f}" if np.isfinite(value) else ""


def _count(moments: list[float], times: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    counts = np.zeros(len(times), np.int64)
    for moment in moments:
        number = int(np.searchsorted(times, moment, side="right")) - 1
        if number >= 0:
            counts[number] += 1
    return counts


def _pack(target: Path, measurement: Measurement, times: npt.NDArray[np.float64], energy: Rows, features: Path) -> None:
    """Write a NumPy archive; the features go in from their file."""
    assert measurement.mouth is not None
    arrays = {
        "mouth_times": measurement.mouth.times,
        "mouth_opening": measurement.mouth.opening,
        "sound_times": times,
        "sound_energy_db": energy,
        "bursts_seen": np.array([pair.seen for pair in measurement.plosives]),
        "bursts_heard": np.array([pair.heard for pair in measurement.plosives]),
    }
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, values in arrays.items():
            with archive.open(f"{name}.npy", "w") as file:
                np.lib.format.write_array(file, np.asarray(values))  # type: ignore[no-untyped-call]
        archive.write(features, features.name)
