"""Whisper's encoder, from any of its files; what LatentSync and MuseTalk hear with.

Only the engine's process imports this module: it needs torch and transformers.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812 - the field's own abbreviation
from torch import Tensor
from transformers import WhisperConfig
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from engine.models.checkpoints import State, load_strict, mismatch, read_state
from engine.models.identify import compare

_HEAD_CHANNELS = 64
_WANTED = "Whisper tiny"
_NEEDED = ("conv1.weight", "layers.0.fc1.weight", "embed_positions.weight")

_RENAMED = (
    ("attn_ln", "self_attn_layer_norm"),
    ("mlp_ln", "final_layer_norm"),
    ("attn.query", "self_attn.q_proj"),
    ("attn.key", "self_attn.k_proj"),
    ("attn.value", "self_attn.v_proj"),
    ("attn.out", "self_attn.out_proj"),
    ("mlp.0", "fc1"),
    ("mlp.2", "fc2"),
    ("ln_post", "layer_norm"),
    ("positional_embedding", "embed_positions.weight"),
    ("blocks.", "layers."),
)
"""Parts of OpenAI's key names and what transformers calls the same tensors."""


def renamed(key: str) -> str:
    """Return transformers' name for a key of the encoder in OpenAI's ``tiny.pt``, both without ``encoder.``."""
    for theirs, ours in _RENAMED:
        key = key.replace(theirs, ours)
    return key


def encoder_for(shapes: Mapping[str, tuple[int, ...]]) -> WhisperEncoder:
    """Return an encoder with the widths of a checkpoint, its weights unset.

    Args:
        shapes: shape per key in transformers' names (see :func:`renamed`).
    """
    width, bands = shapes["conv1.weight"][:2]
    layers = sum(1 for key in shapes if key.endswith(".fc1.weight"))
    config = WhisperConfig(
        d_model=width,
        num_mel_bins=bands,
        encoder_layers=layers,
        encoder_attention_heads=width // _HEAD_CHANNELS,
        encoder_ffn_dim=shapes["layers.0.fc1.weight"][0],
        max_source_positions=shapes["embed_positions.weight"][0],
    )
    config._attn_implementation = "sdpa"  # noqa: SLF001 - what from_pretrained() would set
    return WhisperEncoder(config)


def load_encoder(path: Path) -> WhisperEncoder:
    """Load the encoder in single precision, on the processor: it is small, and hears the same everywhere.

    Args:
        path: OpenAI's ``tiny.pt``, or Hugging Face's ``model.safetensors`` or ``pytorch_model.bin``.

    Raises:
        Refused: as :func:`engine.models.checkpoints.load_strict`.
    """
    whole = read_state(path)
    # The files hold the decoder, too; OpenAI's names the encoder's tensors differently from Hugging Face's.
    prefix = "model.encoder." if any(name.startswith("model.encoder.") for name in whole) else "encoder."
    state = {name.removeprefix(prefix): value for name, value in whole.items() if name.startswith(prefix)}
    if "blocks.0.attn.query.weight" in state:
        state = {renamed(name): value for name, value in state.items()}
    shapes = _shapes(state)
    if not all(name in shapes for name in _NEEDED):
        raise mismatch(path, _WANTED, compare(dict.fromkeys(_NEEDED, ()), shapes).summary(), _shapes(whole))
    with torch.device("meta"):
        encoder = encoder_for(shapes)
    load_strict(encoder, state, path=path, wanted=_WANTED, dtype=torch.float32)
    encoder.eval()
    return encoder


@torch.inference_mode()
def layer_states(encoder: WhisperEncoder, mel: Tensor, *, final_norm: bool = False) -> Tensor:
    """Return what enters the encoder's first layer and what leaves each layer.

    Args:
        encoder: with its weights.
        mel: log-mel, shape ``(80, columns)``.
        final_norm: whether the last layer's states go through the encoder's final layer norm.

    Returns:
        Float32 in main memory, shape ``(columns / 2, layers + 1, width)``.
    """
    x = F.gelu(encoder.conv1(mel.to(encoder.conv1.weight)[None]))
    x = F.gelu(encoder.conv2(x)).transpose(1, 2) + encoder.embed_positions.weight
    stack = [x]
    for layer in encoder.layers:
        x = layer(x, None)
        stack.append(x)
    if final_norm:
        stack[-1] = encoder.layer_norm(x)
    return torch.stack(stack, dim=2)[0].float().cpu()


def _shapes(state: State) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in state.items()}
