"""LiveAvatar, as the frame around engines sees it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

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
from engine.generation.backends.liveavatar.config import (
    BLOCK_FRAMES,
    BLOCK_LATENTS,
    LEAD_IN,
    RATES,
    SIZE_STEP,
    LatentSize,
    ModelConfig,
    WeightFormat,
)
from engine.generation.backends.liveavatar.failures import failure, is_out_of_memory
from engine.generation.backends.liveavatar.files import Files, requirements
from engine.generation.backends.liveavatar.planner import FP8_SINCE, GB, Counts, MemoryPlan, Planner
from engine.generation.backends.liveavatar.settings import PARAMETERS, USUAL_AREA, Settings
from engine.generation.machine import GpuMonitor, memory
from engine.generation.plan import Plan, Segment
from engine.generation.spec import Offload, Precision, RenderSpec
from engine.jobs import Job, Progress, part_of
from engine.media.probe import probe
from engine.models.finder import Library, library
from engine.refusal import Refusal, Refused
from engine.words import Message

if TYPE_CHECKING:
    import torch

    from engine.generation.backends.liveavatar.audio import VoiceFeatures
    from engine.generation.backends.liveavatar.denoiser import Denoiser
    from engine.generation.backends.liveavatar.drawing import Drawing
    from engine.generation.backends.liveavatar.schedule import Script
    from engine.generation.backends.liveavatar.weights import Transformer

_BIG = 2_000_000_000
"""Parameters from which on a processor takes longer than anybody waits."""
_BYTES_PER_PIXEL = 0.05
"""Of a finished picture in H.264 at the usual quality."""
_SMALLEST_SIDE = 64
_LONG_PROMPT = 2000
"""Bytes of UTF-8: 512 tokens are about 2000 English letters, or 700 Chinese characters of three bytes."""
_SECONDS_TO_LOAD = 90.0
_NEAREST, _FARTHEST = 4, 30
"""Latent frames that the reference stands ahead of a block."""


class LiveAvatar:
    """Draws a whole person from one picture, a voice and a prompt, on the user's own official checkpoints."""

    def __init__(self) -> None:
        self._drawing: Drawing | None = None
        self._features: VoiceFeatures | None = None
        self._devices = Devices()

    def capabilities(self) -> Capabilities:
        """See :class:`~engine.generation.backend.Backend`."""
        found = library()
        return Capabilities(
            name="liveavatar",
            title=Message("liveavatar.title"),
            about=Message("liveavatar.about"),
            version="2",
            takes=(SourceKind.PICTURE,),
            fps=RATES,
            default_fps=RATES[0],
            block_frames=BLOCK_FRAMES,
            size_multiple=SIZE_STEP,
            usual_pixels=USUAL_AREA,
            parameters=PARAMETERS,
            requirements=requirements(found),
            needs_gpu=_is_big(found),
            reads_prompt=True,
            heeds=("lead_in", "online_decode"),
            lowers=(Demand.OFFLOAD, Demand.PRECISION, Demand.SIZE),
            licence=Message("liveavatar.licence"),
        )

    def plan(self, spec: RenderSpec, plan: Plan, host: Host) -> Estimate | Refusal:
        """See :class:`~engine.generation.backend.Backend`."""
        values = self.capabilities().values(spec)
        settings = Settings.of(values, spec)
        try:
            _check_source(spec)
            config = Files.found(library()).config()
        except Refused as refused:
            return refused.refusal
        cards = _cards(spec.devices, host.gpus)
        planner = _planner(config, plan, settings, on_card=bool(cards))
        chosen = planner.plan(cards, host.free_ram_bytes, settings.wishes)
        if chosen is None:
            return _too_little(planner, cards, host.free_ram_bytes, settings, plan)
        blocks = -(-(plan.frame_count + _lead_in(spec)) // BLOCK_FRAMES)
        saved = 2 * chosen.ring_bytes if settings.save_rings else 0  # the old ones go when the new ones are there
        video = math.ceil(2 * plan.frame_count * plan.size[0] * plan.size[1] * _BYTES_PER_PIXEL)
        notes = [*chosen.words(float(plan.fps), settings.wishes)]
        asked, frames = int(values["infer_frames"]), settings.window * BLOCK_FRAMES
        if asked != frames:
            notes.append(Message("liveavatar.import.frames", asked=asked, frames=frames))
        if saved and saved + video > host.free_disk_bytes:
            saved = 0
            notes.append(Message("liveavatar.note.not_saved", needed=2 * chosen.ring_bytes / GB))
        if any(len(prompt.encode()) > _LONG_PROMPT for prompt in _prompts(plan)):
            notes.append(Message("liveavatar.note.long_prompt"))
        if not any(prompt.strip() for prompt in _prompts(plan)):
            notes.append(Message("liveavatar.note.no_prompt"))
        return Estimate(
            vram_bytes=chosen.vram_bytes if cards else 0,
            ram_bytes=chosen.ram_bytes,
            disk_bytes=video + saved,
            seconds=_SECONDS_TO_LOAD + blocks * chosen.seconds_per_block,
            notes=tuple(notes),
        )

    def load(self, job: RenderJob, devices: Devices) -> Job[None]:
        """See :class:`~engine.generation.backend.Backend`.

        Raises:
            Refused: if files are missing or wrong, the picture is only a few pixels, or memory does not suffice.
            OutOfMemory: if it does not fit although it was planned to.
        """
        self.close()
        self._devices = devices
        with _failures_told(devices):
            yield from self._loaded(job, devices)

    def _loaded(self, job: RenderJob, devices: Devices) -> Job[None]:
        # The neural packages take seconds to import: only whoever renders pays for it.
        import torch

        from engine.generation.backends.liveavatar.audio import Level, VoiceFeatures, load_wav2vec2
        from engine.generation.backends.liveavatar.drawing import Drawing, blocks_for
        from engine.generation.backends.liveavatar.text import Prompts
        from engine.generation.backends.liveavatar.vae import Codec, load_vae
        from engine.generation.backends.liveavatar.weights import Transformer

        settings = _lowered(Settings.of(job.parameters, job.spec), job.spec, devices)
        _check_source(job.spec)
        files = Files.found(library())
        config = files.config()
        monitor = GpuMonitor()
        cards = _cards(devices.names, monitor.gpus())
        planner = _planner(config, job.plan, settings, on_card=bool(cards))
        chosen = planner.plan(cards, memory()[1], settings.wishes)
        if chosen is None:
            raise Refused(_too_little(planner, cards, memory()[1], settings, job.plan))
        yield Progress("loading", 0.0)
        weights = Transformer(files, _format(chosen))
        weights.check()

        lead_in = _lead_in(job.spec)
        yield Progress("reading_prompt", 0.02)
        prompts = Prompts(files.text, files.tokenizer, config.text_len)
        texts = _prompts(job.plan)
        contexts = [prompts.context(text) for text in texts]
        prompts.release()

        yield Progress("listening", 0.1)
        blocks = blocks_for(job.plan.frame_count, lead_in)
        level = Level.of(job.voice.read, job.voice.samples)
        samples = job.plan.frame_map.sample(blocks * BLOCK_FRAMES - lead_in)
        voice = load_wav2vec2(files.voice)
        self._features = features = VoiceFeatures(voice, job.voice.read, samples, level, job.plan.fps, lead_in)

        yield Progress("looking", 0.15)
        stages = chosen.choice.stages
        own = chosen.choice.own_decoder
        names = [card.device for card in chosen.cards] or list(devices.names)
        decoder_device = names[stages if own else stages - 1] if cards else "cpu"
        dtype = torch.bfloat16 if cards and devices.precision is not Precision.FP32 else torch.float32
        codec = Codec(load_vae(files.vae, decoder_device, dtype))
        picture = job.source.frame_at(0)
        reference, motion = codec.reference(picture), codec.motion(picture)

        script = _script(job, settings, blocks, lead_in, reference.cpu(), motion.cpu(), contexts, texts, features)
        denoiser = yield from part_of(_denoiser(weights, script, chosen, names, dtype, settings), 0.2, 1.0)
        decoder = codec.decoder()
        decoder.prime(motion)
        weight = chosen.ring_bytes if settings.save_rings else 0
        width, height = job.plan.size
        kind = f"{width}x{height}, {settings.sample_steps} steps, {chosen.choice.memory}"
        self._drawing = Drawing(denoiser, decoder, lead_in, job.folder, weight, kind)
        yield Progress("loading", 1.0)

    def render(self, segment: Segment) -> Iterator[Picture | Progress]:
        """See :class:`~engine.generation.backend.Backend`."""
        if self._drawing is None:
            raise RuntimeError("nothing is loaded")
        with _failures_told(self._devices):
            yield from self._drawing.pictures(segment.first_frame, segment.frame_count)

    def state(self) -> bytes | None:
        """See :class:`~engine.generation.backend.Backend`."""
        with _failures_told(self._devices):
            return None if self._drawing is None else self._drawing.state()

    def restore(self, state: bytes) -> None:
        """See :class:`~engine.generation.backend.Backend`."""
        if self._drawing is None:
            raise RuntimeError("nothing is loaded")
        with _failures_told(self._devices):
            self._drawing.restore(state)

    def close(self) -> None:
        """See :class:`~engine.generation.backend.Backend`."""
        if self._drawing is None and self._features is None:
            return
        from engine.generation.backends.liveavatar.drawing import empty_cache

        if self._drawing is not None:
            self._drawing.close()
        if self._features is not None:
            self._features.close()
        self._drawing = self._features = None
        empty_cache(self._devices.names[0])


def _denoiser(
    weights: Transformer,
    script: Script,
    chosen: MemoryPlan,
    names: Sequence[str],
    dtype: torch.dtype,
    settings: Settings,
) -> Job[Denoiser]:
    from engine.generation.backends.liveavatar.cluster import load_cluster
    from engine.generation.backends.liveavatar.denoiser import load_local

    choice = chosen.choice
    kernel, compiled = settings.attention, settings.compiled
    if choice.stages > 1:
        devices = names[: choice.stages]
        return (yield from load_cluster(weights, script, choice, devices, dtype, kernel, compiled=compiled))
    return (yield from load_local(weights, script, choice, names[0], dtype, kernel, compiled=compiled))


def _script(
    job: RenderJob,
    settings: Settings,
    blocks: int,
    lead_in: int,
    reference: torch.Tensor,
    motion: torch.Tensor,
    contexts: Sequence[torch.Tensor],
    texts: Sequence[str],
    features: VoiceFeatures,
) -> Script:
    """Return what every block is made from; all that is random comes from the seed and the block's number."""
    import torch

    from engine.generation.backends.liveavatar.sampler import noise_levels
    from engine.generation.backends.liveavatar.schedule import Script

    seed = job.spec.seed
    shape = (reference.shape[0], BLOCK_LATENTS, *reference.shape[2:])
    segments = job.plan.segments
    length = segments[0].frame_count

    def noise(block: int) -> torch.Tensor:
        state = np.random.SeedSequence((seed, block)).generate_state(2, np.uint32)
        generator = torch.Generator().manual_seed(int(state[0]) << 31 | int(state[1]) >> 1)
        return torch.randn(shape, generator=generator)

    def distance(block: int, step: int) -> int:
        return int(np.random.default_rng((seed, block, step)).integers(_NEAREST, _FARTHEST + 1))

    def prompt(block: int) -> int:
        middle = max(0, BLOCK_FRAMES * block + BLOCK_FRAMES // 2 - lead_in)
        return texts.index(segments[min(middle // length, len(segments) - 1)].prompt)

    levels = noise_levels(settings.sample_steps)
    return Script(
        size=LatentSize(*reference.shape[2:]),
        levels=levels,
        blocks=blocks,
        reference=reference,
        motion=motion,
        noise=noise,
        features=features.block,
        prompt=prompt,
        context=lambda number: contexts[number],
        distance=distance,
        anchor_block=max(settings.window, levels.steps) if job.spec.online_decode else None,
    )


def _prompts(plan: Plan) -> list[str]:
    return list(dict.fromkeys(segment.prompt for segment in plan.segments))


def _lead_in(spec: RenderSpec) -> int:
    return LEAD_IN if spec.lead_in is None else spec.lead_in


def _is_big(found: Library) -> bool:
    """Return whether the network is what it is made to be: a small one runs anywhere."""
    try:
        config = Files.found(found).config()
    except Refused:
        config = ModelConfig()
    return Counts.of(config).total > _BIG


def _cards(names: Sequence[str], gpus: Sequence[Gpu]) -> list[Gpu]:
    """Return the cards among the devices that were asked for."""
    if "auto" in names:
        return list(gpus)
    wanted = ["cuda:0" if name == "cuda" else name for name in names]
    return [gpu for name in wanted for gpu in gpus if gpu.device == name]


def _planner(config: ModelConfig, plan: Plan, settings: Settings, *, on_card: bool) -> Planner:
    return Planner(config, LatentSize.of_picture(*plan.size), settings.sample_steps, 2 if on_card else 4)


def _lowered(settings: Settings, spec: RenderSpec, devices: Devices) -> Settings:
    """Return the settings after the frame has lowered its demands."""
    wishes = settings.wishes
    if spec.offload is Offload.AUTO and devices.offload is Offload.MODEL:
        wishes = replace(wishes, rings_on_host=True)
    if spec.offload is Offload.AUTO and devices.offload is Offload.LAYERS:
        wishes = replace(wishes, stream_weights=True)
    if spec.precision is Precision.AUTO and devices.precision is Precision.FP8:
        wishes = replace(wishes, fp8_weights=True)
    return replace(settings, wishes=wishes)


def _format(chosen: MemoryPlan) -> WeightFormat:
    if not chosen.choice.fp8_weights:
        return WeightFormat.PLAIN
    can = all(card.compute is not None and card.compute >= FP8_SINCE for card in chosen.cards)
    return WeightFormat.FP8 if chosen.cards and can else WeightFormat.FP8_ROWS


def _too_little(planner: Planner, cards: Sequence[Gpu], ram_bytes: int, settings: Settings, plan: Plan) -> Refusal:
    least = planner.least(len(cards), settings.wishes)
    if least is None:
        return Refusal.of("liveavatar.contradiction")
    return Refusal.of(
        "liveavatar.memory" if cards else "liveavatar.memory_processor",
        size=f"{plan.size[0]}×{plan.size[1]}",
        vram=least.vram_bytes / GB,
        ram=least.ram_bytes / GB,
        has_vram=min((card.free_bytes or card.total_bytes for card in cards), default=0) / GB,
        has_ram=ram_bytes / GB,
    )


def _check_source(spec: RenderSpec) -> None:
    """Refuse what is too small to show anybody.

    Raises:
        Refused: ``liveavatar.tiny_picture``.
    """
    video = probe(spec.source).video
    if video is not None and min(video.display_width, video.display_height) < _SMALLEST_SIDE:
        raise Refused.because(
            "liveavatar.tiny_picture", path=spec.source, width=video.display_width, height=video.display_height
        )


@contextmanager
def _failures_told(devices: Devices) -> Iterator[None]:
    """Say in the frame's words when memory runs out, or something of the machine fails."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if is_out_of_memory(error):
            raise OutOfMemory("cpu" if isinstance(error, MemoryError) else devices.names[0]) from error
        refusal = failure(error, devices.names[0])
        if refusal is None:
            raise
        raise Refused(refusal) from error
