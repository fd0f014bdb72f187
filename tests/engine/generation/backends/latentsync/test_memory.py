"""What a render is said to need, before anything is loaded."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from engine.generation.backend import Estimate, Gpu, Host
from engine.generation.backends.cards import GIB, RUNTIME_BYTES
from engine.generation.backends.latentsync.engine import LatentSync
from engine.generation.backends.latentsync.memory import (
    Arrangement,
    Work,
    arrangements,
    best_for,
    least_bytes,
    seconds,
)
from engine.generation.plan import make_plan
from engine.generation.spec import Offload, Precision, RenderSpec
from engine.refusal import Refusal
from tests.engine.generation.backends.latentsync.counted import count

SMALL = Work(256, Precision.FP16, guided=True)
LARGE = Work(512, Precision.FP16, guided=True)


def _card(free_gib: float, compute: tuple[int, int] = (8, 6)) -> Gpu:
    return Gpu("cuda:0", "a card", round(24 * GIB), round(free_gib * GIB), compute=compute)


def _arranged(offload: Offload, sequential: bool, vae_batch: int) -> Arrangement:
    return Arrangement(offload, sequential=sequential, vae_batch=vae_batch)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("work", "arrangement"),
    [
        *((LARGE, each) for each in arrangements(Offload.AUTO)),
        (SMALL, _arranged(Offload.NONE, False, 4)),
        (replace(SMALL, guided=False), _arranged(Offload.LAYERS, True, 1)),
        (replace(SMALL, precision=Precision.FP32), _arranged(Offload.NONE, True, 1)),
    ],
)
def test_a_card_needs_what_is_counted(work: Work, arrangement: Arrangement) -> None:
    counted = count(work, arrangement)
    assert arrangement.card_bytes(work) == pytest.approx(counted.peak_bytes + RUNTIME_BYTES, rel=0.1)
    # seconds() is in proportion to these: one whole step and one that takes up features, less what goes to and fro.
    host = Host(2, GIB, GIB, GIB)
    whole, cached = (seconds(work, host, ("cpu",), 1, 3, cached=each) for each in (False, True))
    steps = 2 * (counted.predicting - counted.cached)
    share = steps / (3 * counted.predicting + counted.encoding + counted.decoding)
    assert (whole - cached) / whole == pytest.approx(share, rel=0.02)


def test_every_step_down_needs_less() -> None:
    for work in (SMALL, LARGE):
        sizes = [each.card_bytes(work) for each in arrangements(Offload.AUTO)]
        assert sizes == sorted(sizes, reverse=True)
        assert len(set(sizes)) == len(sizes)
        assert sizes[-1] < 1.7 * GIB
        assert least_bytes(work, Offload.AUTO) == sizes[-1]


def test_single_precision_needs_about_twice_as_much() -> None:
    each = Arrangement(Offload.NONE, sequential=False, vae_batch=1)
    exact, half = (each.card_bytes(work) for work in (replace(LARGE, precision=Precision.FP32), LARGE))
    ratio = (exact - RUNTIME_BYTES) / (half - RUNTIME_BYTES)
    assert ratio == pytest.approx(2, abs=0.02)


@pytest.mark.parametrize(
    ("free", "expected"),
    [
        (24, Arrangement(Offload.NONE, sequential=False, vae_batch=4)),
        (5.0, Arrangement(Offload.NONE, sequential=True, vae_batch=1)),
        (4.0, Arrangement(Offload.MODEL, sequential=True, vae_batch=1)),
        (2.0, Arrangement(Offload.LAYERS, sequential=True, vae_batch=1)),
        (1.0, None),
    ],
)
def test_the_fastest_way_that_fits_is_chosen(free: float, expected: Arrangement | None) -> None:
    assert best_for(_card(free), LARGE, Offload.AUTO) == expected


def test_a_wish_for_less_is_respected() -> None:
    assert best_for(_card(24), LARGE, Offload.LAYERS) == Arrangement(Offload.LAYERS, sequential=True, vae_batch=1)
    found = best_for(_card(24), LARGE, Offload.MODEL)
    assert found is not None
    assert found.offload is Offload.MODEL


def test_time_follows_the_operations() -> None:
    host = Host(8, 32 * GIB, 32 * GIB, GIB, (_card(24), replace(_card(24), device="cuda:1")))
    one = seconds(LARGE, host, ("cuda:0",), 100, 20, cached=False)
    # A card of this generation was reported to take 41 s per second at 20 steps: 100 windows are 64 s.
    assert one == pytest.approx(41 * 64, rel=0.25)
    assert seconds(LARGE, host, ("cuda:0", "cuda:1"), 100, 20, cached=False) == pytest.approx(one / 2)
    # 7 whole and 13 light steps of 20.
    assert one / seconds(LARGE, host, ("cuda:0",), 100, 20, cached=True) == pytest.approx(2.3, abs=0.2)
    assert seconds(LARGE, host, ("cpu",), 100, 20, cached=False) > 50 * one


def _planned(host: Host, **changes: object) -> Estimate | Refusal:
    spec = RenderSpec.from_json(
        {"version": 1, "source": "a.mp4", "voice": "b.wav", "target": "c.mp4", "engine": "latentsync", **changes}
    )
    plan = make_plan(spec, fps=spec.fps or Fraction(25), size=(1280, 720), frame_count=750, voice_samples=480_000)
    return LatentSync().plan(spec, plan, host)


@pytest.mark.usefixtures("models")
def test_what_cannot_be_is_refused_with_figures() -> None:
    small = Host(4, 16 * GIB, 16 * GIB, 10 * GIB, (_card(0.2),))
    refused = _planned(small)
    assert isinstance(refused, Refusal)
    assert refused.code == "latentsync.card_too_small"
    assert "0.2 GiB" in str(refused)
    refused = _planned(Host(4, 16 * GIB, GIB, 10 * GIB))
    assert isinstance(refused, Refusal)
    assert refused.code == "latentsync.too_little_memory"


@pytest.mark.usefixtures("models")
def test_what_will_be_done_is_said() -> None:
    host = Host(4, 16 * GIB, 16 * GIB, 10 * GIB, (_card(24),))
    found = _planned(host, fps="30")
    assert isinstance(found, Estimate)
    assert found.vram_bytes > 0
    assert {note.key for note in found.notes} == {"latentsync.note.version", "latentsync.note.rate"}
    found = _planned(host, offload="layers")
    assert isinstance(found, Estimate)
    assert "latentsync.note.offload_layers" in {note.key for note in found.notes}
    for note in found.notes:
        assert note.text("zh_CN") != note.text("en")


@pytest.mark.usefixtures("models")
def test_memory_does_not_grow_with_length() -> None:
    host = Host(4, 16 * GIB, 16 * GIB, 10 * GIB)
    spec = RenderSpec(Path("a.mp4"), Path("b.wav"), Path("c.mp4"), "latentsync")
    found = []
    for minutes in (1, 60):
        frames = minutes * 60 * 25
        plan = make_plan(spec, fps=Fraction(25), size=(1280, 720), frame_count=frames, voice_samples=frames * 640)
        estimate = LatentSync().plan(spec, plan, host)
        assert isinstance(estimate, Estimate)
        found.append(estimate)
    assert found[0].ram_bytes == found[1].ram_bytes
    assert found[1].seconds > 50 * found[0].seconds


@pytest.mark.usefixtures("models")
def test_on_the_processor_single_precision_is_planned_whatever_cards_there_are() -> None:
    host = Host(4, 16 * GIB, 16 * GIB, 10 * GIB, (_card(24),))
    beside, alone = (_planned(each, devices=["cpu"]) for each in (host, replace(host, gpus=())))
    assert isinstance(beside, Estimate)
    assert beside == alone
