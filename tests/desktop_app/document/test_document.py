"""The open clip without any display: what changes it, and what undo brings back."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

from desktop_app.document.document import Document, Marker
from engine.timing import Correction, DriftCorrection, StepCorrection


@pytest.fixture
def document() -> Document:
    return Document()


def test_a_correction_is_one_undo_step_with_its_reason(document: Document) -> None:
    heard: list[float] = []
    document.correction_changed.connect(lambda: heard.append(document.correction_ms_at(0)))
    document.correct(Correction(-80), "as measured")
    document.correct(Correction(-81), "nudged")
    assert document.undo_stack.undoText() == "nudged"
    document.undo_stack.undo()
    assert document.correction == Correction(-80)
    document.undo_stack.undo()
    assert document.correction == Correction(0)
    document.undo_stack.redo()
    document.undo_stack.redo()
    assert heard == [-80, -81, -80, 0, -80, -81]


def test_changes_of_one_drag_are_one_step_and_two_drags_are_two(document: Document) -> None:
    for ms in (1, 2, 3):
        document.correct(Correction(ms), "dragged", merge_key="drag")
    document.end_merge()
    for ms in (4, 5):
        document.correct(Correction(ms), "dragged", merge_key="drag")
    assert document.undo_stack.count() == 2
    document.undo_stack.undo()
    assert document.correction == Correction(3)


def test_a_drag_back_to_where_it_began_leaves_no_step(document: Document) -> None:
    document.correct(Correction(5), "dragged", merge_key="drag")
    document.correct(Correction(0), "dragged", merge_key="drag")
    assert document.undo_stack.count() == 0
    assert document.correction == Correction(0)


def test_a_change_to_the_same_value_is_no_step(document: Document) -> None:
    document.correct(Correction(0), "nothing")
    assert document.undo_stack.count() == 0


@pytest.mark.parametrize(
    ("correction", "at_ten"),
    [
        (Correction(-40), -40),
        (DriftCorrection(at_zero_ms=10, rate_ppm=-1000), 0),
        (StepCorrection(((Fraction(0), 5.0), (Fraction(8), -20.0))), -20),
    ],
)
def test_every_shape_of_correction_says_what_it_does_at_a_moment(document: Document, correction, at_ten: float) -> None:
    document.correct(correction, "chosen")
    assert document.correction_ms_at(10.0) == pytest.approx(at_ten)


def test_a_correction_that_is_no_number_is_refused(document: Document) -> None:
    with pytest.raises(ValueError, match="finite"):
        document.correct(Correction(math.nan), "broken")
    assert document.correction == Correction(0)


def test_markers_stay_in_order_and_go_away_one_by_one(document: Document) -> None:
    document.add_marker(2.0, "second")
    document.add_marker(1.0, "first")
    assert document.markers == (Marker(1.0, "first"), Marker(2.0, "second"))
    document.remove_marker(Marker(1.0, "first"))
    document.undo_stack.undo()
    assert len(document.markers) == 2
    with pytest.raises(ValueError, match="no such marker"):
        document.remove_marker(Marker(9.0))


def test_a_range_given_backwards_is_turned_round(document: Document) -> None:
    document.set_range(5.0, 2.0)
    assert (document.in_point, document.out_point) == (2.0, 5.0)
    document.set_range(None, 5.0)
    assert document.in_point is None


def test_a_marker_is_moved_and_named_and_takes_the_place_of_one_that_stands_there(document: Document) -> None:
    document.add_marker(1.0, "first")
    document.add_marker(2.0, "second")
    document.change_marker(Marker(2.0, "second"), Marker(1.0, "second"))
    assert document.markers == (Marker(1.0, "second"),)
    assert document.undo_stack.undoText() == "Marker moved"
    document.undo_stack.undo()
    document.change_marker(Marker(2.0, "second"), Marker(2.0, "last"))
    assert document.undo_stack.undoText() == "Marker named"
    with pytest.raises(ValueError, match="no such marker"):
        document.change_marker(Marker(9.0), Marker(8.0))
