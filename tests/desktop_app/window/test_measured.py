"""What was measured, and what the user made of it."""

from __future__ import annotations

from dataclasses import replace

from engine.timing import Correction
from tests.desktop_app.window.conftest import Desk


def test_sound_dragged_onto_the_measured_offset_has_nothing_left_to_apply(desk: Desk) -> None:
    desk.measure()
    found = desk.document.measurement
    assert found is not None
    # As detectors say it: with more digits than a correction has.
    desk.document.set_measurement(replace(found, offset_ms=83.012_345_6))
    assert desk.studio.can_apply
    desk.document.correct(Correction(-83.012), "dragged")
    assert not desk.studio.can_apply
    assert not desk.window.sync.apply_button.isVisible()
    desk.window.actions_["reset"].trigger()
    desk.window.actions_["apply_measured"].trigger()
    assert desk.document.correction == Correction(-83.012)
