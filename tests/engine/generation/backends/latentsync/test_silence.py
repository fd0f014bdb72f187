"""Where nobody speaks, the original comes back softly."""

from __future__ import annotations

import numpy as np

from engine.generation.backends.latentsync.silence import drawn_shares, fully_drawn
from tests.engine.generation.in_memory import RecordedVoice, Silence
from tests.engine.sound.voice import speech


def test_the_mouth_is_drawn_while_somebody_speaks_and_fades_in_between() -> None:
    said = speech(4, 16_000).samples.astype(np.float32)
    silence = np.zeros(16_000 * 4, np.float32)
    shares = drawn_shares(RecordedVoice(np.concatenate([silence, said, silence])), 300)
    assert shares.shape == (300,)
    assert (shares[:80] == 0).all()
    assert (shares[225:] == 0).all()
    assert shares[110:190].mean() > 0.9
    assert float(np.abs(np.diff(shares)).max()) <= 0.26  # no jump: a fade of four pictures


def test_silence_is_all_original_and_no_wish_all_drawn() -> None:
    assert (drawn_shares(Silence(16_000), 25) == 0).all()
    assert (fully_drawn(25) == 1).all()
