"""Reads telemetry back: our own JSON lines, or whatever a run of a streaming avatar model printed."""

from __future__ import annotations

import json
import math
import re
import statistics
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.generation.report import Statistics
from engine.refusal import Refused

_MOST_LINES = 5_000_000
_TIMED = re.compile(
    r"(?P<name>audio_load_time|feature_extract_time|frame_gen_time|encode_time)\W{0,4}\s*"
    r"(?P<value>\d+(?:\.\d+)?(?:e[-+]?\d+)?)\s*(?P<unit>ms|milliseconds?|us|s|secs?|seconds?)?\b",
    re.IGNORECASE,
)
_MEMORY = re.compile(
    r"(?:gpu|cuda|device)\s*[:#]?\s*(?P<card>\d+).{0,40}?(?P<used>\d+(?:\.\d+)?)\s*(?P<unit>[GM]i?B)?\s*/\s*"
    r"(?P<total>\d+(?:\.\d+)?)\s*(?P<of>[GM]i?B)",
    re.IGNORECASE,
)
_BUSY = re.compile(r"(?:gpu|cuda|device)\s*[:#]?\s*(?P<card>\d+).{0,60}?(?P<percent>\d+(?:\.\d+)?)\s*%", re.IGNORECASE)
_MILLI = {"ms": 1.0, "us": 0.001}
_BYTES = {"g": 2**30, "m": 2**20}
_TAIL_SHARE = 10


@dataclass(slots=True)
class Log:
    """What a log says.

    Attributes:
        frame_ms: time per picture, in order.
        encode_ms: the encoder's, in order.
        audio_load_ms: reading the voice, per second of voice where the log says how long that is.
        audio_load_seconds: all of that time, where the log says how long the voice is.
        feature_ms: getting features, likewise.
        ram_bytes: main memory, over time.
        vram: per card: used and all memory in bytes, over time.
        utilisation: per card: 0 to 1, over time.
        untouched: pictures that were left as they are, by segment; one that was drawn again counts once.
    """

    frame_ms: list[float] = field(default_factory=list)
    encode_ms: list[float] = field(default_factory=list)
    audio_load_ms: list[float] = field(default_factory=list)
    audio_load_seconds: list[float] = field(default_factory=list)
    feature_ms: list[float] = field(default_factory=list)
    ram_bytes: list[int] = field(default_factory=list)
    vram: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    utilisation: dict[str, list[float]] = field(default_factory=dict)
    untouched: dict[int, int] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was understood."""
        return not (self.frame_ms or self.audio_load_ms or self.feature_ms or self.vram or self.utilisation)

    def statistics(self) -> Statistics:
        """Return the times and memory in short."""
        frames = self.frame_ms
        later = frames[1:] or frames
        tenth = max(1, len(later) // _TAIL_SHARE)
        head, tail = later[:tenth], later[-tenth:]
        ordered = sorted(frames)
        return Statistics(
            frames=len(frames),
            first_ms=frames[0] if frames else 0.0,
            last_ms=statistics.median(tail) if tail else 0.0,
            median_ms=statistics.median(frames) if frames else 0.0,
            p95_ms=ordered[math.ceil(0.95 * len(ordered)) - 1] if ordered else 0.0,
            growth_ms=statistics.median(tail) - statistics.median(head) if tail else 0.0,
            encode_ms=statistics.median(self.encode_ms) if self.encode_ms else 0.0,
            audio_load_ms=statistics.median(self.audio_load_ms) if self.audio_load_ms else 0.0,
            feature_extract_ms=statistics.median(self.feature_ms) if self.feature_ms else None,
            feature_swing_ms=max(self.feature_ms) - min(self.feature_ms) if self.feature_ms else 0.0,
            peak_ram_bytes=max(self.ram_bytes, default=0),
            peak_vram_bytes=max((used for card in self.vram.values() for used, _ in card), default=0),
        )


def read_log(path: Path) -> Log:
    """Read a log file; lines that say nothing of interest are passed over.

    Args:
        path: JSON lines as :mod:`engine.generation.telemetry` writes them, or text with the names
            ``audio_load_time``, ``feature_extract_time``, ``frame_gen_time`` and their values, and memory and
            utilisation of cards as ``GPU 0: 20.1GB / 24GB 95%``. A value without unit is in milliseconds when it is 10
            or more, else in seconds.

    Raises:
        Refused: ``generation.log_unreadable`` or ``generation.log_empty``.
    """
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            log = parse_log(file)
    except OSError as error:
        raise Refused.because("generation.log_unreadable", path=path, why=error.strerror or str(error)) from error
    if log.is_empty:
        raise Refused.because("generation.log_empty", path=path)
    return log


def parse_log(lines: Iterable[str]) -> Log:
    """Read the lines of a log; see :func:`read_log`."""
    log = Log()
    for line, _ in zip(lines, range(_MOST_LINES), strict=False):
        record = _record(line)
        if record is not None:
            _take_record(log, record)
        else:
            _take_text(log, line)
    return log


def _record(line: str) -> dict[str, Any] | None:
    if not line.lstrip().startswith("{"):
        return None
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) and "event" in value else None


def _take_record(log: Log, record: dict[str, Any]) -> None:
    """Take a line of ours; one that lacks something (written when the power failed) is passed over."""
    try:
        match record["event"]:
            case "frame_gen_time":
                log.frame_ms += [1000 * float(each) for each in record["seconds"]]
                log.encode_ms += [1000 * float(each) for each in record["encode"]]
            case "audio_load_time":
                log.audio_load_ms.append(_per_second(record))
                log.audio_load_seconds.append(float(record["seconds"]))
            case "feature_extract_time":
                log.feature_ms.append(_per_second(record))
            case "untouched":
                log.untouched[int(record["segment"])] = int(record["frames"])
            case "machine":
                log.ram_bytes.append(int(record["ram"]))
                for gpu in record["gpus"]:
                    log.vram.setdefault(gpu["device"], []).append((int(gpu["used"]), int(gpu["total"])))
                    log.utilisation.setdefault(gpu["device"], []).append(float(gpu["utilisation"]))
    except (AttributeError, KeyError, TypeError, ValueError):
        return


def _per_second(record: dict[str, Any]) -> float:
    return 1000 * float(record["seconds"]) / max(1.0, float(record.get("voice_seconds", 1)))


def _take_text(log: Log, line: str) -> None:
    for name, milliseconds in _times(line):
        match name:
            case "frame_gen_time":
                log.frame_ms.append(milliseconds)
            case "encode_time":
                log.encode_ms.append(milliseconds)
            case "audio_load_time":
                log.audio_load_ms.append(milliseconds)
            case "feature_extract_time":
                log.feature_ms.append(milliseconds)
    memory = _MEMORY.search(line)
    if memory:
        of = _BYTES[memory["of"][0].lower()]
        unit = _BYTES[memory["unit"][0].lower()] if memory["unit"] else of
        used, total = float(memory["used"]) * unit, float(memory["total"]) * of
        log.vram.setdefault(f"cuda:{memory['card']}", []).append((int(used), int(total)))
    busy = _BUSY.search(line)
    if busy:
        log.utilisation.setdefault(f"cuda:{busy['card']}", []).append(min(1.0, float(busy["percent"]) / 100))


def _times(line: str) -> Iterator[tuple[str, float]]:
    for found in _TIMED.finditer(line):
        value, unit = float(found["value"]), (found["unit"] or "").lower()
        if not unit:
            factor = 1.0 if value >= 10 else 1000.0
        else:
            factor = next((factor for name, factor in _MILLI.items() if unit.startswith(name[:2])), 1000.0)
            factor = 1.0 if unit.startswith("milli") else factor
        yield found["name"].lower(), value * factor
