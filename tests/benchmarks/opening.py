"""How fast the window is there, and how fast a long clip is in it: ``python -m tests.benchmarks.opening``."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import av

from tests.benchmarks.table import machine
from tests.media import make_clip

_STARTS = 7
_DROPS = 9
_HOURS_2, _HOURS_3 = 7200.0, 10_800.0
_PLAYED_SECONDS = 60
_LOOP_SECONDS = 20.0

_BASELINE = """
import time, os
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMainWindow
app = QApplication([])
window = QMainWindow()
window.show()
QTimer.singleShot(0, lambda: (print(time.time() - float(os.environ["BEGAN"]), time.process_time()), app.quit()))
app.exec()
"""
_START = """
import sys, time, os
from PySide6.QtCore import QEvent, QObject, QTimer
from desktop_app.application import Program, make_application
class Eye(QObject):
    def eventFilter(self, watched, event):
        if event.type() is QEvent.Type.Paint:
            QTimer.singleShot(0, self.seen)
        return False
    def seen(self):
        print(time.time() - float(os.environ["BEGAN"]), time.process_time(), flush=True)
        os._exit(0)
app = make_application()
program = Program(app)
eye = Eye()
program.window.start_page.installEventFilter(eye)
program.open([])
app.exec()
"""
_WINDOW = """
import os, resource, sys, time
from pathlib import Path
from PySide6.QtCore import QEventLoop, QTimer
from desktop_app.application import Program, make_application
import desktop_app.player.loudspeaker
desktop_app.player.loudspeaker.find_device = lambda: None
app = make_application()
program = Program(app)
program.settings["measure_on_open"] = False
program.open([])
beat = QTimer()
beat.start(40)  # wakes those who wait: with a limit of time Qt would not wait but turn in circles
def wait(seconds, done=lambda: False):
    end = time.monotonic() + seconds
    while time.monotonic() < end and not done():
        app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
wait(3)
window = program.window
"""
_OPEN = """
seen = {}
began, worked = time.monotonic(), time.process_time()
def note(name):
    seen.setdefault(name, (time.monotonic() - began, time.process_time() - worked))
window.player.frame_ready.connect(lambda *_: (window.preview.repaint(), note("frame")))
window._feeder._peaks.grown.connect(lambda *_: (window.timeline.repaint(), note("waveform")))
window.open_paths([Path(sys.argv[1])])
wait(60, lambda: len(seen) == 2)
print(*seen["frame"], *seen["waveform"], flush=True)
os._exit(0)
"""
_PLAY = """
def memory():
    with open("/proc/self/status") as status:
        numbers = dict(line.split(":", 1) for line in status)
    return int(numbers["VmRSS"].split()[0]) / 1000
def highest():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
empty = memory()
shown, read = [], []
window.player.frame_ready.connect(lambda *_: shown.append(1))
window._feeder._peaks.finished.connect(lambda *_: read.append(1))
window.open_paths([Path(sys.argv[1])])
wait(300, lambda: shown and read)
wait(3)
opened = memory()
for place in range(20):
    window.player.seek(window.studio.document.duration * place / 20)
    wait(0.25)
for _ in range(40):
    window.player.step(-1)
    wait(0.04)
stepped = highest()
shown.clear()
window.player.play()
playing = []
for _ in range(int(sys.argv[2])):
    wait(1)
    playing.append(memory())
pictures = len(shown)
window.player.pause()
wait(2)
print(empty, opened, stepped, max(playing), pictures, memory(), highest(), flush=True)
os._exit(0)
"""


def long_clip(folder: Path, seconds: float, size: tuple[int, int]) -> Path:
    """Make a long clip in H.264 and AAC by repeating the packets of twenty seconds."""
    options = {"preset": "fast"}
    piece = make_clip(
        folder / f"piece {size[1]}p.mp4", seconds=_LOOP_SECONDS, size=size, gop=250, noise=0.02, codec_options=options
    ).path
    target = folder / f"{seconds / 3600:g} hours of {size[1]}p.mp4"
    with av.open(str(piece)) as source, av.open(str(target), "w") as sink:
        streams = {stream.index: sink.add_stream_from_template(stream) for stream in source.streams}
        packets = [packet for packet in source.demux() if packet.dts is not None]
        stamps = [(packet.pts, packet.dts, packet.time_base) for packet in packets]
        numbers = [packet.stream.index for packet in packets]
        # Each stream goes on where its own last packet ends: 20 s are no whole number of AAC frames.
        laps = dict.fromkeys(streams, 0)
        for packet in packets:
            laps[packet.stream.index] += packet.duration
        for lap in range(round(seconds / _LOOP_SECONDS)):
            for packet, number, (pts, dts, base) in zip(packets, numbers, stamps, strict=True):
                packet.stream, packet.time_base = streams[number], base
                packet.pts, packet.dts = pts + lap * laps[number], dts + lap * laps[number]
                sink.mux(packet)
    return target


def _run(code: str, *arguments: str, home: Path) -> list[float]:
    own = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PLOSIVE_HOME": str(home), "PLOSIVE_CACHE": str(home)}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**own, "BEGAN": str(time.time())},
        capture_output=True,
        text=True,
        check=True,
    )
    return [float(number) for number in done.stdout.split()]


def start(home: Path) -> None:
    """Time from the start of the process to the first painted window."""
    print("From the start of the process to a painted window, warm disk (wanted: < 1.0 s)")
    for name, code in (("an empty Qt window (baseline)", _BASELINE), ("Plosive", _START)):
        _run(code, home=home)
        runs = [_run(code, home=home) for _ in range(_STARTS)]
        passed, worked = sorted(run[0] for run in runs), sorted(run[1] for run in runs)
        print(
            f"  {name:<34} median {passed[_STARTS // 2]:5.2f} s, best {passed[0]:5.2f} s passed;"
            f"  median {worked[_STARTS // 2]:5.2f} s worked"
        )
    print()


def drop(home: Path, clips: dict[str, Path]) -> None:
    """Time from the drop of a clip to its first picture and its first waveform on the screen; the clips take turns."""
    runs: dict[str, list[list[float]]] = {name: [] for name in clips}
    for again in range(_DROPS):
        for name, clip in clips.items():
            runs[name].append(_run(_WINDOW + _OPEN, str(clip), home=home / f"{name}{again}"))
    for name, rows in runs.items():
        picture, picture_work, sound, sound_work = (sorted(1000 * row[column] for row in rows) for column in range(4))
        middle = _DROPS // 2
        print(
            f"  {name:<34} first picture: median {picture[middle]:4.0f} ms, worst {picture[-1]:4.0f} ms passed,"
            f" {picture_work[middle]:4.0f} ms worked;  first waveform: median {sound[middle]:4.0f} ms,"
            f" worst {sound[-1]:4.0f} ms passed, {sound_work[middle]:4.0f} ms worked"
        )


def play(home: Path, clip: Path) -> None:
    """Memory of the window's process while a clip is stepped through and plays, libraries included."""
    empty, opened, stepped, playing, pictures, paused, highest = _run(
        _WINDOW + _PLAY, str(clip), str(_PLAYED_SECONDS), home=home
    )
    print(f"  empty window (baseline) {empty:4.0f} MB; clip open, its whole waveform read {opened:4.0f} MB")
    print(f"  after 20 seeks and 40 steps back, at most {stepped:4.0f} MB")
    print(
        f"  {_PLAYED_SECONDS} s playing ({pictures:.0f} pictures shown), at most {playing:4.0f} MB;"
        f" paused {paused:4.0f} MB"
    )
    print(f"  at most, over all {highest:4.0f} MB")


def main() -> None:
    """Run everything and print it."""
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        start(Path(folder) / "start")
        print("From the drop of a clip to what is painted of it (wanted: <= 300 ms for two hours)")
        clip = long_clip(Path(folder), _HOURS_2, (1280, 720))
        print(f"  {clip.name}: {clip.stat().st_size / 1e6:.0f} MB")
        drop(Path(folder), {"20 s of 720p (baseline)": Path(folder) / "piece 720p.mp4", "2 hours of 720p": clip})
        clip.unlink()
        if sys.platform == "linux":
            print("\nMemory of the window, three hours of 1080p (wanted: < 400 MB)")
            play(Path(folder) / "play", long_clip(Path(folder), _HOURS_3, (1920, 1080)))


if __name__ == "__main__":
    main()
