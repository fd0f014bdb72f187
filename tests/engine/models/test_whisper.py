"""Whisper's encoder: the same from OpenAI's file and from Hugging Face's, and nothing else is taken for it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from engine.models.whisper import encoder_for, layer_states, load_encoder, renamed
from engine.refusal import Refused
from tests.golden import key_list

SHAPES = {"conv1.weight": (64, 80, 3), "layers.0.fc1.weight": (128, 64), "embed_positions.weight": (1500, 64)}
_OPENAI = {
    "self_attn_layer_norm": "attn_ln",
    "final_layer_norm": "mlp_ln",
    "self_attn.q_proj": "attn.query",
    "self_attn.k_proj": "attn.key",
    "self_attn.v_proj": "attn.value",
    "self_attn.out_proj": "attn.out",
    "fc1": "mlp.0",
    "fc2": "mlp.2",
    "embed_positions.weight": "positional_embedding",
    "layers.": "blocks.",
}


def _openai_name(name: str) -> str:
    if name.startswith("layer_norm."):
        return name.replace("layer_norm", "ln_post")
    for ours, theirs in _OPENAI.items():
        name = name.replace(ours, theirs)
    return name


def test_both_files_give_the_same_encoder(tmp_path: Path) -> None:
    state = encoder_for(SHAPES).state_dict()
    theirs = {f"encoder.{_openai_name(name)}": tensor for name, tensor in state.items()}
    torch.save({"model_state_dict": {**theirs, "decoder.ln.weight": torch.ones(64)}}, tmp_path / "tiny.pt")
    save_file({f"model.encoder.{name}": tensor for name, tensor in state.items()}, tmp_path / "model.safetensors")
    for name in ("tiny.pt", "model.safetensors"):
        encoder = load_encoder(tmp_path / name)
        assert not encoder.training
        loaded = encoder.state_dict()
        assert loaded.keys() == state.keys()
        assert all(torch.equal(tensor, loaded[key]) for key, tensor in state.items())


def test_another_network_is_refused(tmp_path: Path) -> None:
    save_file({"encoder.conv_in.weight": torch.zeros(8, 3, 3, 3)}, tmp_path / "tiny.pt.safetensors")
    with pytest.raises(Refused) as refused:
        load_encoder(tmp_path / "tiny.pt.safetensors")
    assert refused.value.refusal.code == "models.mismatch"


def test_the_official_file_has_exactly_these_tensors() -> None:
    listed = key_list("whisper_tiny_openai_keys")
    shapes = {
        renamed(key.removeprefix("encoder.")): shape for key, shape in listed.items() if key.startswith("encoder.")
    }
    with torch.device("meta"):
        state = encoder_for(shapes).state_dict()
    assert {name: tuple(tensor.shape) for name, tensor in state.items()} == shapes


def test_only_the_last_layer_passes_the_final_norm() -> None:
    encoder = encoder_for(SHAPES).eval()
    mel = torch.randn(80, 3000, generator=torch.Generator().manual_seed(1))
    plain, normed = (layer_states(encoder, mel, final_norm=each) for each in (False, True))
    assert plain.shape == (1500, 2, 64)
    assert torch.equal(plain[:, 0], normed[:, 0])
    with torch.inference_mode():
        assert torch.equal(encoder.layer_norm(plain[:, 1]), normed[:, 1])
