"""Pictures to latents and back: the reference, the past, and a decoder that goes on for ever in the same memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.generation.backends.liveavatar.config import LATENT_FRAMES, MOTION_LATENTS
from engine.models.checkpoints import load_strict, read_state
from engine.refusal import Refused

Picture = npt.NDArray[np.uint8]

_REFERENCE_REPEATS = 5
"""The reference is the second latent frame of the picture shown five times: one that comes of four equal pictures."""
PRIMING_LATENTS = 7
"""Latent frames of the past that the decoder is shown before the first block."""


def load_vae(path: Path, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32) -> Any:
    """Load the Wan 2.1 VAE from its official file.

    Raises:
        Refused: if it is missing or something else.
    """
    return vae_from(read_state(path), path, device, dtype)


def vae_from(
    state: dict[str, Tensor], path: Path, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32
) -> Any:
    """Return the VAE with tensors by their official names; ``path`` is for the report.

    Raises:
        Refused: as :func:`engine.models.checkpoints.load_strict`.
    """
    from diffusers import AutoencoderKLWan
    from diffusers.loaders.single_file_utils import convert_wan_vae_to_diffusers

    try:
        base, latent = state["encoder.conv1.weight"].shape[0], state["conv2.weight"].shape[0]
    except KeyError as error:
        raise Refused.because("liveavatar.other_vae", path=path) from error
    with torch.device("meta"):
        network: Any = AutoencoderKLWan(base_dim=base, z_dim=latent)
    load_strict(
        network, convert_wan_vae_to_diffusers(dict(state)), path=path, wanted="Wan 2.1 VAE", dtype=dtype, device=device
    )
    return network.eval()


class Codec:
    """Encodes pictures; its latents are normalised, as the transformer takes them.

    Args:
        vae: see :func:`load_vae`.
    """

    def __init__(self, vae: Any) -> None:
        self.vae = vae
        like = next(vae.parameters())
        self.device, self.dtype = like.device, like.dtype
        shape = (1, -1, 1, 1, 1)
        self.mean = torch.tensor(vae.config.latents_mean, device=self.device).view(shape)
        self.deviation = torch.tensor(vae.config.latents_std, device=self.device).view(shape)

    @torch.inference_mode()
    def encode(self, pixels: Tensor) -> Tensor:
        """Return latents ``[channels, 1 + (frames - 1) / 4, height / 8, width / 8]``, float32.

        Args:
            pixels: ``[3, frames, height, width]``, −1 to 1.
        """
        found = self.vae.encode(pixels[None].to(self.device, self.dtype)).latent_dist.mode()
        return ((found.float() - self.mean) / self.deviation)[0]

    def reference(self, picture: Picture) -> Tensor:
        """Return ``[channels, 1, height / 8, width / 8]`` of a picture ``(height, width, 3)``."""
        return self.encode(_still(picture, _REFERENCE_REPEATS))[:, 1:2]

    def motion(self, picture: Picture) -> Tensor:
        """Return ``[channels, 19, height / 8, width / 8]``: a past in which the picture stood still."""
        return self.encode(_still(picture, 1 + LATENT_FRAMES * (MOTION_LATENTS - 1)))

    def decoder(self) -> StreamDecoder:
        """Return a decoder for one video."""
        return StreamDecoder(self)


class StreamDecoder:
    """Decodes a video latent frame by latent frame; what its convolutions need of the past is all it keeps.

    A block's decoding takes a twentieth of the transformer's operations (counted, 5.6 % at 704x384), and much of it
    moves memory rather than multiplies. On a card it has a stream of its own, so that it fills the gaps of the passes
    that the network has launched ahead, and copying pictures to main memory waits for none of them.
    """

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        # diffusers counts them on its first call only.
        codec.vae.clear_cache()
        self._kept: list[Any] = [None] * len(codec.vae._feat_map)  # noqa: SLF001 - diffusers has no public streaming decoder
        self._begun = False
        self._stream = torch.cuda.Stream(codec.device) if codec.device.type == "cuda" else None

    def pictures(self, latents: Tensor, ready: torch.cuda.Event | None = None) -> list[Picture]:
        """Return the pictures of latents, in main memory.

        Args:
            latents: as for :meth:`decode`.
            ready: comes after everything that makes the latents on their card; see :func:`launched`.
        """
        if self._stream is not None and ready is not None:
            self._stream.wait_event(ready)
        if self._stream is not None and latents.device == self._stream.device:
            latents.record_stream(self._stream)
        with self._beside():
            return [picture for pixels in self.decode(latents) for picture in pictures(pixels)]

    @contextmanager
    def _beside(self) -> Iterator[None]:
        """Return a context in whose stream everything that the decoder keeps is made and used."""
        with torch.cuda.stream(self._stream):
            yield

    def decode(self, latents: Tensor) -> Iterator[Tensor]:
        """Yield pixels ``[3, frames, height, width]``, −1 to 1 and a little beyond: one frame first, then four each.

        Args:
            latents: ``[channels, latent frames, height / 8, width / 8]``.
        """
        codec = self._codec
        for frame in latents.split(1, dim=1):
            with torch.inference_mode():
                z = frame[None].to(codec.device, torch.float32) * codec.deviation + codec.mean
                z = codec.vae.post_quant_conv(z.to(codec.dtype))
                pixels = codec.vae.decoder(z, feat_cache=self._kept, feat_idx=[0], first_chunk=not self._begun)
            self._begun = True
            yield pixels[0].float()

    def prime(self, motion: Tensor) -> None:
        """Show the decoder the end of the past and throw its pictures away."""
        if self._stream is not None:
            self._stream.wait_stream(torch.cuda.current_stream(self._stream.device))  # weights, and the past itself
        with self._beside():
            for _ in self.decode(motion[:, -PRIMING_LATENTS:]):
                pass
        if self._stream is not None:
            self._stream.synchronize()

    def state(self) -> dict[str, Tensor]:
        """Return what is kept of the past, by name."""
        return {str(n): kept.cpu() for n, kept in enumerate(self._kept) if isinstance(kept, Tensor)}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take back what :meth:`state` returned after at least two latent frames."""
        with self._beside():
            for name, kept in state.items():
                self._kept[int(name)] = kept.to(self._codec.device)
        self._begun = True


def launched(tensor: Tensor) -> torch.cuda.Event | None:
    """Return a mark behind all that was launched so far to make a tensor; ``None`` where nothing has to be waited for.

    Called by the thread that launched it.
    """
    if not tensor.is_cuda:
        return None
    mark = torch.cuda.Event()
    mark.record(torch.cuda.current_stream(tensor.device))
    return mark


def pictures(pixels: Tensor) -> Iterator[Picture]:
    """Yield ``(height, width, 3)`` for pixels ``[3, frames, height, width]`` of −1 to 1."""
    whole = ((pixels.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    for frame in whole.permute(1, 2, 3, 0).cpu():
        yield frame.contiguous().numpy()


def _still(picture: Picture, frames: int) -> Tensor:
    pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 127.5 - 1
    return pixels[:, None].expand(-1, frames, -1, -1)
