"""BiSeNet: which part of a face each pixel belongs to (19 classes of CelebAMask-HQ).

Yu et al., "BiSeNet: Bilateral Segmentation Network for Real-time Semantic Segmentation", 2018, with ResNet-18, as in
the checkpoint ``79999_iter.pth`` that MuseTalk uses.
"""

from __future__ import annotations

from enum import IntEnum
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812 - the field's own abbreviation
from torch import Tensor, nn

from engine.models.checkpoints import load_strict, read_state

SIDE = 512
"""Width and height of the picture that is parsed."""

_CLASSES = 19
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet, per channel."""


class Part(IntEnum):
    """The classes that matter here."""

    SKIN = 1
    NOSE = 10
    MOUTH = 11
    UPPER_LIP = 12
    LOWER_LIP = 13
    NECK = 14


class BiSeNet(nn.Module):
    """Face parsing."""

    def __init__(self) -> None:
        super().__init__()
        self.cp = _ContextPath()
        self.ffm = _Fusion()
        self.conv_out = _Output(256, 256)
        self.conv_out16 = _Output(128, 64)
        self.conv_out32 = _Output(128, 64)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return scores per class, and those of the two auxiliary outputs, shape ``(n, 19, h, w)`` each.

        Args:
            pictures: RGB with ImageNet's mean and deviation taken out, shape ``(n, 3, h, w)``.
        """
        fine, middle, coarse = self.cp(pictures)
        size = pictures.shape[2:]
        outputs = self.conv_out(self.ffm(fine, middle)), self.conv_out16(middle), self.conv_out32(coarse)
        first, second, third = (F.interpolate(each, size, mode="bilinear", align_corners=True) for each in outputs)
        return first, second, third

    @property
    def device(self) -> str:
        """Where it computes."""
        return str(self.conv_out.conv_out.weight.device)

    @torch.inference_mode()
    def classes(self, picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Return the class of every pixel, shape ``(512, 512)``.

        Args:
            picture: RGB, shape ``(512, 512, 3)``.
        """
        scores = self(normalised(picture).to(self.conv_out.conv_out.weight))[0]
        return np.asarray(scores[0].argmax(0).to(torch.uint8).cpu().numpy())


def normalised(picture: npt.NDArray[np.uint8]) -> Tensor:
    """Return a picture as the network wants it, shape ``(1, 3, h, w)``."""
    scaled = torch.from_numpy(picture.astype(np.float32)) / 255
    return ((scaled - torch.tensor(_MEAN)) / torch.tensor(_DEVIATION)).permute(2, 0, 1)[None]


def load_parser(path: Path, device: torch.device | str = "cpu") -> BiSeNet:
    """Read ``79999_iter.pth``.

    Raises:
        Refused: if it is anything else, see :func:`engine.models.checkpoints.load_strict`.
    """
    with torch.device("meta"):
        network = BiSeNet()
    load_strict(network, read_state(path), path=path, wanted="BiSeNet", dtype=torch.float32, device=device)
    return network.eval()


class _Conv(nn.Module):
    """Convolution, batch norm, ReLU."""

    def __init__(self, into: int, out: int, size: int, *, padding: int = 0) -> None:
        super().__init__()
        self.conv = nn.Conv2d(into, out, size, padding=padding, bias=False)
        self.bn = nn.BatchNorm2d(out)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)))


class _Output(nn.Module):
    def __init__(self, into: int, middle: int) -> None:
        super().__init__()
        self.conv = _Conv(into, middle, 3, padding=1)
        self.conv_out = nn.Conv2d(middle, _CLASSES, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.conv_out(self.conv(x))
        return scores


class _Attention(nn.Module):
    """Weighs channels by what the whole picture shows (the paper's attention refinement module)."""

    def __init__(self, into: int) -> None:
        super().__init__()
        self.conv = _Conv(into, 128, 3, padding=1)
        self.conv_atten = nn.Conv2d(128, 128, 1, bias=False)
        self.bn_atten = nn.BatchNorm2d(128)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        weight: Tensor = self.bn_atten(self.conv_atten(F.adaptive_avg_pool2d(x, 1)))
        return x * weight.sigmoid()


class _Fusion(nn.Module):
    """Joins detail and context (the paper's feature fusion module)."""

    def __init__(self) -> None:
        super().__init__()
        self.convblk = _Conv(256, 256, 1)
        self.conv1 = nn.Conv2d(256, 64, 1, bias=False)
        self.conv2 = nn.Conv2d(64, 256, 1, bias=False)

    def forward(self, detail: Tensor, context: Tensor) -> Tensor:
        x: Tensor = self.convblk(torch.cat([detail, context], 1))
        weight: Tensor = self.conv2(F.relu(self.conv1(F.adaptive_avg_pool2d(x, 1))))
        return x + x * weight.sigmoid()


class _ContextPath(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.resnet = _ResNet18()
        self.arm16 = _Attention(256)
        self.arm32 = _Attention(512)
        self.conv_head32 = _Conv(128, 128, 3, padding=1)
        self.conv_head16 = _Conv(128, 128, 3, padding=1)
        self.conv_avg = _Conv(512, 128, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return detail at an eighth of the size, context at an eighth, context at a sixteenth."""
        eighth, sixteenth, last = self.resnet(x)
        coarse = self.arm32(last) + self.conv_avg(F.adaptive_avg_pool2d(last, 1))
        coarse = self.conv_head32(F.interpolate(coarse, sixteenth.shape[2:]))
        middle = self.arm16(sixteenth) + coarse
        return eighth, self.conv_head16(F.interpolate(middle, eighth.shape[2:])), coarse


class _ResNet18(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = nn.Sequential(_Basic(64, 64, 1), _Basic(64, 64, 1))
        self.layer2 = nn.Sequential(_Basic(64, 128, 2), _Basic(128, 128, 1))
        self.layer3 = nn.Sequential(_Basic(128, 256, 2), _Basic(256, 256, 1))
        self.layer4 = nn.Sequential(_Basic(256, 512, 2), _Basic(512, 512, 1))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        eighth = self.layer2(self.layer1(x))
        sixteenth = self.layer3(eighth)
        return eighth, sixteenth, self.layer4(sixteenth)


class _Basic(nn.Module):
    def __init__(self, into: int, out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(into, out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        is_changed = into != out or stride != 1
        shortcut = nn.Sequential(nn.Conv2d(into, out, 1, stride, bias=False), nn.BatchNorm2d(out))
        self.downsample = shortcut if is_changed else None

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))
