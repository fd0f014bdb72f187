"""The spectrogram: a tone in its row, a click in its column, and tiles that are asked for, kept and painted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QImage, QPainter
from pytestqt.qtbot import QtBot

from desktop_app.document.document import Document
from desktop_app.theme import DARK
from desktop_app.timeline.feeder import Feeder
from desktop_app.timeline.plane import Plane
from desktop_app.timeline.spectra import COLUMNS, LEVELS, ROWS, Tile, make_tile, tiles_between
from desktop_app.timeline.spectrogram import CACHE_BYTES, Spectrogram
from desktop_app.timeline.view import TimelineView
from tests.desktop_app.made import RATE, write_sound
from tests.media import Clip


def whole(file: Path, tile: Tile) -> np.ndarray:
    *_, last = make_tile(file, tile)
    return last


def row_of(hertz: float) -> float:
    """Return the row of a frequency, counted from the top, by the mel scale itself."""

    def mel(value: float) -> float:
        return 2595 * np.log10(1 + value / 700)

    return ROWS - 1 - ((mel(hertz) - mel(60)) / (mel(11_000) - mel(60)) * (ROWS + 1) - 1)


@pytest.mark.parametrize("level", range(4))
@pytest.mark.parametrize("hertz", [500.0, 1000.0, 4000.0])
def test_a_tone_lies_in_its_row(tmp_path: Path, hertz: float, level: int) -> None:
    time = np.arange(40 * RATE) / RATE
    shades = whole(write_sound(tmp_path / "tone.wav", 0.1 * np.sin(2 * np.pi * hertz * time)), Tile(level, 0))
    assert shades.shape == (ROWS, COLUMNS)
    loudest = shades[:, 20:230].argmax(axis=0)
    # A bin is 31 Hz wide, of the short window 125 Hz; rows are 26 Hz wide at 500 Hz.
    assert np.all(np.abs(loudest - row_of(hertz)) <= (1.5 if level else 4))


@pytest.mark.parametrize("level", range(3))
def test_a_click_lies_in_its_column(tmp_path: Path, level: int) -> None:
    tile = Tile(level, 1)
    at = tile.start + 100.5 * tile.column
    values = np.zeros(round((tile.stop + 1) * RATE), np.float32)
    values[round(at * RATE)] = 0.9
    shades = whole(write_sound(tmp_path / "click.wav", values), tile)
    loud = np.flatnonzero(shades.sum(axis=0))
    assert loud.mean() == pytest.approx(100, abs=1)
    assert len(loud) <= max(1, 0.032 / tile.column) + 2


def test_a_far_zoom_shows_what_is_in_each_stretch(tmp_path: Path) -> None:
    values = np.zeros(30 * RATE, np.float32)
    values[10 * RATE : 12 * RATE] = np.random.default_rng(1).normal(0, 0.1, 2 * RATE)
    tile = Tile(4, 0)
    loud = np.flatnonzero(whole(write_sound(tmp_path / "noise.wav", values), tile).sum(axis=0))
    assert (loud[0] * tile.column, (loud[-1] + 1) * tile.column) == pytest.approx((10, 12), abs=2 * tile.column)


def test_where_there_is_no_sound_there_is_nothing(tmp_path: Path) -> None:
    file = write_sound(tmp_path / "short.wav", np.ones(RATE, np.float32))
    assert list(make_tile(file, Tile(2, 5))) == []
    assert whole(file, Tile(2, 0))[:, 40:].sum() == 0


def test_columns_are_about_a_pixel_wide_at_every_zoom() -> None:
    for seconds in (10_800.0, 600.0, 60.0, 5.0, 1.0):
        tiles = tiles_between(100.0, 100.0 + seconds, 1600 / seconds)
        assert tiles[0].start <= 100.0
        assert tiles[-1].stop >= 100.0 + seconds
        assert 0.75 <= tiles[0].column * 1600 / seconds < 3.01 or tiles[0].level in {0, LEVELS - 1}
        assert len(tiles) <= 10


def test_what_is_kept_is_bounded_and_the_oldest_goes_first() -> None:
    spectrogram = Spectrogram()
    for index in range(400):
        spectrogram.add(Tile(0, index), np.zeros((ROWS, COLUMNS), np.uint8), is_whole=True)
    assert spectrogram.bytes <= CACHE_BYTES
    assert Tile(0, 0) in spectrogram.missing(0.0, 1.0, 1000.0)
    assert spectrogram.missing(Tile(0, 398).start, Tile(0, 399).stop, 1000.0) == []


def test_a_farther_tile_stands_in_for_a_missing_one(qtbot: QtBot) -> None:  # noqa: ARG001 - painting needs an application
    spectrogram = Spectrogram()
    shades = np.zeros((ROWS, COLUMNS), np.uint8)
    shades[:, 128:] = 255
    spectrogram.add(Tile(3, 0), shades, is_whole=True)
    image = QImage(200, 50, QImage.Format.Format_RGB32)
    image.fill(0)
    # The middle of the far tile, seen from so near that tiles of the closest level would be wanted.
    middle = Tile(3, 0).start + 128 * Tile(3, 0).column
    exposed = image.rect().toRectF()
    plane = Plane(1000.0, 100 - 1000 * middle, -25.0, 25.0, exposed, (exposed.left(), exposed.right()), 1.0)
    painter = QPainter(image)
    spectrogram.paint(painter, plane, middle - 0.1, middle + 0.1, 0.0, 50.0)
    painter.end()
    assert image.pixelColor(20, 25).name() == DARK.panel
    assert image.pixelColor(180, 25).name() == DARK.text


@pytest.fixture
def filled(qtbot: QtBot, clip: Callable[..., Clip]) -> Iterator[TimelineView]:
    document = Document()
    view = TimelineView(document)
    qtbot.addWidget(view)
    view.resize(900, 400)
    feeder = Feeder(document, view)
    document.open(clip("spectrum.mp4", seconds=8).path)
    view.show()
    yield view
    feeder.close()


def test_the_timeline_shows_the_spectrum_when_it_is_asked_to(filled: TimelineView, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: filled._sound is not None and filled._sound.stop > 7)
    assert filled.wanted_tiles == []
    filled.set_spectrogram(True)
    for start, stop in ((0.0, 8.0), (3.0, 7.0), (4.0, 4.5)):
        filled.set_span(start, stop)
        qtbot.waitUntil(lambda: filled.wanted_tiles == [])
    filled._canvas.grab()
    assert filled._waves[0].drawn == "spectrogram"
    filled.set_spectrogram(False)
    filled._canvas.grab()
    assert filled._waves[0].drawn != "spectrogram"
