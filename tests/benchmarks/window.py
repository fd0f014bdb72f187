"""How fast the window's timeline and player are: ``python -m tests.benchmarks.window``.

Times are given twice: as they passed, and as the processor worked (all threads), which other programs disturb less.
"""

from __future__ import annotations

import os
import random
import resource
import tempfile
import time
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import pairwise
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
import pyqtgraph
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication

from desktop_app.document.document import Document
from desktop_app.document.moving import Joined, arrangement
from desktop_app.images import to_image
from desktop_app.player.clock import Moment
from desktop_app.player.output import SilentOutput
from desktop_app.player.player import Player
from desktop_app.player.walker import FrameWalker
from desktop_app.timeline.file_sound import Detail, FileSound
from desktop_app.timeline.spectra import COLUMNS, ROWS, tiles_between
from desktop_app.timeline.view import TimelineView
from engine.jobs import run
from engine.media.export.joining import Cut, Cuts
from engine.media.peaks import BIN_SAMPLES, PeakBlock, build_peaks
from engine.timing import Correction, StepCorrection
from tests.desktop_app.made import measurement, media_info
from tests.media import make_clip

RATE = 48_000
HOURS_3 = 3 * 3600.0
ZOOMS = (HOURS_3, 3600.0, 600.0, 120.0, 30.0, 6.0, 2.0, 0.5, 0.05, 0.01)
REPAINTS = 60
WIDTH, HEIGHT = 1600, 460
KEY_REPEAT = 0.025
"""Seconds left between two steps: a key repeats 30 times per second, and a step takes some of that."""


@dataclass(frozen=True)
class Times:
    """Milliseconds of many runs of one thing, as they passed and as the processor worked."""

    passed: np.ndarray
    worked: np.ndarray

    def row(self, name: str, share: float) -> str:
        """Return a line of the table with the median and the wanted quantile."""
        label = f"p{round(100 * share)}"
        parts = [
            f"median {np.median(values):6.2f}  {label} {np.quantile(values, share):7.2f} ms {kind}"
            for kind, values in (("passed", self.passed), ("worked", self.worked))
        ]
        return f"  {name:<46}{parts[0]}   {parts[1]}"


def measured(tasks: Iterator[Callable[[], object]]) -> Times:
    """Time each task; whatever the iterator does between them is not counted."""
    passed, worked = [], []
    for task in tasks:
        begin, busy = time.perf_counter(), time.process_time()
        task()
        passed.append((time.perf_counter() - begin) * 1000)
        worked.append((time.process_time() - busy) * 1000)
    return Times(np.array(passed), np.array(worked))


def long_sound() -> FileSound:
    """Return three hours of sound as it is after reading: its pyramid."""
    chance = np.random.default_rng(0)
    sound = FileSound(HOURS_3)
    bins = int(HOURS_3 * RATE / BIN_SAMPLES)
    loudness = (20_000 * np.abs(np.sin(np.arange(bins) / 200)) * chance.uniform(0.3, 1, bins)).astype(np.int16)
    sound.add(PeakBlock(0, np.stack([-loudness, loudness], axis=1), Fraction(0), RATE))
    return sound


def detail_around(middle: float, length: float) -> Detail:
    """Return samples around a moment, as the feeder would have fetched them."""
    start = middle - 1.5 * length
    time_axis = np.arange(round(3 * length * RATE), dtype=np.float32) / RATE
    values = (0.7 * np.sin(1131 * time_axis) * np.sin(11 * time_axis)).astype(np.float32)
    return Detail(start, values, values, values)


def chance_shades() -> np.ndarray:
    """Return a tile of noise."""
    return np.random.default_rng(2).integers(0, 256, (ROWS, COLUMNS), np.uint8)


def timeline() -> tuple[TimelineView, Document, FileSound]:
    """Return a timeline with everything in it, for a clip of three hours."""
    document = Document()
    view = TimelineView(document)
    view.resize(WIDTH, HEIGHT)
    grey = QImage(128, 72, QImage.Format.Format_RGB32)
    grey.fill(QColor("#6080a0"))

    def give(times: list[float]) -> None:
        for seconds in times:
            view.add_thumbnail(seconds, grey)

    view.thumbnails_wanted.connect(give)
    document.set_media(media_info(HOURS_3))
    sound = long_sound()
    view.set_sound(sound)
    document.set_measurement(measurement(HOURS_3))
    view.show()
    QApplication.processEvents()
    return view, document, sound


def repaint_every_zoom() -> None:
    """Pan through three hours at every zoom."""
    print(f"Timeline of a 3-hour clip at 48 kHz, {WIDTH} x {HEIGHT}, all lanes, panning (wanted: p99 <= 8 ms)")
    view, document, sound = timeline()
    chance = random.Random(1)
    viewport = view._canvas.viewport()

    def pans(length: float, middle: float) -> Iterator[Callable[[], object]]:
        for _ in range(REPAINTS):
            start = middle - length / 2 + chance.uniform(-0.4, 0.4) * length
            if length == HOURS_3:
                start = chance.uniform(-10, 10)

            def pan(start: float = start) -> None:
                view.set_span(start, start + length)
                viewport.repaint()

            yield pan

    worst = []
    for length in ZOOMS:
        if length * RATE / WIDTH < BIN_SAMPLES:
            sound.set_detail(detail_around(5000.0, length))
        for pan in pans(length, 5000.0):
            pan()
        times = measured(pans(length, 5000.0))
        worst.append(np.quantile(times.worked, 0.99))
        print(times.row(f"{length:g} s across", 0.99))
    print(f"  worst p99 over all zooms: {max(worst):.2f} ms worked\n")

    print("Dragging the sound lane, 2 s across (wanted: <= 8 ms)")
    sound.set_detail(detail_around(5000.0, 2.0))
    view.set_span(4999.0, 5001.0)
    viewport.repaint()

    def drags() -> Iterator[Callable[[], object]]:
        for number in range(3 * REPAINTS):

            def drag(number: int = number) -> None:
                document.correct(Correction(-0.5 * number), "dragged", "drag")
                viewport.repaint()

            yield drag

    print(measured(drags()).row("correction and repaint", 0.99))

    # One step per minute, joined half a second off; one of them lies on the screen and is being dragged.
    steps = [(Fraction(60 * number + 20), 40.0 * (number % 2)) for number in range(180)]
    known = arrangement(StepCorrection(tuple(steps)))
    assert known is not None
    cuts = [
        Cut(time + Fraction(1, 2), time + Fraction(1, 2), Fraction(after - before) / 1000)
        for (_, before), (time, after) in pairwise(known.steps)
    ]
    view.set_joined(Joined(known, Cuts(Fraction(0), tuple(cuts))))

    def pulls() -> Iterator[Callable[[], object]]:
        for number in range(3 * REPAINTS):

            def pull(number: int = number) -> None:
                pulled = [*steps[:83], (steps[83][0], 40.0 - 0.5 * number), *steps[84:]]
                document.correct(StepCorrection(tuple(pulled)), "pulled", "pull")
                viewport.repaint()

            yield pull

    print(measured(pulls()).row("one of 179 steps, and repaint", 0.99))
    document.correct(Correction(0.0), "removed")

    def plays() -> Iterator[Callable[[], object]]:
        for number in range(3 * REPAINTS):

            def move(number: int = number) -> None:
                view.set_playhead(4999.2 + 0.008 * number)
                QApplication.processEvents()

            yield move

    print(measured(plays()).row("playhead while playing", 0.99) + "\n")

    print("The same sound as a spectrogram, panning (wanted: p99 <= 8 ms)")
    view.set_spectrogram(True)
    shades = chance_shades()
    for length in (HOURS_3, 600.0, 30.0, 6.0, 0.5):
        view.set_span(5000.0 - 1.5 * length, 5000.0 + 1.5 * length)
        for tile in tiles_between(5000.0 - length, 5000.0 + length, WIDTH / length):
            view.add_tile(tile, shades, is_whole=True)
        for pan in pans(length, 5000.0):
            pan()
        print(measured(pans(length, 5000.0)).row(f"{length:g} s across", 0.99))
    print()
    view.close()


def baseline_repaint() -> None:
    """The same sound in pyqtgraph's own curve with its own down-sampling; ten minutes of it, not three hours."""
    print("Baseline: pyqtgraph PlotDataItem (autoDownsample, peak, clipToView), 600 s at 48 kHz")
    widget = pyqtgraph.PlotWidget()
    widget.resize(WIDTH, 140)
    values = np.random.default_rng(0).normal(size=600 * RATE).astype(np.float32)
    curve = widget.plot(np.arange(len(values)) / RATE, values)
    curve.setDownsampling(auto=True, method="peak")
    curve.setClipToView(True)
    widget.show()
    for length in (600.0, 120.0, 30.0, 2.0):

        def pans(length: float = length) -> Iterator[Callable[[], object]]:
            for number in range(8):

                def pan(number: int = number) -> None:
                    widget.setXRange(number * 0.01, number * 0.01 + length, padding=0)
                    widget.viewport().repaint()

                yield pan

        print(measured(pans()).row(f"{length:g} s across", 0.99))
    widget.close()
    print()


def steps_back(walker: FrameWalker, count: int) -> Iterator[Callable[[], object]]:
    """Yield steps back; between them the thread has the time that a keyboard leaves between two repeated keys."""
    for _ in range(count):
        yield lambda: to_image(walker.step(-1)[1])
        free = time.process_time() + KEY_REPEAT
        while time.process_time() < free and walker.look_back():
            pass


def steps_and_seeks(folder: Path) -> None:
    """Frame steps and random seeks in H.264 with ten seconds between key frames."""
    print("Pictures, H.264 with a key frame every 10 s (wanted: step p95 <= 25 ms at 1080p, seek p95 <= 150 ms)")
    for size in ((1920, 1080), (1280, 720)):
        made = make_clip(
            folder / f"{size[1]}.mp4",
            seconds=30,
            size=size,
            gop=250,
            noise=0.01,
            codec_options={"preset": "veryfast"},
        )
        chance = random.Random(2)
        with FrameWalker(made.path, 720) as walker:

            def step(count: int, walker: FrameWalker = walker) -> None:
                to_image(walker.step(count)[1])

            def seek(seconds: float, walker: FrameWalker = walker) -> None:
                to_image(walker.at(seconds)[1])

            seek(14.0)
            print(measured(partial(step, 1) for _ in range(100)).row(f"{size[1]}p next frame", 0.95))
            back = measured(steps_back(walker, 200))
            print(back.row(f"{size[1]}p previous frame, key held", 0.95))
            print(f"    slowest of {len(back.worked)}: {back.worked.max():.2f} ms worked")
            places = [chance.uniform(0, 30) for _ in range(40)]
            print(measured(partial(seek, place) for place in places).row(f"{size[1]}p random seek", 0.95))
    print()


class Clock:
    """A clock that is turned by hand."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def play_a_minute(folder: Path) -> None:
    """Sixty seconds on a virtual clock: how far each picture is from the sound when it comes up."""
    print("Player, 60 s on a virtual clock (wanted: 99 % of pictures within half a frame, no growth)")
    for rate in (Fraction(25), Fraction(60_000, 1001)):
        made = make_clip(folder / f"play{float(rate):.0f}.mp4", seconds=61, rate=rate, size=(320, 180), gop=250)
        chance = random.Random(4)
        clock, document = Clock(), Document()
        player = Player(document, now=clock, output=SilentOutput(clock))
        document.open(made.path)
        player._timer.setInterval(1_000_000)
        strays: list[float] = []

        def remember(_: QImage, seconds: float, player: Player = player, strays: list[float] = strays) -> None:
            strays.append(seconds - player.position)

        player.frame_ready.connect(remember)
        player.play()
        strays.clear()
        while clock.seconds < 60 and player.is_playing:
            # A timer of 8 ms comes early and late.
            clock.seconds += chance.uniform(0.006, 0.010)
            heard = player._output().moment()
            now = Moment(0, player.position if heard is None else player.picture_of(heard.seconds))
            player._film.wait_for(now, 0.01, 30)
            player.tick()
        player.close()
        stray = np.array(strays[1:]) * 1000
        half = float(500 / rate)
        first, last = np.abs(stray[: len(stray) // 4]).mean(), np.abs(stray[-len(stray) // 4 :]).mean()
        print(
            f"  {float(rate):6.3f} fps: {len(stray)} of {round(60 * rate)} pictures shown, "
            f"|picture - clock| mean {np.abs(stray).mean():.2f} ms, max {np.abs(stray).max():.2f} ms, "
            f"within half a frame ({half:.1f} ms): {100 * np.mean(np.abs(stray) <= half):.2f} %, "
            f"first quarter {first:.2f} ms, last quarter {last:.2f} ms"
        )
    print()


def build_pyramid(folder: Path) -> None:
    """The pyramid of twenty minutes, from a file."""
    print("Pyramid of 20 min of 48 kHz PCM (wanted: >= 500x real time)")
    file, seconds = folder / "long.wav", 1200
    noise = np.random.default_rng(0).integers(-20_000, 20_000, RATE, dtype=np.int16).tobytes()
    with wave.open(str(file), "wb") as target:
        target.setnchannels(1)
        target.setsampwidth(2)
        target.setframerate(RATE)
        for _ in range(seconds):
            target.writeframesraw(noise)
    os.environ["PLOSIVE_CACHE"] = str(folder / "cache")
    begin, busy = time.perf_counter(), time.process_time()
    run(build_peaks(file))
    passed, worked = time.perf_counter() - begin, time.process_time() - busy
    print(f"  {seconds / passed:.0f}x real time passed, {seconds / worked:.0f}x worked")


def main() -> None:
    """Run everything and print it."""
    application = QApplication.instance() or QApplication([])
    repaint_every_zoom()
    print(f"  memory after the 3-hour clip: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB\n")
    with tempfile.TemporaryDirectory() as name:
        steps_and_seeks(Path(name))
        play_a_minute(Path(name))
        build_pyramid(Path(name))
    baseline_repaint()
    application.processEvents()


if __name__ == "__main__":
    main()
