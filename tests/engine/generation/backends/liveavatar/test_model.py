"""The transformer against the published one: every sidecar of these families, and the full size without its numbers."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engine.generation.backends.liveavatar.config import BLOCK_FRAMES, LatentSize, ModelConfig
from engine.generation.backends.liveavatar.model import S2VTransformer
from engine.generation.backends.liveavatar.rotary import block_rotation
from engine.generation.backends.liveavatar.sampler import NoiseLevels, noise_levels
from engine.generation.backends.liveavatar.schedule import Conductor, Script, sequential
from engine.generation.backends.liveavatar.stage import RingOptions, Stage
from engine.refusal import Refused
from tests.engine.generation.backends.liveavatar.checkpoint import official_keys
from tests.golden import Golden, goldens, worst


def network_of(golden: Golden, part: str | None = None) -> S2VTransformer:
    """Return the network of a fixture, its weights stored in it or made by the rule."""
    with torch.device("meta"):
        model = S2VTransformer(ModelConfig.from_json(golden.config))
    stored = {name[2:]: value for name, value in golden.tensors.items() if name.startswith("w.")}
    shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    model.load_state_dict(stored or golden.state(part, shapes=shapes), assign=True)
    return model.requires_grad_(requires_grad=False)


def script_of(golden: Golden) -> Script:
    """Return what the blocks of a fixture are made from."""
    given, case = golden.tensors, golden.sidecar["case"]
    return Script(
        size=LatentSize(*case["latent_hw"]),
        levels=noise_levels(case["steps"]),
        blocks=case["blocks"],
        reference=given["in.ref"][0],
        motion=given["in.motion"][0],
        noise=lambda block: given["in.noise"][:, 3 * block : 3 * block + 3],
        features=lambda block: given["in.audio"][0, ..., BLOCK_FRAMES * block : BLOCK_FRAMES * (block + 1)],
        prompt=lambda _: 0,
        context=lambda _: given["in.ctx"],
        distance=lambda block, step: int(given["in.sink_distance"][block, step]),
        anchor_block=case.get("sink_switch_before_block"),
    )


class Listening(Conductor):
    """Notes the velocities that come by; takes a given latent frame as the new reference where a fixture has one."""

    def __init__(self, model: S2VTransformer, script: Script, given: dict[str, Tensor]) -> None:
        super().__init__(model, script)
        self.velocities: dict[tuple[int, int], Tensor] = {}
        self._given = next(
            (given[name] for name in sorted(given) if name.startswith("in.ref") and name != "in.ref"), None
        )

    def begin(self, block: int, latents: Tensor | None = None) -> list:
        if block == self.script.anchor_block and self._given is not None:
            self.anchor_on(self._given.reshape(self.script.reference.shape))
        return super().begin(block, latents)

    def take(self, work, hidden):  # type: ignore[no-untyped-def]
        if work.step is not None:
            modulation = self._modulations[work.step]
            self.velocities[work.block, work.step] = self._model.velocity(hidden, modulation, self.script.size)
        return super().take(work, hidden)


@goldens("liveavatar/s2v_tiny")
def test_transformer_computes_what_the_published_one_does(golden: Golden) -> None:
    model, script = network_of(golden), script_of(golden)
    tensors, allowed, case = golden.tensors, golden.tolerance["suggested_max_abs"], golden.sidecar["case"]
    assert script.levels.timesteps == pytest.approx(case["timesteps"])
    conductor = Listening(model, script, tensors)
    window = RingOptions(window=case["ring_blocks"])
    stage = Stage(model, script.size, range(conductor.steps), rings=window)
    audio = model.embed_audio(script.features(0))
    if "out.audio.local" in tensors:
        assert worst(audio.local, tensors["out.audio.local"][0]) < allowed["velocity"]
        assert worst(audio.summary, tensors["out.audio.global"][0, :, 0]) < allowed["velocity"]
    compared = 0
    for block, latents in sequential(conductor, stage):
        if block == 0:
            for layer in model.owned:
                sink = stage._sinks[0]
                assert worst(sink.keys[layer], tensors[f"out.sink.{layer}.k"][0]) < allowed["sink"]
                assert worst(sink.values[layer], tensors[f"out.sink.{layer}.v"][0]) < allowed["sink"]
        if f"out.latent.b{block}" in tensors:
            assert worst(latents, tensors[f"out.latent.b{block}"]) < allowed["latents"]
            compared += 1
    for (block, step), velocity in conductor.velocities.items():
        if f"out.vel.b{block}.s{step}" in tensors:
            assert worst(velocity, tensors[f"out.vel.b{block}.s{step}"]) < allowed["velocity"]
            compared += 1
    assert compared == sum(name.startswith(("out.latent.", "out.vel.")) for name in tensors)


@goldens("liveavatar/schedule")
def test_noise_levels_are_the_published_ones(golden: Golden) -> None:
    allowed = golden.tolerance["suggested_max_abs"]
    counts = [int(name.removeprefix("timesteps_")) for name in golden.tensors if name.startswith("timesteps_")]
    assert counts
    for steps in counts:
        levels = noise_levels(steps)
        assert worst(levels.timesteps, golden.tensors[f"timesteps_{steps}"]) < allowed["timesteps"]
        assert worst(levels.sigmas, golden.tensors[f"sigmas_{steps}"]) < allowed["sigmas"]


def test_three_steps_begin_and_end_where_four_do() -> None:
    # The published schedule of three steps, to the digits that are known of it.
    assert noise_levels(3).timesteps == pytest.approx((1000, 751.12, 8.93), abs=0.01)
    levels = NoiseLevels((1000.0, 500.0), (1.0, 0.5, 0.0))
    assert (levels.steps, levels.change(0), levels.change(1)) == (2, -0.5, -0.5)


@pytest.mark.golden
def test_full_size_has_the_tensors_of_the_official_files() -> None:
    with torch.device("meta"):
        model = S2VTransformer(ModelConfig())
    shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    listed = official_keys("transformer")
    assert shapes == listed
    assert len(shapes) == 1260
    with torch.device("meta"):
        halves = [S2VTransformer(ModelConfig(), range(17)), S2VTransformer(ModelConfig(), range(17, 40), ends=False)]
    keys = [set(half.state_dict()) for half in halves]
    assert keys[0] | keys[1] == set(listed)
    assert not keys[0] & keys[1]


@pytest.mark.parametrize(
    ("width", "height", "block_tokens", "sink_tokens"),
    [(704, 384, 3168, 2640), (512, 512, 3072, 2560), (1280, 704, 10560, 8800), (384, 256, 1152, 960)],
)
def test_tokens_follow_from_the_picture(width: int, height: int, block_tokens: int, sink_tokens: int) -> None:
    size = LatentSize.of_picture(width, height)
    assert (size.block_tokens, size.sink_tokens) == (block_tokens, sink_tokens)


def test_positions_have_no_end() -> None:
    """The published table ends after 45,000 latent frames, two hours at 25 frames a second."""
    late = block_rotation(100_000, LatentSize(8, 8), 24, "cpu")
    assert torch.isfinite(late.cos).all()
    assert late.cos.shape == (48, 1, 12)
    assert worst(late.cos.square() + late.sin.square(), torch.ones(48, 1, 12)) < 2e-3  # angles in half precision


def test_another_network_is_refused_in_words() -> None:
    with pytest.raises(Refused, match="enable_motioner"):
        ModelConfig.from_json({"enable_motioner": True})
    assert ModelConfig.from_json({"dim": 64, "audio_inject_layers": [1]}).audio_inject_layers == (1,)
