"""Which codec re-encoded sound gets: its own where that loses nothing, otherwise AAC, or Opus in WebM."""

from __future__ import annotations

from dataclasses import dataclass

from engine.media.export.containers import Container
from engine.media.probe import AudioStream

_PCM_CONTAINERS = {Container.MOV, Container.MATROSKA}
_KEPT: dict[str, set[Container]] = {
    "flac": {Container.MATROSKA, Container.MP4},
    "alac": {Container.MOV, Container.MP4, Container.MATROSKA},
    "opus": {Container.MATROSKA, Container.WEBM, Container.MP4},
}
_AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
_OPUS_RATE = 48_000
_LEAST_PER_CHANNEL = 96_000
_MOST_PER_CHANNEL = 256_000  # AAC allows 6144 bits per 1024 samples and channel: 288 kbit/s at 48 kHz
_AAC_DELAY = 1024
"""Samples by which libav's AAC encoder delays: one frame of its transform."""
_AAC_CHANNELS = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1", 8: "7.1"}


@dataclass(frozen=True, slots=True)
class Encoding:
    """How one audio stream is encoded.

    Attributes:
        codec: name of the encoder in libav.
        format: container of the intermediate file, one that carries no encoder delay unless decoders need it.
        suffix: of that file.
        sample_rate: samples per second.
        layout: channel layout.
        channels: number of channels.
        sample_format: what the encoder takes, ``None`` for its first choice.
        bit_rate: bits per second, ``None`` for a lossless codec.
        delay: samples of encoder delay that a decoder will *not* remove; they are cut from the sound instead.
    """

    codec: str
    format: str
    suffix: str
    sample_rate: int
    layout: str
    channels: int
    sample_format: str | None = None
    bit_rate: int | None = None
    delay: int = 0

    @property
    def is_lossless(self) -> bool:
        """Whether decoding gives back what was encoded."""
        return self.bit_rate is None


def encoding_for(audio: AudioStream, container: Container) -> Encoding:
    """Return how a stream is encoded for a container."""
    if audio.codec.startswith("pcm") and container in _PCM_CONTAINERS:
        codec, sample_format = _pcm(audio)
        return Encoding(codec, "w64", ".w64", audio.sample_rate, audio.layout, audio.channels, sample_format)
    if container in _KEPT.get(audio.codec, ()):
        if audio.codec == "opus":
            return _opus(audio)
        wide = audio.sample_format not in {"s16", "s16p"}
        if audio.codec == "flac":
            return Encoding(
                "flac", "flac", ".flac", audio.sample_rate, audio.layout, audio.channels, "s32" if wide else "s16"
            )
        return Encoding(
            "alac", "caf", ".caf", audio.sample_rate, audio.layout, audio.channels, "s32p" if wide else "s16p"
        )
    return _opus(audio) if container is Container.WEBM else _aac(audio)


def _pcm(audio: AudioStream) -> tuple[str, str]:
    """Return encoder and sample format of PCM, at the resolution it has."""
    if audio.sample_format.startswith(("flt", "dbl")):
        return "pcm_f32le", "flt"
    if audio.sample_format.startswith("s32"):
        return "pcm_s24le" if "24" in audio.codec else "pcm_s32le", "s32"
    return "pcm_s16le", "s16"


def _bit_rate(audio: AudioStream, channels: int) -> int:
    """Return bits per second: at least those of the source, and enough to be transparent."""
    per_channel = max(_LEAST_PER_CHANNEL, -(-(audio.bit_rate or 0) // (8000 * max(1, audio.channels))) * 8000)
    return min(per_channel, _MOST_PER_CHANNEL) * channels


def _opus(audio: AudioStream) -> Encoding:
    channels = audio.channels if audio.channels in {1, 2} else 2
    layout = "mono" if channels == 1 else "stereo"
    rate = _bit_rate(audio, channels)
    return Encoding("libopus", "opus", ".opus", _OPUS_RATE, layout, channels, bit_rate=rate)


def _aac(audio: AudioStream) -> Encoding:
    channels = audio.channels if audio.channels in _AAC_CHANNELS else 2
    sample_rate = max((rate for rate in _AAC_RATES if rate <= audio.sample_rate), default=_AAC_RATES[0])
    layout = audio.layout if channels == audio.channels and audio.layout == "5.1(side)" else _AAC_CHANNELS[channels]
    return Encoding(
        "aac", "adts", ".aac", sample_rate, layout, channels, "fltp", _bit_rate(audio, channels), _AAC_DELAY
    )
