"""What a render writes down about itself: JSON lines in a file, and readings for whoever watches.

Every line has ``t`` (seconds since the render began) and ``event``; the rest depends on the event:

- ``run``: ``engine``, ``frame_count``, ``fps``, ``resumed`` (pictures that were there already)
- ``audio_load_time``: ``seconds``, ``voice_seconds``
- ``feature_extract_time``: ``seconds``, ``voice_seconds``: the engine's getting ready
- ``frame_gen_time``: ``frame`` (pictures finished), ``seconds`` and ``encode`` (lists, one number per picture since the
  last such line)
- ``machine``: ``ram`` (bytes), ``gpus``: ``device``, ``used``, ``total`` (bytes), ``utilisation`` (0 to 1)
- ``untouched``: ``segment``, ``frames``: pictures of a segment that were left as they are
- ``stage``: ``stage``
- ``notice``: ``sentence``
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from engine.generation.events import Notice, Reading
from engine.generation.machine import GpuMonitor, resident_bytes
from engine.words import Message

READING_SECONDS = 0.5
"""How often the machine is looked at, and a reading is given."""
_RECENT = 50


def log_path(target: Path) -> Path:
    """Return where the telemetry of a clip is saved."""
    return target.with_name(f"{target.name}.telemetry.jsonl")


class Telemetry:
    """The log of one run; a file that cannot be written is no reason to end a render.

    Args:
        path: the file; lines are appended.
        clock: seconds, for tests.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._begin = clock()
        self._file: TextIO | None = None
        try:
            self._file = path.open("a", encoding="ascii")
        except OSError:
            self._file = None
        self._monitor = GpuMonitor()
        self._stage = ""
        self._frame = self._frame_count = self._done_here = 0
        self._pending: list[tuple[float, float]] = []
        self._recent: deque[tuple[float, float]] = deque(maxlen=_RECENT)
        self._rendering_since: float | None = None
        self._last_reading = -READING_SECONDS

    @property
    def seconds(self) -> float:
        """Seconds since the run began."""
        return self._clock() - self._begin

    def write(self, event: str, **values: object) -> None:
        """Write one line."""
        if self._file is None:
            return
        try:
            line = {"t": round(self.seconds, 4), "event": event, **values}
            self._file.write(json.dumps(line, allow_nan=False) + "\n")
            self._file.flush()
        except OSError:
            self._file = None

    def run(self, engine: str, frame_count: int, fps: str, resumed: int) -> None:
        """Say what is rendered."""
        self._frame, self._frame_count = resumed, frame_count
        self.write("run", engine=engine, frame_count=frame_count, fps=fps, resumed=resumed)

    def stage(self, name: str) -> None:
        """Say what is done now."""
        if name != self._stage:
            self._stage = name
            self.write("stage", stage=name)

    def notice(self, message: Message, *, is_warning: bool = False) -> Notice:
        """Write a sentence down and return it as an event."""
        self.write("notice", sentence=message.text("en"))
        return Notice(message, is_warning)

    def picture(self, generated: float, encoded: float) -> None:
        """Count a finished picture.

        Args:
            generated: seconds the engine took.
            encoded: seconds the encoder took.
        """
        if self._rendering_since is None:
            self._rendering_since = self.seconds - generated - encoded
        self._frame += 1
        self._done_here += 1
        self._pending.append((generated, encoded))
        self._recent.append((generated, encoded))

    def lost(self, frames: int) -> None:
        """Take back pictures of a segment that has to be rendered again."""
        self._frame -= frames

    def reading(self) -> Reading | None:
        """Return how things are, if the last time is long enough ago, and write it down."""
        now = self.seconds
        if now - self._last_reading < READING_SECONDS:
            return None
        self._last_reading = now
        self.flush()
        ram, gpus = resident_bytes(), self._monitor.readings()
        self.write(
            "machine",
            ram=ram,
            gpus=[
                {"device": gpu.device, "used": gpu.used_bytes, "total": gpu.total_bytes, "utilisation": gpu.utilisation}
                for gpu in gpus
            ],
        )
        count = len(self._recent)
        return Reading(
            seconds=now,
            stage=self._stage,
            frame=self._frame,
            frame_count=self._frame_count,
            frame_gen_ms=1000 * sum(each[0] for each in self._recent) / count if count else None,
            encode_ms=1000 * sum(each[1] for each in self._recent) / count if count else None,
            eta_seconds=self._eta(now),
            ram_bytes=ram,
            gpus=gpus,
        )

    def flush(self) -> None:
        """Write down the pictures that were counted since the last time."""
        if self._pending:
            self.write(
                "frame_gen_time",
                frame=self._frame,
                seconds=[round(each[0], 6) for each in self._pending],
                encode=[round(each[1], 6) for each in self._pending],
            )
            self._pending.clear()

    def close(self) -> None:
        """Close the file."""
        self.flush()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _eta(self, now: float) -> float | None:
        if self._rendering_since is None or not self._done_here:
            return None
        return (now - self._rendering_since) / self._done_here * (self._frame_count - self._frame)
