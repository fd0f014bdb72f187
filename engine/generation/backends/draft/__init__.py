"""Draft: a quick talking clip from a picture or a video and a voice, on any machine, to judge timing and framing.

Read it in this order: ``performance`` (a voice becomes mouth parameters: ``hearing``, ``articulation``, ``closures``),
``portrait`` and ``speaking_face`` (parameters become a moved face: ``warp``, ``interior``), ``still`` and ``video``
(whole pictures: ``finding``, ``lids``, ``sway``), ``engine`` (what the frame calls).
"""

from engine.generation.backends.draft.engine import Draft


def backend() -> Draft:
    """Return a new Draft engine."""
    return Draft()
