"""Files that are not what they seem, or not whole."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from tests.media.clips import make_clip, picture

PLAYLISTS = {
    "hls.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{target}\n#EXT-X-ENDLIST\n",
    "hls.mp4": "#EXTM3U\n#EXTINF:4,\nhttp://127.0.0.1:9/none.ts\n",
    "bom.m3u": "\ufeff#EXTM3U\n{target}\n",
    "list.ffconcat": "ffconcat version 1.0\nfile '{target}'\n",
    "session.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
    "radio.pls": "[playlist]\nFile1={target}\nNumberOfEntries=1\n",
    "dash.mpd": '<?xml version="1.0"?>\n<!-- a list -->\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>\n',
    "show.asx": '<asx version="3.0"><entry><ref href="{target}"/></entry></asx>',
    "address.txt": "http://127.0.0.1:9/none.mp4\n",
}
"""Texts that name other media, by file name; ``{target}`` is replaced by a media file."""


def make_playlists(folder: Path, target: Path | str) -> list[Path]:
    """Write all :data:`PLAYLISTS` into a folder."""
    written = []
    for name, text in PLAYLISTS.items():
        path = folder / name
        path.write_text(text.replace("{target}", str(target)), encoding="utf-8")
        written.append(path)
    return written


def make_encrypted(path: Path, key: str = "00112233445566778899aabbccddeeff") -> Path:
    """Write an MP4 whose tracks are encrypted (ISO/IEC 23001-7, AES-CTR)."""
    make_clip(
        path,
        seconds=1,
        container_options={
            "encryption_scheme": "cenc-aes-ctr",
            "encryption_key": key,
            "encryption_kid": key[::-1],
        },
    )
    return path


def make_unknown_codec(path: Path) -> Path:
    """Write an MP4 whose picture names a codec that nobody has."""
    make_clip(path, seconds=1, audio_codec=None)
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zz0v"))
    return path


def make_still(path: Path, size: tuple[int, int] = (320, 180)) -> Path:
    """Write one picture; the suffix chooses PNG or JPEG."""
    frame = av.VideoFrame.from_ndarray(picture(5, *size, flash=False), "rgb24")
    codec, pixels = ("png", "rgb24") if path.suffix == ".png" else ("mjpeg", "yuvj420p")
    encoder = av.CodecContext.create(codec, "w")
    encoder.width, encoder.height, encoder.pix_fmt = *size, pixels
    encoder.time_base = Fraction(1)
    packets = [*encoder.encode(frame.reformat(format=pixels)), *encoder.encode(None)]
    path.write_bytes(b"".join(map(bytes, packets)))
    return path


def make_with_cover(path: Path, seconds: float = 1) -> Path:
    """Write sound with a cover picture attached (MP3 or MP4 by suffix)."""
    codec = {".mp3": "libmp3lame", ".mp4": "aac"}[path.suffix]
    with av.open(str(path), "w") as container:
        sound = container.add_stream(codec, rate=48_000, layout="mono")
        cover = container.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 320, 180, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        frame = av.VideoFrame.from_ndarray(picture(3, 320, 180, flash=False), "rgb24").reformat(format="yuvj420p")
        frame.pts = 0
        container.mux(cover.encode(frame))
        container.mux(cover.encode(None))
        block = av.AudioFrame.from_ndarray(np.zeros((1, int(48_000 * seconds)), np.float32), "fltp", "mono")
        block.sample_rate = 48_000
        block.pts = 0
        container.mux(sound.encode(block))
        container.mux(sound.encode(None))
    return path


def truncated(source: Path, target: Path, share: float) -> Path:
    """Write the first ``share`` of a file."""
    data = source.read_bytes()
    target.write_bytes(data[: int(len(data) * share)])
    return target


@dataclass(frozen=True)
class Damage:
    """One way of damaging a file, reproducible from its numbers.

    Attributes:
        seed: seed of the random numbers.
        kind: ``cut`` or ``flip``.
    """

    seed: int
    kind: str

    def apply(self, data: bytes) -> bytes:
        """Return the damaged bytes."""
        generator = random.Random(self.seed)
        if self.kind == "cut":
            return data[: generator.randrange(len(data))]
        damaged = bytearray(data)
        for _ in range(generator.choice((1, 3, 10, 100))):
            # Half of the flips go where headers and indexes are.
            reach = len(damaged) if generator.random() < 0.5 else min(len(damaged), 1500)
            at = generator.randrange(reach)
            at = len(damaged) - 1 - at if generator.random() < 0.25 else at
            damaged[at] ^= 1 << generator.randrange(8)
        return bytes(damaged)


def damages(count: int, seed: int = 0) -> Iterator[Damage]:
    """Yield ``count`` ways of damaging a file: two of five are cuts, the others flipped bits."""
    for number in range(count):
        yield Damage(seed * 100_003 + number, "cut" if number % 5 < 2 else "flip")
