"""LatentSync 1.5 and 1.6: lips drawn by latent diffusion, window by window; everything it takes in this folder.

In the order of the data: ``files`` (checkpoints), ``memory`` (what will fit), ``networks`` (loading), ``windows``
(which frames together), ``faces``, ``align`` and ``mask`` (what the network is shown), ``audio`` (what it hears),
``unet`` and ``sampler`` (what it computes), ``drawing`` and ``workers`` (on one device or several), ``silence``,
``rendering`` (all of it, picture by picture), ``settings`` and ``engine`` (what the frame around engines sees).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.generation.backend import Backend


def backend() -> Backend:
    """Return a new LatentSync."""
    from engine.generation.backends.latentsync.engine import LatentSync

    return LatentSync()
