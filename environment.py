"""Make ``.venv`` with the pinned packages, and see to the shared libraries that they need on Linux.

``make`` calls this before everything else; on Windows, where there is no make, one calls it by hand:
``py -3.12 environment.py``. It needs nothing but Python itself. A stamp in ``.venv`` remembers what was installed, so
that calling it again costs a fraction of a second; an installation that was interrupted is made anew.
"""

from __future__ import annotations

import argparse
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
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

NATIVE_IMPORTS = "import av, cv2, matplotlib, mediapipe, soundfile, soxr"
"""Packages with shared libraries of their own. Importing them is the only sure way to learn that a system has what
they need."""

DEBIAN_LIBRARIES = {"libGL.so.1": "libgl1", "libgthread-2.0.so.0": "libglib2.0-0"}
"""What OpenCV's wheel expects of the system, and the Debian and Ubuntu packages that hold it (X11's libraries, which it
expects too, come along with libgl1)."""


class Unready(Exception):  # noqa: N818 - it is a state of this computer, not an error of the program
    """Carries the sentence that says what this computer lacks."""


@dataclass(frozen=True)
class Installed:
    """What is in ``.venv``.

    Attributes:
        made_for: interpreter version and checkout folder; an environment serves no other.
        packages: digest of the files that decide what gets installed.
        extras: optional dependency groups, sorted.
    """

    made_for: str
    packages: str
    extras: list[str]


def main() -> int:
    """Bring ``.venv`` up to date and return the exit code."""
    use_language(system_language())
    parser = argparse.ArgumentParser(description="Make .venv with the pinned packages.")
    parser.add_argument("--dev", action="store_true", help="install the tools for tests and checks too")
    try:
        make_ready(["dev"] if parser.parse_args().dev else [])
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
    if not (3, 11) <= sys.version_info[:2] < (3, 13):
        raise Unready(Message("environment.python", version=sys.version.split()[0]))
    found = _read_stamp()
    reusable = found is not None and found.made_for == _made_for()
    kept = found.extras if found and reusable else []
    target = Installed(_made_for(), _packages_digest(), sorted({*extras, *kept}))
    if found == target and PYTHON.exists():
        return
    _install_debian_packages(_missing_debian_packages())
    print(Message("environment.installing", folder=VENV.name), file=sys.stderr, flush=True)
    if not reusable:
        _make_venv()
    # No stamp, no trust: pip cannot tell a half-installed package from a whole one, so the next run would start anew.
    STAMP.unlink(missing_ok=True)
    _install(target.extras)
    _check_shared_libraries()
    STAMP.write_text(json.dumps(asdict(target)), encoding="utf-8")


def _made_for() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor} {ROOT}"


def _packages_digest() -> str:
    texts = [(ROOT / name).read_bytes() for name in ("pyproject.toml", "constraints.txt")]
    return hashlib.sha256(b"\0".join(texts)).hexdigest()


def _read_stamp() -> Installed | None:
    try:
        return Installed(**json.loads(STAMP.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _missing_debian_packages() -> list[str]:
    """Return the packages of the system that are known to be needed and are not there, empty where apt-get is not."""
    if not shutil.which("apt-get"):
        return []
    missing = [package for library, package in DEBIAN_LIBRARIES.items() if not _loads(library)]
    if importlib.util.find_spec("ensurepip") is None:  # Debian ships Python without it
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


def _make_venv() -> None:
    """Start from an empty environment, whatever was there."""
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)


def _install(extras: Sequence[str]) -> None:
    wanted = f".[{','.join(extras)}]" if extras else "."
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--quiet", "-c", "constraints.txt", "-e", wanted], cwd=ROOT, check=True)


def _check_shared_libraries() -> None:
    """Import everything native.

    Raises:
        Unready: if an import fails, with the shared library it asked for in vain if that is why.
    """
    done = subprocess.run([str(PYTHON), "-c", NATIVE_IMPORTS], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    library = re.search(r"(\S+\.so\S*): cannot open shared object file", done.stderr)
    if library is not None:
        raise Unready(Message("environment.library", library=library[1]))
    last_line = (done.stderr.strip().splitlines() or [str(done.returncode)])[-1]
    raise Unready(Message("environment.broken", folder=VENV.name, error=last_line))


if __name__ == "__main__":
    sys.exit(main())
