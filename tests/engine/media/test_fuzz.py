"""Cut and bit-flipped files: each is read or refused in time, without a crash, a hang or an exception."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.media import damages, make_clip, make_still
from tests.media.fuzzing import outcomes

SMALL = {"seconds": 1, "size": (160, 96)}
MAKERS = {
    "a.mp4": {},
    "b.mov": {"codec": "libx265", "audio_codec": "pcm_s16le", "rotation": 90},
    "c.mkv": {"audio_codec": "libopus"},
    "d.webm": {"codec": "libvpx-vp9", "audio_codec": "libopus"},
    "e.ts": {"codec": "mpeg2video", "audio_codec": "libmp3lame"},
    "f.avi": {"codec": "mpeg4", "audio_codec": "libmp3lame", "bframes": 0},
    "g.flv": {"sample_rate": 44_100},
    "h.mp3": {"codec": None, "audio_codec": "libmp3lame"},
    "i.flac": {"codec": None, "audio_codec": "flac"},
}
LIMIT_SECONDS = 20


def make(name: str, folder: Path) -> bytes:
    path = folder / name
    if name.endswith(".png"):
        make_still(path, (160, 96))
    else:
        make_clip(path, **SMALL, **MAKERS[name])
    return path.read_bytes()


def damaged_files(name: str, folder: Path, count: int, seed: int) -> list[Path]:
    whole = make(name, folder)
    files = []
    for number, damage in enumerate(damages(count, seed)):
        file = folder / f"{number}-{damage.kind}-{name}"
        file.write_bytes(damage.apply(whole))
        files.append(file)
    return files


def check(files: list[Path]) -> Counter[str]:
    found = dict(outcomes(files, LIMIT_SECONDS))
    tally = Counter(outcome.split()[0] for outcome in found.values())
    bad = [f"{file.name}: {outcome}" for file, outcome in found.items() if outcome.split()[0] not in {"ok", "refused"}]
    assert not bad, "\n".join(bad)
    assert tally.total() == len(files)
    return tally


def test_a_few_damaged_files_of_every_format(tmp_path):
    check([file for name in [*MAKERS, "j.png"] for file in damaged_files(name, tmp_path, 4, seed=1)])


@pytest.mark.slow
@pytest.mark.parametrize("name", [*MAKERS, "j.png"])
def test_fifty_damaged_files(name, tmp_path):
    tally = check(damaged_files(name, tmp_path, 50, seed=2))
    # Nothing of a small PNG survives: it is one compressed block.
    assert tally["ok"] >= 5 or name == "j.png", "damage must not be so bad that nothing is ever read"


def test_a_hang_and_a_crash_would_be_noticed(tmp_path, monkeypatch):
    """The harness itself: a process that sleeps hangs, one that dies crashes, and the next file still gets its turn."""
    sick = tmp_path / "tests" / "media"
    sick.mkdir(parents=True)
    (sick / "fuzzing.py").write_text(
        "import os, sys, time\n"
        "print('ready', flush=True)\n"
        "for line in sys.stdin:\n"
        "    'sleep' in line and time.sleep(60)\n"
        "    'die' in line and os.kill(os.getpid(), 11)\n"
        "    print('ok', flush=True)\n"
    )
    monkeypatch.setattr("tests.media.fuzzing.ROOT", tmp_path)
    files = [Path("sleep"), Path("fine"), Path("die"), Path("fine")]
    assert [outcome for _, outcome in outcomes(files, 1.5)] == ["hung", "ok", "crashed -11", "ok"]
