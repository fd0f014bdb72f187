"""The weights rule itself, held against every fixture that can be filled from its own folder."""

from __future__ import annotations

from typing import Any

from tests.golden import Golden, goldens, key_list


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
