"""Prompts: the published encoder, the tokenizer's folder, and what is kept on disk."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from engine.generation.backends.liveavatar import text
from engine.generation.backends.liveavatar.text import Prompts, cleaned, encode, t5_encoder
from engine.refusal import Refused
from tests.engine.generation.backends.liveavatar.checkpoint import t5_state, write_tokenizer
from tests.golden import Golden, goldens, worst


@goldens("liveavatar/t5")
def test_encoder_computes_what_the_published_one_does(golden: Golden) -> None:
    stored = {name[2:]: value for name, value in golden.tensors.items() if name.startswith("w.")} or golden.state()
    network = t5_encoder(stored, golden.path)
    found = encode(network, golden.tensors["in.ids"], golden.tensors["in.mask"])
    assert worst(found[None], golden.tensors["out.context"]) < golden.tolerance["suggested_max_abs"]


@pytest.fixture
def prompts(tmp_path: Path) -> Prompts:
    torch.save(t5_state(dim=16), tmp_path / "t5.pth")
    write_tokenizer(tmp_path / "tokenizer")
    return Prompts(tmp_path / "t5.pth", tmp_path / "tokenizer", longest=12)


@pytest.mark.parametrize("prompt", ["", "A person talks.", "一个人在说话。", "very " * 5000, "a &amp;amp; b\n\t c"])
def test_any_prompt_is_read(prompts: Prompts, prompt: str) -> None:
    context = prompts.context(prompt)
    ids, mask = prompts.tokens(prompt)
    assert context.shape == (int(mask.sum()), 16)
    assert 1 <= ids.shape[1] <= 12
    assert ids[0, -1] == 1  # the end is marked even where the prompt was cut


def test_prompts_are_kept(prompts: Prompts, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not prompts.is_kept("one")
    first = prompts.context("one")
    prompts.release()

    def fail(_: Path) -> dict[str, Tensor]:
        raise AssertionError("the text encoder was read again")

    monkeypatch.setattr(text, "read_state", fail)
    assert prompts.is_kept("one")
    assert torch.equal(prompts.context("one"), first)
    assert torch.equal(prompts.context(" one "), first)
    with pytest.raises(AssertionError):
        prompts.context("two")


def test_other_weights_do_not_use_what_was_kept(prompts: Prompts, tmp_path: Path) -> None:
    first = prompts.context("one")
    torch.save({name: value * 1.5 for name, value in t5_state(dim=16).items()}, tmp_path / "other.pth")
    other = Prompts(tmp_path / "other.pth", tmp_path / "tokenizer", longest=12)
    assert not other.is_kept("one")
    assert not torch.equal(other.context("one"), first)


def test_cleaning() -> None:
    assert cleaned("  a &amp;amp; b\n c ") == "a & b c"


def test_what_is_something_else_is_refused(tmp_path: Path) -> None:
    save_file({"x": torch.zeros(1)}, tmp_path / "x.safetensors")
    with pytest.raises(Refused, match="UMT5-XXL"):
        Prompts(tmp_path / "x.safetensors", tmp_path, 12).context("one")
    incomplete = t5_state(dim=16)
    del incomplete["blocks.0.norm1.weight"]
    torch.save(incomplete, tmp_path / "t5.pth")
    with pytest.raises(Refused, match="UMT5-XXL"):
        Prompts(tmp_path / "t5.pth", tmp_path, 12).context("one")
    torch.save(t5_state(dim=16), tmp_path / "t5.pth")
    with pytest.raises(Refused, match="tokenizer"):
        Prompts(tmp_path / "t5.pth", tmp_path / "nowhere", 12).context("one")
