"""What a program can do about a finding of the doctor by itself. Light: the window imports it."""

from __future__ import annotations

from dataclasses import dataclass

from engine.media.export.treatment import Treatment
from engine.sound.finding import Diagnosis, Finding

SPEECH_LUFS = -23.0
"""Loudness that quiet speech is brought to: EBU R 128, programme loudness."""
PEAK_DBTP = -1.0
"""True peak that is left: EBU R 128, maximum."""

_ENCODED_AGAIN = {"hidden_priming", "unknown_priming", "edit_list", "gaps", "sound_starts_late", "sound_starts_early"}
"""What goes away when the sound is encoded again: all of it is how the file says when sound begins."""
_LEAST_GAIN_DB = 0.5
"""Less is not worth another encoding."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of the clip with its sound encoded again and treated; the picture is copied."""

    treatment: Treatment


@dataclass(frozen=True, slots=True)
class Move:
    """The sound moved by ``ms`` milliseconds; positive, later."""

    ms: float


@dataclass(frozen=True, slots=True)
class Relabel:
    """A copy of the sound alone with its true sample rate, ``rate`` samples per second."""

    rate: int


Cure = Copy | Move | Relabel


def cure_for(finding: Finding, diagnosis: Diagnosis) -> Cure | None:
    """Return what helps against a finding, ``None`` where only a person can do something, or nothing has to be done.

    Args:
        finding: one of the diagnosis'.
        diagnosis: whose numbers say how much.
    """
    if finding.code in _ENCODED_AGAIN:
        return Copy(Treatment())
    peak, lufs = diagnosis.measures.get("true_peak_dbtp"), diagnosis.measures.get("loudness_lufs")
    match finding.code:
        case "too_quiet" if peak is not None and lufs is not None:
            gain = min(SPEECH_LUFS - lufs, PEAK_DBTP - peak)
            return Copy(Treatment(gain_db=round(gain, 1))) if gain > _LEAST_GAIN_DB else None
        case "over_full_scale" if peak is not None:
            return Copy(Treatment(gain_db=round(PEAK_DBTP - peak, 1)))
        case "dc_offset":
            return Copy(Treatment(removes_constant=True))
        case "dead_channel" if finding.value is not None and diagnosis.channels == 2:
            return Copy(Treatment(channel=2 - round(finding.value)))
        case "out_of_phase" if finding.value is not None:
            return Copy(Treatment(channel=round(finding.value) - 1))
        case "encoder_padding" if finding.value is not None:
            return Move(-round(finding.value, 1))
        case "too_slow_rate" | "too_fast_rate":
            rate = dict(finding.remedy.values).get("true_rate")
            return Relabel(rate) if isinstance(rate, int) else None
    return None


def treatment_for(diagnosis: Diagnosis) -> Treatment | None:
    """Return everything at once that a copy of the clip can put right, ``None`` if nothing."""
    treatment: Treatment | None = None
    for finding in diagnosis.findings:
        cure = cure_for(finding, diagnosis)
        if isinstance(cure, Copy):
            treatment = cure.treatment if treatment is None else treatment.joined(cure.treatment)
    return treatment
