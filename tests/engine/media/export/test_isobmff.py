"""Edit lists move by exactly what was asked, whatever they look like."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.media.export import isobmff
from engine.media.export.isobmff import Edit, box, read_edits, shift_edits, shift_sound, top_boxes, write_edits
from engine.media.export.layout import UnsupportedLayout
from tests.media import Clip

MOVIE, MEDIA = 48_000, 48_000


def presented(edits: list[Edit]) -> dict[int, int]:
    """Return when each media tick is presented, for whole edits, in ticks (movie and media tick alike)."""
    times: dict[int, int] = {}
    clock = 0
    for edit in edits:
        if not edit.is_empty:
            times.update({edit.media_time + n: clock + n for n in range(edit.duration)})
        clock += edit.duration
    return times


def plain(edits: list[Edit]) -> bool:
    """Whether no part of the media is shown twice, so that each tick has one time."""
    shown = [edit.media_time for edit in edits if not edit.is_empty]
    return len(set(shown)) == len(shown)


edit_lists = st.lists(
    st.one_of(
        st.builds(Edit, st.integers(1, 40), st.just(-1)),
        st.builds(Edit, st.integers(1, 40), st.integers(0, 3).map(lambda n: n * 1000)),
    ),
    min_size=1,
    max_size=5,
).filter(plain)


@given(edit_lists, st.integers(-60, 60))
def test_everything_still_shown_moves_by_the_shift(edits: list[Edit], shift: int) -> None:
    before = presented(edits)
    after = presented(shift_edits(edits, Fraction(shift, MOVIE), MOVIE, MEDIA))
    assert after == {media: time + shift for media, time in before.items() if time + shift >= 0}


@given(edit_lists, st.integers(0, 60))
def test_a_later_shift_is_undone_by_an_earlier_one(edits: list[Edit], shift: int) -> None:
    there = shift_edits(edits, Fraction(shift, MOVIE), MOVIE, MEDIA)
    assert presented(shift_edits(there, Fraction(-shift, MOVIE), MOVIE, MEDIA)) == presented(edits)


@given(st.lists(st.builds(Edit, st.integers(0, 1 << 40), st.integers(-1, 1 << 40)), min_size=1, max_size=4))
def test_edit_lists_survive_writing(edits: list[Edit]) -> None:
    table = isobmff.find(memoryview(write_edits(edits))[8:], b"elst")
    assert table is not None
    assert read_edits(table) == edits


@given(
    st.sampled_from([600, 1000, 12_800, 30_000, 90_000]),
    st.sampled_from([8000, 44_100, 48_000, 96_000]),
    st.integers(-5_000_000, 5_000_000),
)
def test_the_movies_clock_becomes_fine_enough(movie: int, media: int, microseconds: int) -> None:
    shift = Fraction(microseconds, 1_000_000)
    finer = isobmff._finer_timescale(movie, [media], shift)
    assert finer % movie == 0
    assert finer < 1 << 31
    ticks = round(shift * finer)
    assert abs(Fraction(ticks, finer) - shift) <= Fraction(1, 2 * media)


def boxes(path: Path) -> dict[bytes, bytes]:
    with path.open("rb") as file:
        whole = file.read()
        return {item.kind: whole[item.start : item.end] for item in top_boxes(file)}


def written(source: Path, shift: Fraction, **options: bool) -> bytes:
    target = Path(source).with_name("written.mp4")
    with target.open("w+b") as file:
        for _ in shift_sound(Path(source), file, shift, **options):
            pass
    return target.read_bytes()


def test_large_files_get_wide_offsets(clip: Callable[..., Clip], tmp_path: Path) -> None:
    """An index that grows in front of the media can push the last chunks over 4 GiB."""
    source = tmp_path / "large.mp4"
    whole = clip("fast.mp4", container_options={"movflags": "faststart", "movie_timescale": "1000"}).path.read_bytes()
    at = whole.index(b"stco") + 4
    count = struct.unpack_from(">I", whole, at + 4)[0]
    last = at + 8 + 4 * (count - 1)
    # The last chunk of the picture is said to lie just under the limit; nothing reads it here.
    source.write_bytes(whole[:last] + struct.pack(">I", (1 << 32) - 8) + whole[last + 4 :])
    with source.open("r+b") as file:
        boxes_before = top_boxes(file)
        mdat = next(item for item in boxes_before if item.kind == b"mdat")
        assert mdat is boxes_before[-1]
        file.seek(mdat.start)
        file.write(struct.pack(">I", 1)[:4])
    # A sparse file of more than 4 GiB: the media box becomes 64 bits wide, everything else stays.
    header = struct.pack(">I4sQ", 1, b"mdat", (1 << 32) + 64)
    data = source.read_bytes()
    source.write_bytes(data[: mdat.start - 8] + header + data[mdat.start + 8 :])
    with source.open("r+b") as file:
        file.truncate(mdat.start - 8 + (1 << 32) + 64)
    index = b""
    with source.open("rb") as file:
        items = top_boxes(file)
        moov = next(item for item in items if item.kind == b"moov")
        file.seek(moov.start + 8)
        payload, _ = isobmff._shifted_moov(memoryview(file.read(moov.size - 8)), Fraction(12345, 1_000_000))
        with pytest.raises(isobmff._OutgrownError):
            isobmff._index(payload, moov, moov.start, items[-1].end)
        index = isobmff._index(isobmff._offsets_widened(payload), moov, moov.start, items[-1].end)
    assert b"co64" in index
    assert b"stco" not in index
    first = struct.unpack_from(">Q", index, index.index(b"co64") + 12)[0]
    before = struct.unpack_from(">I", whole, at + 8)[0]
    assert first == before + len(index) - moov.size


def test_index_can_be_put_first(clip: Callable[..., Clip], tmp_path: Path) -> None:
    source = tmp_path / "last.mp4"
    source.write_bytes(clip("source.mp4").path.read_bytes())
    kinds = list(boxes(source))
    assert kinds.index(b"moov") > kinds.index(b"mdat")
    data = written(source, Fraction(0), index_first=True)
    assert data.index(b"moov") < data.index(b"mdat")
    assert boxes(source)[b"mdat"] == boxes(tmp_path / "written.mp4")[b"mdat"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0\0\0\x08free",
        box(b"ftyp", b"isom") + box(b"moov", b"") + box(b"mdat", b"x"),
        box(b"ftyp", b"isom") + box(b"moov", box(b"cmov", b"")) + box(b"mdat", b"x"),
        box(b"ftyp", b"isom") + box(b"moov", b"\0\0\0\x40trak") + box(b"mdat", b"x"),
        box(b"ftyp", b"isom") + b"\xff\xff\xff\xffmoov",
        box(b"ftyp", b"isom") + box(b"moov", b"") + box(b"moof", b"") + box(b"mdat", b"x"),
    ],
)
def test_strange_layouts_are_left_to_others(data: bytes, tmp_path: Path) -> None:
    source = tmp_path / "strange.mp4"
    source.write_bytes(data)
    target = io.BytesIO()
    with pytest.raises(UnsupportedLayout):
        list(shift_sound(source, target, Fraction(1)))
    assert target.getvalue() == b""


def test_every_cut_and_flip_of_the_index_is_survived(clip: Callable[..., Clip], tmp_path: Path) -> None:
    """Damage ends in an answer or in UnsupportedLayout, never in another exception."""
    whole = clip("short.mp4", seconds=0.5).path.read_bytes()
    start = whole.index(b"moov") - 4
    answers = 0
    for position in range(start, len(whole), 11):
        for damaged in (whole[:position], whole[:position] + bytes([whole[position] ^ 0xFF]) + whole[position + 1 :]):
            source = tmp_path / "damaged.mp4"
            source.write_bytes(damaged)
            try:
                written(source, Fraction(13, 1000))
                answers += 1
            except (UnsupportedLayout, isobmff.NothingLeft):
                pass
    assert answers > 30
