"""From faces and sound to faces that speak: encode, denoise, decode, window by window.

Everything random is drawn for each window by itself, from the seed and the window's first frame, on the processor: it
does not matter which windows are drawn before, on which device, or by which process.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.generation.backends.compiling import compiler_of
from engine.generation.backends.device_memory import memory_of
from engine.generation.backends.latentsync.align import Image
from engine.generation.backends.latentsync.files import Files
from engine.generation.backends.latentsync.mask import keep_mask, latent_mask
from engine.generation.backends.latentsync.networks import Networks, load_networks
from engine.generation.backends.latentsync.sampler import Condition, Sampling, sample_window
from engine.generation.backends.placement import Placement
from engine.generation.device_pool import Draw, Drawing
from engine.jobs import Job
from engine.refusal import Refused

Face = npt.NDArray[np.float32]
"""A drawn face, RGB in -1..1, shape ``(resolution, resolution, 3)``."""

Result = TypeVar("Result")

_ENCODED, _DENOISED = 0.1, 0.9
"""Shares of the work: roughly, with 20 steps."""
_LATENT_CHANNELS = 4
_LATENT_SCALE = 8


@dataclass(frozen=True, slots=True)
class WindowPart:
    """Successive frames of one window, all with a face, of one shot: what the network sees at once.

    Attributes:
        first: number of the first drawn frame.
        faces: as cut out, shape ``(f, resolution, resolution, 3)``.
        audio: tokens of each frame, shape ``(f, 50, 384)``.
    """

    first: int
    faces: Image
    audio: npt.NDArray[np.float32]


class Randomness(Protocol):
    """Where standard normal numbers come from."""

    def noise(self, side: int) -> Tensor:
        """Return the initial noise of a frame, the same for all, shape ``(4, side, side)``."""
        ...

    def posteriors(self, part: WindowPart, side: int) -> tuple[Tensor, Tensor]:
        """Return what masked and whole faces of a part are sampled with, shape ``(f, 4, side, side)`` each."""
        ...


@dataclass(frozen=True, slots=True)
class SeededNoise:
    """Numbers that depend on the seed and the frame only."""

    seed: int

    def noise(self, side: int) -> Tensor:
        """Return the initial noise; for the same seed that of the published program."""
        return torch.randn(_LATENT_CHANNELS, side, side, generator=torch.Generator().manual_seed(self.seed))

    def posteriors(self, part: WindowPart, side: int) -> tuple[Tensor, Tensor]:
        """Return the numbers of one part."""
        digest = hashlib.sha256(f"latentsync {self.seed} {part.first}".encode()).digest()
        generator = torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
        shape = (2, len(part.faces), _LATENT_CHANNELS, side, side)
        masked, whole = torch.randn(shape, generator=generator)
        return masked, whole


class Drawer:
    """Draws parts of windows on one device.

    Args:
        networks: denoiser and picture autoencoder.
        sampling: how.
        randomness: where numbers come from.
    """

    def __init__(self, networks: Networks, sampling: Sampling, randomness: Randomness) -> None:
        self._networks = networks
        self._sampling = sampling
        self._randomness = randomness

    def draw(self, parts: Sequence[WindowPart]) -> Drawing[list[Face]]:
        """Draw some parts; where a result is not a number, once more in single precision.

        Returns:
            The faces of each part, shape ``(f, r, r, 3)``.

        Raises:
            OutOfMemory: if they do not fit.
            Refused: ``latentsync.not_a_number``, ``workers.not_compiled``.
        """
        device = self._networks.placement.device
        with memory_of(device), compiler_of(device):
            faces = yield from self._draw(parts)
            if faces is None and not self._networks.is_single_precision:
                self._networks.in_single_precision()
                faces = yield from self._draw(parts)
        if faces is None:
            raise Refused.because("latentsync.not_a_number")
        return faces

    def _draw(self, parts: Sequence[WindowPart]) -> Generator[float, None, list[Face] | None]:
        """Return the faces, or ``None`` if they are not numbers. The networks take turns over all parts."""
        networks = self._networks
        conditions: list[Condition] = []
        latents: list[Tensor] = []
        faces: list[Face] = []
        with networks.placement.turn_of(networks.vae):
            for number, part in enumerate(parts):
                encoding = self._condition(part)
                conditions.append((yield from _stretched(encoding, number / len(parts), 0.0, _ENCODED)))
        with networks.placement.turn_of(networks.unet):
            for number, (part, condition) in enumerate(zip(parts, conditions, strict=True)):
                noise = self._randomness.noise(_side(part)).to(networks.placement.device)
                latent = noise
                steps = sample_window(networks.unet, noise, condition, self._sampling)
                for step, latent in enumerate(steps, start=1):  # noqa: B007 - the last one is wanted
                    share = (number + step / self._sampling.steps) / len(parts)
                    yield _ENCODED + (_DENOISED - _ENCODED) * share
                latents.append(latent)
        if not all(bool(torch.isfinite(each).all()) for each in latents):
            return None
        with networks.placement.turn_of(networks.vae):
            for number, (part, latent) in enumerate(zip(parts, latents, strict=True)):
                decoding = _collected(self._networks.decoded(latent))
                decoded = yield from _stretched(decoding, number / len(parts), _DENOISED, 1.0)
                if not bool(torch.isfinite(decoded).all()):
                    return None
                faces.append(_composed(decoded, part.faces))
        return faces

    def _condition(self, part: WindowPart) -> Generator[None, None, Condition]:
        resolution = part.faces.shape[1]
        pictures = _to_network(part.faces)
        keep = torch.from_numpy(keep_mask(resolution).copy())
        masked_noise, noise = self._randomness.posteriors(part, _side(part))
        return Condition(
            mask=torch.from_numpy(latent_mask(resolution).copy()).to(self._networks.placement.device),
            masked=(yield from _collected(self._networks.encoded(pictures * keep, masked_noise))),
            reference=(yield from _collected(self._networks.encoded(pictures, noise))),
            audio=torch.from_numpy(part.audio),
        )


@dataclass(frozen=True, slots=True)
class Setup:
    """What one device needs in order to draw.

    Attributes:
        files: what is loaded.
        placement: where and how it computes.
        vae_batch: pictures that the autoencoder takes at once.
        sampling: how it draws.
        seed: of everything random.
    """

    files: Files
    placement: Placement
    vae_batch: int
    sampling: Sampling
    seed: int

    def load(self) -> Job[Draw[Sequence[WindowPart], list[Face]]]:
        """Load the networks; see :class:`engine.generation.device_pool.Setup`."""
        networks = yield from load_networks(self.files, self.placement, self.vae_batch)
        return Drawer(networks, self.sampling, SeededNoise(self.seed)).draw


def _collected(parts: Iterator[Tensor]) -> Generator[None, None, Tensor]:
    """Put parts together, with a place to stop after each."""
    found = []
    for part in parts:
        found.append(part)
        yield
    return torch.cat(found)


def _stretched(
    job: Generator[None, None, Result], share: float, start: float, stop: float
) -> Generator[float, None, Result]:
    """Run a job that does not say how far it is, at a fixed place between two shares."""
    try:
        while True:
            next(job)
            yield start + (stop - start) * share
    except StopIteration as end:
        return end.value


def _side(part: WindowPart) -> int:
    return part.faces.shape[1] // _LATENT_SCALE


def _to_network(faces: Image) -> Tensor:
    """Return faces in -1..1, shape ``(f, 3, r, r)``."""
    return torch.from_numpy(faces).permute(0, 3, 1, 2).float() / 127.5 - 1


def _composed(decoded: Tensor, faces: Image) -> Face:
    """Return what was drawn inside the mask and the original outside of it."""
    keep = keep_mask(faces.shape[1])[..., None]
    drawn = decoded.permute(0, 2, 3, 1).numpy()
    original = faces.astype(np.float32) / np.float32(127.5) - 1
    return np.asarray(drawn * (1 - keep) + original * keep, np.float32)
