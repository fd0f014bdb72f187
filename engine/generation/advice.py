"""Advice from telemetry: rules are data in ``resources/generation/advice.toml``, sentences are in the catalogues."""

from __future__ import annotations

import math
import statistics
import tomllib
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from importlib.resources import files
from typing import Any

from engine.generation.telemetry_log import Log
from engine.words import Message


def measures(log: Log, ram_bytes: int = 0) -> dict[str, float]:
    """Return everything that rules may speak about.

    Args:
        log: what was written down.
        ram_bytes: main memory of the machine, 0 if unknown.

    Returns:
        The numbers of :class:`~engine.generation.report.Statistics`, and shares: ``least_utilisation`` and
        ``greatest_utilisation`` (the busiest and the idlest card, by their medians; only with several cards),
        ``peak_vram_share`` (of the fullest card), ``peak_ram_share``, ``growth_share`` (growth of the time per picture
        against its median). ``audio_load_seconds`` is without limit where the log does not say it.
    """
    found = {name: float(value) for name, value in asdict(log.statistics()).items() if value is not None}
    found["audio_load_seconds"] = max(log.audio_load_seconds, default=math.inf)
    if found["median_ms"] > 0:
        found["growth_share"] = found["growth_ms"] / found["median_ms"]
    cards = [statistics.median(values) for values in log.utilisation.values() if values]
    if len(cards) > 1:
        found |= {"least_utilisation": min(cards), "greatest_utilisation": max(cards)}
    shares = [used / total for card in log.vram.values() for used, total in card if total > 0]
    if shares:
        found["peak_vram_share"] = max(shares)
    if ram_bytes > 0:
        found["peak_ram_share"] = found["peak_ram_bytes"] / ram_bytes
    return found


def advice(found: Mapping[str, float]) -> tuple[Message, ...]:
    """Return the sentences of all rules that apply to :func:`measures`, with the numbers they speak about."""
    said = []
    for name, conditions in rules().items():
        if all(measure in found and _holds(found[measure], limits) for measure, limits in conditions.items()):
            values = {measure: _shown(measure, found[measure]) for measure in conditions}
            said.append(Message(f"generation.advice.{name}", **values))
    return tuple(said)


@cache
def rules() -> dict[str, dict[str, dict[str, float]]]:
    """Return the rules: name, then measure, then ``above`` and ``below``; the window draws them as thresholds."""
    text = files("resources").joinpath("generation", "advice.toml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = tomllib.loads(text)
    return loaded


def _holds(value: float, limits: Mapping[str, float]) -> bool:
    return limits.get("above", float("-inf")) < value <= limits.get("below", float("inf"))


def _shown(measure: str, value: float) -> float:
    """Return shares as percent."""
    return 100 * value if measure.endswith(("_share", "_utilisation")) else value
