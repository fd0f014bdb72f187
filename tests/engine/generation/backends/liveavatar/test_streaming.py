"""Layers that wait in main memory compute what resident ones do, in plain and in 8-bit weights."""

from __future__ import annotations

import pytest
import torch

from engine.generation.backends.liveavatar.fp8 import replace_linears
from engine.generation.backends.liveavatar.model import S2VTransformer, layer_parts
from engine.generation.backends.liveavatar.schedule import Conductor, wavefront
from engine.generation.backends.liveavatar.stage import LayerSource, Resident, Stage
from engine.generation.backends.liveavatar.streaming import StreamedLayers
from tests.engine.generation.backends.liveavatar.tiny import CONFIG, SIZE, network, script


# Inductor imports a module of torch's own that uses a deprecated function of torch's.
@pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is deprecated:DeprecationWarning")
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("backend", "allowed"),
    # The same operations in the same order; fused ones round less often (1.3e-6 was seen, latents are of size 5).
    [("eager", 0.0), pytest.param("inductor", 1e-5, marks=pytest.mark.slow)],
)
def test_compiled_layers_compute_the_same(backend: str, allowed: float, streamed: bool) -> None:
    expected = latents(network(), Resident())
    model = network()
    model.compile_layers(backend)
    with torch.inference_mode():  # as the engine does; guards of compiled code look at it
        found = latents(model, StreamedLayers(model, torch.device("cpu")) if streamed else Resident())
    assert all(float((one - other).abs().max()) <= allowed for one, other in zip(found, expected, strict=True))
    counted = torch._dynamo.utils.counters["stats"]["unique_graphs"]
    assert counted == 4  # before and after attention, of blocks and of the sink: not one per layer
    torch.compiler.reset()


@pytest.fixture(autouse=True)
def _nothing_counted() -> None:
    torch._dynamo.utils.counters.clear()


def latents(model: S2VTransformer, layers: LayerSource) -> list[torch.Tensor]:
    stage = Stage(model, SIZE, range(4), layers=layers)
    return [block for _, block in wavefront(Conductor(model, script(3)), stage)]


@pytest.mark.parametrize("layers", [5, 4, 1])
@pytest.mark.parametrize("weights", ["plain", "fp8 multiplied as such", "fp8 made wide"])
def test_streamed_layers_compute_the_same(layers: int, weights: str) -> None:
    """An odd number of layers too: there the last and the first one would want the same piece of memory."""
    from dataclasses import replace

    config = replace(CONFIG, num_layers=layers, audio_inject_layers=(0,))
    model = network(config)
    if weights != "plain":
        for number in model.owned:
            for part in layer_parts(config, number):
                per_row = weights == "fp8 made wide"
                replace_linears(model.get_submodule(part), per_row=per_row, dtype=torch.float32)
                for module in model.get_submodule(part).modules():
                    if hasattr(module, "weight_scale"):
                        made = torch.randn(module.weight.shape, generator=torch.Generator().manual_seed(number))
                        module.weight.copy_(made.to(module.weight.dtype))
                        module.weight_scale.fill_(0.1)
    expected = latents(model, Resident())
    found = latents(model, StreamedLayers(model, torch.device("cpu")))
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))
    assert len(found) == 3
