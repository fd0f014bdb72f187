"""What happens where face video and voice are not equally long, in a sentence that is said before the render. Light."""

from __future__ import annotations

from fractions import Fraction

from engine.generation.spec import LengthPolicy
from engine.words import Message

_SHOWN_AGAIN = {
    LengthPolicy.END_WITH_VOICE: "to_and_fro",
    LengthPolicy.PING_PONG: "to_and_fro",
    LengthPolicy.LOOP: "again",
    LengthPolicy.HOLD: "held",
}
"""How a video that is shorter than the clip goes on."""


def length_note(
    policy: LengthPolicy, *, video: Fraction, voice: Fraction, clip: Fraction, frame: Fraction
) -> Message | None:
    """Return what is done about different lengths, or ``None`` where there is nothing to say.

    Args:
        policy: what was chosen.
        video: length of the face video, in seconds.
        voice: length of the voice.
        clip: length of the clip, which may have been limited.
        frame: how long one frame is shown; less than that is no difference.
    """
    lengths = {"video": float(video), "voice": float(voice), "clip": float(clip)}
    if clip - video > frame:
        return Message(f"generation.note.video_{_SHOWN_AGAIN[policy]}", **lengths)
    if abs(video - voice) <= frame or min(video, voice) - clip > frame:
        return None
    if video < voice:
        return Message("generation.note.ends_with_video", **lengths)
    return Message(f"generation.note.{'silent_end' if clip - voice > frame else 'ends_with_voice'}", **lengths)
