"""What a network would take on a card, counted without one: tensors with sizes and no numbers.

Inside :func:`counting` every operation is carried out on shapes alone (torch's ``FakeTensorMode``), at full size in
seconds. torch's device ``meta`` stands for the card, because builds for processors cannot pretend to have CUDA; a
tensor of the processor in an operation with one of the card is an error there as it is on a card.

Counted are live tensors, rounded as torch's allocator for CUDA rounds them, and operations. Not counted is what no
tensor shows: the CUDA context, work space inside kernels, and fragments between tensors.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from diffusers import AutoencoderKL
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from engine.generation.spec import Offload

CARD = torch.device("meta")
"""What stands for the card."""
_ROUNDING = 512
"""Bytes: the allocator for CUDA gives out multiples of this (``kMinBlockSize`` of ``CUDACachingAllocator``)."""
_SEVERAL = torch._C.DispatchKey.CompositeImplicitAutograd
_ENGINE = str(Path(__file__).resolve().parents[3] / "engine")

Network = TypeVar("Network", bound=nn.Module)


class _EachOperation(TorchDispatchMode):
    """Is asked to compute every operation, one by one."""

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if func.namespace == "aten" and torch._C._dispatch_has_kernel_for_dispatch_key(func.name(), _SEVERAL):
            # In inference mode an operation made of several arrives whole; what it makes on its way counts, too.
            with self:
                return func._op_dk(_SEVERAL, *args, **kwargs)
        return self.compute(func, args, kwargs)

    def compute(self, func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Compute one operation."""
        return func(*args, **kwargs)


class Counter(_EachOperation):
    """Counts while it is the innermost mode; see :func:`counting`.

    Args:
        device: whose memory is counted.

    Attributes:
        live_bytes: of the tensors that are alive on the device.
        peak_bytes: the most there have been since :meth:`forget_peak`.
        wide: of every place in the engine, and operation there, that made single precision on the device: bytes of the
            largest tensor.
    """

    def __init__(self, device: torch.device | str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's
        self.live_bytes = 0
        self.peak_bytes = 0
        self.wide: dict[tuple[str, str], int] = {}
        self.flops = FlopCounterMode(display=False)
        self._device = torch.device(device)
        self._storages: dict[int, weakref.ref[Any]] = {}

    @property
    def operations(self) -> int:
        """Floating point operations of products, convolutions and attention so far; two per multiplication."""
        return int(self.flops.get_total_flops())

    def forget_peak(self) -> None:
        """Begin to look for the most memory in use."""
        self.peak_bytes = self.live_bytes

    def compute(self, func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Compute an operation and count what it makes."""
        result = func(*args, **kwargs)
        for leaf in tree_leaves(result):
            if isinstance(leaf, torch.Tensor) and leaf.device.type == self._device.type:
                self._note(leaf, str(func))
        return result

    def _note(self, tensor: torch.Tensor, operation: str) -> None:
        storage = tensor.untyped_storage()
        key = id(storage)  # torch keeps this object as long as the memory behind it lives
        if key in self._storages:
            return
        size = -(-storage.nbytes() // _ROUNDING) * _ROUNDING
        self.live_bytes += size
        self.peak_bytes = max(self.peak_bytes, self.live_bytes)

        def forget(_: object) -> None:
            del self._storages[key]
            self.live_bytes -= size

        self._storages[key] = weakref.ref(storage, forget)
        if tensor.dtype in {torch.float32, torch.float64}:
            place = _place(), operation
            self.wide[place] = max(self.wide.get(place, 0), size)


class _AsOnCards(TorchFunctionMode):
    """What comes out differently without numbers: attention, in one kernel on cards, and tensors of plain numbers."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        given = dict(kwargs or {})
        if func is torch.tensor and torch.device(given.get("device") or "cpu") == CARD:
            return torch.tensor(*args, **{**given, "device": "cpu"}).to(CARD)
        if func is not nn.functional.scaled_dot_product_attention or args[0].device != CARD:
            return func(*args, **given)
        if given.pop("attn_mask", None) is not None:
            raise ValueError("attention with a mask is another kernel")
        dropout, causal = given.pop("dropout_p", 0.0), given.pop("is_causal", False)
        return torch.ops.aten._scaled_dot_product_flash_attention(*args, dropout, causal, **given)[0]


def _place() -> str:
    """Return file and line in the engine that is being computed, the innermost one."""
    frame: Any = sys._getframe(2)
    while frame is not None and not frame.f_code.co_filename.startswith(_ENGINE):
        frame = frame.f_back
    return "" if frame is None else f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"


class LayoutCopies(_EachOperation):
    """Has convolutions turn their pictures around, inside :func:`counting`.

    Kernels for half precision want channels last, and cuDNN copies what comes in another layout into work space, and
    its result back: more memory than live tensors show. Whether it does is its choice; this is the most that it takes.
    """

    def compute(self, func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Compute an operation, beside copies of what a convolution is given and makes."""
        if func is not torch.ops.aten.convolution.default:
            return func(*args, **kwargs)
        given = torch.empty_like(args[0])
        result = func(*args, **kwargs)
        made = torch.empty_like(result)
        del given, made
        return result


@contextmanager
def counting(device: torch.device | str = CARD) -> Iterator[Counter]:
    """Return a context inside which tensors have no numbers, and what counts them.

    Networks get their tensors inside it (:func:`placed`). Real tensors may join in; what is made of them counts.

    Args:
        device: whose memory is counted; main memory is ``"cpu"``.
    """
    counter = Counter(device)
    with FakeTensorMode(allow_non_fake_inputs=True), _AsOnCards(), counter.flops, counter, torch.inference_mode():
        yield counter


def placed(network: Network, dtype: torch.dtype, device: torch.device | str = CARD) -> Network:
    """Give a network tensors of a precision on a device, inside :func:`counting`; codes of 8 bits stay what they are.

    Args:
        network: made on torch's device ``meta``, outside.
        dtype: of its floating point numbers.
        device: where they are.
    """
    for module in network.modules():
        held: dict[str, torch.Tensor | None]
        for held in (module._parameters, module._buffers):  # type: ignore[assignment]  # parameters are tensors
            for name, tensor in held.items():
                if tensor is None:
                    continue
                is_wide = tensor.is_floating_point() and tensor.element_size() > 1
                made = torch.empty(tensor.shape, dtype=dtype if is_wide else tensor.dtype, device=device)
                held[name] = nn.Parameter(made, requires_grad=False) if isinstance(tensor, nn.Parameter) else made
    return network.eval()


@contextmanager
def on_card(network: nn.Module, dtype: torch.dtype, offload: Offload) -> Iterator[None]:
    """Have a network compute on the card, inside :func:`counting`, its weights there for as long as they have to be.

    Args:
        network: placed already, on the card where nothing waits elsewhere.
        dtype: of its weights.
        offload: as :class:`engine.generation.spec.Offload` has it; ``MODEL`` for the time of the context.
    """
    match offload:
        case Offload.MODEL:
            placed(network, dtype)
            yield
            placed(network, dtype, "cpu")
        case Offload.LAYERS:
            layers = [layer for layer in network.modules() if not list(layer.children())]
            hooks = [layer.register_forward_pre_hook(_Move(dtype, CARD)) for layer in layers]
            hooks += [layer.register_forward_hook(_Move(dtype, torch.device("cpu"))) for layer in layers]
            yield
            for hook in hooks:
                hook.remove()
        case _:
            yield


@dataclass(frozen=True, slots=True)
class _Move:
    """A hook that puts a layer's weights somewhere before or after it computes."""

    dtype: torch.dtype
    device: torch.device

    def __call__(self, layer: nn.Module, *_: object) -> None:
        placed(layer, self.dtype, self.device)


def picture_autoencoder() -> Any:
    """Return Stable Diffusion's autoencoder without weights."""
    with torch.device("meta"):
        return AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            block_out_channels=(128, 256, 512, 512),
            layers_per_block=2,
            latent_channels=4,
        )
