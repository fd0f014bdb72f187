"""Which containers are written, and what each can hold."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from engine.media.export.report import Mode

_LONGEST_NAME = 240
"""Bytes of a file name: most file systems allow 255, and a number may have to be added."""


class Container(StrEnum):
    """A container that is written; the value is the name of its muxer in libav."""

    MP4 = "mp4"
    MOV = "mov"
    MATROSKA = "matroska"
    WEBM = "webm"
    TS = "mpegts"

    @property
    def label(self) -> str:
        """What people call it."""
        return {"matroska": "MKV", "webm": "WebM", "mpegts": "MPEG-TS"}.get(self.value, self.value.upper())

    @property
    def is_iso(self) -> bool:
        """Whether it is of the ISO base media family, with edit lists."""
        return self in (Container.MP4, Container.MOV)

    @property
    def is_matroska(self) -> bool:
        """Whether it is of the Matroska family, with block timestamps."""
        return self in (Container.MATROSKA, Container.WEBM)


_BY_SUFFIX = {
    ".mp4": Container.MP4,
    ".m4v": Container.MP4,
    ".3gp": Container.MP4,
    ".mov": Container.MOV,
    ".qt": Container.MOV,
    ".mkv": Container.MATROSKA,
    ".webm": Container.WEBM,
    ".ts": Container.TS,
    ".mts": Container.TS,
    ".m2ts": Container.TS,
    ".m2t": Container.TS,
}
_TEXT_SUBTITLES = {"subrip", "srt", "ass", "ssa", "webvtt", "mov_text", "text"}
_SUBTITLES: dict[Container, tuple[set[str], str | None]] = {
    Container.MP4: ({"mov_text", "dvdsub", "dvd_subtitle"}, "mov_text"),
    Container.MOV: ({"mov_text"}, "mov_text"),
    Container.MATROSKA: (_TEXT_SUBTITLES - {"mov_text"} | {"pgssub", "hdmv_pgs_subtitle", "dvdsub", "dvbsub"}, "srt"),
    Container.WEBM: ({"webvtt"}, "webvtt"),
    Container.TS: ({"dvbsub", "dvb_subtitle", "dvb_teletext", "libzvbi_teletextdec", "pgssub"}, None),
}
"""Per container: subtitle codecs it holds as they are, and what text becomes otherwise."""


def container_of(target: Path) -> Container | None:
    """Return the container that a file name asks for, ``None`` for one that is not written."""
    return _BY_SUFFIX.get(target.suffix.lower())


def subtitle_codec(container: Container, codec: str | None) -> str | None:
    """Return what to do with a subtitle stream: ``copy``, the codec to convert to, or ``None`` to leave it out."""
    held, converted = _SUBTITLES[container]
    if codec in held:
        return "copy"
    return converted if codec in _TEXT_SUBTITLES else None


def default_target(source: Path, mode: Mode, word: str = "insync") -> Path:
    """Return a new name beside the source, such as ``talk-insync.mp4``, for a file that does not exist yet.

    The container stays the same where it can hold the moved sound; AVI, FLV and the like become Matroska.

    Args:
        source: the file to be corrected.
        mode: how; ``COMPATIBLE`` and the like have a word of their own in the name only if the plain one is taken.
        word: what the name says about the copy.
    """
    suffix = source.suffix if container_of(source) is not None else ".mkv"
    stem = source.name if not source.suffix else source.name[: -len(source.suffix)]
    while len(stem.encode()) > _LONGEST_NAME - len(suffix) - 30:
        stem = stem[:-1]
    plain = source.with_name(f"{stem}-{word}{suffix}")
    candidates = [plain] if mode is Mode.LOSSLESS else [plain, source.with_name(f"{stem}-{word}-{mode}{suffix}")]
    number = 2
    while True:
        for candidate in candidates:
            if not candidate.exists() and not candidate.is_symlink():
                return candidate
        candidates = [source.with_name(f"{stem}-{word}-{number}{suffix}")]
        number += 1
