"""What is said before a render about face videos and voices of different lengths."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from engine.generation.backend import Estimate
from engine.generation.lengths import length_note
from engine.generation.render import estimate
from engine.generation.spec import LengthPolicy
from engine.jobs import run
from tests.engine.generation.conftest import make_spec
from tests.engine.generation.grey_engine import GreyEngine
from tests.media.clips import make_clip

FRAME = Fraction(1, 25)


def key(policy: str, video: float, voice: float, clip: float) -> str | None:
    lengths = (Fraction(str(seconds)) for seconds in (video, voice, clip))
    note = length_note(LengthPolicy(policy), **dict(zip(("video", "voice", "clip"), lengths, strict=True)), frame=FRAME)
    return None if note is None else note.key.removeprefix("generation.note.")


@pytest.mark.parametrize(
    ("policy", "shorter", "longer"),
    [
        ("end_with_voice", "video_to_and_fro", "ends_with_voice"),
        ("ping_pong", "video_to_and_fro", "silent_end"),
        ("loop", "video_again", "silent_end"),
        ("hold", "video_held", "silent_end"),
        ("cut", "ends_with_video", "ends_with_voice"),
    ],
)
def test_every_policy_says_what_it_does(policy: str, shorter: str, longer: str) -> None:
    assert key(policy, 2, 5, 2 if policy == "cut" else 5) == shorter
    assert key(policy, 5, 2, 2 if policy in {"cut", "end_with_voice"} else 5) == longer
    assert key(policy, 3, 3.03, 3.04) is None
    assert key(policy, 9, 8, 2) is None, "a clip that was limited shows neither end"


def test_it_is_said_before_the_render(tmp_path: Path, grey: GreyEngine) -> None:
    video = make_clip(tmp_path / "video.mp4", seconds=1, audio_codec=None).path
    found = run(estimate(make_spec(tmp_path, source=video)))
    assert isinstance(found, Estimate)
    assert [str(note) for note in found.notes if "lasts" in str(note)] == [
        "The face video lasts 1.0 s, the clip 2.0 s: the video is shown forwards and backwards in turn until the end."
    ]
    assert grey.loaded == []
