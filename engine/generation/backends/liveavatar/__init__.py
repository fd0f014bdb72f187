"""LiveAvatar: Wan2.2-S2V 14B with a LoRA that needs four steps, block by block, as long as the voice lasts.

Read it in this order. The network: ``config`` (its numbers), ``rotary``, ``attention``, ``audio_encoder``, ``memory``
(sink and rings), ``model``. What goes in and comes out: ``audio``, ``text``, ``vae``. Its weights: ``files``, ``lora``,
``fp8``, ``weights``. The work: ``sampler`` (noise levels), ``stage`` (a device's share), ``schedule`` (in which order),
``rooms`` (what travels takes turns in them), ``streaming`` (layers that wait in main memory), ``paging`` (rings that
do), ``denoiser`` (all of it on one device), ``links``, ``ranks`` and ``cluster`` (divided among several), ``planner``
(what fits where), ``drawing``. What the frame calls: ``settings``, ``importing`` (published command lines),
``failures`` (of the machine, in words), ``engine``.
"""

from engine.generation.backends.liveavatar.engine import LiveAvatar


def backend() -> LiveAvatar:
    """Return a new LiveAvatar engine."""
    return LiveAvatar()
