"""Where nobody speaks, the original comes back softly."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from engine.generation.backends.silence import drawn_shares
from engine.generation.spec import SilencePolicy
from tests.engine.generation.in_memory import RecordedVoice, Silence
from tests.engine.sound.voice import speech


@pytest.mark.parametrize("rate", ["24000/1001", "25", "60"])
def test_the_mouth_is_drawn_while_somebody_speaks_and_fades_in_between(rate: str) -> None:
    fps = Fraction(rate)
    said = speech(4, 16_000).samples.astype(np.float32)
    silence = np.zeros(16_000 * 4, np.float32)
    voice = RecordedVoice(np.concatenate([silence, said, silence]))
    shares = drawn_shares(voice, round(12 * fps), fps, SilencePolicy.ORIGINAL)
    times = np.arange(len(shares)) / float(fps)
    assert (shares[times < 3.2] == 0).all()
    assert (shares[times >= 9.0] == 0).all()
    assert shares[(times >= 4.4) & (times < 7.6)].mean() > 0.9
    # No jump: a fade of 0.16 s.
    assert float(np.abs(np.diff(shares)).max()) <= 1 / (0.16 * float(fps)) + 0.01


def test_silence_is_all_original_and_no_wish_all_drawn() -> None:
    shares = {policy: drawn_shares(Silence(16_000), 25, Fraction(25), policy) for policy in SilencePolicy}
    assert (shares[SilencePolicy.ORIGINAL] == 0).all()
    assert (shares[SilencePolicy.CLOSED] == 1).all()
