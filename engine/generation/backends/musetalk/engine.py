"""MuseTalk, as the frame around engines sees it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from engine.generation.backend import (
    Capabilities,
    Demand,
    Devices,
    Estimate,
    Host,
    Picture,
    RenderJob,
)
from engine.generation.backends.cards import GIB, cards_of, tera_per_second
from engine.generation.backends.musetalk.files import Files, find_files, found_files, requirements
from engine.generation.backends.musetalk.memory import Work
from engine.generation.backends.musetalk.settings import PARAMETERS, Settings
from engine.generation.drawn_ahead import PICTURES_READ, PICTURES_READY
from engine.generation.plan import Plan, Segment
from engine.generation.spec import Offload, Precision, RenderSpec
from engine.jobs import Job, Progress, part_of
from engine.models.finder import library
from engine.models.headers import read_header
from engine.refusal import Refusal, Refused
from engine.words import Message

if TYPE_CHECKING:
    from engine.generation.backends.musetalk.rendering import Rendering

_MAIN_BYTES = 3 * GIB // 2
"""Libraries, the face models, Whisper, pictures on their way."""
_TERA_PER_PICTURE = 0.178 + 2 * 0.27 + 0.62
"""10^12 operations, counted: the UNet once, the encoder twice, the decoder once."""
_CORE_SECONDS = 20.0
"""To draw one picture without a card: 10 s were measured on two cores."""
_SECONDS_PER_PICTURE = 0.03
"""To find the face, put it back and encode, on two cores at 720p."""
_SECONDS_TO_START = 8.0
_BATCH_ON_PROCESSOR = 2
"""Without a card a larger batch is hardly faster, and could not be stopped for many seconds."""


class MuseTalk:
    """Draws the lower face anew with Tencent's one-step network, on the user's own official checkpoints."""

    def __init__(self) -> None:
        self._rendering: Rendering | None = None

    def capabilities(self) -> Capabilities:
        """See :class:`~engine.generation.backend.Backend`."""
        files = library()
        return Capabilities(
            name="musetalk",
            title=Message("musetalk.title"),
            about=Message("musetalk.about"),
            version=f"1 {found_files(files)}",
            parameters=PARAMETERS,
            requirements=requirements(files),
            heeds=("online_decode_chunk",),
            lowers=(Demand.CHUNK, Demand.OFFLOAD, Demand.PRECISION),
            licence=Message("musetalk.licence"),
        )

    def plan(self, spec: RenderSpec, plan: Plan, host: Host) -> Estimate | Refusal:
        """See :class:`~engine.generation.backend.Backend`."""
        settings = Settings.of(self.capabilities().values(spec))
        try:
            files = find_files(library(), settings.version)
            unet, vae = _values(files)
        except Refused as refused:
            return refused.refusal
        cards = cards_of(spec, host)
        is_exact = spec.precision is Precision.FP32 or (spec.precision is Precision.AUTO and not cards)
        work = Work(unet, vae, is_exact, files.parser is not None)
        least = work.least_bytes(spec.offload)
        for card in cards:
            if card.free_bytes < least:
                return Refusal.of(
                    "musetalk.card_too_small", device=card.title or card.device,
                    free=card.free_bytes / GIB, needed=least / GIB,
                )  # fmt: skip
        batch = min(settings.batch, spec.online_decode_chunk or settings.batch)
        # Where not even the most frugal way fits, fewer faces are drawn at a time.
        offloads = [work.best_for(card.free_bytes, batch, spec.offload) for card in cards]
        weights = (unet + vae) * (4 if is_exact else 2)
        held = 2 * PICTURES_READ + PICTURES_READY + (max(1, len(cards)) + 1) * batch
        main = _MAIN_BYTES + held * plan.picture_bytes + (0 if cards and set(offloads) == {Offload.NONE} else weights)
        if host.free_ram_bytes and main > host.free_ram_bytes:
            return Refusal.of("musetalk.too_little_memory", free=host.free_ram_bytes / GIB, needed=main / GIB)
        if cards:
            speeds = (tera_per_second(card, is_exact=is_exact) for card in cards)
            drawing = plan.frame_count * _TERA_PER_PICTURE / sum(speeds)
        else:
            drawing = plan.frame_count * _CORE_SECONDS / max(1, host.cores)
        return Estimate(
            vram_bytes=max((work.card_bytes(batch, each) for each in offloads), default=0),
            ram_bytes=math.ceil(main),
            disk_bytes=plan.disk_bytes,
            seconds=_SECONDS_TO_START + drawing + plan.frame_count * _SECONDS_PER_PICTURE,
            notes=tuple(_notes(files, drawing / float(plan.seconds), on_card=bool(cards))),
        )

    def load(self, job: RenderJob, devices: Devices) -> Job[None]:
        """See :class:`~engine.generation.backend.Backend`.

        Raises:
            Refused: if files are missing or wrong, or no picture has a face that can be drawn on.
            OutOfMemory: if the networks do not fit.
        """
        self.close()
        # The neural packages take seconds to import: only whoever renders pays for it.
        from engine.generation.backends.chosen_face import survey
        from engine.generation.backends.compiling import Tuning
        from engine.generation.backends.device_memory import memory_of
        from engine.generation.backends.musetalk.audio import Hearing
        from engine.generation.backends.musetalk.drawing import Setup
        from engine.generation.backends.musetalk.faces import pointed_out
        from engine.generation.backends.musetalk.parsing import load_parser
        from engine.generation.backends.musetalk.rendering import Rendering
        from engine.generation.backends.placement import Placement
        from engine.generation.backends.silence import drawn_shares
        from engine.generation.device_pool import open_pool
        from engine.models.whisper import load_encoder

        settings = Settings.of(job.parameters)
        files = find_files(library(), settings.version)
        yield Progress("looking", 0.0)
        if pointed_out(job) is None:
            survey(job.source, job.plan.frame_count, job.spec.face, engine="musetalk")
        yield Progress("listening", 0.1)
        shares = drawn_shares(job.voice, job.plan.frame_count, job.plan.fps, job.spec.silence_policy)
        hearing = Hearing(load_encoder(files.whisper), job.voice, job.plan.fps, files.version)
        with memory_of(devices.names[0]):
            parser = None if files.parser is None else load_parser(files.parser, devices.names[0])
        batch = min(settings.batch, devices.chunk or settings.batch)
        if devices.names[0] == "cpu":
            batch = min(batch, _BATCH_ON_PROCESSOR)
        tuning = Tuning(settings.channels_last, settings.compiled)
        placements = [Placement.on(name, devices.precision, devices.offload, tuning) for name in devices.names]
        setups = [Setup(files, placement, job.spec.seed) for placement in placements]
        pool = yield from part_of(open_pool(setups), 0.2, 1.0)
        self._rendering = Rendering(job, settings, files.version, hearing, shares, pool, parser, batch)
        yield Progress("loading", 1.0)

    def render(self, segment: Segment) -> Iterator[Picture | Progress]:
        """See :class:`~engine.generation.backend.Backend`."""
        assert self._rendering is not None, "load() first"
        yield from self._rendering.render(segment)

    def state(self) -> bytes | None:
        """Return ``None``: segments stand by themselves."""
        return None

    def restore(self, state: bytes) -> None:
        """See :meth:`state`; there is nothing to take up."""

    def close(self) -> None:
        """See :class:`~engine.generation.backend.Backend`."""
        if self._rendering is None:
            return
        self._rendering.close()
        self._rendering = None
        from engine.generation.backends.device_memory import give_back

        give_back()


def _values(files: Files) -> tuple[int, int]:
    """Return how many numbers UNet and autoencoder have.

    Raises:
        Refused: if a file is damaged.
    """
    unet, vae = (
        sum(math.prod(shape) for shape in read_header(path).shapes.values()) for path in (files.unet, files.vae)
    )
    return unet, vae


def _notes(files: Files, seconds_each: float, *, on_card: bool) -> Iterator[Message]:
    yield Message("musetalk.note.version", version=files.version.value)
    if files.parser is None:
        yield Message("musetalk.note.no_parser")
    if not on_card:
        yield Message("musetalk.note.slow", minutes=seconds_each / 60)
