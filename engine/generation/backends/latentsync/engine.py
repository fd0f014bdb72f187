"""LatentSync, as the frame around engines sees it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from engine.generation.backend import (
    Capabilities,
    Demand,
    Devices,
    Estimate,
    Gpu,
    Host,
    OutOfMemory,
    Picture,
    RenderJob,
    SourceKind,
)
from engine.generation.backends.cards import GIB, cards_of
from engine.generation.backends.latentsync.files import Files, find_files, found_versions, requirements
from engine.generation.backends.latentsync.memory import (
    Arrangement,
    Work,
    arrangements,
    best_for,
    least_bytes,
    seconds,
)
from engine.generation.backends.latentsync.settings import PARAMETERS, Paste, Settings
from engine.generation.backends.latentsync.windows import MODEL_FPS, WINDOW, Grid
from engine.generation.drawn_ahead import PICTURES_READ, PICTURES_READY
from engine.generation.machine import GpuMonitor
from engine.generation.plan import Plan, Segment
from engine.generation.spec import Offload, Precision, RenderSpec
from engine.jobs import Job, Progress, part_of
from engine.models.finder import library
from engine.models.headers import read_header
from engine.refusal import Refusal, Refused
from engine.words import Message

if TYPE_CHECKING:
    from engine.generation.backends.latentsync.drawing import Face, WindowPart
    from engine.generation.backends.latentsync.faces import Finder
    from engine.generation.backends.latentsync.rendering import Rendering
    from engine.generation.device_pool import Pool

_BATCH_BYTES = 512 << 20
_MOST_BATCH = 4
"""Windows that are encoded, denoised and decoded together where the networks take turns on the card."""
_SECONDS_PER_PICTURE = 0.02
"""To find the face, cut it out, put it back and encode, on two cores at 720p."""


class LatentSync:
    """Draws the lower face anew with ByteDance's latent diffusion, on the user's own official checkpoints."""

    def __init__(self) -> None:
        self._rendering: Rendering | None = None

    def capabilities(self) -> Capabilities:
        """See :class:`~engine.generation.backend.Backend`."""
        files = library()
        return Capabilities(
            name="latentsync",
            title=Message("latentsync.title"),
            about=Message("latentsync.about"),
            version=f"1 {found_versions(files)}",
            default_fps=MODEL_FPS,
            block_frames=WINDOW,
            parameters=PARAMETERS,
            requirements=requirements(files),
            heeds=("online_decode_chunk",),
            lowers=(Demand.OFFLOAD, Demand.PRECISION),
            licence=Message("latentsync.licence"),
        )

    def plan(self, spec: RenderSpec, plan: Plan, host: Host) -> Estimate | Refusal:
        """See :class:`~engine.generation.backend.Backend`."""
        settings = Settings.of(self.capabilities().values(spec))
        cards = cards_of(spec, host)
        try:
            files = find_files(library(), settings.version)
            work = _work(files, settings, spec.precision, cards)
        except Refused as refused:
            return refused.refusal
        grid = Grid(plan.fps, plan.frame_count, settings.overlap)
        placed = [(gpu, best_for(gpu, work, spec.offload)) for gpu in cards]
        for gpu, arrangement in placed:
            if arrangement is None:
                return Refusal.of(
                    "latentsync.card_too_small", device=gpu.title or gpu.device,
                    free=gpu.free_bytes / GIB, needed=least_bytes(work, spec.offload) / GIB,
                )  # fmt: skip
        chosen = [each for _, each in placed if each is not None] or [_ON_PROCESSOR]
        held = _held_bytes(plan, grid, chosen[0], len(chosen))
        needed = max(each.main_bytes(work, held, on_card=bool(cards)) for each in chosen)
        if host.free_ram_bytes and needed > host.free_ram_bytes:
            return Refusal.of("latentsync.too_little_memory", free=host.free_ram_bytes / GIB, needed=needed / GIB)
        devices = tuple(gpu.device for gpu in cards) or ("cpu",)
        drawing = seconds(work, host, devices, grid.last_window + 1, settings.steps, cached=settings.feature_cache)
        return Estimate(
            vram_bytes=max((each.card_bytes(work) for each in chosen), default=0) if cards else 0,
            ram_bytes=needed,
            disk_bytes=plan.disk_bytes,
            seconds=drawing + plan.frame_count * _SECONDS_PER_PICTURE,
            notes=tuple(_notes(files, chosen[0], drawing, plan, on_card=bool(cards))),
        )

    def load(self, job: RenderJob, devices: Devices) -> Job[None]:
        """See :class:`~engine.generation.backend.Backend`.

        Raises:
            Refused: if files are missing or wrong, or no picture has a face that can be drawn on.
            OutOfMemory: if no way to place the networks fits what is free.
        """
        self.close()
        # The neural packages take seconds to import: only whoever renders pays for it.
        from engine.generation.backends.chosen_face import survey
        from engine.generation.backends.latentsync.audio import Hearing
        from engine.generation.backends.latentsync.faces import ChosenFace, MarkedFace
        from engine.generation.backends.latentsync.rendering import Manner, Rendering
        from engine.generation.backends.silence import drawn_shares
        from engine.models.whisper import load_encoder

        settings = Settings.of(job.parameters)
        files = find_files(library(), settings.version)
        grid = Grid(job.plan.fps, job.plan.frame_count, settings.overlap)
        yield Progress("looking", 0.0)
        marks = job.spec.face_points if job.source.kind is SourceKind.PICTURE else ()
        if not marks:
            survey(job.source, job.plan.frame_count, job.spec.face, engine="latentsync")
        yield Progress("listening", 0.1)
        shares = drawn_shares(job.voice, grid.drawn_count, MODEL_FPS, job.spec.silence_policy)
        hearing = Hearing(load_encoder(files.whisper), job.voice)
        cards = {gpu.device: gpu for gpu in GpuMonitor().gpus()}
        work = _work(files, settings, devices.precision, tuple(cards.values()))
        placed = [_arranged(name, cards.get(name), work, devices) for name in devices.names]
        pool = yield from part_of(_loaded(files, settings, placed, devices, job.spec.seed), 0.2, 1.0)

        def make_finder() -> Finder:
            if marks:
                return MarkedFace(marks, job.source.size, files.resolution)
            return ChosenFace(files.resolution, job.spec.face, settings.calibration)

        manner = Manner(
            resolution=files.resolution,
            make_finder=make_finder,
            whole_box=settings.paste is Paste.FACE,
            batch=_batch(job.plan, placed[0]),
        )
        self._rendering = Rendering(job.source, grid, hearing, shares, pool, manner)
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


_ON_PROCESSOR = Arrangement(Offload.NONE, sequential=True, vae_batch=1)


def _arranged(name: str, card: Gpu | None, work: Work, devices: Devices) -> Arrangement:
    """Return how the networks are placed on one device.

    Raises:
        OutOfMemory: if nothing fits. An over-full card fails late, and on Windows draws broken mouths instead.
    """
    if not name.startswith("cuda"):
        return _ON_PROCESSOR
    arrangement = next(arrangements(devices.offload), None) if card is None else best_for(card, work, devices.offload)
    if arrangement is None:
        raise OutOfMemory(name)
    return arrangement


def _loaded(
    files: Files, settings: Settings, placed: Sequence[Arrangement], devices: Devices, seed: int
) -> Job[Pool[Sequence[WindowPart], list[Face]]]:
    """Load the networks, in this process or in one per device."""
    from engine.generation.backends.compiling import Tuning
    from engine.generation.backends.latentsync.drawing import Setup
    from engine.generation.backends.latentsync.sampler import Sampling
    from engine.generation.backends.placement import Placement
    from engine.generation.device_pool import open_pool

    tuning = Tuning(settings.channels_last, settings.compiled)

    def setup(name: str, arrangement: Arrangement) -> Setup:
        batch = min(arrangement.vae_batch, devices.chunk or arrangement.vae_batch)
        placement = Placement.on(name, devices.precision, arrangement.offload, tuning)
        sampling = Sampling(
            settings.steps, settings.guidance, settings.feature_cache, settings.solver, arrangement.sequential
        )
        return Setup(files, placement, batch, sampling, seed)

    return (yield from open_pool([setup(name, each) for name, each in zip(devices.names, placed, strict=True)]))


def _work(files: Files, settings: Settings, precision: Precision, cards: Sequence[Gpu]) -> Work:
    """Return what has to be computed, weights counted as they are in the files.

    Raises:
        Refused: if a file is damaged.
    """
    unet, vae = read_header(files.unet).shapes, read_header(files.vae).shapes
    if precision is Precision.AUTO:
        precision = Precision.BF16 if cards else Precision.FP32
    return Work(
        files.resolution,
        precision,
        guided=settings.guidance > 1,
        unet_values=sum(math.prod(shape) for shape in unet.values()),
        vae_values=sum(math.prod(shape) for shape in vae.values()),
        channels=unet.get("conv_in.weight", (320,))[0],
    )


def _notes(files: Files, arrangement: Arrangement, drawing: float, plan: Plan, *, on_card: bool) -> Iterator[Message]:
    yield Message("latentsync.note.version", version=files.version.value, resolution=files.resolution)
    if not on_card:
        yield Message("latentsync.note.slow", minutes=drawing / 60 / float(plan.seconds))
    elif arrangement.offload is not Offload.NONE:
        yield Message(f"latentsync.note.offload_{arrangement.offload}")
    if plan.fps != MODEL_FPS:
        yield Message("latentsync.note.rate", rate=float(plan.fps))


def _batch(plan: Plan, arrangement: Arrangement) -> int:
    """Return how many windows a device draws together: more than one where the networks take turns on it."""
    if arrangement.offload is not Offload.MODEL:
        return 1
    window_bytes = math.ceil(WINDOW * plan.fps / MODEL_FPS) * plan.picture_bytes
    return max(1, min(_MOST_BATCH, _BATCH_BYTES // window_bytes))


def _held_bytes(plan: Plan, grid: Grid, arrangement: Arrangement, devices: int) -> int:
    """Return the size of the pictures of the clip that are in memory at once.

    Each device draws a batch of windows, or its pictures are put together, and one more batch is got ready.
    """
    frames = math.ceil(((devices + 1) * _batch(plan, arrangement) * WINDOW + grid.overlap) * plan.fps / MODEL_FPS)
    return (2 * PICTURES_READ + PICTURES_READY + frames) * plan.picture_bytes
