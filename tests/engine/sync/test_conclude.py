"""What evidence made here, whose truth is known, is concluded to be."""

from __future__ import annotations

import numpy as np
import pytest

from engine.sync.calibration import Calibration
from engine.sync.conclude import Conclusion, StretchEvidence, conclude
from engine.sync.result import Kind
from engine.sync.towers import shipped_model
from tests.engine.sync.test_search import ridge


def concluded(slope: float, height: float) -> Conclusion:
    """Weigh six seconds along a line of ``slope`` milliseconds per second."""
    model = shipped_model()
    times = (np.arange(12) + 0.5) * 0.5
    evidence = StretchEvidence({1: (ridge(slope * (times - 3), height=height),)})
    conclusion = conclude([evidence], model.null, Calibration.of(model.calibration))
    assert conclusion is not None
    return conclusion


def test_a_line_that_fits_well_is_a_drift() -> None:
    conclusion = concluded(slope=40, height=4)
    assert conclusion.kind is Kind.DRIFT
    assert conclusion.line.slope == pytest.approx(40, abs=4)
    assert conclusion.confidence > 0.95


@pytest.mark.parametrize("height", [0.6, 1.0, 1.4])
def test_what_merely_fits_no_constant_is_no_drift(height: float) -> None:
    # As for somebody else's voice: among all lines one fits better than any constant, and none fits well.
    conclusion = concluded(slope=40, height=height)
    assert conclusion.line.gain > 1
    assert conclusion.kind is not Kind.DRIFT
    assert conclusion.confidence < 0.5
