"""Anchors: what is dropped, pulled, slid and removed, the correction that comes of it, and what undo brings back."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from desktop_app.document.anchors import LARGEST_PPM, Anchor, Anchors, Between
from desktop_app.document.document import Document
from desktop_app.document.project import Project, read, save
from engine.refusal import Refused
from engine.timing import Correction, DriftCorrection, StepCorrection


@pytest.fixture
def document() -> Document:
    return Document()


def drift(document: Document) -> None:
    """Make a line: 20 ms later at 10 s, 120 ms later at 110 s."""
    for heard, ms in ((10.0, 20.0), (110.0, 120.0)):
        document.drop_anchor(heard)
        assert document.selected_anchor is not None
        document.pull_anchor(document.selected_anchor, ms, "pulled")


def jumps(document: Document) -> None:
    """Make three stretches, the second from 10 s and the third from 20 s on."""
    document.join_anchors(Between.STEPS)
    for heard, ms in ((0.0, -40.0), (10.0, 25.0), (20.0, 300.0)):
        document.drop_anchor(heard)
        document.pull_anchor(document.anchors.points.index(max(document.anchors.points)), ms, "pulled")


def test_two_anchors_make_a_line(document: Document) -> None:
    drift(document)
    correction = document.correction
    assert isinstance(correction, DriftCorrection)
    assert correction.rate_ppm == pytest.approx(1000.0)
    assert [correction.at(t) for t in (0.0, 10.0, 110.0)] == pytest.approx([10.0, 20.0, 120.0])


def test_anchors_in_steps_hold_from_where_they_stand(document: Document) -> None:
    jumps(document)
    assert document.correction == StepCorrection(((Fraction(0), -40.0), (Fraction(10), 25.0), (Fraction(20), 300.0)))


def test_dropping_an_anchor_leaves_the_sound_where_it_is(document: Document) -> None:
    measured = DriftCorrection(-30.0, 145.0)
    document.correct(measured, "as measured")
    document.drop_anchor(50.0)
    assert document.correction == measured
    document.drop_anchor(70.0)
    assert document.correction_ms_at(1000.0) == pytest.approx(measured.at(1000.0))


def test_the_only_anchor_moves_everything(document: Document) -> None:
    document.correct(DriftCorrection(-30.0, 145.0), "as measured")
    document.drop_anchor(50.0)
    document.pull_anchor(0, 12.0, "pulled")
    correction = document.correction
    assert isinstance(correction, DriftCorrection)
    assert correction.rate_ppm == 145.0
    assert correction.at(50.0) == pytest.approx(12.0, abs=1e-3)


def test_a_third_anchor_on_a_line_takes_the_place_of_the_nearer_one(document: Document) -> None:
    drift(document)
    before = document.correction
    document.drop_anchor(80.0)
    assert [point.heard for point in document.anchors.points] == [10.0, 80.0]
    assert document.correction_ms_at(500.0) == pytest.approx(510.0)
    assert isinstance(before, DriftCorrection)


def test_measured_steps_can_be_taken_up_by_anchors(document: Document) -> None:
    document.correct(StepCorrection(((Fraction(0), 5.0), (Fraction(8), -20.0))), "as measured")
    document.join_anchors(Between.STEPS)
    document.drop_anchor(12.0)
    assert [point.heard for point in document.anchors.points] == [0.0, 8.0, 12.0]
    document.pull_anchor(2, 60.0, "pulled")
    assert [document.correction_ms_at(t) for t in (1.0, 9.0, 13.0)] == [5.0, -20.0, 60.0]


def test_a_line_is_never_steeper_than_a_film_can_be(document: Document) -> None:
    drift(document)
    document.pull_anchor(1, 1e9, "pulled")
    assert isinstance(document.correction, DriftCorrection)
    assert document.correction.rate_ppm == pytest.approx(LARGEST_PPM)


def test_a_step_slides_with_its_level_but_not_past_its_neighbours(document: Document) -> None:
    jumps(document)
    document.slide_anchor(1, 12.0)
    assert document.correction_ms_at(11.0) == -40.0
    document.slide_anchor(1, 99.0)
    assert document.anchors.points[1].heard == pytest.approx(19.8)


def test_an_anchor_on_a_line_slides_along_it(document: Document) -> None:
    drift(document)
    document.slide_anchor(0, 40.0)
    assert document.anchors.points[0] == Anchor(40.0, pytest.approx(50.0))
    assert document.correction_ms_at(0.0) == pytest.approx(10.0)


def test_moving_everything_takes_anchors_along_and_another_shape_drops_them(document: Document) -> None:
    drift(document)
    correction = document.correction
    assert isinstance(correction, DriftCorrection)
    document.correct(DriftCorrection(correction.at_zero_ms + 7.0, correction.rate_ppm), "nudged")
    assert [point.ms for point in document.anchors.points] == pytest.approx([27.0, 127.0])
    document.correct(StepCorrection(((Fraction(0), 5.0), (Fraction(8), -20.0))), "as measured")
    assert document.anchors.points == ()
    document.undo_stack.undo()
    assert len(document.anchors.points) == 2


def test_what_an_anchor_did_goes_with_it_and_the_last_ones_leave_the_sound_where_it_is(document: Document) -> None:
    drift(document)
    document.remove_anchor(0)
    assert document.correction == Correction(120.0)
    document.undo_stack.undo()
    before = document.correction
    document.remove_anchors()
    assert document.anchors.points == ()
    assert document.correction == before


def test_turning_steps_into_a_line_keeps_the_outer_anchors(document: Document) -> None:
    jumps(document)
    document.join_anchors(Between.LINE)
    assert [point.heard for point in document.anchors.points] == [0.0, 20.0]
    assert document.correction_ms_at(10.0) == pytest.approx(130.0)
    document.undo_stack.undo()
    assert document.correction_ms_at(10.0) == 25.0


def test_each_change_is_one_step_and_a_pull_is_one_too(document: Document) -> None:
    document.drop_anchor(10.0)
    for ms in (1.0, 2.0, 3.0):
        document.pull_anchor(0, ms, "pulled", "pull 1")
    document.end_merge()
    document.remove_anchor(0)
    texts = [document.undo_stack.text(index) for index in range(document.undo_stack.count())]
    assert texts == ["Anchor dropped at 0:10.000", "pulled", "Anchor removed"]


def test_an_anchor_dropped_beside_another_moves_it(document: Document) -> None:
    document.join_anchors(Between.STEPS)
    document.drop_anchor(10.0)
    document.drop_anchor(10.1)
    assert [point.heard for point in document.anchors.points] == [10.1]


@pytest.mark.parametrize("make", [drift, jumps])
def test_anchors_are_kept_in_the_project(document: Document, make, tmp_path: Path) -> None:
    make(document)
    save(Project(tmp_path / "clip.mp4", state=document.state), tmp_path / "a.plosive")
    assert read(tmp_path / "a.plosive").state == document.state


def test_a_project_without_anchors_or_with_broken_ones(document: Document, tmp_path: Path) -> None:
    drift(document)
    path = tmp_path / "a.plosive"
    save(Project(tmp_path / "clip.mp4", state=document.state), path)
    data = json.loads(path.read_text(encoding="utf-8"))
    older = {name: value for name, value in data.items() if name != "anchors"}
    path.write_text(json.dumps(older), encoding="utf-8")
    assert read(path).state.anchors == Anchors()
    data["anchors"]["points"] = [[1.0, 2.0], [1.0, 3.0]]
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(Refused):
        read(path)
