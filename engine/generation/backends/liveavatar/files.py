"""Where the official files are, wherever the user keeps them. Light."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from engine.generation.backend import Requirement
from engine.generation.backends.liveavatar.config import ModelConfig
from engine.models.catalog import catalog, entry
from engine.models.finder import Library
from engine.refusal import Refused
from engine.words import Message

_INDEX, _LORA, _VAE = "liveavatar-dit-index", "liveavatar-lora", "wan-2.1-vae"
_TEXT, _TOKENIZER, _VOICE = "umt5-xxl", "umt5-xxl-tokenizer", "wav2vec2-xlsr-53-english"


@dataclass(frozen=True, slots=True)
class Files:
    """Where the parts are.

    Attributes:
        wan: the folder of the transformer, ``Wan2.2-S2V-14B``: its configuration, index and shards.
        lora: the file of the LoRA.
        vae: the file of the video VAE.
        text: the file of the text encoder.
        tokenizer: the folder of its tokenizer.
        voice: the folder of wav2vec 2.
    """

    wan: Path
    lora: Path
    vae: Path
    text: Path
    tokenizer: Path
    voice: Path

    @classmethod
    def in_folder(cls, folder: Path) -> Files:
        """Return where everything is in the official layout: ``Wan2.2-S2V-14B/`` and ``LiveAvatar/``."""
        wan = folder / "Wan2.2-S2V-14B"
        return cls(
            wan=wan,
            lora=folder / "LiveAvatar" / "liveavatar.safetensors",
            vae=wan / "Wan2.1_VAE.pth",
            text=wan / "models_t5_umt5-xxl-enc-bf16.pth",
            tokenizer=wan / "google" / "umt5-xxl",
            voice=wan / "wav2vec2-large-xlsr-53-english",
        )

    @classmethod
    def found(cls, library: Library) -> Files:
        """Return where everything was found.

        Raises:
            Refused: ``models.missing`` for the first part that was not.
        """

        def place(name: str) -> Path:
            path = library.path(name)
            if path is None:
                raise Refused.because("models.missing", path=str(entry(name).place))
            return path

        return cls(
            wan=place(_INDEX).parent,
            lora=place(_LORA),
            vae=place(_VAE),
            text=place(_TEXT),
            tokenizer=place(_TOKENIZER).parent,
            voice=place(_VOICE).parent,
        )

    def config(self) -> ModelConfig:
        """Read the sizes of the transformer.

        Raises:
            Refused: if the file is missing, unreadable or describes another network.
        """
        path = self.wan / "config.json"
        try:
            return ModelConfig.from_json(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise Refused.because("liveavatar.no_config", path=path) from error


def requirements(library: Library) -> tuple[Requirement, ...]:
    """Return what has to be there, and whether it is."""
    needed = [each for each in catalog() if "liveavatar" in each.engines]
    return tuple(
        Requirement(
            each.title,
            library.path(each.name) is not None,
            Message("liveavatar.needs", title=each.title, place=str(each.place)),
            each.size or None,
        )
        for each in needed
    )
