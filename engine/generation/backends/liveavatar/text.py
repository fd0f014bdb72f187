"""A prompt to what the transformer reads; kept on disk, so that the 11 GB of T5 are read once per prompt, if at all."""

from __future__ import annotations

import hashlib
import html
import re
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.media.cache import Cache, content_key
from engine.models.checkpoints import load_strict, read_state
from engine.refusal import Refused

_CACHE_BYTES = 1 << 30
_KEPT_VERSION = 1

_NAMES = (
    (r"token_embedding\.", "encoder.embed_tokens."),
    (r"norm\.", "encoder.final_layer_norm."),
    (r"blocks\.(\d+)\.norm1\.", r"encoder.block.\1.layer.0.layer_norm."),
    (r"blocks\.(\d+)\.norm2\.", r"encoder.block.\1.layer.1.layer_norm."),
    (r"blocks\.(\d+)\.attn\.", r"encoder.block.\1.layer.0.SelfAttention."),
    (r"blocks\.(\d+)\.pos_embedding\.embedding\.", r"encoder.block.\1.layer.0.SelfAttention.relative_attention_bias."),
    (r"blocks\.(\d+)\.ffn\.gate\.0\.", r"encoder.block.\1.layer.1.DenseReluDense.wi_0."),
    (r"blocks\.(\d+)\.ffn\.fc1\.", r"encoder.block.\1.layer.1.DenseReluDense.wi_1."),
    (r"blocks\.(\d+)\.ffn\.fc2\.", r"encoder.block.\1.layer.1.DenseReluDense.wo."),
)
"""Names in the official file, and what transformers calls the same."""


def t5_encoder(state: dict[str, Tensor], path: Path) -> Any:
    """Return the UMT5 encoder with the weights of the official file, in their precision.

    Args:
        state: tensors by their official names.
        path: where they came from, for the report.

    Raises:
        Refused: as :func:`engine.models.checkpoints.load_strict`.
    """
    from transformers import UMT5Config, UMT5EncoderModel

    try:
        vocabulary, dim = state["token_embedding.weight"].shape
        inner = state["blocks.0.attn.q.weight"].shape[0]
        ffn = state["blocks.0.ffn.fc1.weight"].shape[0]
        buckets, heads = state["blocks.0.pos_embedding.embedding.weight"].shape
    except (KeyError, ValueError) as error:
        raise Refused.because("liveavatar.other_text_encoder", path=path) from error
    layers = 1 + max(int(name.split(".")[1]) for name in state if name.startswith("blocks."))
    config = UMT5Config(
        vocab_size=vocabulary, d_model=dim, d_kv=inner // heads, d_ff=ffn, num_layers=layers, num_heads=heads,
        relative_attention_num_buckets=buckets, feed_forward_proj="gated-gelu", dropout_rate=0.0,
    )  # fmt: skip
    with torch.device("meta"):
        network = UMT5EncoderModel(config)
    named = {_translated(name): value for name, value in state.items()}
    if "encoder.embed_tokens.weight" in named:
        named["shared.weight"] = named["encoder.embed_tokens.weight"]
    load_strict(network, named, path=path, wanted="UMT5-XXL")
    return network.eval()


def _translated(name: str) -> str:
    for pattern, replacement in _NAMES:
        if re.match(pattern, name):
            return re.sub(f"^{pattern}", replacement, name)
    return name


@torch.inference_mode()
def encode(network: Any, ids: Tensor, mask: Tensor) -> Tensor:
    """Return ``[tokens, text_dim]`` of one prompt, without its padding, for ids and mask ``[1, tokens]``."""
    hidden: Tensor = network(input_ids=ids, attention_mask=mask).last_hidden_state
    return hidden[0, : int(mask.sum())]


def cleaned(prompt: str) -> str:
    """Return a prompt as the tokenizer of the published code is given it: entities resolved, one space at a time."""
    return re.sub(r"\s+", " ", html.unescape(html.unescape(prompt))).strip()


class Prompts:
    """Prompts as the transformer reads them.

    Args:
        weights: the official file of the text encoder.
        tokenizer: the folder of its tokenizer.
        longest: tokens that are read; the rest of a longer prompt is not.
    """

    def __init__(self, weights: Path, tokenizer: Path, longest: int) -> None:
        self._weights = weights
        self._tokenizer = tokenizer
        self._longest = longest
        self._cache = Cache("liveavatar-prompts", _CACHE_BYTES)
        self._network: Any = None

    def is_kept(self, prompt: str) -> bool:
        """Return whether this prompt needs no text encoder."""
        return self._cache.find(self._key(prompt)) is not None

    def context(self, prompt: str) -> Tensor:
        """Return ``[tokens, text_dim]``, from disk if it was asked for before.

        Raises:
            Refused: if the text encoder is missing or something else.
        """
        key = self._key(prompt)
        kept = self._cache.find(key)
        if kept is not None and (context := _read(kept)) is not None:
            return context
        if self._network is None:
            self._network = t5_encoder(read_state(self._weights), self._weights)
        context = encode(self._network, *self.tokens(prompt))
        from safetensors.torch import save

        self._cache.keep(key, lambda stream: stream.write(save({"context": context.contiguous()})))
        return context

    def tokens(self, prompt: str) -> tuple[Tensor, Tensor]:
        """Return ids and mask ``[1, tokens]`` of a prompt, cut to what is read.

        Raises:
            Refused: ``liveavatar.no_tokenizer``.
        """
        from tokenizers import Tokenizer

        path = self._tokenizer / "tokenizer.json"
        try:
            tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:
            raise Refused.because("liveavatar.no_tokenizer", path=path) from error
        tokenizer.enable_truncation(self._longest)
        tokenizer.no_padding()
        encoded = tokenizer.encode(cleaned(prompt))
        return torch.tensor([encoded.ids]), torch.tensor([encoded.attention_mask])

    def release(self) -> None:
        """Give the memory of the text encoder back."""
        self._network = None

    def _key(self, prompt: str) -> str:
        text = hashlib.sha256(cleaned(prompt).encode()).hexdigest()
        return content_key(self._weights, text, self._longest, _KEPT_VERSION)


def _read(path: Path) -> Tensor | None:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)["context"]
    except (OSError, KeyError, SafetensorError):
        return None
