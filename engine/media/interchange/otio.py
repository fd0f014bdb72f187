"""OpenTimelineIO (.otio): a timeline as JSON, schemas ``Timeline.1`` to ``Clip.2`` as published by the project."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

from engine.media.interchange.cut import Cut, Medium, Piece


def otio(cut: Cut) -> str:
    """Return the text of the file.

    Lengths count frames, beginnings within the sound's file count samples: a shift is kept to the sample. A drift is a
    ``LinearTimeWarp.1``.
    """
    rate, start = cut.rate, _time(Fraction(0), cut.rate)
    picture = _clip(cut, cut.clip, _range(_time(cut.picture, rate), _time(cut.frames / rate, rate)))
    sound: list[dict[str, Any]] = []
    position = 0
    for piece in cut.pieces:
        if piece.record > position:
            sound.append(_gap(_range(start, _time((piece.record - position) / rate, rate))))
        sound.append(_sound(cut, piece))
        position = piece.record + piece.frames
    timeline = {
        "OTIO_SCHEMA": "Timeline.1",
        "metadata": {},
        "name": cut.name,
        "global_start_time": None,
        "tracks": {
            "OTIO_SCHEMA": "Stack.1",
            **_item("tracks"),
            "children": [_track("Picture", "Video", [picture]), _track("Sound", "Audio", sound)],
        },
    }
    return json.dumps(timeline, indent=4, ensure_ascii=False) + "\n"


def _sound(cut: Cut, piece: Piece) -> dict[str, Any]:
    samples = Fraction(round(piece.source * cut.sample_rate), cut.sample_rate)
    clip = _clip(
        cut,
        cut.sound,
        _range(_time(samples, Fraction(cut.sample_rate)), _time(piece.frames / cut.rate, cut.rate)),
    )
    if piece.speed != 1:
        warp = {"name": "", "metadata": {}, "effect_name": "LinearTimeWarp", "time_scalar": float(piece.speed)}
        clip["effects"] = [{"OTIO_SCHEMA": "LinearTimeWarp.1", **warp}]
    return clip


def _clip(cut: Cut, medium: Medium, source_range: dict[str, Any]) -> dict[str, Any]:
    whole = _range(_time(Fraction(0), cut.rate), _time(medium.duration, cut.rate))
    reference = {
        "OTIO_SCHEMA": "ExternalReference.1",
        "metadata": {},
        "name": medium.path.name,
        "available_range": whole,
        "available_image_bounds": None,
        "target_url": medium.path.as_uri(),
    }
    return {
        "OTIO_SCHEMA": "Clip.2",
        **_item(medium.path.name),
        "source_range": source_range,
        "media_references": {"DEFAULT_MEDIA": reference},
        "active_media_reference_key": "DEFAULT_MEDIA",
    }


def _gap(source_range: dict[str, Any]) -> dict[str, Any]:
    return {"OTIO_SCHEMA": "Gap.1", **_item(""), "source_range": source_range}


def _track(name: str, kind: str, children: list[dict[str, Any]]) -> dict[str, Any]:
    return {"OTIO_SCHEMA": "Track.1", **_item(name), "kind": kind, "children": children}


def _item(name: str) -> dict[str, Any]:
    return {"metadata": {}, "name": name, "source_range": None, "effects": [], "markers": [], "enabled": True}


def _range(start: dict[str, Any], duration: dict[str, Any]) -> dict[str, Any]:
    return {"OTIO_SCHEMA": "TimeRange.1", "start_time": start, "duration": duration}


def _time(seconds: Fraction, rate: Fraction) -> dict[str, Any]:
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": float(rate), "value": float(seconds * rate)}
