"""Values come out of a line as they went in, and nothing else comes out."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from engine.refusal import Refusal
from engine.sync.result import Kind, LagCurve, Measurement, MouthTrace, OffsetPoint, Reason
from engine.timing import Correction, DriftCorrection, StepCorrection
from engine.wire import Unreadable, from_line, to_line
from engine.words import Message
from engine.worker_messages import Measure


@pytest.mark.parametrize(
    "value",
    [
        None,
        {"a": [1, 2.5, "ü\n", True]},
        {Fraction(1, 3): Path("/tmp/a b/嘴.mp4")},
        (Correction(-83.25), DriftCorrection(1.0, 145.0), StepCorrection(((Fraction(0), 1.0), (Fraction(7, 3), 2.0)))),
        Refusal.of("media.no_sound", path=Path("x"), inner=Message("media.no_sound.sentence", path="y")),
        Measure(Path("clip.mp4"), face=2),
        Kind.DRIFT,
        Path("undecodable-\udcff"),
    ],
)
def test_what_goes_in_comes_out(value: object) -> None:
    line = to_line(value)
    assert line.count(b"\n") == 1
    assert from_line(line) == value


def test_a_measurement_with_its_arrays_comes_out_whole() -> None:
    measurement = Measurement(
        "clip.mp4",
        Kind.CONSTANT,
        Message("sync.verdict.constant", offset=Message("timing.late", ms=83), notice="x"),
        offset_ms=83.2,
        reason=Reason.UNCERTAIN,
        points=(OffsetPoint(1.0, 83.0, 0.9, 5.0, 4.0),),
        curves=(LagCurve(1.0, np.arange(5, dtype=np.float32), np.ones(5, np.float32)),),
        mouth=MouthTrace(np.arange(3, dtype=np.float64), np.array([0.1, np.nan, 0.2], np.float32)),
        timings={"looking": 1.5},
    )
    back = from_line(to_line(measurement))
    assert isinstance(back, Measurement)
    assert back.to_json() == measurement.to_json()
    np.testing.assert_array_equal(back.curves[0].lags_ms, measurement.curves[0].lags_ms)
    assert back.mouth is not None
    assert measurement.mouth is not None
    np.testing.assert_array_equal(back.mouth.opening, measurement.mouth.opening)
    assert back.mouth.times.dtype == np.float64


def test_a_type_that_is_not_listed_does_not_travel() -> None:
    with pytest.raises(TypeError, match="does not travel"):
        to_line(object())


@pytest.mark.parametrize(
    "line", [b"not json", b'{"$": "Popen", "args": "x"}', b'{"a": 1}', b'{"$": "array", "dtype": "object", "v": ""}']
)
def test_a_line_that_nobody_wrote_is_refused(line: bytes) -> None:
    with pytest.raises(Unreadable):
        from_line(line)
