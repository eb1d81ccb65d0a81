import json
import math

import numpy as np
import pytest
import torch

from gatedtui import checkpoint, config, gates, modelfile
from gatedtui.checkpoint import Checkpoint
from gatedtui.errors import BadArgument, BadSource
from gatedtui.network import restore

UNITS = ("tanh", "lstm", "gru")


def model(unit, *, layers=1, head="bernoulli", hidden=5):
    """A model of random weights, large enough for gates that open and close."""
    chance = np.random.default_rng([3, layers])
    settings = {"model.unit": unit, "model.hidden": hidden, "model.layers": layers, "model.head": head}
    made = config.build(settings | {"model.parts": 2})
    tensors = {name: chance.normal(0, 0.8, shape).astype(np.float32) for name, shape in checkpoint.shapes(made).items()}
    tensors["start"] = np.zeros((1, modelfile.WIDTHS[head][0]), np.float32)
    kind = "music" if head == "bernoulli" else "speech"
    data = {"name": "d", "kind": kind, "digest": "", "steps_per_quarter": 4, "rate_hz": 0, "scale": 1.0}
    if kind == "speech":
        data |= {"steps_per_quarter": 0, "rate_hz": 8000, "scale": 0.1}
    return Checkpoint(made, data, {}, tensors)


def roll(steps=30):
    return (np.random.default_rng(1).random((steps, 88)) < 0.1).astype(np.uint8)


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def equations(unit, tensors, frames):
    """Sections 3.1 and 3.2 in NumPy, float64."""
    W, U, b = (tensors[f"unit.{name}"].astype(np.float64) for name in "WUb")
    size = U.shape[1]
    h = c = np.zeros(size)
    found = []
    for x in frames.astype(np.float64):
        a = np.split(W @ x + b, len(b) // size)
        u = np.split(U, len(b) // size)
        if unit == "tanh":
            h = np.tanh(a[0] + u[0] @ h)
            found.append({"candidate": h, "h": h})
        elif unit == "gru":
            r, z = sigmoid(a[0] + u[0] @ h), sigmoid(a[1] + u[1] @ h)
            candidate = np.tanh(a[2] + u[2] @ (r * h))
            h = (1 - z) * h + z * candidate
            found.append({"r": r, "z": z, "candidate": candidate, "h": h})
        else:
            V = tensors["unit.V"].astype(np.float64)
            i, f = sigmoid(a[0] + u[0] @ h + V[0] * c), sigmoid(a[1] + u[1] @ h + V[1] * c)
            candidate = np.tanh(a[2] + u[2] @ h)
            c = f * c + i * candidate
            o = sigmoid(a[3] + u[3] @ h + V[2] * c)
            h = o * np.tanh(c)
            found.append({"i": i, "f": f, "candidate": candidate, "o": o, "h": h})
    return {name: np.stack([step[name] for step in found]) for name in found[0]}


@pytest.mark.parametrize("unit", UNITS)
def test_the_gates_are_those_of_the_papers_equations(unit):
    made = model(unit)
    found, wanted = gates.gates(made, gates.frames(roll())), equations(unit, made.tensors, roll())
    assert found.keys() == wanted.keys()
    for name, values in wanted.items():
        np.testing.assert_allclose(found[name], values, rtol=0, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("unit", UNITS)
def test_float32_stays_within_its_rounding(unit):
    made, x = model(unit), gates.frames(roll())
    exact, rounded = gates.gates(made, x), gates.gates(made, x, dtype=torch.float32)
    for name, values in exact.items():
        assert rounded[name].dtype == np.float32
        np.testing.assert_allclose(rounded[name], values, rtol=0, atol=2e-5, err_msg=name)


def test_each_layer_hears_the_one_below():
    made = model("gru", layers=2)
    x = gates.frames(roll())
    lower, upper = gates.gates(made, x, layer=1), gates.gates(made, x, layer=2)
    alone = {name.replace("unit2", "unit"): value for name, value in made.tensors.items() if "unit2" in name}
    wanted = equations("gru", alone, lower["h"])
    np.testing.assert_allclose(upper["z"], wanted["z"], rtol=0, atol=1e-12)
    with pytest.raises(BadArgument, match="'3'"):
        gates.gates(made, x, layer=3)


@pytest.mark.parametrize("head", ["bernoulli", "mixture"])
def test_surprise_is_the_nll_that_training_minimises(head):
    made = model("lstm", head=head)
    if head == "bernoulli":
        x = gates.frames(roll())
        target = x[1:]
    else:
        samples = np.random.default_rng(2).normal(size=325).astype(np.float32)
        x = gates.frames(samples)
        assert x.shape == (31, 20) and (x[1] == samples[10:30]).all()
        target = np.stack([samples[20 + 10 * t : 30 + 10 * t] for t in range(30)])
    found = gates.surprise(made, x)
    network = restore(made.config.model, made.weights).double()
    with torch.no_grad():
        wanted = network.losses(torch.from_numpy(x[:-1, None]).double(), torch.from_numpy(target[:, None]).double())
    assert math.isnan(found[0])
    np.testing.assert_allclose(found[1:], wanted[:, 0].numpy(), rtol=1e-9)


def test_a_waveform_too_short_for_a_frame_is_refused():
    with pytest.raises(BadSource, match="'19'"):
        gates.frames(np.zeros(19))


def test_time_constants_are_mean_ages():
    openness = np.array([0.5, 0.25, 0.0])
    np.testing.assert_allclose(gates.held_steps("gru", "z", openness), [2, 4, np.inf])
    np.testing.assert_allclose(gates.held_steps("lstm", "f", openness), [2, 4 / 3, 1])
    assert gates.held_steps("gru", "r", openness) is None and gates.held_steps("lstm", "i", openness) is None


def test_the_description_says_everything_and_loses_nothing():
    made, piece = model("gru"), roll()
    about = gates.describe(made, piece)
    exact = gates.gates(made, gates.frames(piece))
    for name in ("r", "z", "candidate"):
        np.testing.assert_allclose(about["gates"][name]["values"], exact[name], rtol=0, atol=1e-12)
    np.testing.assert_allclose(about["h"]["values"], exact["h"], rtol=0, atol=1e-12)
    z = about["gates"]["z"]
    np.testing.assert_allclose(z["mean_openness"], exact["z"].mean(0), atol=1e-12)
    np.testing.assert_allclose(z["held_steps"], 1 / exact["z"].mean(0), rtol=1e-9)
    assert z["mean"] == pytest.approx(exact["z"].mean()) and sum(z["histogram"]) == 30 * 5
    assert z["closed"] == (exact["z"] < 0.1).mean() and z["open"] == (exact["z"] > 0.9).mean() > 0
    assert "mean" not in about["gates"]["candidate"] and "held_steps" not in about["gates"]["r"]
    assert about["steps"] == len(about["time_s"]) == 30 and about["time_s"][4] == pytest.approx(60 / 96)
    assert about["nll"][0] is None and about["nll_frame"] == pytest.approx(np.mean(about["nll"][1:]))
    assert [[pitch - 21 for pitch in frame] for frame in about["roll"]] == [np.flatnonzero(f).tolist() for f in piece]


def test_speech_is_told_at_full_scale_with_its_times():
    samples = np.random.default_rng(2).normal(size=200).astype(np.float32)
    about = gates.describe(model("gru", head="mixture"), samples)
    np.testing.assert_allclose(about["waveform"], samples * 0.1, atol=1e-5)
    assert about["rate_hz"] == 8000 and about["step_s"] == 10 / 8000 and about["steps"] == 19


def test_a_brief_description_averages_what_no_screen_can_show(monkeypatch):
    monkeypatch.setattr(gates, "BRIEF", 50)
    made, piece = model("gru"), roll(31)
    exact, about = gates.gates(made, gates.frames(piece)), gates.describe(made, piece, brief=True)
    assert about["each"] == 4 and len(about["gates"]["z"]["values"]) == 8 and len(about["time_s"]) == 8
    np.testing.assert_allclose(about["gates"]["z"]["values"][1], exact["z"][4:8].mean(0), atol=5e-4)
    np.testing.assert_allclose(about["gates"]["z"]["values"][7], exact["z"][28:31].mean(0), atol=5e-4)
    assert set(about["gates"]) == {"r", "z"} and "values" not in about["h"] and len(about["nll"]) == 31


def test_a_brief_description_stays_small():
    made = model("lstm", hidden=200)
    assert len(json.dumps(gates.describe(made, roll(4000), brief=True))) < 5_000_000
