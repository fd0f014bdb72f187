"""What a copy lacks although every stream is in it: tags without a place, and what a transport stream counts anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from engine.media.export.containers import Container
from engine.media.export.request import Request
from engine.media.probe import probe
from engine.words import Message

_MUXERS_OWN = {"major_brand", "minor_version", "compatible_brands", "encoder", "software", "duration"}
"""Tags that every program sets for itself when it writes a file."""
_MOST_NAMED = 6


def losses(request: Request, written_file: Path) -> Iterator[Message]:
    """Yield notes on what the clip had beside its streams, and the copy has not.

    Args:
        request: what was asked.
        written_file: the copy, under whatever name.

    Raises:
        Refused: as :func:`~engine.media.probe.probe`.
    """
    if request.container is Container.TS and request.info.container == "mpegts":
        yield Message("export.note.transport_anew")
    kept = {name.lower() for name in probe(written_file).metadata} | _MUXERS_OWN
    lost = sorted(name for name in request.info.metadata if name.lower() not in kept)
    if lost:
        names = ", ".join(lost[:_MOST_NAMED]) + (" …" if len(lost) > _MOST_NAMED else "")
        yield Message("export.note.tags_left_out", container=request.container.label, names=names)
