"""What fits where, worked out before anything is loaded: schedule, precision, and what waits in main memory. Light.

Everything is counted from the sizes of the network and the picture. What is not counted but guessed (work space, speed)
is named so. A test compares with tensors and operations of the full-size network, and
``tests/benchmarks/liveavatar.py`` with a card where there is one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise

from engine.generation.backend import Gpu
from engine.generation.backends.liveavatar.config import (
    AUDIO_LAYERS,
    BLOCK_FRAMES,
    BLOCK_LATENTS,
    PATCH,
    PIXELS_PER_LATENT,
    WINDOW_BLOCKS,
    LatentSize,
    ModelConfig,
)
from engine.words import Message

GB = 10**9

CONTEXT_BYTES = int(1.0 * GB)
"""CUDA context, libraries and work space of matrix products, per card; a guess."""
_VAE_WEIGHTS = 254_000_000
"""127 million parameters in bfloat16."""
_VAE_BYTES_PER_PIXEL = 10_150
"""Counted in bfloat16: 4730 for what the convolutions keep of the past; the rest while a norm is computed in float32 on
four frames of 96 channels at full size."""
_VAE_FLOP_PER_PIXEL = 101.6e6
"""Counted: floating point operations that decode the 12 frames of a block, by pixels of one frame."""
_VOICE_BYTES = int(2.1 * GB)
"""wav2vec 2 in float32 (1.26 GB) while it hears 60 seconds in one piece, the longest; counted as for a card. It always
runs on the processor, beside the card."""
_SECOND_PROCESS = int(0.5 * GB)
"""CUDA context of the process that decodes, where others have the transformer; a guess."""
_PROCESS_RAM = int(2.5 * GB)
"""Python, torch and its libraries, per process."""
_MARGIN = 0.03
"""Share of a card's memory left alone: fragments between tensors."""
_RAM_MARGIN = 0.08
"""Share of the available main memory left to everybody else."""
_BUS = 20 * GB
"""Bytes per second between main memory and a card: PCIe 4.0 x16, as pinned copies reach it; a guess."""
_TFLOPS = {(8, 0): 180.0, (8, 6): 60.0, (8, 9): 110.0, (9, 0): 400.0, (10, 0): 700.0, (12, 0): 160.0}
"""Effective bfloat16 TFLOP/s by compute capability; guesses."""
_SLOWEST_TFLOPS = 40.0
_FP8_GAIN = 1.4
"""How much faster 8-bit products make a block; a guess: attention and norms gain nothing."""
FP8_SINCE = (8, 9)
_PLAINLY_FASTER = 1.5
"""Speeds are guesses: by how much one has to be better before a card is left out for it."""
_SLOW = 0.5
"""Pictures per second below which it is said how long one picture takes."""
MOST_STAGES = 4
"""More stages than denoising steps would wait for each other."""


_LAYERS_PER_DECODER = 18
"""Decoding a block takes as many operations as one layer of so many; 5.6 % of the transformer's, counted at 704x384."""


class ScheduleName(StrEnum):
    """In which order the work is done, and by whom."""

    SEQUENTIAL = "sequential"
    WAVEFRONT = "wavefront"
    LAYER_SPLIT = "layer_split"
    PIPELINE = "pipeline"


@dataclass(frozen=True, slots=True)
class Counts:
    """Parameters of the transformer.

    Attributes:
        matrices: in the linear layers of blocks and audio injectors; these can be stored in 8 bits.
        small: the rest of the blocks and injectors.
        ends: before and after the blocks.
        largest_layer: of the biggest layer.
    """

    matrices: int
    small: int
    ends: int
    largest_layer: int

    @classmethod
    def of(cls, config: ModelConfig) -> Counts:
        """Count the parameters of a network from its sizes."""
        d, f = config.dim, config.ffn_dim
        block = 8 * d * d + 2 * d * f
        block_small = 8 * d + f + d + 4 * d + 2 * d + 6 * d
        injector, injector_small = 4 * d * d + 2 * d * d, 4 * d + 2 * d + 2 * d
        injected = len(config.audio_inject_layers)
        patch = PATCH * PATCH
        ends = (
            3 * (config.in_dim * patch * d + d)  # patches, pose, newest past
            + (config.in_dim * 8 * patch + config.in_dim * 64 * patch) * d + 2 * d  # the past at half and quarter size
            + 3 * d  # kinds of token
            + config.text_dim * d + d * d + 2 * d
            + config.freq_dim * d + d * d + 2 * d + 6 * d * d + 6 * d
            + d * config.out_dim * patch + config.out_dim * patch + 2 * d  # head
            + AUDIO_LAYERS + d  # mix of hidden states, padding token
            + _conv(config.audio_dim, d // 4 * config.num_audio_token) + _conv(config.audio_dim, d // 4)
            + _conv(d // 4, d // 2) + _conv(d // 2, d) + d * d + d
        )  # fmt: skip
        return cls(
            matrices=block * config.num_layers + injector * injected,
            small=block_small * config.num_layers + injector_small * injected,
            ends=ends,
            largest_layer=block + block_small + (injector + injector_small if injected else 0),
        )

    @property
    def total(self) -> int:
        """All of them."""
        return self.matrices + self.small + self.ends


def _room(gpu: Gpu) -> int:
    return gpu.free_bytes or gpu.total_bytes


def _pinned(size: int) -> int:
    """Return what torch takes for so many bytes of pinned memory: a power of two."""
    return 1 << (size - 1).bit_length()


def _conv(channels: int, out_channels: int) -> int:
    return channels * out_channels * 3 + out_channels


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to do it.

    Attributes:
        schedule: in which order.
        stages: cards (or processes) that share the transformer.
        own_decoder: whether another card decodes.
        fp8_weights: matrices in 8 bits.
        window: blocks a block sees.
        fp8_rings: rings in 8 bits.
        rings_on_host: rings in main memory.
        stream_weights: layers wait in main memory, two at a time are on the card.
    """

    schedule: ScheduleName = ScheduleName.WAVEFRONT
    stages: int = 1
    own_decoder: bool = False
    fp8_weights: bool = False
    window: int = WINDOW_BLOCKS
    fp8_rings: bool = False
    rings_on_host: bool = False
    stream_weights: bool = False

    @property
    def memory(self) -> str:
        """Say how the network remembers; what one way has saved, another one goes on from if this is the same."""
        who = "one process" if self.stages == 1 else "divided layers"
        if self.stages > 1 and self.schedule is ScheduleName.PIPELINE:
            who = f"{self.stages} ranks with steps of their own"
        return f"{who}, {self.window} blocks in {8 if self.fp8_rings else 'all'} bits"


def layer_shares(layers: int, choice: Choice) -> tuple[range, ...]:
    """Return which layers each stage of a layer split has: fewer for the last one if it decodes, too."""
    decoding = 0 if choice.own_decoder else layers // _LAYERS_PER_DECODER
    begins = [stage * (layers + decoding) // choice.stages for stage in range(choice.stages)]
    return tuple(range(*pair) for pair in pairwise([*begins, layers]))


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user has decided; ``None`` and the defaults leave it to the planner.

    Attributes:
        steps: denoising steps.
        window: most blocks a block may see.
        schedule: in which order.
        fp8_weights: whether matrices are in 8 bits.
        fp8_rings: whether rings are.
        rings_on_host: whether rings are in main memory.
        stream_weights: whether layers wait in main memory.
    """

    steps: int = 4
    window: int = WINDOW_BLOCKS
    schedule: ScheduleName | None = None
    fp8_weights: bool | None = None
    fp8_rings: bool | None = None
    rings_on_host: bool | None = None
    stream_weights: bool | None = None

    def allow(self, choice: Choice) -> bool:
        """Return whether a choice is none that the user has decided against."""
        pairs = (
            (self.schedule, choice.schedule),
            (self.fp8_weights, choice.fp8_weights),
            (self.fp8_rings, choice.fp8_rings),
            (self.rings_on_host, choice.rings_on_host),
            (self.stream_weights, choice.stream_weights),
        )
        return all(wish is None or wish == chosen for wish, chosen in pairs)


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """A way to do it with what it needs.

    Attributes:
        choice: the way.
        vram_bytes: of the fullest card.
        ram_bytes: main memory of all processes together.
        ring_bytes: all rings and sinks together, which is what a resume point weighs.
        seconds_per_block: estimated time for 12 frames.
        cards: those it is made for, in the order they were given; none is the processor.
    """

    choice: Choice
    vram_bytes: int
    ram_bytes: int
    ring_bytes: int
    seconds_per_block: float
    cards: tuple[Gpu, ...] = ()

    def is_worth_fewer_cards_than(self, other: MemoryPlan) -> bool:
        """Return whether a plan with fewer cards is to be preferred."""
        faster = _PLAINLY_FASTER * self.seconds_per_block < other.seconds_per_block
        return self.choice.window > other.choice.window or (faster and self.choice.window == other.choice.window)

    def words(self, fps: float, wishes: Wishes) -> tuple[Message, ...]:
        """Say what will be done, what it needs and how fast it may be.

        Args:
            fps: pictures per second of the clip.
            wishes: what the plan was made for.
        """
        choice = self.choice
        messages = [
            Message(
                f"liveavatar.plan.{choice.schedule if self.cards else 'processor'}",
                cards=choice.stages + choice.own_decoder,
                vram=self.vram_bytes / GB,
                ram=self.ram_bytes / GB,
            )
        ]
        for is_so, name in (
            (choice.fp8_weights, "fp8_weights"),
            (choice.fp8_rings, "fp8_rings"),
            (choice.rings_on_host, "rings_on_host"),
            (choice.stream_weights, "stream_weights"),
        ):
            if is_so:
                messages.append(Message(f"liveavatar.plan.{name}"))
        if choice.window < wishes.window:
            messages.append(
                Message(
                    "liveavatar.plan.window",
                    blocks=choice.window,
                    frames=choice.window * BLOCK_FRAMES,
                    asked=wishes.window,
                )
            )
        rate = BLOCK_FRAMES / self.seconds_per_block
        name = "speed" if rate >= _SLOW else "slow_speed"
        messages.append(Message(f"liveavatar.plan.{name}", rate=rate, seconds=1 / rate, times=fps / rate))
        return tuple(messages)


class Planner:
    """Counts what a render needs.

    Args:
        config: of the network.
        size: of a latent frame.
        steps: denoising steps.
        bytes_per_number: of activations and of weights that are not in 8 bits; 4 on a processor.
    """

    def __init__(self, config: ModelConfig, size: LatentSize, steps: int = 4, bytes_per_number: int = 2) -> None:
        self._config = config
        self._size = size
        self._steps = steps
        self._wide = bytes_per_number
        self._counts = Counts.of(config)

    # --- bytes -------------------------------------------------------------------------------------------------------

    def weight_bytes(self, *, fp8: bool) -> int:
        """Return the size of the whole transformer."""
        counts = self._counts
        return counts.matrices * (1 if fp8 else self._wide) + (counts.small + counts.ends) * self._wide

    def ring_bytes(self, window: int = WINDOW_BLOCKS, *, fp8: bool = False) -> int:
        """Return the size of one ring over all layers: keys and values of ``window`` blocks."""
        numbers = 2 * window * self._size.block_tokens * self._config.dim * self._config.num_layers
        factors = 4 * numbers // self._config.head_dim if fp8 else 0
        return numbers * (1 if fp8 else self._wide) + factors

    def sink_bytes(self) -> int:
        """Return the size of one sink over all layers."""
        return 2 * self._size.sink_tokens * self._config.dim * self._config.num_layers * self._wide

    def _sinks_and_work_bytes(self, choice: Choice, share: float) -> float:
        """Return the room of sinks and activations; while the reference changes there are two sinks.

        Args:
            choice: the way.
            share: of the layers that are on one card.
        """
        sink, tokens = self.sink_bytes() * share, self._size.sink_tokens
        block = self._work_bytes(choice, self._size.block_tokens, choice.window * self._size.block_tokens + tokens)
        if choice.schedule in {ScheduleName.WAVEFRONT, ScheduleName.LAYER_SPLIT}:
            return 2 * sink + block
        # Steps one after the other: when the new sink is made, no block is on its way.
        return max(sink + block, 2 * sink + self._work_bytes(choice, tokens, tokens))

    def _work_bytes(self, choice: Choice, tokens: int, seen: int) -> int:
        """Return the room of activations, in tensors that are alive at the fullest moment of a layer.

        Args:
            choice: the way.
            tokens: of one pass.
            seen: tokens that it attends to.
        """
        d, f = self._config.dim, self._config.ffn_dim
        items = self._steps if choice.schedule is ScheduleName.WAVEFRONT else 1
        waiting = items * 2 * tokens * d * self._wide
        block = tokens * (6 * 4 * d + 2 * f * self._wide)
        attended = 2 * seen * d * self._wide * (2 if choice.fp8_rings else 1)
        return waiting + block + attended + 2 * seen * d * 4 // 3 + self._room_bytes(choice)

    def _room_bytes(self, choice: Choice) -> int:
        """Return the room for pages that travel: two layers' of every ring that is looked at together."""
        if not choice.rings_on_host:
            return 0
        items = self._steps if choice.schedule is ScheduleName.WAVEFRONT else 1
        return 2 * items * self.ring_bytes(choice.window, fp8=choice.fp8_rings) // self._config.num_layers

    def decoder_bytes(self) -> int:
        """Return the room of the video VAE while it decodes."""
        return _VAE_WEIGHTS + self._pixels() * _VAE_BYTES_PER_PIXEL

    def _pixels(self) -> int:
        return self._size.height * self._size.width * PIXELS_PER_LATENT**2

    def needs(self, choice: Choice) -> tuple[int, int]:
        """Return memory of the fullest card, and main memory, for a way to do it."""
        counts, stages, layers = self._counts, choice.stages, self._config.num_layers
        cards = [self._stage_bytes(choice, share) for share in self._shares(choice)]
        for card in range(stages if choice.schedule is ScheduleName.PIPELINE else 1):
            cards[card] += counts.ends * self._wide
        decoder = self.decoder_bytes() + (_SECOND_PROCESS if stages > 1 else 0)
        if choice.own_decoder:
            cards.append(decoder + CONTEXT_BYTES)
        else:
            cards[-1] += decoder
        main = _PROCESS_RAM * (1 + (stages if stages > 1 else 0)) + _VOICE_BYTES
        if choice.rings_on_host:
            main += self._steps * layers * self._pinned_page(choice)
        if choice.stream_weights:
            layer = math.ceil(counts.largest_layer * (1 if choice.fp8_weights else self._wide))
            main += layers * _pinned(layer) * (stages if choice.schedule is ScheduleName.PIPELINE else 1)
        return math.ceil(max(cards)), int(main)

    def _shares(self, choice: Choice) -> list[float]:
        """Return the part of the transformer's work that each stage does."""
        if choice.schedule is not ScheduleName.LAYER_SPLIT:
            return [1 / choice.stages] * choice.stages
        layers = self._config.num_layers
        return [len(mine) / layers for mine in layer_shares(layers, choice)]

    def _stage_bytes(self, choice: Choice, share: float) -> float:
        """Return the room of one stage on its card, without what comes before and after the layers."""
        counts, narrow = self._counts, 1 if choice.fp8_weights else self._wide
        layers = 1.0 if choice.schedule is ScheduleName.PIPELINE else share  # a pipeline divides steps
        held = (counts.matrices * narrow + counts.small * self._wide) * layers
        if choice.stream_weights:
            held = 2 * counts.largest_layer * narrow
        rings = share * self._steps * self.ring_bytes(choice.window, fp8=choice.fp8_rings)
        on_card = 0 if choice.rings_on_host else rings
        return CONTEXT_BYTES + held + on_card + self._sinks_and_work_bytes(choice, layers)

    def _pinned_page(self, choice: Choice) -> int:
        """Return the pinned memory of what one ring holds of one layer."""
        numbers = 2 * choice.window * self._size.block_tokens * self._config.dim
        if not choice.fp8_rings:
            return _pinned(numbers * self._wide)
        return _pinned(numbers) + _pinned(4 * numbers // self._config.head_dim)

    # --- time --------------------------------------------------------------------------------------------------------

    def flops_per_block(self, window: int = WINDOW_BLOCKS) -> float:
        """Return the floating point operations of the transformer for 12 frames: products with weights, and attention.

        Keys and values of the prompt and of the sound are made of their own tokens, of which there are few. The
        wavefront makes the prompt's once for all steps, 1 % less.

        Args:
            window: blocks that the block sees.
        """
        config, tokens = self._config, self._size.block_tokens
        square = config.dim**2
        prompt, sound = config.text_len, BLOCK_LATENTS * (config.num_audio_token + 1)
        seen = window * tokens + self._size.sink_tokens
        layer = 2 * tokens * (6 * square + 2 * config.dim * config.ffn_dim) + 2 * prompt * 2 * square
        layer += 4 * tokens * (seen + prompt) * config.dim
        injector = 2 * tokens * 2 * square + 2 * (sound + BLOCK_LATENTS) * 2 * square
        return float(self._steps * (layer * config.num_layers + injector * len(config.audio_inject_layers)))

    def decoding_flops(self) -> float:
        """Return the floating point operations of decoding 12 frames."""
        return self._pixels() * _VAE_FLOP_PER_PIXEL

    def seconds_per_block(self, choice: Choice, tflops: float) -> float:
        """Estimate the time of 12 frames.

        Args:
            choice: the way.
            tflops: effective bfloat16 TFLOP/s of one card.
        """
        workers = choice.stages
        gain = _FP8_GAIN if choice.fp8_weights and tflops >= _TFLOPS[FP8_SINCE] else 1.0
        compute = self.flops_per_block(choice.window) / (tflops * 1e12 * gain)
        busy = [compute * share for share in self._shares(choice)]
        decoding = self.decoding_flops() / (tflops * 1e12)
        if choice.own_decoder:
            busy.append(decoding)
        else:
            busy[-1] += decoding
        passes = self._steps if choice.schedule is ScheduleName.SEQUENTIAL else 1
        streamed = passes * self._counts.matrices * (1 if choice.fp8_weights else self._wide)
        weights = streamed / workers / _BUS if choice.stream_weights else 0.0
        ring = self.ring_bytes(choice.window, fp8=choice.fp8_rings) * self._steps
        # A block fetches all slots but its own; that one travels home, the other way on the bus, meanwhile.
        rings = ring * (1 - 1 / choice.window) / workers / _BUS if choice.rings_on_host else 0.0
        return max(*busy, weights + rings)

    # --- choosing ----------------------------------------------------------------------------------------------------

    def plan(self, gpus: Sequence[Gpu], ram_bytes: int, wishes: Wishes) -> MemoryPlan | None:
        """Return the best way that fits, or ``None``.

        A card that is much smaller than the others would hold them back, or be too small for its share: the largest
        ones do it without it if they remember more, or by a plain margin are the faster.

        Args:
            gpus: the cards to use; none means the processor.
            ram_bytes: main memory that is available.
            wishes: what the user has decided.
        """
        largest_first = sorted(gpus, key=_room, reverse=True)
        best = None
        for count in range(len(gpus), 0, -1) if gpus else (0,):
            largest = largest_first[:count]
            cards = tuple(gpu for gpu in gpus if gpu in largest)
            plan = self._first_that_fits(cards, ram_bytes * (1 - _RAM_MARGIN), wishes)
            if plan is not None and (best is None or plan.is_worth_fewer_cards_than(best)):
                best = plan
        return best

    def _first_that_fits(self, cards: tuple[Gpu, ...], ram_bytes: float, wishes: Wishes) -> MemoryPlan | None:
        room = min(map(_room, cards), default=0) * (1 - _MARGIN)
        for choice in self._ways(len(cards), wishes):
            plan = self._described(choice, cards)
            if plan.ram_bytes <= ram_bytes and (not cards or plan.vram_bytes <= room):
                return plan
        return None

    def least(self, cards: int, wishes: Wishes) -> MemoryPlan | None:
        """Return the way that needs the least memory of a card, to say what is missing."""
        plans = [self._described(choice, ()) for choice in self._ways(cards, wishes)]
        return min(plans, key=lambda plan: (plan.vram_bytes, plan.ram_bytes), default=None)

    def _described(self, choice: Choice, gpus: tuple[Gpu, ...]) -> MemoryPlan:
        vram, ram = self.needs(choice)
        if not gpus:
            ram += vram
        tflops = min((_TFLOPS.get(gpu.compute or (0, 0), _SLOWEST_TFLOPS) for gpu in gpus), default=0.2)
        kept = self._steps * self.ring_bytes(choice.window, fp8=choice.fp8_rings) + self.sink_bytes()
        return MemoryPlan(choice, vram, ram, kept, self.seconds_per_block(choice, tflops), gpus)

    def _ways(self, cards: int, wishes: Wishes) -> Iterator[Choice]:
        """Yield ways from the best to the most frugal: what costs quality comes after what costs only time."""
        base = self._spread(cards, wishes.schedule)
        for window in range(wishes.window, 1, -1):
            for fp8_weights, fp8_rings, rings_on_host, stream_weights in _LADDER:
                choice = replace(
                    base,
                    window=window,
                    fp8_weights=fp8_weights,
                    fp8_rings=fp8_rings,
                    rings_on_host=rings_on_host,
                    stream_weights=stream_weights,
                )
                if wishes.allow(choice):
                    yield choice

    def _spread(self, cards: int, schedule: ScheduleName | None) -> Choice:
        if schedule is ScheduleName.PIPELINE and cards > 1:
            stages = max(n for n in range(1, self._steps + 1) if self._steps % n == 0 and n <= cards)
            return Choice(schedule, stages, own_decoder=cards > stages)
        if schedule in {ScheduleName.SEQUENTIAL, ScheduleName.WAVEFRONT} or cards <= 1:
            return Choice(schedule or ScheduleName.WAVEFRONT, 1, own_decoder=cards > 1)
        stages = min(cards, MOST_STAGES, self._steps, self._config.num_layers)
        return Choice(ScheduleName.LAYER_SPLIT, stages, own_decoder=cards > stages)


_LADDER = (
    # fp8 weights, fp8 rings, rings in main memory, weights streamed
    (False, False, False, False),
    (True, False, False, False),
    (True, True, False, False),
    (False, False, True, False),
    (True, False, True, False),
    (True, True, True, False),
    (False, False, False, True),
    (True, True, False, True),
    (True, False, True, True),
    (True, True, True, True),
)
"""Ways to save, in the order in which they are tried. Eight bits come before main memory: they cost little quality (the
weights are published in that mode, too) and no time; a shorter window comes last."""
