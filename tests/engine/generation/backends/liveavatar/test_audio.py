"""Voice to features: the published numbers, long voices in pieces, and where on the clock everything is."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from transformers import Wav2Vec2Config, Wav2Vec2Model

from engine.generation.backends.liveavatar import audio
from engine.generation.backends.liveavatar.audio import (
    Level,
    VoiceFeatures,
    frame_rows,
    hidden_states,
    load_wav2vec2,
    row_count,
    wav2vec2_state,
)
from engine.refusal import Refused
from tests.golden import Golden, draw, goldens, worst

TINY = {
    "hidden_size": 16, "num_hidden_layers": 24, "num_attention_heads": 2, "intermediate_size": 24,
    "feat_extract_norm": "layer", "conv_bias": True, "do_stable_layer_norm": True, "vocab_size": 33,
    "conv_dim": [12] * 7, "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 4,
}  # fmt: skip


def network_of(config: dict[str, Any], state: dict[str, torch.Tensor]) -> Any:
    network = Wav2Vec2Model(Wav2Vec2Config(**config)).eval()
    network.load_state_dict(wav2vec2_state(state))
    return network.requires_grad_(requires_grad=False)


@pytest.fixture(scope="module")
def network() -> Any:
    return network_of(TINY, tiny_state())


def tiny_state() -> dict[str, torch.Tensor]:
    shapes = {name: tuple(value.shape) for name, value in Wav2Vec2Model(Wav2Vec2Config(**TINY)).state_dict().items()}
    return {f"wav2vec2.{name}": drawn for name, shape in shapes.items() if (drawn := draw(name, shape, 9)) is not None}


def reader(wave: np.ndarray) -> audio.Read:
    """As the frame gives it: silence outside the voice."""

    def read(start: int, stop: int) -> np.ndarray:
        out = np.zeros(stop - start, np.float32)
        low, high = max(start, 0), min(stop, len(wave))
        if high > low:
            out[low - start : high - start] = wave[low:high]
        return out

    return read


def stored(golden: Golden) -> dict[str, torch.Tensor]:
    return {name[2:]: value for name, value in golden.tensors.items() if name.startswith("w.")} or golden.state()


@goldens("liveavatar/wav2vec2")
def test_hidden_states_are_the_published_ones_up_to_the_last_norm(golden: Golden) -> None:
    network = network_of(golden.config, stored(golden))
    found = hidden_states(network, golden.tensors["in.wave"][0])
    assert worst(found, golden.tensors["out.hidden_states"]) < golden.tolerance["suggested_max_abs"]


@goldens("liveavatar/audio_buckets")
def test_frames_take_the_published_rows(golden: Golden) -> None:
    for name, case in golden.config["cases"].items():
        found = frame_rows(0, case["frames"], case["rows_50hz"], Fraction(case["fps"]))
        assert worst(found, golden.tensors[name]) < golden.tolerance["suggested_max_abs"]
        assert (found >= 0).sum() == case["frames_with_audio"]


@goldens("liveavatar/audio_end_to_end")
def test_from_the_waveform_to_what_the_transformer_hears(golden: Golden) -> None:
    network = network_of(golden.config["wav2vec2"], stored(golden))
    wave = golden.tensors["in.wave"].numpy().astype(np.float32) / 32768
    read = reader(wave)
    level = Level.of(read, len(wave))
    allowed = golden.tolerance["suggested_max_abs"]
    normal = torch.from_numpy((wave - level.mean) / level.deviation).float()
    assert worst(hidden_states(network, normal), golden.tensors["out.hidden_states"]) < allowed
    compared = 0
    for name, expected in golden.tensors.items():
        if name.startswith("out.audio_fps"):
            fps = Fraction(int(name.removeprefix("out.audio_fps")))
            found = VoiceFeatures(network, read, len(wave), level, fps).frames(0, expected.shape[-1])
            assert worst(found, expected[0]) < allowed
            compared += 1
    assert compared


@pytest.mark.parametrize("rows", [3, 449, 30_001])
def test_places_between_rows_are_those_of_the_published_interpolation(rows: int) -> None:
    features = torch.randn(rows, generator=torch.Generator().manual_seed(3))
    expected = torch.nn.functional.interpolate(
        features[None, None], size=int(rows / 50 * 30), mode="linear", align_corners=True
    )
    places = torch.from_numpy(frame_rows(0, expected.shape[-1], rows, Fraction(30)))
    low = places.long()
    share = (places - low).float()
    found = features[low] * (1 - share) + features[(low + 1).clamp(max=rows - 1)] * share
    # Exact places would be 1e-2 off at the end of ten minutes: single precision counts rows to 1/1000 there.
    assert worst(found, expected[0, 0]) < 1e-5


@pytest.mark.parametrize("samples", [399, 400, 16_000, 33_760, 160_000])
def test_row_count_is_the_network_s(network: Any, samples: int) -> None:
    if row_count(samples) == 0:
        assert samples < 400
        return
    assert hidden_states(network, torch.zeros(samples)).shape[:2] == (25, row_count(samples))


def voice(seconds: float) -> np.ndarray:
    rng = np.random.default_rng(4)
    time = np.arange(int(seconds * 16_000)) / 16_000
    return (
        np.sin(2 * np.pi * 180 * time) * np.abs(np.sin(4 * time)) * 0.3 + 0.02 * rng.standard_normal(len(time))
    ).astype(np.float32)


@pytest.mark.parametrize(("fps", "lead_in"), [(25, 5), (30, 3), (16, 8)])
def test_lead_in_moves_the_sound_by_whole_frames(network: Any, fps: int, lead_in: int) -> None:
    """A burst is heard ``lead_in`` pictures later; these leads are whole rows at 50, 30 and fps, so exactly."""
    wave = np.zeros(48_000, np.float32)
    wave[16_000:17_600] = voice(0.1)

    def onset(lead_in: int) -> int:
        """The first frame for which the burst makes a difference to the local layers."""
        made = [VoiceFeatures(network, reader(each), 48_000, Level(0.0, 1.0), Fraction(fps), lead_in).frames(0, 40)[0]
                for each in (wave, np.zeros_like(wave))]  # fmt: skip
        return int((made[0] - made[1]).abs().amax(0).gt(1e-4).nonzero()[0])

    assert 0 < onset(0) <= fps
    assert onset(lead_in) - onset(0) == lead_in


def test_long_voices_are_heard_in_pieces_close_to_the_whole(network: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    wave = voice(16)
    read = reader(wave)
    level = Level.of(read, len(wave))
    whole = VoiceFeatures(network, read, len(wave), level, Fraction(25))
    expected = whole.frames(0, 390)
    monkeypatch.setattr(audio, "WHOLE_SECONDS", 5)
    monkeypatch.setattr(audio, "_PIECE_SECONDS", 4)
    monkeypatch.setattr(audio, "_OVERLAP_SECONDS", 2)
    asked: list[int] = []

    def watched(start: int, stop: int) -> np.ndarray:
        asked.append(stop - start)
        return read(start, stop)

    pieces = VoiceFeatures(network, watched, len(wave), level, Fraction(25))
    found = torch.cat([pieces.block(number) for number in range(32)], dim=-1)
    assert found.shape[-1] == 384
    assert max(asked) <= 8.1 * 16_000  # never more than a piece and what is around it
    assert len(asked) == 4  # and each piece once
    # The first hidden state sees 8 rows to either side: exact. The last one attends to all there is, so pieces differ;
    # with these random weights, which attend more evenly than trained ones, by 2 % of its spread on average.
    assert worst(found[0], expected[0, :, :384]) < 1e-4
    difference = (found[24] - expected[24, :, :384]).abs().mean() / expected[24].std()
    assert difference < 0.05
    again = pieces.block(3)  # back again, as a resumed render asks
    assert torch.equal(again, found[..., 36:48])


def test_level_is_that_of_the_whole_recording() -> None:
    wave = voice(150) + 0.1
    level = Level.of(reader(wave), len(wave))
    assert level.mean == pytest.approx(float(wave.mean(dtype=np.float64)), abs=1e-6)
    assert level.deviation == pytest.approx(float(wave.std(dtype=np.float64)), rel=1e-4)


def test_silence_and_the_end_are_numbers(network: Any) -> None:
    read = reader(np.zeros(8000, np.float32))
    features = VoiceFeatures(network, read, 8000, Level.of(read, 8000), Fraction(25))
    block = features.block(0)
    assert torch.isfinite(block).all()
    assert not features.block(5).any()  # after the end


def test_loads_the_official_folder_with_older_names(network: Any, tmp_path: Path) -> None:
    Wav2Vec2Config(**TINY).to_json_file(tmp_path / "config.json")
    old = {
        name.replace("parametrizations.weight.original0", "weight_g").replace(
            "parametrizations.weight.original1", "weight_v"
        ): value
        for name, value in tiny_state().items()
    }  # fmt: skip
    save_file(
        {**old, "lm_head.weight": torch.zeros(33, 16), "lm_head.bias": torch.zeros(33)}, tmp_path / "model.safetensors"
    )
    wave = torch.from_numpy(voice(1))
    assert worst(hidden_states(load_wav2vec2(tmp_path), wave), hidden_states(network, wave)) == 0
    old.popitem()
    save_file(old, tmp_path / "model.safetensors")
    with pytest.raises(Refused, match="wav2vec2"):
        load_wav2vec2(tmp_path)
