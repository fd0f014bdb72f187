"""Matroska is rewritten block by block, and nothing else changes."""

from __future__ import annotations

import io
import random
import subprocess
import tracemalloc
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import imageio_ffmpeg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.media.export import ebml, matroska
from engine.media.export.layout import NothingLeft, UnsupportedLayout
from engine.media.export.matroska_blocks import SOUND, Block, Reader
from tests.engine.media.export.measuring import exported, moved_ms, payloads
from tests.media import Clip

MakeClip = Callable[..., Clip]


def rewritten(data: bytes, shift: Fraction) -> tuple[bytes, matroska.Shift]:
    target = io.BytesIO()
    *_, done = matroska.shift_sound(io.BytesIO(data), target, shift)
    assert isinstance(done, matroska.Shift)
    return target.getvalue(), done


def blocks_of(data: bytes) -> tuple[Reader, list[Block]]:
    reader = Reader(io.BytesIO(data))
    return reader, list(reader.blocks())


@given(st.integers(-(1 << 62), 1 << 62))
def test_numbers_survive_writing(value: int) -> None:
    (_, payload), *_ = ebml.elements(ebml.signed(0xFB, value))
    assert int.from_bytes(payload, "big", signed=True) == value
    (_, payload), *_ = ebml.elements(ebml.unsigned(0xE7, abs(value)))
    assert ebml.number(payload) == abs(value)


@pytest.mark.parametrize("shift", [0, 13, 300, -300, 12.345, -83.4])
def test_blocks_keep_everything_but_the_sounds_time(shift: float, clip: MakeClip) -> None:
    whole = clip("source.mkv", audio_languages=("deu", "eng")).path.read_bytes()
    moved, done = rewritten(whole, Fraction(str(shift)) / 1000)
    (old_reader, old), (new_reader, new) = blocks_of(whole), blocks_of(moved)
    factor = old_reader.head.scale // new_reader.head.scale
    assert (factor == 1) == (shift in (0, 13, 300))
    for number, track in old_reader.head.tracks.items():
        before = [block for block in old if block.track == number]
        after = [block for block in new if block.track == number]
        if track.kind == SOUND:
            before = before[len(before) - len(after) :]
            slack = 0 if factor == 1 else 1.5 * factor
            for one, other in zip(before, after, strict=True):
                assert abs(one.ticks * factor + float(done.seconds) * 1e9 / done.scale - other.ticks) <= slack
        else:
            assert [block.ticks * factor for block in before] == [block.ticks for block in after]
        assert [bytes(block.payload) for block in before] == [bytes(block.payload) for block in after]
        assert [block.flags for block in before] == [block.flags for block in after]
    kept = [part for part in old_reader.head.parts if part[0] != 0x1549A966]
    assert kept == [part for part in new_reader.head.parts if part[0] != 0x1549A966]
    assert old_reader.tail == new_reader.tail


@pytest.mark.parametrize("shift", [2000, -2000])
def test_sound_is_laid_beside_its_pictures_again(shift: int, clip: MakeClip) -> None:
    moved, _ = rewritten(clip("source.mkv", seconds=8).path.read_bytes(), Fraction(shift, 1000))
    reader, blocks = blocks_of(moved)
    clocks = {True: 0, False: 0}
    for block in blocks[:-200]:
        clocks[reader.head.tracks[block.track].kind == SOUND] = block.ticks * reader.head.scale // 1_000_000
        if all(clocks.values()):
            assert abs(clocks[True] - clocks[False]) < 400  # milliseconds; shifted without this it would be 2000


def test_sound_that_cannot_begin_is_left_out_and_counted(clip: MakeClip) -> None:
    whole = clip("source.mkv").path.read_bytes()
    moved, done = rewritten(whole, Fraction(-300, 1000))
    lost = len(blocks_of(whole)[1]) - len(blocks_of(moved)[1])
    assert lost == 15  # blocks of 21.33 ms
    assert float(done.hidden) == pytest.approx(0.3, abs=0.025)


def test_a_live_recording_without_sizes_is_read(clip: MakeClip, tmp_path: Path) -> None:
    source = clip("source.mkv", container_options={"live": "1"})
    assert b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff" in source.path.read_bytes()
    target = tmp_path / "target.mkv"
    exported(source, target, 40)
    assert moved_ms(source, target) == pytest.approx(40, abs=0.021)
    with av.open(str(target)) as container:
        assert container.duration


def test_a_recording_that_was_cut_off_keeps_what_is_there(clip: MakeClip, tmp_path: Path) -> None:
    whole = clip("source.mkv").path.read_bytes()
    source = tmp_path / "cut.mkv"
    source.write_bytes(whole[: len(whole) * 3 // 4])
    target = tmp_path / "target.mkv"
    exported(source, target, 40, verify=False)
    kept = payloads(target, "video")
    assert len(kept) > 40
    assert kept == payloads(source, "video")[: len(kept)]


def test_vorbis_is_counted_in_its_two_windows(tmp_path: Path, clip: MakeClip) -> None:
    source = tmp_path / "source.webm"
    base = clip("source.webm", codec="libvpx-vp9", audio_codec="libopus", size=(160, 90))
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-v",
        "error",
        "-i",
        str(base.path),
        "-c:v",
        "copy",
        "-c:a",
        "libvorbis",
    ]
    subprocess.run([*command, str(source)], check=True, stdin=subprocess.DEVNULL)
    for shift in (-40, 83.4):
        target = tmp_path / f"{shift}.webm"
        exported(source, target, shift, verify=False)
        assert moved_ms(source, target) == pytest.approx(shift, abs=0.021)


def test_nothing_left_is_said(clip: MakeClip) -> None:
    with pytest.raises(NothingLeft):
        rewritten(clip("source.mkv").path.read_bytes(), Fraction(-60))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"RIFF",
        ebml.element(0x1A45DFA3, b""),
        ebml.element(0x1A45DFA3, b"") + b"\x18\x53\x80\x67\xff",
        ebml.element(0x1A45DFA3, b"") + b"\x18\x53\x80\x67\xff" + b"\x1f\x43\xb6\x75\xff",
    ],
)
def test_strange_files_are_left_to_others(data: bytes) -> None:
    with pytest.raises(UnsupportedLayout):
        list(matroska.shift_sound(io.BytesIO(data), io.BytesIO(), Fraction(1)))


def test_damage_is_survived(clip: MakeClip) -> None:
    """Damage ends in an answer, UnsupportedLayout or NothingLeft, never in another exception."""
    whole = clip("short.mkv", seconds=0.5, size=(64, 36)).path.read_bytes()
    random.seed(77)
    answers = 0
    for _ in range(3000):
        damaged = bytearray(whole)
        for _ in range(random.randint(1, 4)):
            damaged[random.randrange(len(damaged))] ^= 1 << random.randrange(8)
        end = random.choice((len(damaged), random.randrange(len(damaged))))
        try:
            rewritten(bytes(damaged[:end]), Fraction(-83, 10_000))
            answers += 1
        except (UnsupportedLayout, NothingLeft):
            pass
    assert answers > 50


def test_memory_does_not_grow_with_length(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made-up streams of 50 and 200 MB pass through; the longer one needs no more than the shorter one."""
    payload = bytes(64 << 10)

    def stream(seconds: int) -> Iterator[bytes]:
        yield ebml.element(0x1A45DFA3, b"")
        yield b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff"
        yield ebml.element(0x1549A966, ebml.unsigned(0x2AD7B1, 1_000_000))
        picture = ebml.element(0xAE, ebml.unsigned(0xD7, 1), ebml.unsigned(0x83, 1))
        sound = ebml.element(0xAE, ebml.unsigned(0xD7, 2), ebml.unsigned(0x83, 2))
        yield ebml.element(0x1654AE6B, picture, sound)
        for second in range(seconds):
            yield b"\x1f\x43\xb6\x75\x01\xff\xff\xff\xff\xff\xff\xff" + ebml.unsigned(0xE7, second * 1000)
            for frame in range(25):
                head = (frame * 40).to_bytes(2, "big") + (b"\x80" if frame == 0 else b"\0")
                yield ebml.element(0xA3, b"\x81" + head, payload)
                yield ebml.element(0xA3, b"\x82" + (frame * 40).to_bytes(2, "big") + b"\x80", payload[:200])

    class Pipe(io.RawIOBase):
        def __init__(self, seconds: int) -> None:
            self.parts = stream(seconds)
            self.rest = b""

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            while not self.rest:
                part = next(self.parts, None)
                if part is None:
                    return 0
                self.rest = part
            count = min(len(buffer), len(self.rest))
            buffer[:count] = self.rest[:count]
            self.rest = self.rest[count:]
            return count

    class Nowhere(io.RawIOBase):
        position = 0

        def write(self, data: bytes) -> int:  # type: ignore[override]
            self.position += len(data)
            return len(data)

        def writelines(self, parts: list[bytes]) -> None:  # type: ignore[override]
            self.position += sum(map(len, parts))

        def tell(self) -> int:
            return self.position

        def seek(self, position: int, _: int = 0) -> int:
            self.position = position
            return position

    monkeypatch.setattr(matroska, "_LOOK_AHEAD_BYTES", 4 << 20)

    def peak(seconds: int) -> int:
        tracemalloc.start()
        try:
            for _ in matroska.shift_sound(io.BufferedReader(Pipe(seconds)), Nowhere(), Fraction(2)):  # type: ignore[arg-type]
                pass
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    # The index of clusters grows by a few bytes a second; the pictures are 1.6 MB a second.
    assert peak(120) < peak(30) + (1 << 20)
