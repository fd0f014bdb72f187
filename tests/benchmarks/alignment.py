"""Aligning two recorders: accuracy by condition, wrong recordings, and the speed of an hour against an hour.

Run ``python -m tests.benchmarks alignment``. The event is made by code; each recording has a room, a microphone, noise,
a level and a clock of its own. The baseline of the speed is ffmpeg decoding both files, one after the other, in the
same run.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from itertools import combinations
from pathlib import Path
from time import perf_counter

import numpy as np
import soundfile
import soxr
from imageio_ffmpeg import get_ffmpeg_exe
from scipy import signal

from engine.jobs import run
from engine.media.probe import probe
from engine.sync.alignment import Alignment, align
from tests.benchmarks.table import show
from tests.engine.sync.test_alignment import RATE, event, microphone, write

TRIALS = 8
WRONG = 16
HOUR_MINUTES = 60
DRIFT_PPM = 145.0
LATE_SECONDS = 754.25

CONDITIONS = {
    "clean": {},
    "white noise 5 dB": {"snr_db": 5.0},
    "white noise -5 dB": {"snr_db": -5.0},
    "reverb 0.6 s": {"reverb": 0.6},
    "reverb 0.6 s, noise 5 dB": {"reverb": 0.6, "snr_db": 5.0},
    "reverb 0.8 s, far (-8 dB direct), noise 0 dB": {"reverb": 0.8, "direct_db": -8.0, "snr_db": 0.0},
    "clipped": {"clip": 1.0},
}


def main() -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as folder:
        _accuracy(Path(folder))
        _wrong(Path(folder))
        _hour(Path(folder))


def _accuracy(folder: Path) -> None:
    random = np.random.default_rng(0)
    whole = event(240)
    rows = []
    for name, how in CONDITIONS.items():
        for seconds in (10, 45):
            errors, covered = [], 0
            for trial in range(TRIALS):
                begin = int(random.integers(0, len(whole) - seconds * RATE))
                camera = write(folder / "camera.wav", microphone(whole, 2 * trial, reverb=0.3, direct_db=3.0))
                part = microphone(whole[begin : begin + seconds * RATE], 2 * trial + 1, **how)
                result = run(align(camera, write(folder / "recorder.wav", part)))
                if isinstance(result, Alignment):
                    errors.append(abs(result.offset_ms + begin / RATE * 1000))
                    covered += errors[-1] <= result.uncertainty_ms
            largest = f"{np.median(errors):.3f} / {max(errors):.3f} ms" if errors else "-"
            rows.append((name, f"{seconds} s", f"{len(errors)} of {TRIALS}", largest, f"{covered} of {len(errors)}"))
    header = ("other recording", "length", "found", "error: median / largest", "within its own uncertainty")
    show("A recording in four minutes of another", header, rows)


def _wrong(folder: Path) -> None:
    recordings = [
        write(folder / f"{index}.wav", microphone(event(20 + 5 * index, 100 + index), index, snr_db=20.0, reverb=0.3))
        for index in range(WRONG)
    ]
    pairs = list(combinations(recordings, 2))
    accepted = sum(isinstance(run(align(*pair)), Alignment) for pair in pairs)
    show("Recordings of different events", ("pairs", "taken for the same"), [(str(len(pairs)), str(accepted))])


def _hour(folder: Path) -> None:
    whole = event(HOUR_MINUTES * 60, 5)
    camera, recorder = folder / "camera.m4a", folder / "recorder.mp3"
    lead = np.random.default_rng(1).normal(0, 1e-3, round(LATE_SECONDS * RATE)).astype(np.float32)
    slow = soxr.resample(np.concatenate([lead, whole[: -len(lead)]]), 1.0, 1 + DRIFT_PPM / 1e6).astype(np.float32)
    _encode(folder, camera, microphone(whole, 1, reverb=0.5, snr_db=15.0), "aac")
    _encode(folder, recorder, microphone(slow, 2, snr_db=15.0), "libmp3lame")

    begin = perf_counter()
    for path in (camera, recorder):
        command = [get_ffmpeg_exe(), "-v", "error", "-i", path, "-ac", "1", "-ar", "16000", "-f", "null", "-"]
        subprocess.run(command, check=True)
    decoding = perf_counter() - begin
    begin = perf_counter()
    peak = _run_apart(camera, recorder)
    took = perf_counter() - begin
    rows = [
        ("ffmpeg decodes both", f"{decoding:.1f} s", "1.0", "", "", ""),
        ("align", f"{took:.1f} s", f"{took / decoding:.1f}", *peak),
    ]
    header = ("an hour of AAC and an hour of MP3", "time", "times ffmpeg", "drift error", "offset error", "peak memory")
    show("Speed", header, rows)


def _encode(folder: Path, path: Path, sound: np.ndarray, codec: str) -> None:
    """Write stereo sound at 48 kHz, as cameras and recorders do."""
    raw = folder / "raw.wav"
    with soundfile.SoundFile(raw, "w", 48_000, 2, "PCM_16", format="RF64") as file:
        for begin in range(0, len(sound), 600 * RATE):
            fine = signal.resample_poly(sound[begin : begin + 600 * RATE], 3, 1)
            file.write(np.clip(np.column_stack([fine, fine]), -1, 1))
    command = [get_ffmpeg_exe(), "-v", "error", "-y", "-i", raw, "-c:a", codec, "-b:a", "128k", path]
    subprocess.run(command, check=True)
    raw.unlink()


_APART = """
import json, sys
from pathlib import Path
from engine.jobs import run
from engine.sync.alignment import align
result = run(align(Path(sys.argv[1]), Path(sys.argv[2])))
# Not getrusage: its peak counts the parent's memory at the fork.
status = Path("/proc/self/status")
lines = status.read_text().splitlines() if status.exists() else []
peak = next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0)
print(json.dumps([result.drift_ppm, result.offset_ms, sum(result.overlap) / 2, peak]))
"""


def _run_apart(camera: Path, recorder: Path) -> tuple[str, str, str]:
    """Align in a process of its own, so that its memory is its own; return the last three columns."""
    done = subprocess.run([sys.executable, "-c", _APART, camera, recorder], capture_output=True, check=True)
    drift, offset_ms, middle, peak = json.loads(done.stdout)
    # Each file's clock begins where its format says, which for MP3 is not zero.
    starts = [float(stream.start) for path in (camera, recorder) if (stream := probe(path).audio) is not None]
    rate = DRIFT_PPM / 1e6
    truth = (starts[1] + (middle - starts[0] + LATE_SECONDS) * (1 + rate) - middle) * 1000
    return f"{abs(drift - DRIFT_PPM):.3f} ppm", f"{abs(offset_ms - truth):.2f} ms", f"{peak:.0f} MB"
