"""The first minutes: the sample is made once, says how far it is, and what can be done with it."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from desktop_app import places
from engine.timing import Correction
from engine.worker_messages import Sample
from tests.desktop_app.window.conftest import Desk


def said(desk: Desk) -> list[str]:
    return desk.window.toasts.texts


def test_the_sample_is_asked_for_once_and_says_how_far_it_is(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    submit = desk.studio.engine.submit

    def remember(request: object) -> object:
        asked.append(request)
        # A folder that is not there: it cannot be made, whatever else happens.
        return submit(Sample(places.sample_folder() / "missing" / "sample.mp4"))

    monkeypatch.setattr(desk.studio.engine, "submit", remember)
    button = desk.window.start_page.sample_button
    desk.bot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert not button.isEnabled()
    assert button.text().startswith("Drawing the sample: ")
    desk.window.actions_["sample"].trigger()
    assert asked == [Sample(places.sample_folder() / "plosive-sample.mp4")]
    for job in desk.studio.engine.jobs:
        desk.studio.engine.cancel(job)
    desk.until(button.isEnabled)
    assert button.text() == "Try a sample"


def test_the_sample_leads_from_dragging_to_exporting(desk: Desk, own_folders: Path) -> None:
    del own_folders
    sample = places.sample_folder() / "plosive-sample.mp4"
    sample.parent.mkdir(parents=True, exist_ok=True)
    desk.clip.rename(sample)
    desk.studio.open_sample()
    desk.until(lambda: any("Drag the bar above it to the left" in text for text in said(desk)))
    desk.document.correct(Correction(-83.0), "dragged")
    assert any(text == "Space plays it, C plays it as it was. Ctrl+E writes the corrected copy." for text in said(desk))
    assert not any("Drag the bar" in text for text in said(desk))
    desk.document.undo_stack.undo()
    assert not any("Drag the bar" in text for text in said(desk))


def test_other_clips_are_left_to_those_who_open_them(desk: Desk) -> None:
    desk.measure()
    desk.document.correct(Correction(-83.0), "dragged")
    assert said(desk) == []
