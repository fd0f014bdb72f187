"""Weights: the published merge and 8-bit numbers, the official folders, and everything that can be wrong with them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.generation.backends.liveavatar import weights as weights_module
from engine.generation.backends.liveavatar.config import LatentSize, ModelConfig
from engine.generation.backends.liveavatar.fp8 import Fp8Linear, quantise
from engine.generation.backends.liveavatar.lora import Lora, lora_modules
from engine.generation.backends.liveavatar.memory import Ring, Sink
from engine.generation.backends.liveavatar.model import Pass, S2VTransformer
from engine.generation.backends.liveavatar.rotary import block_rotation, reference_shift, sink_rotation
from engine.generation.backends.liveavatar.schedule import Conductor, wavefront
from engine.generation.backends.liveavatar.stage import Stage
from engine.generation.backends.liveavatar.weights import Files, Transformer, WeightFormat, load_network
from engine.jobs import run
from engine.refusal import Refused
from tests.engine.generation.backends.liveavatar.checkpoint import lora_state, official_keys, write_official
from tests.engine.generation.backends.liveavatar.tiny import CONFIG, SIZE, network, script
from tests.golden import Golden, draw, goldens, worst


def velocity_of(model: S2VTransformer, golden: Golden) -> torch.Tensor:
    """One pass of block 0, as the fixture describes it."""
    given, case = golden.tensors, golden.sidecar["case"]
    size, config = LatentSize(*case["latent_hw"]), model.config
    context, sink = model.embed_text(given["in.ctx"]), Sink()
    still = Pass(model.modulation(0.0), sink_rotation(size, config.head_dim, "cpu"), context, None, sink)
    tokens = [model.embed_sink(given["in.ref"][0], given["in.motion"][0])]
    for layer in model.owned:
        tokens = model.layer(layer, tokens, [still])
    modulation, block = model.modulation(case["timestep"]), case["block"]
    turned = sink_rotation(size, config.head_dim, "cpu", reference_shift(block, case["sink_distance"]))
    ring = Ring(model.owned, 4, size, config, torch.float32, "cpu")
    rotation = block_rotation(block, size, config.head_dim, "cpu")
    audio = model.embed_audio(given["in.audio"][0, ..., :12])
    one = Pass(modulation, rotation, context, audio, ring.at(block, sink, turned))
    tokens = [model.embed_block(given["in.noise"][:, :3])]
    for layer in model.owned:
        tokens = model.layer(layer, tokens, [one])
    return model.velocity(tokens[0], modulation, size)


@goldens("liveavatar/lora_merge")
@pytest.mark.parametrize(("prefix", "infix"), [("", ""), ("base_model.model.", ".default"), ("base_model.model.", "")])
def test_merge_is_the_published_one(golden: Golden, tmp_path: Path, prefix: str, infix: str) -> None:
    config = ModelConfig.from_json(golden.config)
    model = S2VTransformer(config).eval().requires_grad_(requires_grad=False)
    state = golden.state("base", shapes={name: tuple(value.shape) for name, value in model.state_dict().items()})
    model.load_state_dict(state)
    allowed = golden.tolerance["suggested_max_abs"]
    assert worst(velocity_of(model, golden), golden.tensors["out.velocity_before"]) < allowed["velocity"]

    path = tmp_path / "lora.safetensors"
    rule = golden.weights("lora")  # without a checksum: the merged weights have one
    stored = {name: draw(name, shape, rule["seed"], rule.get("gain", 1.0)) for name, shape in rule["shapes"].items()}
    renamed = {f"{prefix}{name.removesuffix('.weight')}{infix}.weight": value for name, value in stored.items()}
    save_file({name: value for name, value in renamed.items() if value is not None}, path)
    assert set(lora_modules(config)) == set(golden.sidecar["case"]["modules"])
    lora = Lora(path, config, {name: value.shape for name, value in state.items()})
    for module in lora_modules(config):
        name = f"{module}.weight"
        state[name] = lora.merged(module, state[name], golden.sidecar["case"]["scale"])
        if f"out.merged.{name}" in golden.tensors:
            assert worst(state[name], golden.tensors[f"out.merged.{name}"]) < allowed["merged"]
    total = sum(float(value.abs().sum(dtype=torch.float64)) for value in state.values())
    assert total == pytest.approx(golden.weights("merged")["checksum_abs_sum"], rel=1e-7)
    model.load_state_dict(state)
    assert worst(velocity_of(model, golden), golden.tensors["out.velocity_after"]) < allowed["velocity"]


@goldens("liveavatar/fp8_linear")
def test_eight_bits_are_the_published_ones(golden: Golden) -> None:
    for case in golden.config["cases"]:
        given = {
            name.removeprefix(f"{case['name']}."): value
            for name, value in golden.tensors.items()
            if name.startswith(case["name"])
        }
        for what in ("weight", "x"):
            codes, scale = quantise(given[what])
            assert worst(scale, given[f"{what}_scale"].view(-1)) < 1e-6
            off = (
                codes.view(torch.uint8).view(given[f"{what}_codes"].shape).int() - given[f"{what}_codes"].int()
            ).abs()
            assert off.max() <= 1
            assert off.gt(0).float().mean() <= 0.001
        linear = Fp8Linear(case["in_features"], case["out_features"])
        linear.weight, linear.weight_scale = quantise(given["weight"])
        linear.bias.data = given["bias"] if "bias" in given else torch.zeros(case["out_features"], dtype=torch.bfloat16)
        out, expected = linear(given["x"]).float(), given["out"]
        # One rounding to bfloat16: 1 % of the value, or of the largest one where terms cancel.
        assert (out - expected).abs().max() <= 0.01 * expected.abs().max()


@pytest.mark.parametrize("scale", [1e-3, 0.1, 40.0])
def test_stored_rows_are_closer_than_one_factor_for_all(scale: float) -> None:
    weight = torch.randn(48, 64, generator=torch.Generator().manual_seed(1)) * scale
    weight[0] *= 100
    x = torch.randn(5, 64, generator=torch.Generator().manual_seed(2))
    exact = x @ weight.T
    errors = []
    for per_row in (False, True):
        linear = Fp8Linear(64, 48, per_row=per_row, dtype=torch.float32)
        linear.weight, linear.weight_scale = quantise(weight, per_row=per_row)
        errors.append(float((linear(x) - exact)[:, 1:].norm() / exact[:, 1:].norm()))
    assert errors[1] < 0.04  # 3 bits after the leading one: 3 % of each weight, rounded either way
    assert errors[1] < errors[0]


@pytest.mark.golden
def test_the_lora_changes_exactly_the_official_modules() -> None:
    modules = lora_modules(ModelConfig())
    assert len(set(modules)) == 448
    shapes = {name.removeprefix("base_model.model."): shape for name, shape in official_keys("lora").items()}
    assert {name.split(".lora_")[0] for name in shapes} == set(modules)


# --- the official folders ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("official")
    write_official(folder)
    return folder


@pytest.fixture
def files(official: Path, tmp_path: Path) -> Files:
    """A copy that a test may damage, at a path with spaces and letters of other scripts."""
    folder = tmp_path / "my models ü 模型"
    shutil.copytree(official, folder)
    return Files.in_folder(folder)


def test_loads_and_merges_the_official_layout(files: Files) -> None:
    model = run(load_network(Transformer(files)))
    base, low = network().state_dict(), lora_state(CONFIG)
    for name, value in model.state_dict().items():
        expected = base[name].bfloat16()
        module = name.removesuffix(".weight")
        if module in set(lora_modules(CONFIG)):
            down, up = (
                low[f"base_model.model.{module}.lora_{part}.default.weight"].bfloat16().float() for part in "AB"
            )
            expected = (expected.float() + 0.5 * up @ down).bfloat16()
        assert torch.equal(value, expected.float()), name


def test_merged_layers_are_kept_and_used_again(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    transformer = Transformer(files)
    first = run(load_network(transformer)).state_dict()
    kept = sorted(path.name for path in transformer.kept_folder.iterdir())
    assert kept == ["ends.safetensors", *(f"layer-{n:02d}.safetensors" for n in range(CONFIG.num_layers))]

    def fail(*_: object) -> None:
        raise AssertionError("merged again")

    monkeypatch.setattr(Lora, "merged", fail)
    again = run(load_network(Transformer(files))).state_dict()
    assert all(torch.equal(again[name], value) for name, value in first.items())
    damaged = transformer.kept_folder / "layer-01.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:100])
    monkeypatch.undo()
    once_more = run(load_network(Transformer(files))).state_dict()
    assert all(torch.equal(once_more[name], value) for name, value in first.items())


def test_another_lora_is_merged_anew(files: Files) -> None:
    first = Transformer(files)
    run(load_network(first))
    save_file({name: 2 * value for name, value in load_file(files.lora).items()}, files.lora)
    second = Transformer(files)
    assert second.kept_folder != first.kept_folder
    name = "blocks.0.ffn.0.weight"
    assert not torch.equal(second.layer(0)[name], first.layer(0)[name])


def test_a_full_disk_only_means_merging_again(files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLOSIVE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(weights_module, "_SPARE_DISK", 1 << 60)
    transformer = Transformer(files)
    assert len(run(load_network(transformer)).state_dict()) == len(network().state_dict())
    assert not list(transformer.kept_folder.glob("*"))


def test_halves_load_what_is_theirs(files: Files) -> None:
    whole = run(load_network(Transformer(files))).state_dict()
    first = run(load_network(Transformer(files), range(2))).state_dict()
    second = run(load_network(Transformer(files), range(2, CONFIG.num_layers), ends=False)).state_dict()
    assert {**first, **second}.keys() == whole.keys()
    assert not first.keys() & second.keys()
    assert all(torch.equal(value, whole[name]) for name, value in {**first, **second}.items())


@pytest.mark.parametrize("weight_format", [WeightFormat.FP8, WeightFormat.FP8_ROWS])
def test_eight_bit_networks_draw_nearly_the_same(files: Files, weight_format: WeightFormat) -> None:
    def latents(each: WeightFormat) -> torch.Tensor:
        model = run(load_network(Transformer(files, each)))
        made = script(4)
        return torch.stack([block for _, block in wavefront(Conductor(model, made), Stage(model, SIZE, range(4)))])

    plain, small = latents(WeightFormat.PLAIN), latents(weight_format)
    difference = float((plain - small).norm() / plain.norm())
    assert 0.001 < difference < 0.08  # 2 to 4 % per layer in the fixture, averaged over five layers with residuals
    model = run(load_network(Transformer(files, weight_format)))
    eight = [name for name, value in model.state_dict().items() if value.dtype == torch.float8_e4m3fn]
    assert len(eight) == len(lora_modules(CONFIG)) + len(CONFIG.audio_inject_layers)
    assert not any(name.startswith(("head", "text", "time", "casual")) for name in eight)


def drop_shard(files: Files) -> None:
    next(files.wan.glob("*-00003-of-*.safetensors")).unlink()


def cut_shard(files: Files) -> None:
    shard = next(files.wan.glob("*-00002-of-*.safetensors"))
    shard.write_bytes(shard.read_bytes()[:-200])


def drop_index(files: Files) -> None:
    next(files.wan.glob("*.index.json")).unlink()


def drop_config(files: Files) -> None:
    (files.wan / "config.json").unlink()


def spoil_config(files: Files) -> None:
    (files.wan / "config.json").write_text('{"dim": "wide"}', encoding="utf-8")


def another_width(files: Files) -> None:
    config = json.loads((files.wan / "config.json").read_text(encoding="utf-8"))
    (files.wan / "config.json").write_text(json.dumps({**config, "dim": 96}), encoding="utf-8")


def extra_tensor(files: Files) -> None:
    shard = next(files.wan.glob("*-00001-of-*.safetensors"))
    save_file({**load_file(shard), "model_ema.weight": torch.zeros(2)}, shard)


def no_lora(files: Files) -> None:
    files.lora.unlink()


def half_a_lora(files: Files) -> None:
    save_file({name: value for name, value in load_file(files.lora).items() if "blocks.0." not in name}, files.lora)


def lora_of_another_model(files: Files) -> None:
    save_file({f"unet.down.{n}.lora_{part}.weight": torch.zeros(4, 4) for n in range(3) for part in "AB"}, files.lora)


def lora_with_more(files: Files) -> None:
    save_file({**load_file(files.lora), "text_encoder.scale": torch.zeros(1)}, files.lora)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (drop_shard, "00003-of-00004"),
        (cut_shard, "00002-of-00004"),
        (drop_index, "index.json"),
        (drop_config, "config.json"),
        (spoil_config, "config.json"),
        (another_width, "shape"),
        (extra_tensor, "model_ema.weight"),
        (no_lora, "liveavatar.safetensors"),
        (half_a_lora, r"50 of 62|of 62"),
        (lora_of_another_model, "0 of 62"),
        (lora_with_more, "text_encoder.scale"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_loaded(
    files: Files, damage: Callable[[Files], None], says: str
) -> None:
    damage(files)
    with pytest.raises(Refused, match=says):
        Transformer(files).check()


def test_a_lora_of_other_shapes_is_refused(files: Files) -> None:
    small = {name: value[..., :-1] if ".lora_A" in name else value for name, value in load_file(files.lora).items()}
    save_file({name: value.contiguous() for name, value in small.items()}, files.lora)
    with pytest.raises(Refused, match="another shape"):
        Transformer(files).check()
