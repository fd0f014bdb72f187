"""Speed and memory of the sound room, each figure beside a plain decode of the same file in the same run.

Run ``python -m tests.benchmarks sound``.
"""

from __future__ import annotations

import sys
import tempfile
import wave
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np

from engine.jobs import run
from engine.sound.doctor import diagnose
from engine.sound.features import log_mel
from engine.sound.prepare import prepare
from engine.sound.speech import speech_activity
from tests.benchmarks.table import run_alone, seconds, show
from tests.engine.sound.recordings import convert
from tests.engine.sound.voice import speech

MINUTES = 5
HOURS = 2

_ALONE = """
import sys
from pathlib import Path
from engine.jobs import run
from engine.sound.{module} import {verb}
run({verb}(*map(Path, sys.argv[1:])))
"""


def main() -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _speeds(folder)
        _memory(folder)


def _speeds(folder: Path) -> None:
    stereo, coded = folder / "voice.wav", folder / "voice.m4a"
    _write(stereo, 48_000, 2, MINUTES)
    convert(stereo, coded, "-b:a", "128k")
    mono = speech(60, 16_000).samples
    sound = np.tile(mono, MINUTES)
    length = 60.0 * MINUTES
    rows = []
    for path in (stereo, coded):
        baseline = seconds(lambda path=path: _decode(path))
        works: dict[str, Callable[[], object]] = {
            "plain decode (PyAV)": lambda path=path: _decode(path),
            "prepare": lambda path=path: run(prepare(path, folder / "prepared.wav", overwrite=True)),
            "diagnose": lambda path=path: run(diagnose(path)),
        }
        for label, work in works.items():
            took = seconds(work, 2)
            rows.append((f"{path.suffix[1:]}, 48 kHz stereo", label, f"{length / took:.0f}", f"{took / baseline:.1f}"))
    baseline = seconds(lambda: log_mel(sound))
    for label, work in (("log-mel", lambda: log_mel(sound)), ("speech activity", lambda: speech_activity(sound))):
        took = seconds(work)
        rows.append(("samples, 16 kHz mono", label, f"{length / took:.0f}", f"{took / baseline:.1f}"))
    columns = ("sound", "work", "x real time", "x baseline's time")
    show(f"Sound room, {MINUTES} minutes; baselines: plain decode, log-mel", columns, rows)


def _memory(folder: Path) -> None:
    rows = []
    for minutes in (5, 60 * HOURS):
        source = folder / f"{minutes}.wav"
        _write(source, 16_000, 1, minutes)
        for module, verb, targets in (
            ("prepare", "prepare", [folder / f"{minutes}.out.wav"]),
            ("doctor", "diagnose", []),
        ):
            script = _ALONE.format(module=module, verb=verb)
            took, peak = run_alone([sys.executable, "-c", script, str(source), *map(str, targets)])
            rows.append((f"{minutes} minutes", verb, f"{took:.1f} s", f"{peak:.0f} MB"))
        source.unlink()
    show("Peak memory by length, 16 kHz mono WAV", ("length", "work", "time", "peak memory"), rows)


def _decode(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(frame.samples for frame in container.decode(audio=0))


def _write(path: Path, rate: int, channels: int, minutes: int) -> None:
    """Write a minute of made speech over and over, so that hours take no memory."""
    made = speech(60, rate).samples
    data = np.rint(np.repeat(made[:, None], channels, axis=1) * 32767).astype("<i2").tobytes()
    with wave.open(str(path), "wb") as wav:
        wav.setnchannels(channels)
        wav.setsampwidth(2)
        wav.setframerate(rate)
        for _ in range(minutes):
            wav.writeframes(data)


if __name__ == "__main__":
    main()
