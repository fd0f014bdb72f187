"""The LoRA that makes four steps enough: all of it, or none of it.

The published loader passes over keys it does not know, and a LoRA under other names then silently leaves the slow base
model. Here every one of its modules must find its weight.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from engine.generation.backends.liveavatar.config import ModelConfig
from engine.models.checkpoints import read_state
from engine.refusal import Refused

SCALE = 0.5
"""alpha / rank = 64 / 128, from the published configuration; the file does not say."""

_KEY = re.compile(
    r"(?:base_model\.model\.|diffusion_model\.|transformer\.|module\.)*(?P<module>.+)\.lora_(?P<part>[AB])(?:\.default)?\.weight"
)
"""Names as PEFT, diffusers and the published trainer write them."""


def lora_modules(config: ModelConfig) -> tuple[str, ...]:
    """Return the linear layers that the LoRA changes: 448 of the released model."""
    attentions = [f"blocks.{n}.{kind}_attn" for n in range(config.num_layers) for kind in ("self", "cross")]
    attentions += [f"audio_injector.injector.{n}" for n in range(len(config.audio_inject_layers))]
    projections = [f"{attention}.{part}" for attention in attentions for part in "qkvo"]
    return (*projections, *(f"blocks.{n}.ffn.{part}" for n in range(config.num_layers) for part in (0, 2)))


class Lora:
    """Low-rank changes by module, checked against the network they are for.

    Args:
        path: the file.
        config: of the network.
        shapes: of the network's tensors, by name.

    Raises:
        Refused: ``liveavatar.lora`` unless all modules are there, and no others; ``liveavatar.lora_shape`` if one does
            not fit its weight.
    """

    def __init__(self, path: Path, config: ModelConfig, shapes: Mapping[str, Sequence[int]]) -> None:
        self._parts: dict[str, dict[str, Tensor]] = {}
        strange = []
        for name, value in read_state(path).items():
            if match := _KEY.fullmatch(name):
                self._parts.setdefault(match["module"], {})[match["part"]] = value
            else:
                strange.append(name)
        wanted = lora_modules(config)
        complete = {module for module, parts in self._parts.items() if len(parts) == 2}
        matched = sum(module in complete for module in wanted)
        others = [*strange, *(module for module in self._parts if module not in set(wanted))]
        if matched < len(wanted) or others:
            missing = [module for module in wanted if module not in complete]
            raise Refused.because(
                "liveavatar.lora", path=path, matched=matched, wanted=len(wanted), example=(missing + others)[0]
            )

        for module in wanted:
            down, up = self._parts[module]["A"], self._parts[module]["B"]
            if (up.shape[0], down.shape[1]) != tuple(shapes[f"{module}.weight"]) or up.shape[1] != down.shape[0]:
                raise Refused.because("liveavatar.lora_shape", path=path, module=module)

    def merged(self, module: str, weight: Tensor, scale: float = SCALE) -> Tensor:
        """Return a weight with the change of its module, computed in float32, in the precision it came in."""
        down, up = self._parts[module]["A"], self._parts[module]["B"]
        return torch.addmm(weight.float(), up.float(), down.float(), alpha=scale).to(weight.dtype)

    def __contains__(self, module: str) -> bool:
        return module in self._parts
