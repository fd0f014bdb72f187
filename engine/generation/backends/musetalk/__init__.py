"""MuseTalk 1.0 and 1.5: the lower half of the face drawn in one step; everything it takes is in this folder.

In the order of the data: ``files`` (checkpoints), ``boxes`` and ``faces`` (what part of the picture), ``audio`` (what
it hears), ``network`` (what it computes), ``parsing`` and ``blending`` (what of it is taken over), ``rendering`` (all
of it, picture by picture), ``settings`` and ``engine`` (what the frame around engines sees).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.generation.backend import Backend


def backend() -> Backend:
    """Return a new MuseTalk."""
    from engine.generation.backends.musetalk.engine import MuseTalk

    return MuseTalk()
