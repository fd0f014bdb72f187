"""Passes and tensors from rank to rank over ``torch.distributed``: a chain forwards, and one link from its end back.

Forwards and back have communicators of their own: with two ranks they would otherwise be the same pair, and NCCL would
make a send wait for a receive that waits for it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor

from engine.generation.backends.liveavatar.audio_encoder import AudioTokens
from engine.generation.backends.liveavatar.config import BLOCK_LATENTS, ModelConfig
from engine.generation.backends.liveavatar.stage import Work

PASS, SAVE, RESTORE, END = range(4)
"""Kinds of message."""
_HEADER = 12
_PATH_BYTES = 4096
_KEPT_SENDS = 32
_PATIENCE = timedelta(days=30)
"""How long a rank waits for the one before it. Torch gives up after 10 minutes with NCCL, but a render may be paused,
and a rank may load from a slow disk. Who sees that a rank has died is the parent process."""


def meet(rank: int, ranks: int, meeting: Path, device: torch.device) -> torch.device:
    """Join the other ranks; return where tensors that travel between them lie.

    Without NCCL, as on Windows, tensors of a card travel through main memory.

    Args:
        rank: of this process.
        ranks: how many there are.
        meeting: a file that does not exist before, the same for all.
        device: where this rank computes.
    """
    direct = device.type == "cuda" and dist.is_nccl_available()
    dist.init_process_group(
        "nccl" if direct else "gloo",
        init_method=meeting.as_uri(),
        rank=rank,
        world_size=ranks,
        timeout=_PATIENCE,
    )
    return device if direct else torch.device("cpu")


class Chain:
    """This rank's ends of the links.

    Args:
        rank: of this process.
        ranks: how many there are.
        device: where tensors that travel lie; see :func:`meet`.
    """

    def __init__(self, rank: int, ranks: int, device: torch.device) -> None:
        self.rank = rank
        self.ranks = ranks
        self.device = device
        everybody = list(range(ranks))
        self._forward = dist.new_group(everybody, timeout=_PATIENCE)
        self._back = dist.new_group(everybody, timeout=_PATIENCE)
        self._sent: deque[tuple[dist.Work | None, Tensor]] = deque()

    @property
    def is_last(self) -> bool:
        """Whether the chain ends here."""
        return self.rank == self.ranks - 1

    def send(self, tensors: Sequence[Tensor], *, back: bool = False) -> None:
        """Send tensors to the next rank, or from the last one to the first, without waiting."""
        to, group = (0, self._back) if back else (self.rank + 1, self._forward)
        for tensor in tensors:
            ready = tensor.to(self.device).contiguous()
            self._sent.append((dist.isend(ready, to, group=group), ready))
        while len(self._sent) > _KEPT_SENDS:
            work, _ = self._sent.popleft()
            if work is not None:
                work.wait()

    def receive(self, shape: Sequence[int], dtype: torch.dtype, *, back: bool = False) -> Tensor:
        """Wait for a tensor from the rank before, or from the last one."""
        tensor = torch.empty(tuple(shape), dtype=dtype, device=self.device)
        source, group = (self.ranks - 1, self._back) if back else (self.rank - 1, self._forward)
        dist.recv(tensor, source, group=group)
        return tensor

    def send_header(self, *numbers: int) -> None:
        """Send whole numbers to the next rank."""
        self.send([torch.tensor([*numbers, *[0] * (_HEADER - len(numbers))])])

    def receive_header(self) -> list[int]:
        """Wait for whole numbers from the rank before."""
        return [int(number) for number in self.receive((_HEADER,), torch.int64).tolist()]

    def send_path(self, kind: int, path: Path) -> None:
        """Tell the next rank to save to a folder or to restore from it."""
        text = str(path).encode()
        self.send_header(kind, len(text))
        self.send([torch.tensor(list(text.ljust(_PATH_BYTES, b"\0")), dtype=torch.uint8)])

    def receive_path(self, length: int) -> Path:
        """Wait for the folder that belongs to a header."""
        return Path(bytes(self.receive((_PATH_BYTES,), torch.uint8).tolist()[:length]).decode())

    def answer(self) -> None:
        """Let the first rank know that everybody has saved or restored."""
        self.send([torch.zeros(1)], back=True)

    def wait_for_answer(self) -> None:
        """Wait until everybody has."""
        self.receive((1,), torch.float32, back=True)


class PassSender:
    """Sends passes; the embedded prompt goes along only when it is another one than before."""

    def __init__(self, chain: Chain, dtype: torch.dtype) -> None:
        self._chain = chain
        self._dtype = dtype
        self._context: Tensor | None = None

    def send(self, work: Work, hidden: Tensor) -> None:
        """Send a pass and its tokens to the next rank."""
        is_new = self._context is not work.context
        self._context = work.context
        step = -1 if work.step is None else work.step
        numbers = (work.block, step, work.sink, work.oldest_sink, work.distance, hidden.shape[0], int(is_new))
        self._chain.send_header(PASS, *numbers)
        parts = [hidden.to(self._dtype), work.modulation]
        if work.audio is not None:
            parts += [part.to(self._dtype) for part in work.audio]
        if is_new:
            parts.append(work.context.to(self._dtype))
        self._chain.send(parts)


class PassReceiver:
    """Receives what a :class:`PassSender` sends."""

    def __init__(self, chain: Chain, config: ModelConfig, dtype: torch.dtype) -> None:
        self._chain = chain
        self._config = config
        self._dtype = dtype
        self._context: Tensor | None = None

    def receive(self, header: Sequence[int]) -> tuple[Work, Tensor]:
        """Wait for the rest of a pass whose header has come."""
        _, block, step, sink, oldest, distance, tokens, is_new, *_ = header
        chain, dim = self._chain, self._config.dim
        hidden = chain.receive((tokens, dim), self._dtype)
        modulation = chain.receive((6, dim), torch.float32)
        audio = None
        if step >= 0:
            local = chain.receive((BLOCK_LATENTS, self._config.num_audio_token + 1, dim), self._dtype)
            audio = AudioTokens(local, chain.receive((BLOCK_LATENTS, dim), self._dtype))
        if is_new:
            self._context = chain.receive((self._config.text_len, dim), self._dtype)
        assert self._context is not None
        work = Work(block, None if step < 0 else step, sink, oldest, distance, modulation, self._context, audio)
        return work, hidden
