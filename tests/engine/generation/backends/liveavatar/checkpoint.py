"""Tiny weights in the layout of the official folders, every number drawn."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor
from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

from engine.generation.backends.liveavatar.config import ModelConfig
from engine.generation.backends.liveavatar.lora import lora_modules
from engine.generation.backends.liveavatar.weights import Files
from tests.engine.generation.backends.liveavatar.tiny import CONFIG, network
from tests.golden import draw, key_file

VOCABULARY = 64


def official_keys(part: str) -> dict[str, tuple[int, ...]]:
    """Return names and shapes of one part of the official weights; skip the test where there is no list."""
    listed = key_file("liveavatar_keys")[part]["keys"]
    return {name: tuple(shape) for name, shape in listed.items()}


def t5_state(dim: int, layers: int = 2, heads: int = 4, ffn: int = 24) -> dict[str, Tensor]:
    """The text encoder under its official names."""
    shapes: dict[str, tuple[int, ...]] = {"token_embedding.weight": (VOCABULARY, dim), "norm.weight": (dim,)}
    for layer in range(layers):
        block = f"blocks.{layer}."
        shapes |= {f"{block}attn.{part}.weight": (dim, dim) for part in "qkvo"}
        shapes |= {f"{block}norm{n}.weight": (dim,) for n in (1, 2)}
        shapes |= {f"{block}ffn.gate.0.weight": (ffn, dim), f"{block}ffn.fc1.weight": (ffn, dim)}
        shapes |= {f"{block}ffn.fc2.weight": (dim, ffn), f"{block}pos_embedding.embedding.weight": (32, heads)}
    return drawn(shapes)


def write_tokenizer(folder: Path) -> None:
    """Every character is a token, and the end is marked, as T5 wants it."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    characters = "abcdefghijklmnopqrstuvwxyz.,"
    vocabulary = {"<pad>": 0, "</s>": 1, "<unk>": 2} | {each: 3 + n for n, each in enumerate(characters)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))


def lora_state(
    config: ModelConfig, rank: int = 4, prefix: str = "base_model.model.", infix: str = ".default"
) -> dict[str, Tensor]:
    """The LoRA under its official names, or with another beginning or ending."""
    weights = {name: tuple(value.shape) for name, value in network(config).state_dict().items()}
    shapes = {}
    for module in lora_modules(config):
        out, into = weights[f"{module}.weight"]
        shapes[f"{prefix}{module}.lora_A{infix}.weight"] = (rank, into)
        shapes[f"{prefix}{module}.lora_B{infix}.weight"] = (out, rank)
    return drawn(shapes)


def write_official(folder: Path, config: ModelConfig = CONFIG, shards: int = 4) -> Files:
    """Write all parts as the official folders have them: shards with an index, pickles, a tokenizer's folder."""
    files = Files.in_folder(folder)
    for place in (files.wan, files.lora.parent, files.voice):
        place.mkdir(parents=True, exist_ok=True)
    (files.wan / "config.json").write_text(
        json.dumps({"_class_name": "WanModel_S2V", **asdict(config)}), encoding="utf-8"
    )
    state = network(config).state_dict()
    names = list(state)
    weight_map = {}
    for shard in range(shards):
        file = f"diffusion_pytorch_model-{shard + 1:05d}-of-{shards:05d}.safetensors"
        mine = names[shard::shards]
        save_file({name: state[name].bfloat16().contiguous() for name in mine}, files.wan / file)
        weight_map |= dict.fromkeys(mine, file)
    index = {"metadata": {"total_size": 0}, "weight_map": weight_map}
    (files.wan / "diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    save_file({name: value.bfloat16() for name, value in lora_state(config).items()}, files.lora)
    torch.save(vae_state(base=2), files.vae)
    torch.save({name: value.bfloat16() for name, value in t5_state(config.text_dim).items()}, files.text)
    write_tokenizer(files.tokenizer)
    write_wav2vec2(files.voice, config.audio_dim)
    return files


def write_wav2vec2(folder: Path, width: int) -> None:
    """A small wav2vec 2 with 24 layers, as its official folder has it."""
    config = Wav2Vec2Config(
        hidden_size=width, num_hidden_layers=24, num_attention_heads=2, intermediate_size=12, feat_extract_norm="layer",
        conv_bias=True, do_stable_layer_norm=True, vocab_size=33, conv_dim=[8] * 7, num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
    )  # fmt: skip
    config.to_json_file(folder / "config.json")
    state = Wav2Vec2ForCTC(config).state_dict()
    save_file(drawn({name: tuple(value.shape) for name, value in state.items()}), folder / "model.safetensors")


def vae_state(base: int = 4) -> dict[str, Tensor]:
    """The video VAE under its official names."""
    return drawn(vae_shapes(base))


def vae_shapes(base: int, latent: int = 16) -> dict[str, tuple[int, ...]]:
    """Official names and shapes of the Wan 2.1 VAE at another width."""
    shapes: dict[str, tuple[int, ...]] = {}

    def conv(name: str, out: int, into: int, *kernel: int) -> None:
        shapes[f"{name}.weight"], shapes[f"{name}.bias"] = (out, into, *kernel), (out,)

    def residual(name: str, into: int, out: int) -> None:
        shapes[f"{name}.residual.0.gamma"], shapes[f"{name}.residual.3.gamma"] = (into, 1, 1, 1), (out, 1, 1, 1)
        conv(f"{name}.residual.2", out, into, 3, 3, 3)
        conv(f"{name}.residual.6", out, out, 3, 3, 3)
        if into != out:
            conv(f"{name}.shortcut", out, into, 1, 1, 1)

    def middle_and_head(side: str, width: int, last: int, out: int) -> None:
        for n in (0, 2):
            residual(f"{side}.middle.{n}", width, width)
        shapes[f"{side}.middle.1.norm.gamma"], shapes[f"{side}.head.0.gamma"] = (width, 1, 1), (last, 1, 1, 1)
        conv(f"{side}.middle.1.to_qkv", 3 * width, width, 1, 1)
        conv(f"{side}.middle.1.proj", width, width, 1, 1)
        conv(f"{side}.head.2", out, last, 3, 3, 3)

    widths = [base, base, 2 * base, 4 * base, 4 * base]
    conv("encoder.conv1", base, 3, 3, 3, 3)
    number = 0
    for level, (into, out) in enumerate(pairwise(widths)):
        for width in (into, out):
            residual(f"encoder.downsamples.{number}", width, out)
            number += 1
        if level < 3:
            conv(f"encoder.downsamples.{number}.resample.1", out, out, 3, 3)
            if level > 0:
                conv(f"encoder.downsamples.{number}.time_conv", out, out, 3, 1, 1)
            number += 1
    middle_and_head("encoder", 4 * base, 4 * base, 2 * latent)
    conv("conv1", 2 * latent, 2 * latent, 1, 1, 1)
    conv("conv2", latent, latent, 1, 1, 1)
    conv("decoder.conv1", 4 * base, latent, 3, 3, 3)
    middle_and_head("decoder", 4 * base, base, 3)
    number = 0
    for level, (into, out) in enumerate(zip((4, 2, 2, 1), (4, 4, 2, 1), strict=True)):
        for width in (into, out, out):
            residual(f"decoder.upsamples.{number}", width * base, out * base)
            number += 1
        if level < 3:
            conv(f"decoder.upsamples.{number}.resample.1", out * base // 2, out * base, 3, 3)
            if level < 2:
                conv(f"decoder.upsamples.{number}.time_conv", 2 * out * base, out * base, 3, 1, 1)
            number += 1
    return shapes


def drawn(shapes: dict[str, tuple[int, ...]], seed: int = 5) -> dict[str, Tensor]:
    return {name: value for name, shape in shapes.items() if (value := draw(name, shape, seed)) is not None}
