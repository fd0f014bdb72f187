"""Fetch an official file from the Hugging Face hub: only when the user asks, going on where it stopped, and checked.

A mirror is chosen as for every program that uses the hub, by the environment variable ``HF_ENDPOINT``; access to
repositories that ask for agreement by ``hf auth login``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from engine.jobs import Job, Progress
from engine.models.catalog import Entry
from engine.models.importing import require_room
from engine.models.packages import HUB, require_packages
from engine.models.places import models_folder
from engine.refusal import Refusal, Refused

_SHA256_DIGITS = 64
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class _Remote:
    """What the hub says of a file.

    Attributes:
        location: where its bytes are.
        size: their number.
        sha256: checksum, or empty when the hub gives none (small files).
        is_on_hub: whether the bytes are with the hub itself.
    """

    location: str
    size: int
    sha256: str
    is_on_hub: bool


def download(entry: Entry, *, endpoint: str | None = None) -> Job[Path | Refusal]:
    """Fetch one file into the program's folder of models; a file that is there already is left alone.

    Closing the job keeps what has arrived, under the name ``….part``, for the next time.

    Args:
        entry: what to fetch.
        endpoint: address of the hub or a mirror; by default ``HF_ENDPOINT``, else the hub itself.

    Returns:
        Where the file is; or a refusal.
    """
    try:
        return (yield from _download(entry, endpoint))
    except Refused as refused:
        return refused.refusal


def bytes_here(entry: Entry) -> int:
    """Return how much of a file has arrived of a download that stopped; 0 without one."""
    try:
        return _partial(models_folder() / entry.place).stat().st_size
    except OSError:
        return 0


def _partial(target: Path) -> Path:
    return target.with_name(target.name + ".part")


def _download(entry: Entry, endpoint: str | None) -> Job[Path]:
    if not entry.repository:
        raise Refused.because("models.not_on_hub", title=entry.title, source=entry.source, name=entry.place.name)
    target = models_folder() / entry.place
    if target.exists():
        return target
    require_packages(HUB)
    yield Progress("connecting", 0.0)
    remote = _ask(entry, endpoint)
    partial = _partial(target)
    there = partial.stat().st_size if partial.exists() else 0
    require_room(target.parent, remote.size - there)
    digest = hashlib.sha256()
    if there > remote.size:
        partial.unlink()
    if partial.exists():
        yield from _hash(partial, digest)
    yield from _fetch(entry, remote, partial, digest)
    found = digest.hexdigest()
    if partial.stat().st_size != remote.size or (remote.sha256 and found != remote.sha256):
        partial.unlink()
        raise Refused.because("models.checksum", title=entry.title)
    partial.replace(target)
    return target


@contextmanager
def _network_failures(entry: Entry) -> Generator[None, None, None]:
    """Turn what goes wrong on the way into a sentence."""
    from huggingface_hub.errors import EntryNotFoundError, GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

    try:
        yield
    except Refused:
        raise
    except GatedRepoError as error:
        raise Refused.because("models.gated", title=entry.title, repository=entry.repository) from error
    except (RepositoryNotFoundError, EntryNotFoundError) as error:
        raise Refused.because("models.gone", title=entry.title, repository=entry.repository) from error
    except HfHubHTTPError as error:
        raise Refused.because("models.hub", title=entry.title, why=_short(error)) from error
    except OSError as error:
        raise Refused.because("models.unwritable", path=models_folder(), why=error.strerror or str(error)) from error
    except Exception as error:
        # The hub's client changes its HTTP library between releases: only the name of the package is stable.
        if not type(error).__module__.startswith("httpx"):
            raise
        raise Refused.because("models.offline", title=entry.title, why=_short(error)) from error


def _short(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def _ask(entry: Entry, endpoint: str | None) -> _Remote:
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    with _network_failures(entry):
        url = hf_hub_url(entry.repository, entry.remote, endpoint=endpoint)
        about = get_hf_file_metadata(url, endpoint=endpoint)
    checksum = about.etag if about.etag is not None and len(about.etag) == _SHA256_DIGITS else ""
    if about.size is None:
        raise Refused.because("models.hub", title=entry.title, why="no size")
    return _Remote(about.location, about.size, checksum, urlsplit(about.location).netloc == urlsplit(url).netloc)


def _hash(partial: Path, digest: Any) -> Job[None]:
    with partial.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
            yield Progress("proving", 0.0)


def _fetch(entry: Entry, remote: _Remote, partial: Path, digest: Any) -> Job[None]:
    """Append what is missing."""
    from huggingface_hub import get_session, get_token

    there = partial.stat().st_size if partial.exists() else 0
    if there == remote.size:
        return
    headers = {"Accept-Encoding": "identity", "Range": f"bytes={there}-"}
    # The bytes may lie with a storage provider, whom the user's token does not concern.
    if remote.is_on_hub and (token := get_token()):
        headers["Authorization"] = f"Bearer {token}"
    with (
        _network_failures(entry),
        get_session().stream("GET", remote.location, headers=headers, follow_redirects=True) as response,
        partial.open("ab") as stream,
    ):
        if response.status_code >= 400:
            raise Refused.because("models.hub", title=entry.title, why=f"HTTP {response.status_code}")
        if response.status_code != 206 and there:
            raise Refused.because("models.no_resume", title=entry.title, path=partial)
        for block in response.iter_raw(_BLOCK):
            stream.write(block)
            digest.update(block)
            yield Progress("downloading", min(1.0, stream.tell() / max(1, remote.size)))
