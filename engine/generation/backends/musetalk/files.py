"""The checkpoint files of MuseTalk. Light.

Both versions have the same network and the same size, so a file is told by where it lies: ``musetalkV15/unet.pth`` or
``musetalk/pytorch_model.bin``, or a folder that names the version; the parameter ``version`` decides for any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.generation.backend import Requirement
from engine.generation.backends import model_files
from engine.generation.backends.model_files import missing, needed
from engine.generation.backends.musetalk.settings import Version
from engine.models.finder import Library
from engine.refusal import Refused

_UNETS = {Version.V1_5: "musetalk-1.5-unet", Version.V1_0: "musetalk-1.0-unet"}
_WHISPER = ("whisper-tiny-hf", "whisper-tiny")
_VAE = ("sd-vae", "sd-vae-bin")
_PARSER = "face-parsing"


@dataclass(frozen=True, slots=True)
class Files:
    """What is loaded.

    Attributes:
        unet: the network that draws.
        whisper: the network that hears, from either publisher.
        vae: the autoencoder.
        parser: the face parsing network, ``None`` where it is not there.
        version: which MuseTalk it is; never ``AUTO``.
    """

    unet: Path
    whisper: Path
    vae: Path
    parser: Path | None
    version: Version


def requirements(library: Library) -> tuple[Requirement, ...]:
    """Return what has to be there, and whether it is; the parsing network is not among it."""
    return model_files.requirements(library, tuple(_UNETS.values()), _WHISPER, _VAE)


def found_files(library: Library) -> str:
    """Return which files are there that change the pictures, in words for programs."""
    names = {name for found in library.found for name in found.names}
    return " ".join(sorted(names & {*_UNETS.values(), _PARSER}))


def find_files(library: Library, version: Version) -> Files:
    """Choose the files of a version.

    Args:
        library: what was found on disk.
        version: which one; ``AUTO`` takes the newest that is there.

    Raises:
        Refused: ``musetalk.other_version`` if only the other version is there, ``musetalk.unknown_version`` if a file
            could be either and none was chosen, ``models.needed``.
    """
    for each in [wanted for wanted in _UNETS if version in {wanted, Version.AUTO}]:
        if (unet := library.certain(_UNETS[each])) is not None:
            return _files(library, unet, each)
    either = next((found.path for found in library.found if set(found.names) == set(_UNETS.values())), None)
    if either is not None and version is Version.AUTO:
        raise Refused.because("musetalk.unknown_version", path=either)
    if either is not None:
        return _files(library, either, version)
    other = library.path(*_UNETS.values())
    if other is None:
        raise missing(_UNETS[Version.V1_5 if version is Version.AUTO else version])
    have = next(each for each in _UNETS if each is not version)
    raise Refused.because("musetalk.other_version", path=other, version=version.value, have=have.value)


def _files(library: Library, unet: Path, version: Version) -> Files:
    return Files(unet, needed(library, *_WHISPER), needed(library, *_VAE), library.path(_PARSER), version)
