"""Final Cut Pro XML 1.10: picture in the storyline, sound connected under it. Times are exact fractions of seconds."""

from __future__ import annotations

from fractions import Fraction
from xml.etree import ElementTree as ET

from engine.media.interchange.cut import Cut, Medium, Piece

_AUDIO_RATES = {
    32_000: "32k", 44_100: "44.1k", 48_000: "48k", 88_200: "88.2k", 96_000: "96k", 176_400: "176.4k", 192_000: "192k",
}  # fmt: skip
_DEFAULT_AUDIO_RATE = "48k"


def fcpxml(cut: Cut) -> str:
    """Return the text of the file. A drift is a ``timeMap`` that keeps the pitch."""
    root = ET.Element("fcpxml", version="1.10")
    resources = ET.SubElement(root, "resources")
    width, height = (str(length) for length in cut.size)
    ET.SubElement(resources, "format", id="r1", frameDuration=_time(1 / cut.rate), width=width, height=height)
    is_one = cut.sound == cut.clip
    _asset(resources, "r2", cut, cut.clip, picture=True, sound=is_one)
    if not is_one:
        _asset(resources, "r3", cut, cut.sound, picture=False, sound=True)
    event = ET.SubElement(ET.SubElement(root, "library"), "event", name="Plosive")
    length = _time(cut.frames / cut.rate)
    sequence = ET.SubElement(
        ET.SubElement(event, "project", name=cut.name),
        "sequence",
        format="r1",
        duration=length,
        tcStart="0s",
        tcFormat="NDF",
        audioLayout="mono" if cut.channels == 1 else "stereo",
        audioRate=_AUDIO_RATES.get(cut.sample_rate, _DEFAULT_AUDIO_RATE),
    )
    picture = ET.SubElement(
        ET.SubElement(sequence, "spine"),
        "asset-clip",
        ref="r2",
        name=cut.clip.path.name,
        offset="0s",
        start=_time(cut.picture),
        duration=length,
        srcEnable="video",
    )
    for piece in cut.pieces:
        _connect(picture, cut, piece, "r2" if is_one else "r3")
    ET.indent(root, "    ")
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n\n{text}\n'


def _asset(parent: ET.Element, name: str, cut: Cut, medium: Medium, *, picture: bool, sound: bool) -> None:
    about = {"id": name, "name": medium.path.name, "start": "0s", "duration": _time(medium.duration)}
    if picture:
        about |= {"hasVideo": "1", "videoSources": "1", "format": "r1"}
    if sound:
        channels, rate = str(cut.channels), str(cut.sample_rate)
        about |= {"hasAudio": "1", "audioSources": "1", "audioChannels": channels, "audioRate": rate}
    asset = ET.SubElement(parent, "asset", about)
    ET.SubElement(asset, "media-rep", kind="original-media", src=medium.path.as_uri())


def _connect(picture: ET.Element, cut: Cut, piece: Piece, asset: str) -> None:
    # The offset of a connected clip counts on the clock of the clip that it hangs on. A retimed clip counts its own
    # beginning in played seconds.
    clip = ET.SubElement(
        picture,
        "asset-clip",
        ref=asset,
        name=cut.sound.path.name,
        lane="-1",
        offset=_time(cut.picture + piece.record / cut.rate),
        start=_time(piece.source / piece.speed),
        duration=_time(piece.frames / cut.rate),
        srcEnable="audio",
        audioRole="dialogue",
    )
    if piece.speed != 1:
        played = cut.sound.duration / piece.speed
        points = ET.SubElement(clip, "timeMap", frameSampling="floor", preservesPitch="1")
        ET.SubElement(points, "timept", time="0s", value="0s", interp="linear")
        ET.SubElement(points, "timept", time=_time(played), value=_time(cut.sound.duration), interp="linear")


def _time(seconds: Fraction) -> str:
    # The format stores 64-bit numerators and 32-bit denominators; a drift in thousandths of ppm can need more.
    exact = seconds if seconds.denominator < 2**31 else seconds.limit_denominator(2**31 - 1)
    return f"{exact.numerator}s" if exact.denominator == 1 else f"{exact.numerator}/{exact.denominator}s"
