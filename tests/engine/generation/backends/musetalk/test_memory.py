"""What a render with MuseTalk is said to need of a card."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from engine.generation.backend import Estimate, Gpu, Host
from engine.generation.backends.cards import GIB, RUNTIME_BYTES
from engine.generation.backends.musetalk import backend
from engine.generation.backends.musetalk.memory import Work
from engine.generation.plan import make_plan
from engine.generation.spec import Offload, RenderSpec
from engine.refusal import Refusal
from tests.engine.generation.backends.musetalk.counted import count

PUBLISHED = Work(849_947_844, 83_653_863, is_exact=False, is_parsed=True)
_OFFLOADS = (Offload.NONE, Offload.MODEL, Offload.LAYERS)


@pytest.mark.slow
@pytest.mark.parametrize("offload", _OFFLOADS)
@pytest.mark.parametrize(
    ("work", "batch"),
    [(PUBLISHED, 1), (PUBLISHED, 8), (PUBLISHED, 64), (replace(PUBLISHED, is_exact=True, is_parsed=False), 8)],
)
def test_a_card_needs_what_is_counted(work: Work, batch: int, offload: Offload) -> None:
    counted = count(work, batch, offload)
    assert work.card_bytes(batch, offload) == pytest.approx(counted.peak_bytes + RUNTIME_BYTES, rel=0.1)
    assert counted.operations == pytest.approx((0.178 + 2 * 0.27 + 0.62) * 1e12, rel=0.02)


def test_every_step_down_needs_less() -> None:
    for work in (PUBLISHED, replace(PUBLISHED, is_exact=True)):
        sizes = [work.card_bytes(8, each) for each in _OFFLOADS]
        assert sizes == sorted(set(sizes), reverse=True)
        assert work.card_bytes(8, Offload.NONE) > work.card_bytes(1, Offload.NONE)
        assert work.least_bytes(Offload.AUTO) == work.card_bytes(1, Offload.LAYERS)


def test_the_fastest_place_that_fits_is_chosen() -> None:
    found = [PUBLISHED.best_for(round(free * GIB), 8, Offload.AUTO) for free in (8.0, 2.8, 1.5, 0.1)]
    assert found == [Offload.NONE, Offload.MODEL, Offload.LAYERS, Offload.LAYERS]
    assert PUBLISHED.best_for(8 * GIB, 8, Offload.MODEL) is Offload.MODEL


@pytest.mark.usefixtures("both")
def test_what_the_user_asks_for_counts() -> None:
    vram = {}
    for wish in ({}, {"online_decode_chunk": 1}, {"offload": "layers"}, {"precision": "fp32"}):
        estimate = _planned(8.0, **wish)
        assert isinstance(estimate, Estimate)
        vram[str(wish)] = estimate.vram_bytes
    usual, chunk, layers, exact = vram.values()
    assert max(layers, chunk) < usual < exact


@pytest.mark.usefixtures("both")
def test_a_card_that_is_too_small_is_refused_with_figures() -> None:
    refused = _planned(0.2)
    assert isinstance(refused, Refusal)
    assert refused.code == "musetalk.card_too_small"
    assert "0.2 GiB" in str(refused)


def _planned(free_gib: float, **changes: object) -> Estimate | Refusal:
    card = Gpu("cuda:0", "a card", 8 * GIB, round(free_gib * GIB), compute=(8, 6))
    spec = RenderSpec.from_json(
        {"version": 1, "source": "a.mp4", "voice": "b.wav", "target": "c.mp4", "engine": "musetalk", **changes}
    )
    plan = make_plan(spec, fps=spec.fps or Fraction(25), size=(1280, 720), frame_count=750, voice_samples=480_000)
    return backend().plan(spec, plan, Host(4, 16 * GIB, 16 * GIB, 10 * GIB, (card,)))
