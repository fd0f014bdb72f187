"""Open a local media file, and nothing else: no playlists, no addresses, no devices.

libav follows what a file says: a playlist inside a ``.mp4`` name would be fetched, a name such as ``concat:a|b`` is a
protocol and ``img%03d.png`` is many files. Everything in this project opens media through :func:`open_media`, which
looks at the name and the first bytes first, allows only the ``file`` protocol and only demuxers that read one file.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from os import PathLike
from pathlib import Path

import av
from av.container import InputContainer

from engine.refusal import Refused

MediaPath = str | PathLike[str]
"""A file name, taken as it is: colons, percent signs and leading dashes mean nothing special."""

_DEMUXERS = (
    "mov,matroska,mpegts,mpeg,avi,flv,live_flv,mp3,aac,loas,ac3,eac3,dts,truehd,mlp,flac,wav,w64,aiff,au,caf,ogg,asf,mxf,"
    "rm,nut,dv,amr,amrnb,amrwb,ape,wv,tta,tak,mpc,mpc8,h264,hevc,vvc,m4v,mpegvideo,obu,av1,ivf,mjpeg,yuv4mpegpipe,gif,"
    "apng,wtv,gxf,oma,bink,smk,dhav,"
    "png_pipe,jpeg_pipe,webp_pipe,bmp_pipe,tiff_pipe,jpegxl_pipe,j2k_pipe,ppm_pipe,pgm_pipe,pbm_pipe,pam_pipe,dpx_pipe,"
    "exr_pipe,qoi_pipe,sgi_pipe,pcx_pipe,sunrast_pipe,gif_pipe,hdr_pipe"
)
"""Demuxers that read exactly the file they are given."""

_OPTIONS = {
    "protocol_whitelist": "file",
    "format_whitelist": _DEMUXERS,
    # A damaged header can ask for a picture of 16 GB: twice 8K is the most that is taken for a picture.
    "max_pixels": str(2 * 7680 * 4320),
    "max_samples": str(1 << 22),
}

_ADDRESS = re.compile(r"^[a-z][a-z0-9+.-]+:/", re.IGNORECASE)
_PROTOCOLS = re.compile(r"^(concat|subfile|crypto|data|pipe|fd|cache|async|tee|md5|gopher|rtmp|rtp|udp|tcp)[:,]")
_PLAYLIST = re.compile(
    rb"\A(?:\xef\xbb\xbf)?\s*(?:#EXTM3U|#EXT-X|ffconcat\s|v=0\s+o=|\[playlist\]|\[reference\]|RTSPtext|"
    rb"(?:<\?xml[^>]*>\s*|<!--.*?-->\s*|<!DOCTYPE[^>]*>\s*)*<(?:MPD|asx|smil|playlist|SmoothStreamingMedia)\b|"
    rb"(?:https?|rtsps?|rtmps?|mms|ftp)://)",
    re.IGNORECASE | re.DOTALL,
)
_KNOWN_BEGINNINGS = (
    re.compile(rb"\A....(?:ftyp|moov|mdat|wide|free|skip|pnot|moof|styp)", re.DOTALL),
    re.compile(rb"\A(?:\x1a\x45\xdf\xa3|RIFF|RF64|OggS|fLaC|ID3|FLV\x01|FORM|caff|\x30\x26\xb2\x75|\x06\x0e\x2b\x34)"),
    re.compile(rb"\A(?:\x89PNG|\xff\xd8\xff|GIF8|II\*\x00|MM\x00\*|\x00\x00\x01\xba|\x00\x00\x01\xb3)"),
    re.compile(rb"\A(?:G.{187}){2}", re.DOTALL),
)
_PICTURES = (
    (re.compile(rb"\A\x89PNG\r\n\x1a\n.{4}IHDR(?!.{0,200}acTL)", re.DOTALL), "png_pipe"),
    (re.compile(rb"\A\xff\xd8\xff"), "jpeg_pipe"),
    (re.compile(rb"\ARIFF....WEBP", re.DOTALL), "webp_pipe"),
    (re.compile(rb"\ABM....\0\0\0\0", re.DOTALL), "bmp_pipe"),
    (re.compile(rb"\A(?:II\*\0|MM\0\*)"), "tiff_pipe"),
)
"""Stills by their first bytes: by their names libav would take them for numbered sequences."""
_MOTION_JPEG = {".mjpg", ".mjpeg"}
_ENCRYPTED_TAGS = {"encv", "enca", "drmi", "drms", "drmt"}


def local_file(path: MediaPath) -> Path:
    """Return the absolute path of an existing, readable, non-empty local file that is not a playlist.

    Raises:
        Refused: ``media.not_local``, ``media.missing``, ``media.directory``, ``media.not_a_file``,
            ``media.unreadable``, ``media.empty`` or ``media.playlist``.
    """
    name = os.fspath(path)
    try:
        status = os.stat(name)  # noqa: PTH116 - Path would already have rewritten "http://"
    except (FileNotFoundError, NotADirectoryError):
        if _ADDRESS.match(name) or _PROTOCOLS.match(name):
            raise Refused.because("media.not_local", path=path) from None
        raise Refused.because("media.missing", path=path) from None
    except PermissionError:
        raise Refused.because("media.unreadable", path=path) from None
    except (OSError, ValueError):
        # A name too long for the file system, or with a zero byte: no such file can exist.
        raise Refused.because("media.missing", path=path) from None
    if stat.S_ISDIR(status.st_mode):
        raise Refused.because("media.directory", path=path)
    if not stat.S_ISREG(status.st_mode):
        raise Refused.because("media.not_a_file", path=path)
    if status.st_size == 0:
        raise Refused.because("media.empty", path=path)
    absolute = Path(os.path.abspath(name))  # noqa: PTH100 - symbolic links keep their own name in messages
    if _PLAYLIST.match(_beginning(absolute)):
        raise Refused.because("media.playlist", path=path)
    return absolute


def open_media(path: MediaPath) -> InputContainer:
    """Open a local media file for reading.

    Raises:
        Refused: as :func:`local_file`, or ``media.not_media``, ``media.truncated``, ``media.damaged``,
            ``media.no_streams``, ``media.encrypted``.
    """
    file = local_file(path)
    beginning = _beginning(file)
    still = next((name for pattern, name in _PICTURES if pattern.match(beginning)), None)
    if file.suffix.lower() in _MOTION_JPEG:
        still = None
    try:
        # The "file:" prefix and an absolute path keep any name from being read as a protocol or an option.
        container = av.open(f"file:{file}", format=still, options=dict(_OPTIONS), metadata_errors="replace")
    except av.error.FFmpegError as error:
        raise _refused(error, file, path) from error
    if not any(stream.type in {"video", "audio"} for stream in container.streams):
        container.close()
        raise Refused.because("media.no_streams", path=path)
    if is_encrypted(container):
        container.close()
        raise Refused.because("media.encrypted", path=path)
    return container


def is_encrypted(container: InputContainer) -> bool:
    """Whether headers name protected media: FairPlay's sample entries, or WebM's key number.

    Common encryption (ISO/IEC 23001-7) shows in its packets: see :func:`engine.media.decoding.packets`.
    """
    for stream in container.streams:
        if "enc_key_id" in stream.metadata:
            return True
        if stream.codec_context is not None:
            with contextlib.suppress(UnicodeDecodeError):
                if stream.codec_context.codec_tag in _ENCRYPTED_TAGS:
                    return True
    return False


def _refused(error: av.error.FFmpegError, file: Path, path: MediaPath) -> Refused:
    if isinstance(error, PermissionError):
        return Refused.because("media.unreadable", path=path)
    if isinstance(error, FileNotFoundError):
        return Refused.because("media.missing", path=path)
    beginning = _beginning(file)
    if _KNOWN_BEGINNINGS[0].match(beginning) and not _has_box(file, b"moov"):
        return Refused.because("media.truncated", path=path)
    if any(pattern.match(beginning) for pattern in _KNOWN_BEGINNINGS):
        return Refused.because("media.damaged", path=path)
    return Refused.because("media.not_media", path=path)


def _has_box(file: Path, wanted: bytes) -> bool:
    """Whether an ISO file has a complete top-level box of this type (ISO/IEC 14496-12, 4.2)."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        position = 0
        while position + 8 <= size:
            stream.seek(position)
            head = stream.read(16)
            length = int.from_bytes(head[:4], "big")
            if length == 1:
                length = int.from_bytes(head[8:16], "big")
            elif length == 0:
                length = size - position
            if head[4:8] == wanted:
                return position + length <= size
            if length < 8:
                return False
            position += length
    return False


def _beginning(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(4096)
    except PermissionError:
        raise Refused.because("media.unreadable", path=file) from None
    except OSError:
        raise Refused.because("media.missing", path=file) from None
