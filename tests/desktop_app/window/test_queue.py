"""Many clips: dropped together, measured one after the other, fixed together, and there again after a restart."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest
from PySide6.QtCore import QItemSelectionModel, QObject, Qt, QUrl, Signal
from PySide6.QtGui import QIcon
from PySide6.QtTest import QAbstractItemModelTester

from desktop_app.panels.queue import HappeningsPage, QueuePage
from desktop_app.panels.queue_model import FILE, STATE, VERDICT
from desktop_app.window import MainWindow
from desktop_app.work.queue import Queue, Stage
from engine.media.probe import probe
from engine.sync.result import Kind
from tests.desktop_app.window.conftest import Desk


@pytest.fixture
def shoot(clip: Path) -> Path:
    """A folder with three clips, one of them empty, and something that is no clip."""
    folder = clip.parent / "shoot"
    (folder / "day 2").mkdir(parents=True)
    shutil.copy(clip, folder / "a.mp4")
    shutil.copy(clip, folder / "day 2" / "b.mp4")
    (folder / "c.mp4").touch()
    (folder / "notes.txt").write_text("no clip")
    return folder


def stages(queue: Queue) -> list[Stage]:
    return [item.stage for item in queue.items]


def choose(page: QueuePage, *rows: int) -> None:
    page.table.clearSelection()
    for row in rows:
        page.table.selectionModel().select(
            page.table.model().index(row, 0),
            QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows,
        )


def texts(page: QueuePage, row: int) -> list[str]:
    model = page.table.model()
    return [model.index(row, column).data() for column in range(model.columnCount())]


def test_a_dropped_folder_is_measured_and_all_that_need_it_are_fixed(desk: Desk, shoot: Path) -> None:
    queue, page = desk.studio.queue, desk.window.queue_page
    with desk.bot.waitSignal(queue.finished, timeout=30_000):
        desk.window.open_paths([shoot])
    assert page.isVisible()
    assert stages(queue) == [Stage.MEASURED, Stage.FAILED, Stage.MEASURED]
    assert texts(page, 0)[:3] == ["a.mp4", "83 ms late (±6)", "98 %"]
    assert texts(page, 0)[STATE].startswith("measured")
    assert texts(page, 0)[VERDICT] == "The sound is 83 ms late (±6). Most viewers will notice."
    assert texts(page, 1)[4] == "failed"
    assert "c.mp4" in texts(page, 1)[5]
    desk.until(lambda: page.summary == "3 clips, 2 measured, 2 out of sync")
    desk.until(page.button("fix").isEnabled)
    with desk.bot.waitSignal(queue.finished, timeout=30_000):
        desk.bot.mouseClick(page.button("fix"), Qt.MouseButton.LeftButton)
    assert stages(queue) == [Stage.WRITTEN, Stage.FAILED, Stage.WRITTEN]
    assert texts(page, 0)[4] == "fixed: a-insync.mp4"
    assert probe(shoot / "day 2" / "b-insync.mp4").video is not None
    assert any("The queue is done" in text for text in desk.window.toasts.texts)


def test_the_table_is_sorted_by_number_and_opens_clips(desk: Desk, shoot: Path) -> None:
    queue, page = desk.studio.queue, desk.window.queue_page
    with desk.bot.waitSignal(queue.finished, timeout=30_000):
        desk.window.open_paths([shoot])
    page.table.sortByColumn(1, Qt.SortOrder.AscendingOrder)
    assert texts(page, 0)[0] == "c.mp4"
    page.table.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    assert [texts(page, row)[0] for row in range(3)] == ["c.mp4", "b.mp4", "a.mp4"]
    page.table.setCurrentIndex(page.table.model().index(2, 0))
    desk.bot.keyClick(page.table, Qt.Key.Key_Return)
    desk.until(lambda: desk.document.path == shoot / "a.mp4")
    assert not page.isVisible()


def test_a_paused_queue_survives_a_restart_and_begins_nothing_by_itself(
    desk: Desk, shoot: Path, make_window: Callable[[], MainWindow]
) -> None:
    (shoot / "day 2" / "b.wait").touch()
    queue = desk.studio.queue
    desk.window.open_paths([shoot])
    desk.until(lambda: stages(queue) == [Stage.MEASURED, Stage.FAILED, Stage.MEASURING])
    desk.window.close()
    after = Desk(make_window(), desk.bot, desk.clip)
    queue = after.studio.queue
    assert stages(queue) == [Stage.MEASURED, Stage.FAILED, Stage.WAITING]
    assert queue.items[0].measurement is not None
    assert queue.is_paused
    (shoot / "day 2" / "b.wait").unlink()
    after.window.notify_waiting()
    assert after.window.toasts.texts == ["Clips of the queue are waiting since last time."]
    after.window.actions_["page_queue"].trigger()
    with after.bot.waitSignal(queue.finished, timeout=30_000):
        after.bot.mouseClick(after.window.queue_page.button("pause"), Qt.MouseButton.LeftButton)
    assert stages(queue) == [Stage.MEASURED, Stage.FAILED, Stage.MEASURED]


def test_clips_are_cancelled_tried_again_and_removed(desk: Desk, shoot: Path) -> None:
    (shoot / "a.wait").touch()
    queue, page = desk.studio.queue, desk.window.queue_page
    desk.window.open_paths([shoot])
    desk.until(lambda: Stage.MEASURING in stages(queue) and queue.items[0].done > 0)
    choose(page, 0)
    desk.until(page.button("cancel").isEnabled)
    with desk.bot.waitSignal(queue.finished, timeout=30_000):
        desk.bot.mouseClick(page.button("cancel"), Qt.MouseButton.LeftButton)
    assert stages(queue) == [Stage.CANCELLED, Stage.FAILED, Stage.MEASURED]
    (shoot / "a.wait").unlink()
    desk.until(page.button("retry").isEnabled)
    with desk.bot.waitSignal(queue.finished, timeout=30_000):
        desk.bot.mouseClick(page.button("retry"), Qt.MouseButton.LeftButton)
    assert stages(queue) == [Stage.MEASURED, Stage.FAILED, Stage.MEASURED]
    choose(page, 1)
    desk.until(page.button("remove").isEnabled)
    desk.bot.mouseClick(page.button("remove"), Qt.MouseButton.LeftButton)
    assert [item.path.name for item in queue.items] == ["a.mp4", "b.mp4"]
    assert (shoot / "c.mp4").exists()


def test_an_engine_that_dies_over_one_clip_goes_on_with_the_next(desk: Desk, shoot: Path) -> None:
    (shoot / "a.die").touch()
    queue = desk.studio.queue
    with desk.bot.waitSignal(queue.finished, timeout=30_000):
        desk.window.open_paths([shoot])
    assert stages(queue) == [Stage.FAILED, Stage.FAILED, Stage.MEASURED]
    assert "stopped unexpectedly" in texts(desk.window.queue_page, 0)[5]


def test_a_damaged_queue_begins_anew(own_folders: Path, make_window: Callable[[], MainWindow]) -> None:
    (own_folders / "state").mkdir()
    (own_folders / "state" / "queue.json").write_text('{"version": 1, "items": [{"path": 5}]}')
    assert make_window().studio.queue.items == []


def test_a_row_tells_what_happened_and_shows_the_copy(
    desk: Desk, shoot: Path, make_window: Callable[[], MainWindow], monkeypatch: pytest.MonkeyPatch
) -> None:
    queue, page = desk.studio.queue, desk.window.queue_page
    with desk.bot.waitSignal(queue.finished, timeout=30_000):
        desk.window.open_paths([shoot])
    with desk.bot.waitSignal(queue.finished, timeout=30_000):
        page.fix()
    played: list[QUrl] = []
    monkeypatch.setattr("desktop_app.work.revealing.QDesktopServices.openUrl", played.append)
    choose(page, 0)
    desk.until(page.button("play").isEnabled)
    desk.bot.mouseClick(page.button("play"), Qt.MouseButton.LeftButton)
    assert [url.fileName() for url in played] == ["a-insync.mp4"]
    names = [action.text() for action in page.menu(0).actions()]
    assert names == [
        "Open",
        "Open the copy",
        "Play the copy",
        "Show in folder",
        "What happened",
        "Remove from the list",
    ]
    choose(page, 1)
    desk.until(lambda: not page.button("play").isEnabled())
    desk.window.close()  # what happened survives a restart
    after = make_window().queue_page
    choose(after, 0)
    desk.bot.mouseClick(after.button("log"), Qt.MouseButton.LeftButton)
    said = after.findChild(HappeningsPage)
    assert said is not None
    lines = said.text.toPlainText().splitlines()
    assert lines[0] == str(shoot / "a.mp4")
    for part in ("measuring", "The sound is 83 ms late", "a-insync.mp4: sound moved 83.0 ms earlier", "ffmpeg -"):
        assert any(part in line for line in lines), part
    said.close()


def test_a_running_row_says_how_fast_it_goes_and_how_long_it_takes(
    desk: Desk, shoot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("desktop_app.work.queue.time.monotonic", lambda: now[0])
    (shoot / "a.wait").touch()
    queue = desk.studio.queue
    desk.window.open_paths([shoot])
    desk.until(lambda: bool(queue.items) and queue.items[0].done == 0.9 and queue.items[0].frames is not None)
    assert queue.items[0].frames == 150
    now[0] += 9.0
    desk.until(lambda: queue.items[0].seconds == 9.0)
    assert texts(desk.window.queue_page, 0)[4] == "measuring 90 %  0:09, 15 fps, 0:01 left"
    (shoot / "a.wait").unlink()


class Tray(QObject):
    """A system's tray that remembers what it was told."""

    messageClicked, activated = Signal(), Signal()  # noqa: N815
    told: ClassVar[list[str]] = []

    @staticmethod
    def isSystemTrayAvailable() -> bool:
        return True

    supportsMessages = isSystemTrayAvailable  # noqa: N815

    def __init__(self, _icon: QIcon, parent: QObject) -> None:
        super().__init__(parent)

    def show(self) -> None: ...

    def hide(self) -> None: ...

    def showMessage(self, _title: str, text: str, _icon: QIcon) -> None:
        self.told.append(text)


def test_the_end_is_told_to_whoever_looks_elsewhere(desk: Desk, shoot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desktop_app.widgets.notifying.QSystemTrayIcon", Tray)
    Tray.told.clear()
    queue, window = desk.studio.queue, desk.window
    monkeypatch.setattr(type(window), "isActiveWindow", lambda _self: False)
    with desk.bot.waitSignal(queue.finished, timeout=30_000):
        window.open_paths([shoot])
    assert Tray.told == ["3 clips, 2 measured, 2 out of sync"]
    window.pages.show_clip()
    (tray,) = window.findChildren(Tray)
    tray.messageClicked.emit()
    assert window.queue_page.isVisible()
    window.studio.settings["notify"] = False
    with desk.bot.waitSignal(queue.finished, timeout=30_000):
        window.queue_page.fix()
    assert len(Tray.told) == 1
    window.studio.settings["notify"] = True
    monkeypatch.setattr(type(window), "isActiveWindow", lambda _self: True)
    queue.remove([0])
    with desk.bot.waitSignal(queue.finished, timeout=30_000):
        queue.add([shoot / "a.mp4"])
    assert len(Tray.told) == 1


def test_rows_stay_in_order_while_clips_change_and_the_chosen_ones_stay_chosen(desk: Desk, shoot: Path) -> None:
    queue, page = desk.studio.queue, desk.window.queue_page
    queue.pause()
    with desk.bot.waitSignal(queue.added, timeout=30_000):
        desk.window.open_paths([shoot])
    tester = QAbstractItemModelTester(page.model, QAbstractItemModelTester.FailureReportingMode.Warning)
    page.table.sortByColumn(STATE, Qt.SortOrder.DescendingOrder)
    choose(page, 0)
    (chosen,) = [item.path for item in queue.items if item.path.name == texts(page, 0)[0]]
    with desk.bot.waitSignal(queue.finished, timeout=30_000):
        queue.resume()
    stages = [list(Stage).index(queue.items[page.model.place(row)].stage) for row in range(len(queue.items))]
    assert stages == sorted(stages, reverse=True)
    page.table.sortByColumn(FILE, Qt.SortOrder.AscendingOrder)
    assert [texts(page, row)[FILE] for row in range(3)] == ["a.mp4", "b.mp4", "c.mp4"]
    (index,) = page.table.selectionModel().selectedRows()
    assert queue.items[page.model.place(index.row())].path == chosen
    desk.bot.mouseClick(page.button("remove"), Qt.MouseButton.LeftButton)
    assert chosen not in {item.path for item in queue.items}
    assert page.model.rowCount() == 2
    del tester


def test_every_copy_is_measured_again_and_no_clip_of_its_own(desk: Desk, shoot: Path) -> None:
    queue, page = desk.studio.queue, desk.window.queue_page
    with desk.bot.waitSignal(queue.finished, timeout=30_000):
        desk.window.open_paths([shoot])
    with desk.bot.waitSignal(queue.finished, timeout=30_000):
        page.fix()
    for item in (queue.items[0], queue.items[2]):
        assert item.stage is Stage.WRITTEN
        assert item.after is not None
        assert item.after.kind is Kind.IN_SYNC
    assert texts(page, 0)[VERDICT].startswith("The copy: Sound and lips are together")
    with desk.bot.waitSignal(queue.added, timeout=30_000) as added:
        desk.window.open_paths([shoot])
    assert added.args == [0]


def test_a_copy_stays_written_whatever_becomes_of_measuring_it(desk: Desk, shoot: Path) -> None:
    queue, page = desk.studio.queue, desk.window.queue_page
    with desk.bot.waitSignal(queue.finished, timeout=30_000):
        desk.window.open_paths([shoot])
    hold = shoot / "a-insync.wait"
    hold.touch()
    queue.fix([0])
    desk.until(lambda: queue.items[0].stage is Stage.CHECKING and queue.items[0].done > 0.5)
    queue.pause()
    assert queue.items[0].stage is Stage.TO_CHECK
    queue.resume()
    desk.until(lambda: queue.items[0].stage is Stage.CHECKING)
    choose(page, 0)
    desk.until(page.button("cancel").isEnabled)
    desk.bot.mouseClick(page.button("cancel"), Qt.MouseButton.LeftButton)
    assert queue.items[0].stage is Stage.WRITTEN
    assert queue.items[0].after is None
    hold.unlink()
    desk.studio.settings["measure_export"] = False
    with desk.bot.waitSignal(queue.finished, timeout=30_000):
        queue.fix([2])
    assert queue.items[2].stage is Stage.WRITTEN
    assert queue.items[2].after is None
