"""From one window of a clip to evidence: how well every lag explains mouth and sound together, block by block."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.face.tracks import FaceTrack
from engine.sound.features import ROW_RATE as SOUND_RATE
from engine.sync.rows import ROW_RATE, mouth_rows, sound_rows
from engine.sync.towers import SyncModel

Floats = npt.NDArray[np.float32]

REACH_MS = 1500
"""Lags from -1.5 to 1.5 s around the expected one are looked at."""

BLOCK_ROWS = 25
"""Half a second: scores are summed over blocks of this length, the unit for lines and steps."""

LAG_MS = 1000 / ROW_RATE
"""Distance between lags in milliseconds."""


@dataclass(frozen=True, slots=True)
class Sound:
    """Mel magnitudes of a stretch of sound, on the video's clock.

    Attributes:
        start: time of row 0 in seconds.
        magnitudes: 100 rows a second, shape ``(rows, 40)``.
    """

    start: float
    magnitudes: Floats

    def rows_at(self, start: float, rows: int) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """Return ``rows`` magnitudes from ``start`` on (nearest row) and which of them exist."""
        first = round((start - self.start) * SOUND_RATE)
        index = first + np.arange(rows)
        heard = (index >= 0) & (index < len(self.magnitudes))
        if not heard.any():
            return np.zeros((rows, self.magnitudes.shape[1]), np.float32), heard
        return self.magnitudes[np.clip(index, 0, len(self.magnitudes) - 1)] * heard[:, None], heard


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one face says about the lag, in one stretch.

    Attributes:
        face: number of the face track.
        times: middles of the blocks, seconds, shape ``(blocks,)``.
        lags_ms: shape ``(lags,)``, positive: sound late; the model's zero is already taken off.
        scores: log-likelihood ratio of every block and lag, shape ``(blocks, lags)``; 0 where nothing was seen.
        seen: seconds in which the face was seen and sound was heard, per block, shape ``(blocks,)``.
    """

    face: int
    times: npt.NDArray[np.float64]
    lags_ms: npt.NDArray[np.float64]
    scores: Floats
    seen: Floats

    @property
    def total(self) -> Floats:
        """Sum over the blocks, shape ``(lags,)``."""
        summed: Floats = self.scores.sum(0)
        return summed

    @property
    def seconds(self) -> float:
        """Seconds that contributed."""
        return float(self.seen.sum())


def evidence(
    track: FaceTrack,
    sound: Sound,
    model: SyncModel,
    *,
    start: float,
    stop: float,
    centre_ms: float = 0.0,
    reach_ms: float = REACH_MS,
) -> Evidence:
    """Weigh every lag for one face between ``start`` and ``stop``.

    Args:
        track: the face.
        sound: must cover the window widened by ``reach_ms`` around ``centre_ms`` where the file has sound.
        model: the towers.
        start: seconds.
        stop: seconds.
        centre_ms: lag in the middle of the range that is searched.
        reach_ms: half-width of that range.
    """
    rows = max(1, round((stop - start) * ROW_RATE))
    reach = round(reach_ms / LAG_MS)
    times = start + np.arange(rows) / ROW_RATE
    mouth = mouth_rows(track, times)
    # The first sound row is moved onto the sound's own 10 ms grid; what that shifts is given back in the lags.
    wanted = start + centre_ms / 1000 - reach / ROW_RATE
    first = sound.start + round((wanted - sound.start) * SOUND_RATE) / SOUND_RATE
    magnitudes, heard = sound.rows_at(first, 2 * (rows + 2 * reach))
    listened = heard.reshape(-1, 2).all(1)
    seen_embedding = model.embed_mouth(mouth)
    heard_embedding = model.embed_sound(sound_rows(magnitudes, heard), listened)

    windows = np.lib.stride_tricks.sliding_window_view(heard_embedding, 2 * reach + 1, axis=0)
    per_row = np.matmul(seen_embedding[:, None, :], windows)[:, 0]  # (rows, lags)
    blocks = -(-rows // BLOCK_ROWS)
    padding = blocks * BLOCK_ROWS - rows
    per_block = np.pad(per_row, ((0, padding), (0, 0))).reshape(blocks, BLOCK_ROWS, -1).sum(1)
    in_step = listened[reach : reach + rows] & mouth.seen
    return Evidence(
        face=track.number,
        times=start + (np.arange(blocks) + 0.5) * BLOCK_ROWS / ROW_RATE,
        lags_ms=(first - start) * 1000 + np.arange(2 * reach + 1) * LAG_MS - model.zero_ms,
        scores=per_block.astype(np.float32),
        seen=np.pad(in_step, (0, padding)).reshape(blocks, BLOCK_ROWS).sum(1).astype(np.float32) / ROW_RATE,
    )
