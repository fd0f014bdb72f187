"""Telemetry is written, read back, and turned into advice; a log of another program's run gives the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.generation.advice import advice, measures, rules
from engine.generation.telemetry import READING_SECONDS, Telemetry
from engine.generation.telemetry_log import Log, parse_log, read_log
from engine.refusal import Refused
from engine.words import LANGUAGES, Message

FOREIGN = """
[2026-01-09 10:00:00] loading checkpoint shards: 100%|#####| 4/4
audio_load_time: 62.5 ms
INFO feature_extract_time=0.180s
INFO feature_extract_time=0.520s
frame_gen_time: 200.0 ms
frame_gen_time: 210 ms
step 12 frame_gen_time = 0.212 s
frame_gen_time: 400 ms
GPU 0: 22.1GB / 24GB  95%
GPU 1: 20100MiB / 24576MiB util 12 %
Traceback (most recent call last): nothing to see here
"""


class Clock:
    """A clock that is told what time it is."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def telemetry(tmp_path: Path, clock: Clock) -> Iterator[Telemetry]:
    made = Telemetry(tmp_path / "log.jsonl", clock)
    yield made
    made.close()


def ramp(telemetry: Telemetry, clock: Clock, count: int) -> None:
    """Render pictures, each a millisecond slower than the one before, the first one 500 ms slower."""
    for number in range(count):
        generated = 0.01 + number / 1000 + 0.5 * (number == 0)
        clock.now += generated + 0.002
        telemetry.picture(generated, 0.002)
        telemetry.reading()


def test_what_is_written_is_read_back(telemetry: Telemetry, clock: Clock, tmp_path: Path) -> None:
    telemetry.run("grey", 100, "25", 0)
    telemetry.write("audio_load_time", seconds=0.3, voice_seconds=10)
    telemetry.write("feature_extract_time", seconds=2.0, voice_seconds=10)
    ramp(telemetry, clock, 101)
    telemetry.close()
    found = read_log(tmp_path / "log.jsonl").statistics()
    assert found.frames == 101
    assert found.first_ms == pytest.approx(510)
    assert found.median_ms == pytest.approx(61, abs=1)
    assert found.p95_ms == pytest.approx(106, abs=1)
    assert found.last_ms == pytest.approx(105.5, abs=0.1)
    assert found.growth_ms == pytest.approx(90, abs=0.1)
    assert found.encode_ms == pytest.approx(2)
    assert found.audio_load_ms == pytest.approx(30)
    assert found.feature_extract_ms == pytest.approx(200)
    assert found.peak_ram_bytes > 1 << 20


def test_readings_come_at_their_pace_and_know_how_long_it_takes(telemetry: Telemetry, clock: Clock) -> None:
    telemetry.run("grey", 100, "25", 40)
    telemetry.stage("rendering")
    readings = []
    for _ in range(30):
        clock.now += 0.1
        telemetry.picture(0.09, 0.01)
        readings.append(telemetry.reading())
    given = [reading for reading in readings if reading is not None]
    assert len(given) == pytest.approx(3.0 / READING_SECONDS, abs=1)
    last = given[-1]
    assert last.frame_gen_ms == pytest.approx(90)
    assert last.encode_ms == pytest.approx(10)
    assert last.eta_seconds == pytest.approx((100 - last.frame) * 0.1, rel=0.01)
    assert last.stage == "rendering"
    telemetry.lost(5)
    clock.now += 1
    after = telemetry.reading()
    assert after is not None
    assert after.frame == 65


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path, clock: Clock) -> None:
    telemetry = Telemetry(tmp_path / "no" / "log.jsonl", clock)
    ramp(telemetry, clock, 3)
    telemetry.close()


def test_the_log_of_another_program_is_understood(tmp_path: Path) -> None:
    path = tmp_path / "run.log"
    path.write_text(FOREIGN, encoding="utf-8")
    log = read_log(path)
    assert log.audio_load_ms == [62.5]
    assert log.feature_ms == pytest.approx([180, 520])
    assert log.frame_ms == pytest.approx([200, 210, 212, 400])
    assert log.utilisation == {"cuda:0": [0.95], "cuda:1": [0.12]}
    keys = [message.key.rpartition(".")[2] for message in advice(measures(log))]
    assert keys == ["slow_disk", "uneven_features", "slower_tail", "imbalance", "nearly_full"]


def test_advice_is_given_at_its_thresholds_only() -> None:
    def said(**found: float) -> list[str]:
        return [message.key.rpartition(".")[2] for message in advice(found)]

    assert said(audio_load_ms=50, audio_load_seconds=9) == []
    assert said(audio_load_ms=50.1, audio_load_seconds=9) == ["slow_disk"]
    assert said(growth_ms=15, growth_share=0.9) == []
    assert said(growth_ms=16, growth_share=0.9) == ["slower_tail"]
    assert said(growth_ms=301, growth_share=0.9) == ["much_slower_tail"]
    assert said(feature_swing_ms=301) == ["uneven_features"]
    assert said(least_utilisation=0.2) == []
    assert said(least_utilisation=0.2, greatest_utilisation=0.9) == ["imbalance"]
    assert said(least_utilisation=0.2, greatest_utilisation=0.7) == []
    assert said(peak_vram_share=21.5 / 24) == ["nearly_full"]
    assert said(peak_vram_share=20.5 / 24) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_rule_has_its_sentence_with_its_numbers(language: str) -> None:
    for name, conditions in rules().items():
        text = Message(f"generation.advice.{name}", **dict.fromkeys(conditions, 12.0)).text(language)
        assert "12" in text


def test_lines_that_lack_something_are_passed_over() -> None:
    lines = ['{"event": "frame_gen_time"}', '{"event": "machine", "ram": null, "gpus": 3}', "{broken", "{}", "[]"]
    assert parse_log(lines).is_empty
    assert parse_log(['{"event": "frame_gen_time", "seconds": [0.1], "encode": [0.01]}']).frame_ms == [100]
    assert Log().statistics().frames == 0


@pytest.mark.parametrize(("text", "code"), [(None, "log_unreadable"), ("nothing", "log_empty")])
def test_what_is_no_log_is_refused(tmp_path: Path, text: str | None, code: str) -> None:
    path = tmp_path / "x.log"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(Refused) as caught:
        read_log(path)
    assert caught.value.refusal.code == f"generation.{code}"


def test_a_short_voice_and_slow_pictures_are_no_faults(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.jsonl"
    times = [4.0] * 20 + [4.35] * 5  # seconds per picture, without a card
    records = [
        {"event": "audio_load_time", "seconds": 0.6, "voice_seconds": 3},
        {"event": "frame_gen_time", "seconds": times, "encode": [0.01] * len(times)},
    ]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    assert read_log(path).statistics().audio_load_ms == pytest.approx(200)
    assert advice(measures(read_log(path))) == ()
