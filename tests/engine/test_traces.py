"""Traces hold what was measured, on exact times, whatever the length of the blocks they were read in."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine import traces, verbs
from engine.jobs import run
from engine.media.samples import read_samples
from engine.refusal import Refusal
from engine.sound.features import log_mel
from engine.sync.result import Measurement
from engine.traces import write_traces


@pytest.fixture(scope="module")
def measured(talking_clip: Path) -> Measurement:
    result = verbs.measure(talking_clip)
    assert isinstance(result, Measurement)
    return result


@pytest.mark.parametrize("rows", [3000, 70])
def test_an_archive_holds_mouth_sound_and_bursts(
    measured: Measurement, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(traces, "_BLOCK_ROWS", rows)
    path = run(write_traces(measured, tmp_path / "traces.npz"))
    assert isinstance(path, Path)
    assert measured.mouth is not None
    with np.load(path) as found:
        np.testing.assert_array_equal(found["mouth_times"], measured.mouth.times)
        np.testing.assert_array_equal(found["mouth_opening"], measured.mouth.opening)
        assert found["bursts_seen"].tolist() == [pair.seen for pair in measured.plosives]
        times, mel = found["sound_times"], found["sound_log_mel"]
        assert mel.shape == (len(times), 40)
        assert np.isfinite(found["sound_energy_db"]).all()
    sound = np.concatenate([block.data for block in read_samples(measured.file)])
    whole = log_mel(sound)
    first = round(float(times[0]) * 100)
    count = min(len(mel), len(whole) - first) - 5  # at the very end the windows reach beyond the sound
    # Both are the same arithmetic on the same samples; but a decoder of AAC fills bands with noise of its own, which is
    # other noise when it begins elsewhere.
    same = np.isclose(mel[5:count], whole[first + 5 : first + count], atol=2e-3)
    assert same.mean() > 0.999


def test_a_table_has_a_line_per_picture(measured: Measurement, tmp_path: Path) -> None:
    path = run(write_traces(measured, tmp_path / "traces.csv"))
    assert isinstance(path, Path)
    assert measured.mouth is not None
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [float(line["t"]) for line in lines] == pytest.approx(measured.mouth.times.tolist(), abs=1e-6)
    assert sum(int(line["bursts_seen"]) for line in lines) == len(measured.plosives)
    loud = [float(line["energy_db"]) for line in lines]
    assert max(loud) - min(loud) > 20


def test_what_cannot_be_written_is_refused(measured: Measurement, tmp_path: Path) -> None:
    for target, measurement, code in (
        (tmp_path / "traces.txt", measured, "traces.suffix"),
        (tmp_path / "traces.npz", replace(measured, mouth=None), "traces.nothing"),
        (tmp_path / "no" / "traces.npz", measured, "export.no_folder"),
    ):
        result = run(write_traces(measurement, target))
        assert isinstance(result, Refusal)
        assert result.code == code
        assert str(result)
    assert list(tmp_path.iterdir()) == []
