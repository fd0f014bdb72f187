"""The planner against tensors and operations counted of the released 14B network, on shapes alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.generation.backends.liveavatar.config import LatentSize, ModelConfig
from engine.generation.backends.liveavatar.planner import CONTEXT_BYTES, Choice, Planner, ScheduleName
from tests.engine.generation.backends.liveavatar.full_size import decoder, transformer

USUAL = LatentSize.of_picture(704, 384)
WHOLE = ModelConfig()
FEW_LAYERS = replace(WHOLE, num_layers=3, audio_inject_layers=(0,))
"""As wide as the released network, so that a layer takes what it takes there."""
OFF = 0.05
"""How far a plan's memory may be from what was counted. The issue allows a tenth on a card; half of it is left to what
no tensor shows."""
TRAVELLING = Choice(fp8_weights=True, fp8_rings=True, rings_on_host=True, stream_weights=True)


def planned(choice: Choice, size: LatentSize, config: ModelConfig) -> int:
    """What the transformer is planned to take, without the guess for what no tensor shows: the decoder is elsewhere."""
    return Planner(config, size).needs(replace(choice, own_decoder=True))[0] - CONTEXT_BYTES


@pytest.mark.parametrize("schedule", [ScheduleName.SEQUENTIAL, ScheduleName.WAVEFRONT])
def test_few_layers_take_what_is_planned(schedule: ScheduleName) -> None:
    counted = transformer(Choice(schedule), USUAL, FEW_LAYERS)
    # Of three layers work space is a third; it is not known to a twentieth.
    assert planned(Choice(schedule), USUAL, FEW_LAYERS) == pytest.approx(counted.card_bytes, rel=0.1)
    # The wavefront makes keys and values of the prompt once for four steps.
    assert Planner(FEW_LAYERS, USUAL).flops_per_block() == pytest.approx(counted.operations, rel=0.015)


def test_float32_is_used_where_it_is_meant_to_be() -> None:
    """No tensor in single precision is wider than the stream of tokens, but weights of what is computed in it."""
    counted = transformer(Choice(), USUAL, FEW_LAYERS)
    stream = 4 * USUAL.block_tokens * WHOLE.dim
    wider = {place.split(":")[0] for (place, _), size in counted.wide.items() if size > stream}
    # Time embedding and audio encoder; the network makes them wide for a moment, layer by layer of theirs.
    assert wider == {"model.py", "audio_encoder.py"}
    assert max(counted.wide.values()) == 4 * 6 * WHOLE.dim**2


def test_decoding_takes_what_is_planned() -> None:
    counted = decoder(USUAL)
    planner = Planner(WHOLE, USUAL)
    assert planner.decoder_bytes() == pytest.approx(counted.card_bytes, rel=OFF)
    assert planner.decoding_flops() == pytest.approx(counted.operations, rel=0.01)


@pytest.mark.slow  # forty layers of shapes take half a minute
@pytest.mark.parametrize(
    "choice",
    [
        Choice(),
        Choice(window=2),
        Choice(window=3, fp8_rings=True),
        Choice(ScheduleName.SEQUENTIAL),
        Choice(fp8_weights=True, fp8_rings=True),
        Choice(rings_on_host=True),
        TRAVELLING,
        replace(TRAVELLING, schedule=ScheduleName.SEQUENTIAL, window=2),
        Choice(ScheduleName.LAYER_SPLIT, 4, own_decoder=True),
        Choice(ScheduleName.LAYER_SPLIT, 2, own_decoder=True),
        Choice(ScheduleName.PIPELINE, 4),
    ],
)
def test_forty_layers_take_what_is_planned(choice: Choice) -> None:
    counted = transformer(choice, USUAL, WHOLE)
    assert planned(choice, USUAL, WHOLE) == pytest.approx(counted.card_bytes, rel=OFF)


@pytest.mark.slow
def test_operations_of_forty_layers_are_the_planned_ones() -> None:
    counted = transformer(Choice(ScheduleName.SEQUENTIAL), USUAL, WHOLE)
    assert Planner(WHOLE, USUAL).flops_per_block() == pytest.approx(counted.operations, rel=0.001)
