"""Rings that wait in main memory compute what resident ones do, and never more than two layers of them are here."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import pytest
import torch
from torch import Tensor

from engine.generation.backends.liveavatar.model import Pass, S2VTransformer
from engine.generation.backends.liveavatar.schedule import Conductor, Schedule, sequential, wavefront
from engine.generation.backends.liveavatar.stage import RingOptions, Stage
from engine.generation.backends.liveavatar.streaming import StreamedLayers
from tests.engine.generation.backends.liveavatar.tiny import CONFIG, SIZE, network, script

BLOCKS = 9
"""The ring of four wraps twice, the reference changes at block 4 and the prompt at block 6."""


def play(schedule: Schedule, rings: RingOptions, *, streamed: bool = False) -> list[Tensor]:
    model = network()
    layers = StreamedLayers(model, torch.device("cpu")) if streamed else None
    stage = Stage(model, SIZE, range(4), rings=rings, layers=layers)
    return [latents for _, latents in schedule(Conductor(model, script(BLOCKS)), stage)]


def same(found: list[Tensor], expected: list[Tensor]) -> bool:
    return len(found) == BLOCKS and all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))


@pytest.mark.parametrize("schedule", [sequential, wavefront])
@pytest.mark.parametrize("fp8", [False, True])
@pytest.mark.parametrize("window", [2, 4])
def test_rings_in_main_memory_change_not_a_bit(schedule: Schedule, fp8: bool, window: int) -> None:
    expected = play(schedule, RingOptions(window, fp8=fp8))
    assert same(play(schedule, RingOptions(window, fp8=fp8, on_host=True)), expected)


def test_layers_and_rings_travel_together() -> None:
    expected = play(wavefront, RingOptions(fp8=True))
    assert same(play(wavefront, RingOptions(fp8=True, on_host=True), streamed=True), expected)


@pytest.mark.parametrize(("schedule", "rings_at_once"), [(sequential, 1), (wavefront, 4)])
@pytest.mark.parametrize("fp8", [False, True])
def test_the_next_layer_is_on_its_way_and_no_more(
    monkeypatch: pytest.MonkeyPatch, schedule: Schedule, rings_at_once: int, fp8: bool
) -> None:
    model = network()
    stage = Stage(model, SIZE, range(4), rings=RingOptions(fp8=fp8, on_host=True))
    traffic = stage.traffic
    assert traffic is not None
    seen: dict[int, set[tuple[int, ...]]] = {}
    real = S2VTransformer.layer

    def watched(self: S2VTransformer, number: int, hidden: Sequence[Tensor], given: Sequence[Pass]) -> list[Tensor]:
        seen.setdefault(number, set()).add(traffic.resident)
        return real(self, number, hidden, given)

    monkeypatch.setattr(S2VTransformer, "layer", watched)
    assert len(list(schedule(Conductor(model, script(6)), stage))) == 6
    last = CONFIG.num_layers - 1
    assert seen.keys() == set(range(CONFIG.num_layers))
    for layer, held in seen.items():
        assert {frozenset(each) for each in held} == {frozenset({layer, layer + 1 if layer < last else layer - 1})}
    tokens = 2 * 4 * SIZE.block_tokens * CONFIG.num_heads
    page = tokens * CONFIG.head_dim + 4 * tokens if fp8 else 4 * tokens * CONFIG.head_dim
    assert traffic.room_bytes == 2 * rings_at_once * page
    assert traffic.resident == ()


def test_what_waits_in_main_memory_is_saved_and_taken_up(tmp_path: Path) -> None:
    """By a stage whose rings are elsewhere, too."""
    expected = play(wavefront, RingOptions())
    found: list[Tensor] = []
    for on_host, count in ((True, 5), (False, None)):
        model = network()
        conductor = Conductor(model, script(BLOCKS))
        stage = Stage(model, SIZE, range(4), rings=RingOptions(on_host=on_host))
        if found:
            conductor.restore(tmp_path / "conductor.safetensors")
            stage.restore(tmp_path)
        found += [latents for _, latents in islice(wavefront(conductor, stage), count)]
        conductor.save(tmp_path / "conductor.safetensors")
        stage.save(tmp_path)
    assert same(found, expected)
