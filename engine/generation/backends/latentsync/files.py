"""The checkpoint files of LatentSync, and the size of picture that each version was trained on. Light."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from engine.generation.backend import Requirement
from engine.generation.backends import model_files
from engine.generation.backends.model_files import missing, needed
from engine.models.finder import Library
from engine.refusal import Refused


class Version(StrEnum):
    """Which checkpoint is used."""

    AUTO = "auto"
    V1_5 = "1.5"
    V1_6 = "1.6"


RESOLUTIONS = {Version.V1_5: 256, Version.V1_6: 512}
"""Side of the square each version was trained on. The architecture is the same: the wrong one leaves a visible mask or
blurs, so it is bound to the file."""

_UNETS = {Version.V1_6: "latentsync-1.6-unet", Version.V1_5: "latentsync-1.5-unet"}
_WHISPER = ("whisper-tiny", "whisper-tiny-hf")
_VAE = ("sd-vae", "sd-vae-bin")


@dataclass(frozen=True, slots=True)
class Files:
    """What is loaded.

    Attributes:
        unet: ``latentsync_unet.pt``.
        whisper: ``tiny.pt``, or the Hugging Face file of the same network.
        vae: the autoencoder.
        version: which LatentSync it is; never ``AUTO``.
    """

    unet: Path
    whisper: Path
    vae: Path
    version: Version

    @property
    def resolution(self) -> int:
        """Side of the square the network draws."""
        return RESOLUTIONS[self.version]


def requirements(library: Library) -> tuple[Requirement, ...]:
    """Return what has to be there, and whether it is."""
    return model_files.requirements(library, tuple(_UNETS.values()), _WHISPER, _VAE)


def found_versions(library: Library) -> str:
    """Return which checkpoints are there, in words for programs: with other ones, ``AUTO`` draws other pictures."""
    return " ".join(sorted({name for found in library.found for name in found.names} & set(_UNETS.values())))


def find_files(library: Library, version: Version) -> Files:
    """Choose the files of a version.

    Args:
        library: what was found on disk.
        version: which one; ``AUTO`` takes the newest that is there.

    Raises:
        Refused: ``latentsync.other_version`` if only the other version is there, ``latentsync.unknown_version`` if a
            file could be either and none was chosen, ``models.needed``.
    """
    wanted = list(_UNETS) if version is Version.AUTO else [version]
    for each in wanted:
        if (unet := library.certain(_UNETS[each])) is not None:
            return Files(unet, needed(library, *_WHISPER), needed(library, *_VAE), each)
    either = next((found for found in library.found if set(found.names) >= set(_UNETS.values())), None)
    if either is not None and version is Version.AUTO:
        raise Refused.because("latentsync.unknown_version", path=either.path)
    if either is not None:
        return Files(either.path, needed(library, *_WHISPER), needed(library, *_VAE), version)
    other = library.path(*_UNETS.values())
    if other is None:
        raise missing(_UNETS[wanted[0]])
    have = next(each for each in _UNETS if library.path(_UNETS[each]) is not None)
    raise Refused.because(
        "latentsync.other_version", path=other, version=version.value, have=have.value,
        resolution=RESOLUTIONS[have], wanted=RESOLUTIONS[version],
    )  # fmt: skip
