"""Which files are what, by their names."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QUrl

from desktop_app.document.dropping import pasted, sort


def test_names_are_sorted_whatever_their_case(tmp_path: Path) -> None:
    (tmp_path / "folder.mp4").mkdir()
    names = ["A.MP4", "b.WAV", "c.Png", "d.plosive", "noname", "folder.mp4"]
    drop = sort(tmp_path / name for name in names)
    assert [path.name for path in drop.clips] == ["A.MP4", "noname"]
    assert [path.name for path in drop.sounds] == ["b.WAV"]
    assert [path.name for path in drop.pictures] == ["c.Png"]
    assert [path.name for path in drop.projects] == ["d.plosive"]
    assert [path.name for path in drop.folders] == ["folder.mp4"]


def test_a_copied_path_is_taken_with_quotes_and_as_an_address(tmp_path: Path) -> None:
    clip = tmp_path / "my clip.mp4"
    clip.write_bytes(b"")
    assert pasted(f'"{clip}"') == [clip]
    assert pasted(f"file://{clip}\n") == [clip]
    assert pasted(QUrl.fromLocalFile(str(clip)).toString(QUrl.ComponentFormattingOption.FullyEncoded)) == [clip]
    strange = tmp_path / "100 % #1? 影片.mp4"
    strange.write_bytes(b"")
    assert pasted(bytes(QUrl.fromLocalFile(str(strange)).toEncoded()).decode()) == [strange]
    assert pasted("some words\n/not/there.mp4\n\0") == []
