"""Make ``.venv`` with the pinned packages, and see to the shared libraries that they need on Linux.

``make`` calls this before everything else; on Windows, where there is no make, one calls it by hand:
``py -3.12 environment.py``. It needs nothing but Python itself. A stamp in ``.venv`` remembers what was installed, so
that calling it again costs a fraction of a second; an installation that was interrupted is made anew.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from engine.words import Message, system_language, use_language

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "installed.json"
UNFINISHED = VENV / "installing"
"""There while an installation runs: left over, it was interrupted, and pip cannot tell half a package from a whole."""
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

NATIVE_IMPORTS = "import av, cv2, matplotlib, mediapipe, soundfile, soxr"
"""Packages with shared libraries of their own. Importing them is the only sure way to learn that a system has what
they need."""

DEBIAN_LIBRARIES = {"libGL.so.1": "libgl1", "libgthread-2.0.so.0": "libglib2.0-0"}
"""What OpenCV's wheel expects of the system, and the Debian and Ubuntu packages that hold it (X11's libraries, which it
expects too, come along with libgl1)."""

WINDOW_EXTRAS = {"app", "dev"}
WINDOW_IMPORTS = "import pyqtgraph; from PySide6 import QtMultimedia, QtSvg, QtWidgets"
WINDOW_DEBIAN_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libpulse.so.0": "libpulse0",
}
"""What Qt's wheels expect of the system, to show a window on X11 and Wayland and to play sound."""

TEST_DEBIAN_PROGRAMS = {"Xvfb": "xvfb", "xdotool": "xdotool"}
"""What tests in a real window start. Without them, these tests are passed over, so nobody is asked to install them."""


class Unready(Exception):  # noqa: N818 - it is a state of this computer, not an error of the program
    """Carries the sentence that says what this computer lacks."""


@dataclass(frozen=True)
class Installed:
    """What is in ``.venv``.

    Attributes:
        place: the checkout, to which the installed commands point.
        packages: digest of the files that decide what gets installed.
        extras: optional dependency groups, sorted.
    """

    place: str
    packages: str
    extras: list[str]


def main() -> int:
    """Bring ``.venv`` up to date and return the exit code."""
    use_language(system_language())
    parser = argparse.ArgumentParser(description="Make .venv with the pinned packages.")
    parser.add_argument("--app", action="store_true", help="install what the window needs too")
    parser.add_argument("--dev", action="store_true", help="install the window and the tools for tests and checks too")
    wanted = parser.parse_args()
    try:
        make_ready([extra for extra in ("app", "dev") if getattr(wanted, extra)])
        compile_translations()
    except Unready as lack:
        print(lack, file=sys.stderr)
        return 3
    except subprocess.CalledProcessError as failure:
        print(Message("environment.failed", command=failure.cmd[0]), file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        return 130
    return 0


def make_ready(extras: Sequence[str]) -> None:
    """Install what ``pyproject.toml`` asks for, in the versions of ``constraints.txt``, unless it is there.

    Args:
        extras: names of optional dependency groups; groups that are installed already stay.

    Raises:
        Unready: if this computer lacks something that only its owner can install.
        subprocess.CalledProcessError: if a command failed; it has said why.
    """
    found = _read_stamp()
    target = Installed(str(ROOT), _packages_digest(), sorted({*extras, *(found.extras if found else [])}))
    if found == target:
        return
    with_window = not WINDOW_EXTRAS.isdisjoint(target.extras)
    _install_debian_packages(_missing_debian_packages(with_window=with_window))
    if "dev" in target.extras:
        _install_test_programs()
    print(Message("environment.installing", folder=VENV.name), file=sys.stderr, flush=True)
    _make_venv()
    STAMP.unlink(missing_ok=True)
    UNFINISHED.touch()
    _install(target.extras)
    _check_shared_libraries(f"{NATIVE_IMPORTS}; {WINDOW_IMPORTS}" if with_window else NATIVE_IMPORTS)
    STAMP.write_text(json.dumps(asdict(target)), encoding="utf-8")
    UNFINISHED.unlink()


def compile_translations() -> None:
    """Turn the window's translations into the form that Qt reads, where that is older than they are.

    Raises:
        subprocess.CalledProcessError: if one cannot be read; Qt's tool has said why.
    """
    compiler = PYTHON.with_name("pyside6-lrelease.exe" if os.name == "nt" else "pyside6-lrelease")
    if not compiler.exists():  # the window is not installed
        return
    for source in (ROOT / "resources" / "translations").glob("*.ts"):
        target = source.with_suffix(".qm")
        if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
            # Not in place: a window that is open reads the file where it lies, and would end with a bus error.
            unfinished = target.with_name(f".{target.name}-{os.getpid()}")
            command = [str(compiler), "-silent", str(source), "-qm", str(unfinished)]
            try:
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
                unfinished.replace(target)
            finally:
                unfinished.unlink(missing_ok=True)


def _packages_digest() -> str:
    texts = [(ROOT / name).read_bytes() for name in ("pyproject.toml", "constraints.txt")]
    return hashlib.sha256(b"\0".join(texts)).hexdigest()


def _read_stamp() -> Installed | None:
    if UNFINISHED.exists() or not PYTHON.exists():
        return None
    try:
        return Installed(**json.loads(STAMP.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _missing_debian_packages(*, with_window: bool) -> list[str]:
    """Return the packages of the system that are known to be needed and are not there, empty where apt-get is not."""
    if not shutil.which("apt-get"):
        return []
    libraries = DEBIAN_LIBRARIES | (WINDOW_DEBIAN_LIBRARIES if with_window else {})
    missing = [package for library, package in libraries.items() if not _loads(library)]
    if not VENV.exists() and importlib.util.find_spec("ensurepip") is None:  # Debian ships Python without it
        missing.append(f"python{sys.version_info.major}.{sys.version_info.minor}-venv")
    return missing


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _install_debian_packages(packages: Sequence[str]) -> None:
    """Install packages of the system as root; nothing to do for none.

    Raises:
        Unready: with the one command to type, if this is not root.
    """
    if not packages:
        return
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    if os.geteuid() != 0:
        raise Unready(Message("environment.command", command=f"sudo {' '.join(command)}"))
    print(Message("environment.system", packages=" ".join(packages)), file=sys.stderr, flush=True)
    unattended = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["apt-get", "update"], command):
        subprocess.run([*step, "--quiet=2"], check=True, env=unattended, stdout=subprocess.DEVNULL)


def _install_test_programs() -> None:
    missing = [package for program, package in TEST_DEBIAN_PROGRAMS.items() if not shutil.which(program)]
    if shutil.which("apt-get") and os.geteuid() == 0:
        with contextlib.suppress(subprocess.CalledProcessError):  # it has said why
            _install_debian_packages(missing)


def _make_venv() -> None:
    """Make ``.venv``, anew where an installation was interrupted; an environment that somebody else made is kept.

    Raises:
        Unready: if there is one that belongs to a Python we cannot use.
    """
    version = _venv_version()
    if version and not UNFINISHED.exists():
        if not _is_usable(version):
            raise Unready(Message("environment.foreign", folder=VENV.name, version=".".join(map(str, version))))
        return
    if not _is_usable(sys.version_info[:2]):
        raise Unready(Message("environment.python", version=sys.version.split()[0]))
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)


def _is_usable(version: tuple[int, ...]) -> bool:
    return (3, 11) <= version < (3, 13)


def _venv_version() -> tuple[int, ...]:
    """Return the first two numbers of the version of the Python in ``.venv``, none if it has no working Python."""
    with contextlib.suppress(OSError):
        found = re.search(
            r"^version\w*\s*=\s*(\d+)\.(\d+)", (VENV / "pyvenv.cfg").read_text(encoding="utf-8"), re.MULTILINE
        )
        if found and PYTHON.exists():
            return int(found[1]), int(found[2])
    return ()


def _install(extras: Sequence[str]) -> None:
    wanted = f".[{','.join(extras)}]" if extras else "."
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--quiet", "-c", "constraints.txt", "-e", wanted], cwd=ROOT, check=True)


def _check_shared_libraries(imports: str) -> None:
    """Import everything native.

    Raises:
        Unready: if an import fails, with the shared library it asked for in vain if that is why.
    """
    done = subprocess.run([str(PYTHON), "-c", imports], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    library = re.search(r"(\S+\.so\S*): cannot open shared object file", done.stderr)
    if library is not None:
        raise Unready(Message("environment.library", library=library[1]))
    last_line = (done.stderr.strip().splitlines() or [str(done.returncode)])[-1]
    raise Unready(Message("environment.broken", folder=VENV.name, error=last_line))


if __name__ == "__main__":
    sys.exit(main())
