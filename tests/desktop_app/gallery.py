"""Pictures of every page and dialog of the window, to be looked at: light, dark, English, Chinese, small, large.

``python -m tests.desktop_app.gallery FOLDER`` writes them as ``FOLDER/dark-en-1280x720/sync-drift.png`` and so on, and
one sheet of all pictures per folder; ``--only`` names what is wanted (``sync``, ``generation-running``...). Nothing is
measured or rendered for them: what the engine would say is made up, the window is the real one.
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication, QWidget

    from desktop_app.window import MainWindow
    from engine.sync.result import Kind, Measurement

SIZES = {"1280x720": (1280, 720, 1), "1920x1080": (1920, 1080, 1), "1280x720-twice": (1280, 720, 2)}
THEMES, LANGUAGES = ("dark", "light"), ("en", "zh_CN")
SECONDS = 60.0
_PATIENCE_SECONDS = 60.0
_SHEET_COLUMNS, _SHEET_WIDTH = 3, 800


def main() -> None:
    """Take the pictures that the command line asks for; each setting has a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--theme", choices=THEMES, nargs="*", default=THEMES)
    parser.add_argument("--language", choices=LANGUAGES, nargs="*", default=LANGUAGES)
    parser.add_argument("--size", choices=SIZES, nargs="*", default=list(SIZES))
    parser.add_argument("--only", nargs="*", default=[], help="beginnings of the names of pictures")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    for theme, language, size in itertools.product(asked.theme, asked.language, asked.size):
        target = asked.folder.absolute() / f"{theme}-{language}-{size}"
        if asked.here:
            take(target, theme, language, SIZES[size][:2], tuple(asked.only))
            continue
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        media = make_media(asked.folder.absolute() / "media")
        own = {
            "QT_QPA_PLATFORM": "offscreen",
            "QT_SCALE_FACTOR": str(SIZES[size][2]),
            "PLOSIVE_HOME": str(target / "home"),
            "PLOSIVE_LANG": language,
            "PLOSIVE_GALLERY_MEDIA": str(media),
        }
        choice = ["--theme", theme, "--language", language, "--size", size, "--only", *asked.only]
        command = [sys.executable, "-m", "tests.desktop_app.gallery", str(asked.folder), "--here", *choice]
        subprocess.run(command, check=True, env={**os.environ, **own})
        make_sheet(target)


def make_media(folder: Path) -> Path:
    """Make what is opened and rendered: the drawn person who speaks, a portrait and a voice."""
    if (folder / "greeting.wav").exists():
        return folder
    from engine.generation.calibrate import draw_face, write_voice
    from engine.sample.text import sample_text
    from engine.sample.voice import speak
    from engine.verbs import sample

    folder.mkdir(parents=True, exist_ok=True)
    sample(folder / "interview.mp4", offset_ms=83.0)
    draw_face(folder / "portrait.png")
    write_voice(speak(sample_text("sentences")), folder / "greeting.wav")
    return folder


def make_sheet(folder: Path) -> None:
    """Put all pictures of a folder on one sheet."""
    from PIL import Image

    names = sorted(path for path in folder.glob("*.png") if path.name != "sheet.png")
    small = []
    for path in names:
        with Image.open(path) as picture:
            picture.thumbnail((_SHEET_WIDTH, _SHEET_WIDTH))
            small.append(picture.convert("RGB"))
    height = max((image.height for image in small), default=1)
    rows = -(-len(small) // _SHEET_COLUMNS)
    sheet = Image.new("RGB", (_SHEET_COLUMNS * _SHEET_WIDTH, max(1, rows) * height), "#808080")
    for number, image in enumerate(small):
        row, column = divmod(number, _SHEET_COLUMNS)
        sheet.paste(image, (column * _SHEET_WIDTH, row * height))
    sheet.save(folder / "sheet.png")


def take(folder: Path, theme: str, language: str, size: tuple[int, int], only: tuple[str, ...]) -> None:
    """Take all pictures with one theme, language and size."""
    import desktop_app.panels.speakers
    import desktop_app.player.loudspeaker
    from desktop_app.application import make_application
    from desktop_app.collector import Collector
    from desktop_app.style import apply_theme
    from desktop_app.translation import speak

    app = make_application()
    collector = Collector(app)
    for module in (desktop_app.player.loudspeaker, desktop_app.panels.speakers):
        module.find_device = lambda: None  # type: ignore[attr-defined] # what is seen is not to depend on this computer
    speak(language)
    apply_theme(app, theme)
    photographer = Photographer(app, folder, size, only)
    for scene in (start_page, sync_page, timeline, other_pages, dialogs, queue_page, generation_page):
        photographer.open()
        scene(photographer)
        photographer.close()
    collector.stop()


@dataclass(slots=True)
class Photographer:
    """Holds a window and takes its pictures.

    Attributes:
        app: Qt's application.
        folder: where the pictures go.
        size: of the window.
        only: beginnings of the names that are wanted; empty for all.
    """

    app: QApplication
    folder: Path
    size: tuple[int, int]
    only: tuple[str, ...]
    _window: MainWindow | None = None

    @property
    def window(self) -> MainWindow:
        """The window that is open."""
        assert self._window is not None
        return self._window

    @property
    def media(self) -> Path:
        """Where clip, portrait and voice are."""
        return Path(os.environ["PLOSIVE_GALLERY_MEDIA"])

    def open(self) -> None:
        """Open a window that knows nothing yet."""
        from desktop_app import places
        from desktop_app.document.settings import Settings
        from desktop_app.studio import Studio
        from desktop_app.window import MainWindow
        from desktop_app.work.engine_process import EngineProcess
        from tests.desktop_app.window.conftest import COMMAND, RENDERER

        def engine(command: tuple[str, ...]) -> EngineProcess:
            return EngineProcess(places.log_folder() / "engine.txt", command, parent=None)

        settings = Settings(places.config_folder() / "settings.json")
        settings["measure_on_open"] = False
        settings["recent"] = []
        self._window = MainWindow(Studio(settings, engine(COMMAND), engine(COMMAND), engine(RENDERER), engine(COMMAND)))
        self._window.resize(*self.size)
        self._window.show()

    def close(self) -> None:
        """Close the window."""
        self.window.close()
        self.window.deleteLater()
        self._window = None
        self.rest()

    def rest(self, seconds: float = 0.15) -> None:
        """Let the window come to rest."""
        begin = time.monotonic()
        while time.monotonic() - begin < seconds:
            self.app.processEvents()

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something is so."""
        from PySide6.QtCore import QEventLoop, QTimer

        beat = QTimer()
        beat.start(50)  # wakes who waits below: given a limit of time Qt would turn in circles
        begin = time.monotonic()
        while not condition():
            if time.monotonic() - begin > _PATIENCE_SECONDS:
                raise TimeoutError(self.window.toasts.texts)
            self.app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)

    def take(self, name: str, widget: QWidget | None = None) -> None:
        """Take a picture of the window, or of something else."""
        if not self.only or name.startswith(self.only):
            self.rest()
            (widget or self.window).grab().save(str(self.folder / f"{name}.png"))

    def take_dialog(self, name: str, ask: Callable[[], object]) -> None:
        """Take a picture of a dialog that waits for an answer, and answer no."""
        from PySide6.QtCore import QTimer
        from PySide6.QtWidgets import QDialog

        def answer() -> None:
            dialog = self.app.activeModalWidget()
            assert isinstance(dialog, QDialog)
            self.take(name, dialog)
            dialog.reject()

        QTimer.singleShot(200, self.window, answer)
        ask()

    def take_menu(self, name: str, ask: Callable[[], object]) -> None:
        """Take a picture of a menu that opens."""
        ask()
        menu = self.app.activePopupWidget()
        assert menu is not None
        self.take(name, menu)
        menu.close()
        self.rest()

    def take_page(self, name: str, action: str) -> None:
        """Take a picture of a page that an action opens above the window."""
        from PySide6.QtWidgets import QDialog

        self.window.actions_[action].trigger()
        (page,) = [page for page in self.window.findChildren(QDialog) if page.isVisible()]
        self.take(name, page)
        page.close()
        self.rest()


def found(kind: Kind, path: Path) -> Measurement:
    """Return a measurement of each kind."""
    from engine.sync.lines import drift_cause
    from engine.sync.result import Kind, Measurement, Reason, Step
    from engine.sync.verdict import verdict
    from engine.timing import Offset
    from engine.words import Message
    from tests.desktop_app.made import measurement

    plain = measurement(SECONDS)
    points = plain.points
    match kind:
        case Kind.UNMEASURABLE:
            said = verdict(kind, None, reason=Reason.VOICE_OVER)
            return Measurement(str(path), kind, said, reason=Reason.VOICE_OVER, mouth=plain.mouth, faces=1)
        case Kind.DRIFT:
            slope = tuple(replace(each, offset_ms=each.offset_ms - 83 + 2 * each.t) for each in points)
            return replace(
                plain,
                kind=kind,
                verdict=verdict(kind, Offset(60.0, 6.0), drift_ppm=2000.0),
                offset_ms=60.0,
                drift_ppm=2000.0,
                drift_offset_at_zero_ms=0.0,
                drift_cause=drift_cause(2000.0),
                points=slope,
            )
        case Kind.STEPS:
            levels = tuple(replace(each, offset_ms=each.offset_ms + (70 if each.t > 30 else 0)) for each in points)
            steps = (Step(0.0, 83.0), Step(30.0, 153.0))
            said = verdict(kind, Offset(83.0, 6.0), steps=2)
            return replace(plain, kind=kind, verdict=said, steps=steps, points=levels)
        case Kind.JITTER:
            wild = tuple(
                replace(each, offset_ms=each.offset_ms * (1 + index % 3) / 2) for index, each in enumerate(points)
            )
            return replace(plain, kind=kind, verdict=verdict(kind, Offset(83.0, 30.0), spread_ms=41.0), points=wild)
        case Kind.IN_SYNC:
            near = tuple(replace(each, offset_ms=each.offset_ms - 80) for each in points)
            return replace(plain, kind=kind, verdict=verdict(kind, Offset(3.0, 5.0)), offset_ms=3.0, points=near)
    return replace(plain, notes=(Message("sync.note.faces", count=2, number=1),), faces=2)


def start_page(photographer: Photographer) -> None:
    """The window before anything is open, with files held above it, and with notices on it."""
    from desktop_app.widgets.drop_overlay import Zone

    window = photographer.window
    photographer.take("start-first")
    window.studio.settings["recent"] = [str(photographer.media / name) for name in ("interview.mp4", "greeting.mov")]
    photographer.take("start-recent")
    for name, zones in (
        ("open", (Zone.PICTURE,)),
        ("render", (Zone.PICTURE, Zone.RENDER)),
        ("sound", (Zone.PICTURE, Zone.VOICE)),
        ("generate", (Zone.FACE, Zone.SPEECH)),
        ("queue", (Zone.BATCH,)),
    ):
        window.drop_target.overlay.offer(zones)
        window.drop_target.overlay.light(window.rect().center())
        photographer.take(f"drop-{name}")
        window.drop_target.overlay.hide()
    window.notify_crash()
    window.notices.say_written(Path("interview-insync.mp4"))
    window.open_paths([photographer.media / "nothing.mp4"])
    photographer.until(lambda: len(window.toasts.texts) == 3)
    photographer.take("toasts")


def sync_page(photographer: Photographer) -> None:
    """The page of a clip, not measured, being measured, and with each kind of result."""
    from engine.sync.result import Kind

    window, document = photographer.window, photographer.window.studio.document
    clip = photographer.folder / "interview.mp4"
    shutil.copy(photographer.media / clip.name, clip)
    window.open_paths([clip])
    photographer.until(lambda: document.path is not None)
    photographer.rest(3.0)
    photographer.take("sync-before")
    (hold := clip.with_suffix(".wait")).touch()
    window.actions_["measure"].trigger()
    photographer.until(lambda: document.measurement is not None and len(document.measurement.points) > 2)
    photographer.take("sync-measuring")
    window.actions_["stop_measuring"].trigger()
    hold.unlink()
    for kind in Kind:
        document.set_measurement(found(kind, photographer.media / "interview.mp4"))
        photographer.take(f"sync-{kind.value}")
        if window.studio.can_apply:
            window.actions_["apply_measured"].trigger()
            photographer.take(f"sync-{kind.value}-applied")
            window.actions_["reset"].trigger()
    document.set_measurement(found(Kind.CONSTANT, photographer.media / "interview.mp4"))
    window.timeline.set_span(4.0, 7.0)
    window.actions_["landmarks"].trigger()
    photographer.take("sync-near")
    window.actions_["spectrogram"].trigger()
    photographer.rest(2.0)
    photographer.take("sync-spectrum")
    window.actions_["spectrogram"].trigger()


def timeline(photographer: Photographer) -> None:
    """What the user puts on the timeline, several people before the camera, and ways to look at the picture."""
    import numpy as np

    from engine.sync.result import FacePath, Kind

    window, document = photographer.window, photographer.window.studio.document
    clip = photographer.media / "interview.mp4"
    window.open_paths([clip])
    photographer.until(lambda: document.path is not None)
    times = np.arange(0, 20, 0.5)
    people = tuple(
        FacePath(times, np.tile(np.array([left, 0.1, left + 0.2, 0.7], np.float32), (len(times), 1)), number == 1)
        for number, left in enumerate((0.1, 0.4, 0.7))
    )
    document.set_measurement(replace(found(Kind.CONSTANT, clip), people=people, faces=3))
    photographer.rest(2.0)
    photographer.take("faces")
    document.set_measurement(found(Kind.CONSTANT, clip))
    document.add_marker(3.0, "Take 2")
    document.set_range(2.0, 14.0)
    for heard in (4.0, 12.0):
        document.drop_anchor(heard)
    window.actions_["nudge_ten_later"].trigger()
    photographer.take("anchors")
    middle = window.timeline.mapToGlobal(window.timeline.rect().center())
    photographer.take_menu("menu-timeline", lambda: window.timeline.context_requested.emit(3.0, middle))
    photographer.take_menu("menu-file", lambda: window.menus.by_group["File"].popup(middle))
    document.set_range(None, None)
    for name in ("loupe", "split"):
        window.actions_[name].trigger()
        photographer.rest(0.5)
        photographer.take(name)
        window.actions_[name].trigger()
    window.resize(window.minimumSize())
    photographer.take("smallest")
    window.resize(*photographer.size)


def other_pages(photographer: Photographer) -> None:
    """The other pages of the sidebar."""
    from engine.sync.result import Kind

    window, studio = photographer.window, photographer.window.studio
    window.open_paths([photographer.media / "interview.mp4"])
    photographer.until(lambda: studio.document.path is not None)
    studio.document.set_measurement(found(Kind.CONSTANT, photographer.media / "interview.mp4"))
    photographer.rest(1.0)
    window.show_page("history")
    photographer.take("history-empty")
    window.actions_["apply_measured"].trigger()
    for name in ("nudge_one_later", "nudge_ten_earlier", "nudge_frame_later"):
        window.actions_[name].trigger()
    studio.document.undo_stack.undo()
    photographer.take("history")
    window.show_page("export")
    photographer.take("export")
    window.exports.choose_target(photographer.folder / "interview-insync.mp4")
    (photographer.folder / "interview-insync.mp4").unlink(missing_ok=True)
    window.export()
    photographer.until(lambda: studio.exporting.after is not None)
    photographer.take("export-done")
    window.toasts._shown[-1].closed.click()
    window.show_page("doctor")
    photographer.until(lambda: studio.examining.diagnosis is not None)
    photographer.take("doctor")
    window.show_page("export")
    studio.document.set_measurement(found(Kind.STEPS, photographer.media / "interview.mp4"))
    window.actions_["apply_measured"].trigger()
    photographer.take("export-steps")
    window.exports.show_hand_on()
    photographer.take("export-hand-on")


def dialogs(photographer: Photographer) -> None:
    """What opens above the window."""
    from desktop_app.document.autosave import Leftover
    from desktop_app.document.project import Project
    from desktop_app.panels.blind_test import BlindTestPage
    from desktop_app.panels.generation.render_log import RenderLogPage
    from desktop_app.panels.queue import HappeningsPage
    from desktop_app.panels.speakers import SpeakersPage
    from desktop_app.widgets.palette import CommandPalette
    from engine.refusal import Refusal
    from engine.sync.result import Kind

    window, studio = photographer.window, photographer.window.studio
    clip = photographer.media / "interview.mp4"
    window.open_paths([clip])
    photographer.until(lambda: studio.document.path is not None)
    studio.document.set_measurement(found(Kind.CONSTANT, clip))
    window.actions_["apply_measured"].trigger()
    for name in ("settings", "shortcuts", "log", "blind_test", "palette"):
        photographer.take_page(name.replace("_", "-"), name)
    times = [40.0] * 50 + [90.0] * 50
    log = photographer.folder / "run.log"
    log.write_text("\n".join(f"step {number} frame_gen_time: {ms} ms" for number, ms in enumerate(times)))
    window.open_render_log(log)
    advisor = window.findChild(RenderLogPage)
    assert advisor is not None
    photographer.until(lambda: bool(advisor.advice))
    photographer.take("render-log", advisor)
    advisor.close()
    window.dialogs.open_palette()
    palette = window.findChild(CommandPalette)
    assert palette is not None
    for name, typed in (("palette-found", "sound"), ("palette-nothing", "teapot")):
        palette.field.setText(typed)
        photographer.take(name, palette)
    palette.close()
    window.dialogs.open_blind_test()
    test = window.findChild(BlindTestPage)
    assert test is not None
    while not test.test.is_over:
        test.same.click()
    photographer.take("blind-test-over", test)
    test.close()
    window.dialogs.open_speakers()
    photographer.take("speakers", window.findChild(SpeakersPage))
    project = Project.of(studio.document)
    photographer.take_dialog("recovery", lambda: window.offer_recovery(Leftover(Path("x"), project)))
    photographer.take_dialog("relink", lambda: window.files.ask_missing(clip))
    refusal = Refusal.of("export.disk_full", path=clip.parent)
    photographer.take_dialog("leaving", lambda: window.dialogs.may_lose(refusal))
    target = photographer.folder / "interview-insync.mp4"
    target.touch()
    window.exports.choose_target(target)
    photographer.take_dialog("replacing", window.exports.export)
    target.unlink()
    record = HappeningsPage(clip, ("10:02:11  measuring", "10:02:19  The sound is 83 ms late (±6)."), window)
    record.show()
    photographer.take("queue-log", record)
    record.close()


def queue_page(photographer: Photographer) -> None:
    """The queue, empty and with clips in every state."""
    window, queue = photographer.window, photographer.window.studio.queue
    window.show_queue()
    photographer.take("queue-empty")
    folder = photographer.folder / "shoot"
    folder.mkdir(exist_ok=True)
    names = ("opening", "interview with a rather long name, second take", "take 3", "take 3 insync", "empty", "last")
    clips = [folder / f"{name}.mp4" for name in names]
    for clip in clips:
        shutil.copy(photographer.media / "interview.mp4", clip)
    clips[4].write_bytes(b"")
    clips[2].with_suffix(".faceless").touch()
    clips[5].with_suffix(".wait").touch()
    for old in folder.glob("*-insync.mp4"):
        old.unlink()
    queue.add(clips)
    photographer.until(lambda: len(queue.items) == len(clips) and queue.items[5].is_running)
    photographer.rest(0.5)
    photographer.take("queue-running")
    window.queue_page.table.selectRow(0)
    photographer.take("queue-chosen")
    late = [folder / f"{name}.mp4" for name in ("tail", "credits")]
    for clip in late:
        shutil.copy(photographer.media / "interview.mp4", clip)
    queue.add(late)
    photographer.until(lambda: len(queue.items) == len(clips) + len(late))
    queue.cancel([6])
    queue.fix([1])
    photographer.take("queue-every-state")
    clips[5].with_suffix(".wait").unlink()
    photographer.until(lambda: not queue.is_running)
    queue.fix([0])
    photographer.until(lambda: not queue.is_running)
    photographer.take("queue-fixed")


def generation_page(photographer: Photographer) -> None:
    """Everything about rendering."""
    from fractions import Fraction

    import numpy as np
    from PIL import Image
    from PySide6.QtWidgets import QScrollArea

    from desktop_app.panels.generation.take_over import TakeOverPage
    from desktop_app.work.rendering import Stage
    from engine.generation.events import Preview
    from tests.desktop_app.canned_renderer import FRAMES

    window, rendering = photographer.window, photographer.window.studio.rendering
    folder = photographer.folder / "renders"
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    face, voice = folder / "portrait.png", folder / "greeting.wav"
    face.write_bytes((photographer.media / face.name).read_bytes())
    voice.write_bytes((photographer.media / voice.name).read_bytes())
    window.show_generation()
    page = window.generation
    photographer.until(lambda: "draft" in page.picker.cards)
    photographer.take("generation-empty")
    window.open_paths([face, voice])
    photographer.until(lambda: page.can_render and "GB" in page.estimate.text and bool(page.inputs.face_well.facts))
    photographer.rest(0.5)
    photographer.take("generation-chosen")
    for name in ("musetalk", "latentsync", "liveavatar"):
        if name in page.picker.cards:
            page.picker.choose(name)
            photographer.take(f"generation-{name}")
    page.picker.choose("draft")
    page.form._more.head.click()
    photographer.rest()
    area = next(each for each in page.findChildren(QScrollArea) if each.isAncestorOf(page.form))
    area.ensureWidgetVisible(page.form.fields["seed"])
    photographer.take("generation-form")
    area.ensureWidgetVisible(page.form.fields["correct_bias"])
    photographer.take("generation-more")
    page.form._more.head.click()
    area.ensureWidgetVisible(page.inputs.face_well)
    window.resize(900, 600)
    page.columns.show_page(1)
    photographer.take("generation-narrow")
    page.columns.show_page(0)
    window.resize(*photographer.size)
    page.take_over()
    dialog = window.findChild(TakeOverPage)
    assert dialog is not None
    dialog.text.setPlainText(
        'torchrun --nproc_per_node 1 run.py --size "704*384" --infer_frames 50 --sample_steps 4 --num_clip 10'
        f' --image {face} --audio voice.wav --prompt "A woman speaks calmly to the camera" --base_seed 420'
        " --offload_model True --enable_online_decode --ulysses_size 1"
    )
    photographer.until(lambda: bool(dialog.said))
    photographer.take("generation-take-over", dialog)
    dialog.close()
    page.picker.choose("draft")
    page.inputs.mark_button.click()
    photographer.take("generation-marking")
    page.inputs.mark_button.click()
    voice.with_suffix(".wait").touch()
    page.render_now()
    page.render_now()
    number = rendering.items[0].number
    photographer.until(lambda: rendering.items[0].done > 0.4)
    with Image.open(face) as image:
        picture = np.asarray(image.convert("RGB").resize((720, 720 * image.height // image.width)))
    page.renders.rows[number].click()
    photographer.until(lambda: len(rendering.track(number).readings) > FRAMES // 2)
    rendering.track(number).preview = Preview(20, Fraction(4, 5), picture)
    rendering.watched.emit(number)
    photographer.take("generation-running")
    voice.with_suffix(".wait").unlink()
    photographer.until(lambda: rendering.items[1].stage is Stage.DONE)
    rendering.track(number).preview = Preview(FRAMES, Fraction(8, 5), picture)
    rendering.watched.emit(number)
    photographer.take("generation-done")
    voice.with_suffix(".full").touch()
    page.render_now()
    photographer.until(lambda: rendering.items[2].stage is Stage.FAILED)
    photographer.take("generation-failed")
    window.show_models()
    photographer.until(lambda: window.studio.shelf.library is not None)
    photographer.take("models")


if __name__ == "__main__":
    main()
