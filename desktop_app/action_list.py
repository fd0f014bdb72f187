"""What can be done in the window: names, texts and default keys, and who does it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from desktop_app.actions import Actions
from desktop_app.commands import Commands
from desktop_app.document.anchors import Between
from desktop_app.document.corrections import NOTHING
from desktop_app.marking import QT_TRANSLATE_NOOP
from desktop_app.studio import Studio

FILE = QT_TRANSLATE_NOOP("Actions", "File")
EDIT = QT_TRANSLATE_NOOP("Actions", "Edit")
SYNC = QT_TRANSLATE_NOOP("Actions", "Sync")
GENERATE = QT_TRANSLATE_NOOP("Actions", "Generate")
PLAY = QT_TRANSLATE_NOOP("Actions", "Play")
VIEW = QT_TRANSLATE_NOOP("Actions", "View")
HELP = QT_TRANSLATE_NOOP("Actions", "Help")
GROUPS = (FILE, EDIT, SYNC, GENERATE, PLAY, VIEW, HELP)


def declare(actions: Actions, commands: Commands) -> None:
    """Add files, undoing, measuring, correcting, rendering, and help."""
    studio, document = commands.studio, commands.studio.document

    def is_open() -> bool:
        return document.path is not None

    def is_shown() -> bool:
        return commands.pages.shows_clip

    add = actions.add
    add("open", QT_TRANSLATE_NOOP("Actions", "Open…"), FILE, commands.files.ask_clip, keys=("Ctrl+O",), picture="open")
    add(
        "open_sound",
        QT_TRANSLATE_NOOP("Actions", "Use another sound for this clip…"),
        FILE,
        commands.files.ask_sound,
        keys=("Ctrl+Shift+O",),
        picture="voice",
        is_available=is_open,
    )
    add(
        "own_sound",
        QT_TRANSLATE_NOOP("Actions", "Use the clip's own sound again"),
        FILE,
        studio.drop_sound,
        is_available=lambda: document.sound_path is not None,
    )
    add("paste", QT_TRANSLATE_NOOP("Actions", "Open the copied path"), FILE, commands.intake.paste, keys=("Ctrl+V",))
    add("sample", QT_TRANSLATE_NOOP("Actions", "Open the sample"), FILE, studio.open_sample, picture="sample")
    add(
        "open_folder",
        QT_TRANSLATE_NOOP("Actions", "Measure all clips of a folder…"),
        FILE,
        commands.files.ask_folder,
        keys=("Ctrl+Shift+F",),
        picture="folder",
    )
    add(
        "save",
        QT_TRANSLATE_NOOP("Actions", "Save project"),
        FILE,
        commands.files.save,
        keys=("Ctrl+S",),
        is_available=is_open,
    )
    add(
        "save_as",
        QT_TRANSLATE_NOOP("Actions", "Save project as…"),
        FILE,
        commands.files.save_as,
        keys=("Ctrl+Shift+S",),
        is_available=is_open,
    )
    add(
        "export",
        QT_TRANSLATE_NOOP("Actions", "Export…"),
        FILE,
        lambda: commands.show_page("export"),
        keys=("Ctrl+E",),
        picture="export",
        is_available=is_open,
    )
    add(
        "write",
        QT_TRANSLATE_NOOP("Actions", "Write the corrected copy"),
        FILE,
        commands.export,
        keys=("Ctrl+Shift+E",),
        is_available=lambda: is_open() and not studio.exporting.is_running,
    )
    add(
        "hand_on",
        QT_TRANSLATE_NOOP("Actions", "Hand the correction to an editor, or report it…"),
        FILE,
        commands.hand_on,
        keys=("Ctrl+Alt+E",),
        is_available=is_open,
    )
    add(
        "close_clip",
        QT_TRANSLATE_NOOP("Actions", "Close the clip"),
        FILE,
        commands.close_clip,
        keys=("Ctrl+W",),
        is_available=is_open,
    )
    add("quit", QT_TRANSLATE_NOOP("Actions", "Quit"), FILE, commands.close, keys=("Ctrl+Q",))

    undo = document.undo_stack
    add(
        "undo",
        QT_TRANSLATE_NOOP("Actions", "Undo"),
        EDIT,
        undo.undo,
        keys=("Ctrl+Z",),
        picture="undo",
        is_available=lambda: is_shown() and undo.canUndo(),
    )
    add(
        "redo",
        QT_TRANSLATE_NOOP("Actions", "Redo"),
        EDIT,
        undo.redo,
        keys=("Ctrl+Shift+Z", "Ctrl+Y"),
        picture="redo",
        is_available=lambda: is_shown() and undo.canRedo(),
    )
    add(
        "palette",
        QT_TRANSLATE_NOOP("Actions", "Find a command…"),
        EDIT,
        commands.dialogs.open_palette,
        keys=("Ctrl+K", "Ctrl+Shift+P"),
        picture="search",
    )
    add(
        "settings",
        QT_TRANSLATE_NOOP("Actions", "Settings…"),
        EDIT,
        commands.dialogs.open_settings,
        keys=("Ctrl+,",),
        picture="settings",
    )

    add(
        "measure",
        QT_TRANSLATE_NOOP("Actions", "Measure"),
        SYNC,
        studio.measuring.start,
        keys=("Ctrl+M",),
        picture="measure",
        is_available=lambda: is_shown() and not studio.measuring.is_running,
    )
    add(
        "measure_here",
        QT_TRANSLATE_NOOP("Actions", "Measure only the range, or ten seconds here"),
        SYNC,
        lambda: studio.measure_here(commands.player.position),
        keys=("Shift+M",),
        picture="measure",
        is_available=lambda: is_shown() and not studio.measuring.is_running,
    )
    add(
        "stop_measuring",
        QT_TRANSLATE_NOOP("Actions", "Stop measuring"),
        SYNC,
        studio.measuring.cancel,
        picture="close",
        is_available=lambda: studio.measuring.is_running,
    )
    add(
        "any_face",
        QT_TRANSLATE_NOOP("Actions", "Measure whoever speaks"),
        SYNC,
        lambda: document.set_face(None),
        is_available=lambda: is_shown() and document.face is not None,
    )
    add(
        "apply_measured",
        QT_TRANSLATE_NOOP("Actions", "Apply what was measured"),
        SYNC,
        studio.apply_measured,
        keys=("Ctrl+Return",),
        picture="check",
        is_available=lambda: is_shown() and studio.can_apply,
    )
    add(
        "reset",
        QT_TRANSLATE_NOOP("Actions", "Remove the correction"),
        SYNC,
        studio.reset,
        keys=("Ctrl+Backspace",),
        picture="zero",
        is_available=lambda: is_shown() and document.correction != NOTHING,
    )
    frame = QT_TRANSLATE_NOOP("Actions", "1 frame")
    ten, one = QT_TRANSLATE_NOOP("Actions", "10 ms"), QT_TRANSLATE_NOOP("Actions", "1 ms")
    for name, keys, short, text, by in (
        ("frame_earlier", "Alt+Left", frame, QT_TRANSLATE_NOOP("Actions", "Sound 1 frame earlier"), (-1.0, True)),
        ("frame_later", "Alt+Right", frame, QT_TRANSLATE_NOOP("Actions", "Sound 1 frame later"), (1.0, True)),
        ("ten_earlier", "Alt+Shift+Left", ten, QT_TRANSLATE_NOOP("Actions", "Sound 10 ms earlier"), (-10.0, False)),
        ("ten_later", "Alt+Shift+Right", ten, QT_TRANSLATE_NOOP("Actions", "Sound 10 ms later"), (10.0, False)),
        ("one_earlier", "Ctrl+Alt+Left", one, QT_TRANSLATE_NOOP("Actions", "Sound 1 ms earlier"), (-1.0, False)),
        ("one_later", "Ctrl+Alt+Right", one, QT_TRANSLATE_NOOP("Actions", "Sound 1 ms later"), (1.0, False)),
    ):
        add(f"nudge_{name}", text, SYNC, _nudge(studio, *by), keys=(keys,), short=short, is_available=is_shown)

    add(
        "page_generate",
        QT_TRANSLATE_NOOP("Actions", "Generate a talking clip…"),
        GENERATE,
        commands.pages.show_generation,
        keys=("Ctrl+6", "Ctrl+G"),
        picture="generate",
        short=QT_TRANSLATE_NOOP("Actions", "Generate"),
    )
    add(
        "render",
        QT_TRANSLATE_NOOP("Actions", "Render what was chosen"),
        GENERATE,
        commands.pages.render_now,
        keys=("Ctrl+Shift+G",),
        is_available=lambda: commands.pages.can_render,
    )
    add(
        "take_over",
        QT_TRANSLATE_NOOP("Actions", "Take over settings of LiveAvatar…"),
        GENERATE,
        commands.pages.take_over_settings,
        picture="copy",
    )
    add(
        "pause_renders",
        QT_TRANSLATE_NOOP("Actions", "Pause the renders, or go on"),
        GENERATE,
        studio.rendering.pause_or_resume,
        picture="pause",
        is_available=lambda: any(item.is_open for item in studio.rendering.items),
    )
    add(
        "page_models",
        QT_TRANSLATE_NOOP("Actions", "Model files"),
        GENERATE,
        commands.pages.show_models,
        keys=("Ctrl+7",),
        picture="models",
    )
    add(
        "render_log",
        QT_TRANSLATE_NOOP("Actions", "Advice for the log of a render…"),
        GENERATE,
        commands.files.ask_render_log,
        picture="telemetry",
    )
    add(
        "page_queue",
        QT_TRANSLATE_NOOP("Actions", "Queue of clips"),
        VIEW,
        commands.pages.show_queue,
        keys=("Ctrl+5",),
        picture="queue",
    )
    add(
        "page_clip",
        QT_TRANSLATE_NOOP("Actions", "Back to the clip"),
        VIEW,
        commands.pages.show_clip,
        keys=("Ctrl+0",),
        picture="film",
    )
    add(
        "shortcuts",
        QT_TRANSLATE_NOOP("Actions", "Keyboard shortcuts"),
        HELP,
        commands.dialogs.open_shortcuts,
        keys=("?", "F1"),
    )
    add("log", QT_TRANSLATE_NOOP("Actions", "Log"), HELP, commands.dialogs.open_log, picture="log")


def declare_playing(actions: Actions, commands: Commands) -> None:
    """Add what the player, the timeline and the preview can be told."""
    studio, document = commands.studio, commands.studio.document
    player, playback = commands.player, commands.playback
    timeline, preview = commands.timeline, commands.preview

    def is_shown() -> bool:
        return commands.pages.shows_clip

    def add(
        name: str,
        text: str,
        group: str,
        handler: Callable[..., object],
        *keys: str,
        picture: str | None = None,
        is_checked: bool | None = None,
        is_available: Callable[[], bool] = is_shown,
    ) -> None:
        actions.add(
            name,
            text,
            group,
            handler,
            keys=keys,
            picture=picture,
            is_checked=is_checked,
            is_available=is_available,
        )

    add("play", QT_TRANSLATE_NOOP("Actions", "Play or pause"), PLAY, player.toggle, "Space", picture="play")
    add("slower", QT_TRANSLATE_NOOP("Actions", "Backwards, or faster backwards"), PLAY, player.slower, "J")
    add("pause", QT_TRANSLATE_NOOP("Actions", "Pause"), PLAY, player.pause, "K")
    add("faster", QT_TRANSLATE_NOOP("Actions", "Forwards, or faster"), PLAY, player.faster, "L")
    add(
        "step_back",
        QT_TRANSLATE_NOOP("Actions", "One frame back"),
        PLAY,
        lambda: player.step(-1),
        "Left",
        ",",
        picture="step_back",
    )
    add(
        "step_forward",
        QT_TRANSLATE_NOOP("Actions", "One frame on"),
        PLAY,
        lambda: player.step(1),
        "Right",
        ".",
        picture="step_forward",
    )
    add("ten_back", QT_TRANSLATE_NOOP("Actions", "Ten frames back"), PLAY, lambda: player.step(-10), "Ctrl+Left")
    add("ten_on", QT_TRANSLATE_NOOP("Actions", "Ten frames on"), PLAY, lambda: player.step(10), "Ctrl+Right")
    add("second_back", QT_TRANSLATE_NOOP("Actions", "One second back"), PLAY, lambda: playback.jump(-1), "Shift+Left")
    add("second_on", QT_TRANSLATE_NOOP("Actions", "One second on"), PLAY, lambda: playback.jump(1), "Shift+Right")
    add("first", QT_TRANSLATE_NOOP("Actions", "To the beginning"), PLAY, lambda: player.seek(document.start), "Home")
    add("last", QT_TRANSLATE_NOOP("Actions", "To the end"), PLAY, lambda: player.seek(playback.end), "End")
    add("range_in", QT_TRANSLATE_NOOP("Actions", "Range begins here"), PLAY, playback.begin_range, "I")
    add("range_out", QT_TRANSLATE_NOOP("Actions", "Range ends here"), PLAY, playback.end_range, "O")
    add(
        "range_none",
        QT_TRANSLATE_NOOP("Actions", "No range"),
        PLAY,
        lambda: document.set_range(None, None),
        "Shift+X",
        is_available=lambda: is_shown() and (document.in_point, document.out_point) != (None, None),
    )
    add(
        "loop",
        QT_TRANSLATE_NOOP("Actions", "Repeat the range, or two seconds here"),
        PLAY,
        playback.set_loop,
        "Ctrl+L",
        picture="loop",
        is_checked=False,
    )
    add(
        "marker",
        QT_TRANSLATE_NOOP("Actions", "Mark this moment"),
        PLAY,
        lambda: document.add_marker(round(player.position, 3)),
        "M",
        picture="marker",
    )
    add("marker_before", QT_TRANSLATE_NOOP("Actions", "Mark before"), PLAY, lambda: playback.to_marker(-1), "<")
    add("marker_after", QT_TRANSLATE_NOOP("Actions", "Mark after"), PLAY, lambda: playback.to_marker(1), ">")
    add(
        "mute",
        QT_TRANSLATE_NOOP("Actions", "Sound on or off"),
        PLAY,
        playback.mute,
        "Ctrl+Shift+M",
        picture="speaker",
    )
    add(
        "compare",
        QT_TRANSLATE_NOOP("Actions", "Play without the correction"),
        PLAY,
        playback.set_compare,
        "C",
        picture="compare",
        is_checked=False,
    )
    add(
        "blind_test",
        QT_TRANSLATE_NOOP("Actions", "Blind test: which one looks right?"),
        PLAY,
        commands.dialogs.open_blind_test,
        "B",
        picture="blind",
        is_available=lambda: is_shown() and document.correction != NOTHING,
    )

    add(
        "anchor",
        QT_TRANSLATE_NOOP("Actions", "Drop an anchor here"),
        SYNC,
        playback.drop_anchor,
        "A",
        picture="anchor",
        is_available=lambda: is_shown() and document.sound_info is not None and document.sound_info.audio is not None,
    )
    add("anchor_before", QT_TRANSLATE_NOOP("Actions", "Anchor before"), SYNC, lambda: playback.to_anchor(-1), "[")
    add("anchor_after", QT_TRANSLATE_NOOP("Actions", "Anchor after"), SYNC, lambda: playback.to_anchor(1), "]")
    add(
        "anchor_loop",
        QT_TRANSLATE_NOOP("Actions", "Repeat two seconds around the anchor"),
        PLAY,
        playback.play_anchor,
        "Shift+L",
        picture="loop",
        is_available=lambda: is_shown() and bool(document.anchors.points),
    )
    for between, text in (
        (Between.LINE, QT_TRANSLATE_NOOP("Actions", "A line through two anchors (drift)")),
        (Between.STEPS, QT_TRANSLATE_NOOP("Actions", "A step at each anchor (jumps)")),
    ):
        add(f"anchors_{between}", text, SYNC, partial(document.join_anchors, between))
    add(
        "anchors_none",
        QT_TRANSLATE_NOOP("Actions", "Remove all anchors"),
        SYNC,
        document.remove_anchors,
        "Shift+A",
        is_available=lambda: is_shown() and bool(document.anchors.points),
    )
    add(
        "delete",
        QT_TRANSLATE_NOOP("Actions", "Remove the selected anchor or marker"),
        EDIT,
        timeline.delete_selected,
        "Del",
        is_available=lambda: is_shown() and timeline.has_selected,
    )

    add("zoom_in", QT_TRANSLATE_NOOP("Actions", "Closer"), VIEW, timeline.zoom_in, "+", "=", "Ctrl++", "Ctrl+=")
    add("zoom_out", QT_TRANSLATE_NOOP("Actions", "Farther"), VIEW, timeline.zoom_out, "-", "Ctrl+-")
    add("fit", QT_TRANSLATE_NOOP("Actions", "The whole clip"), VIEW, timeline.fit, "0")
    add("zoom_here", QT_TRANSLATE_NOOP("Actions", "Two seconds here, or the whole"), VIEW, timeline.toggle_zoom, "Z")
    add(
        "snapping",
        QT_TRANSLATE_NOOP("Actions", "Snap while dragging"),
        VIEW,
        partial(studio.settings.__setitem__, "snapping"),
        "S",
        is_checked=studio.settings["snapping"],
        is_available=lambda: True,
    )
    add(
        "spectrogram",
        QT_TRANSLATE_NOOP("Actions", "Sound as a spectrogram"),
        VIEW,
        partial(studio.settings.__setitem__, "spectrogram"),
        "W",
        is_checked=studio.settings["spectrogram"],
        is_available=lambda: True,
    )
    add(
        "loupe",
        QT_TRANSLATE_NOOP("Actions", "Look closely at the mouth"),
        VIEW,
        preview.set_loupe,
        "G",
        picture="loupe",
        is_checked=False,
    )
    add(
        "split",
        QT_TRANSLATE_NOOP("Actions", "Before and after side by side"),
        VIEW,
        preview.set_split,
        "V",
        picture="split",
        is_checked=False,
    )
    add(
        "landmarks",
        QT_TRANSLATE_NOOP("Actions", "Show the mouth's outline"),
        VIEW,
        preview.set_landmarks,
        "H",
        picture="mouth",
        is_checked=False,
    )
    for number, (name, text) in enumerate(
        (
            ("sync", QT_TRANSLATE_NOOP("Actions", "Page: sync")),
            ("doctor", QT_TRANSLATE_NOOP("Actions", "Page: doctor")),
            ("export", QT_TRANSLATE_NOOP("Actions", "Page: export")),
            ("history", QT_TRANSLATE_NOOP("Actions", "Page: history")),
        ),
        start=1,
    ):
        add(
            f"page_{name}",
            text,
            VIEW,
            lambda name=name: commands.show_page(name),
            f"Ctrl+{number}",
            is_available=lambda: document.path is not None,
        )


def _nudge(studio: Studio, by: float, in_frames: bool) -> Callable[[], None]:
    return lambda: studio.nudge(by * studio.frame_ms() if in_frames else by)
