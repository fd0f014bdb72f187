"""The weights rule itself, held against every fixture that can be filled from its own folder."""

from __future__ import annotations

from typing import Any

from tests.golden import Golden, goldens, key_list, worst


def _parts(weights: dict[str, Any]) -> list[str | None]:
    if "seed" in weights:
        return [None]
    return [name for name, each in weights.items() if isinstance(each, dict) and "seed" in each]


@goldens("latentsync/unet_tiny", "latentsync/whisper", "latentsync/pipeline", "musetalk/unet_tiny", "musetalk/audio_t")
def test_the_rule_makes_the_weights_that_the_reference_ran_with(golden: Golden) -> None:
    whisper = {key: shape for key, shape in key_list("whisper_tiny_openai_keys").items() if key.startswith("encoder.")}
    for part in _parts(golden.sidecar["weights"]):
        state = golden.state(part, shapes=whisper)  # compares count, sum and samples with the sidecar
        assert all(tensor.is_floating_point() for tensor in state.values())


@goldens("latentsync/unet", "musetalk/unet")
def test_inputs_that_are_too_large_to_be_stored_are_drawn_by_the_same_rule(golden: Golden) -> None:
    if "input_rule" not in golden.sidecar["case"]:
        assert golden.inputs() == golden.tensors
        return
    drawn = golden.drawn_inputs()
    assert drawn.keys() == {"x", "audio"}
    for name, tensor in drawn.items():
        if name in golden.tensors:
            # Other processors draw other last bits.
            assert worst(tensor, golden.tensors[name]) < 1e-6
