"""From noise to latents: the steps of the diffusion, guidance by the sound, and the two ways to spend fewer of them."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler
from torch import Tensor

from engine.generation.backends.latentsync.settings import Solver
from engine.generation.backends.latentsync.unet import LatentSyncUNet

CACHE_INTERVAL = 3
"""With the feature cache, every third step computes the deep layers (LatentSync's own setting of DeepCache)."""

_SCHEDULE = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "steps_offset": 1,
}
"""LatentSync, configs/scheduler_config.json."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a window is sampled.

    Attributes:
        steps: of the diffusion.
        guidance: how much more than without sound the prediction follows the sound; at 1 one prediction suffices.
        feature_cache: reuse the deep layers' output between steps.
        solver: how a step follows from a prediction.
        sequential: predict with and without sound one after the other, which takes half the memory.
    """

    steps: int = 20
    guidance: float = 1.5
    feature_cache: bool = True
    solver: Solver = Solver.DDIM
    sequential: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """What the network is shown of a window beside the noisy latents.

    Attributes:
        mask: 1 keeps, shape ``(h, w)``.
        masked: latents of the faces without the region to be drawn, shape ``(f, 4, h, w)``.
        reference: latents of the faces, shape ``(f, 4, h, w)``.
        audio: tokens, shape ``(f, 50, 384)``.
    """

    mask: Tensor
    masked: Tensor
    reference: Tensor
    audio: Tensor


def _scheduler(solver: Solver) -> Any:
    if solver is Solver.DPM:
        return DPMSolverMultistepScheduler(**_SCHEDULE)
    return DDIMScheduler(**_SCHEDULE, clip_sample=False, set_alpha_to_one=False)


@torch.inference_mode()
def sample_window(
    unet: LatentSyncUNet, noise: Tensor, condition: Condition, sampling: Sampling
) -> Generator[Tensor, None, Tensor]:
    """Denoise the latents of one window; every window begins with a solver that has seen nothing.

    Args:
        unet: the denoiser.
        noise: initial noise of one frame, the same for all, shape ``(4, h, w)``, float32.
        condition: what the network is shown.
        sampling: how.

    Yields:
        The latents after each step, shape ``(f, 4, h, w)``, float32.

    Returns:
        The latents after the last step.
    """
    scheduler = _scheduler(sampling.solver)
    scheduler.set_timesteps(sampling.steps, device=noise.device)
    frames = len(condition.masked)
    latents = (noise * scheduler.init_noise_sigma)[:, None].repeat(1, frames, 1, 1)
    fixed = torch.cat(
        [
            condition.mask.to(latents).expand(1, frames, -1, -1),
            condition.masked.to(latents).transpose(0, 1),
            condition.reference.to(latents).transpose(0, 1),
        ]
    )
    audio = condition.audio.to(noise.device, unet.dtype)
    predict = _Predictor(unet, audio, sampling)
    for index, timestep in enumerate(scheduler.timesteps):
        shown = torch.cat([scheduler.scale_model_input(latents, timestep), fixed])[None].to(unet.dtype)
        predicted = predict(shown, timestep, reuse=sampling.feature_cache and index % CACHE_INTERVAL != 0)
        latents = scheduler.step(predicted.float(), timestep, latents[None]).prev_sample[0]
        yield latents.transpose(0, 1)
    final: Tensor = latents.transpose(0, 1)
    return final


class _Predictor:
    """Predicts the noise of one window, guided by its sound; keeps the deep features of the step before."""

    def __init__(self, unet: LatentSyncUNet, audio: Tensor, sampling: Sampling) -> None:
        self._unet = unet
        self._guidance = sampling.guidance
        # Zeros stand for "no sound" as in training.
        silent_first = [audio] if sampling.guidance <= 1 else [torch.zeros_like(audio), audio]
        self._batches = [each[None] for each in silent_first] if sampling.sequential else [torch.stack(silent_first)]
        self._deep: list[Tensor | None] = [None] * len(self._batches)

    def __call__(self, shown: Tensor, timestep: Tensor, *, reuse: bool) -> Tensor:
        """Return the predicted noise, shape ``(1, 4, f, h, w)``."""
        predictions = []
        for index, audio in enumerate(self._batches):
            sample = shown.expand(len(audio), -1, -1, -1, -1)
            noise, self._deep[index] = self._unet(sample, timestep, audio, self._deep[index] if reuse else None)
            predictions.append(noise)
        noise = torch.cat(predictions)
        if len(noise) == 1:
            return noise
        without, with_sound = noise.chunk(2)
        return without + self._guidance * (with_sound - without)
