"""Builders of test media: clips whose flashes and beeps are known, and odd files.

Only the process of :mod:`tests.media.fuzzing` uses the engine, so that what the engine finds can be held against the
rest.
"""

from tests.media.clips import FLASH_FRAMES, Clip, beep, frame_number, make_clip, picture
from tests.media.finding import beep_times, decoded_sound, find_beeps, flash_times
from tests.media.odd import (
    PLAYLISTS,
    Damage,
    damages,
    make_encrypted,
    make_playlists,
    make_still,
    make_unknown_codec,
    make_with_cover,
    truncated,
)

__all__ = [
    "FLASH_FRAMES",
    "PLAYLISTS",
    "Clip",
    "Damage",
    "beep",
    "beep_times",
    "damages",
    "decoded_sound",
    "find_beeps",
    "flash_times",
    "frame_number",
    "make_clip",
    "make_encrypted",
    "make_playlists",
    "make_still",
    "make_unknown_codec",
    "make_with_cover",
    "picture",
    "truncated",
]
