"""The variants against their equations in NumPy, against the paper's units where both must agree, and in training."""

import numpy as np
import pytest
import torch

from gatedtui import kernels, modelfile
from gatedtui.config import VARIANTS as NAMES
from gatedtui.errors import DeviceError
from gatedtui.units import GRU, LSTM
from gatedtui.units.variants import VARIANTS, AblatedLSTM

T, B, I, H = 6, 3, 4, 5


def made(name):
    unit = VARIANTS[name](I, H).double()
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for p in unit.parameters():
            p.normal_(std=0.7, generator=generator)
    return unit


def inputs():
    return torch.randn(T, B, I, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def sigma(a):
    return 1 / (1 + np.exp(-a))


def in_numpy(name, unit, x):
    """One row, from the zero state; every variant written out by itself."""
    W, U, b = (p.detach().numpy() for p in (unit.W, unit.U, unit.b))
    V = unit.V.detach().numpy() if getattr(unit, "V", None) is not None else None
    h, c, out = np.zeros(H), np.zeros(H), []
    for x_t in x.numpy():
        a = np.split(W @ x_t + U @ h + b, len(b) // H)
        if name == "gru-no-reset":
            z = sigma(a[0])
            h = (1 - z) * h + z * np.tanh(a[1])
        elif name == "lstm-no-peepholes":
            c = sigma(a[1]) * c + sigma(a[0]) * np.tanh(a[2])
            h = sigma(a[3]) * np.tanh(c)
        else:
            i = sigma(a[0] + V[0] * c)
            c = (c if name == "lstm-no-forget" else (1 - i) * c) + i * np.tanh(a[1])
            h = sigma(a[2] + V[1] * c) * np.tanh(c)
        out.append(h)
    return np.stack(out)


def test_every_name_a_config_knows_is_a_unit():
    assert set(NAMES) == set(VARIANTS)


@pytest.mark.parametrize("name", VARIANTS)
def test_states_are_the_equations(name):
    unit, x = made(name), inputs()
    h, _ = unit(x)
    for row in range(B):
        np.testing.assert_allclose(h[:, row].detach().numpy(), in_numpy(name, unit, x[:, row]), rtol=1e-12)


@pytest.mark.parametrize("name", VARIANTS)
def test_each_has_the_parameters_of_the_formula_and_no_more(name):
    count = sum(p.numel() for p in VARIANTS[name](88, 9).parameters())
    assert count == modelfile.recurrent_parameters(name, 88, 9)
    whole = modelfile.recurrent_parameters(name.partition("-")[0], 88, 9)
    assert count < whole


@pytest.mark.parametrize("name", VARIANTS)
def test_gradients_are_finite_differences(name):
    unit, x = made(name), inputs()[:3].requires_grad_()
    names = [key for key, _ in unit.named_parameters()]

    def h(x, *parameters):
        return torch.func.functional_call(unit, dict(zip(names, parameters, strict=True)), (x,))[0]

    assert torch.autograd.gradcheck(h, (x, *unit.parameters()))


def with_gate_fixed(standard, unit, places, gate, bias):
    """The paper's unit with a variant's weights in `places`, and a gate held by its bias alone."""
    with torch.no_grad():
        for p in standard.parameters():
            p.zero_()
        for name in ("W", "U", "b"):
            blocks, own = getattr(standard, name).split(H), getattr(unit, name).split(H)
            for place, block in zip(places, own, strict=True):
                blocks[place].copy_(block)
        if gate is not None:
            standard.b.split(H)[gate].fill_(bias)
    return standard.double()


def test_a_reset_gate_held_open_is_no_reset_gate():
    unit = made("gru-no-reset")
    standard = with_gate_fixed(GRU(I, H).double(), unit, [1, 2], 0, 1e3)
    torch.testing.assert_close(unit(inputs())[0], standard(inputs())[0], rtol=0, atol=1e-14)


def test_a_forget_gate_held_open_is_no_forget_gate():
    unit = made("lstm-no-forget")
    standard = with_gate_fixed(LSTM(I, H).double(), unit, [0, 2, 3], 1, 1e3)
    with torch.no_grad():
        standard.V[[0, 2]] = unit.V
    torch.testing.assert_close(unit(inputs())[0], standard(inputs())[0], rtol=0, atol=1e-14)


def test_peepholes_at_zero_are_no_peepholes():
    unit = made("lstm-no-peepholes")
    standard = with_gate_fixed(LSTM(I, H).double(), unit, [0, 1, 2, 3], None, 0)
    torch.testing.assert_close(unit(inputs())[0], standard(inputs())[0], rtol=0, atol=1e-14)


def test_a_coupled_unit_forgets_what_it_takes_in():
    unit = made("lstm-coupled")
    _, gates = unit.step(inputs()[0])
    torch.testing.assert_close(gates["i"] + gates["f"], torch.ones(B, H, dtype=torch.float64))


@pytest.mark.parametrize("name", VARIANTS)
def test_ragged_rows_are_the_rows_alone(name):
    unit, x = made(name), inputs()
    lengths = [2, 6, 1]
    h, state = unit(x, None, lengths)
    for row, length in enumerate(lengths):
        alone, last = unit(x[:length, row : row + 1])
        torch.testing.assert_close(h[:length, row], alone[:, 0], rtol=0, atol=1e-14)
        assert not h[length:, row].any()
        for held, own in zip(*([s] if not isinstance(s, tuple) else s for s in (state, last)), strict=True):
            torch.testing.assert_close(held[row], own[0], rtol=0, atol=1e-14)


@pytest.mark.parametrize("name", VARIANTS)
def test_only_autograd_runs_a_variant_and_says_why(name):
    unit, x = made(name), inputs()
    torch.testing.assert_close(kernels.scan(unit, x)[0], unit(x)[0], rtol=0, atol=0)
    for backend in ("native", "bptt"):
        with pytest.raises(DeviceError, match="variant"):
            kernels.scan(unit, x, backend=backend)
    choice = kernels.choose("cpu", torch.float32, variant=True)
    assert choice.backend == "reference" and "paper's three" in choice.why


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_trains_resumes_scores_and_draws(name, tmp_path):
    from gatedtui import checkpoint, config, gates, paths, sample
    from gatedtui.data import prepare
    from gatedtui.evaluate import evaluate
    from gatedtui.events import Epoch, Started
    from gatedtui.train.loop import Training

    tiny = prepare.prepare("tiny", cache=paths.cache_folder())
    values = {"data.name": "tiny", "train.epochs": 12, "train.batch": 3, "model.hidden": 6, "model.unit": name}
    chosen = config.build(values | {"train.optimiser": "adam", "train.lr": 1e-2})
    whole = Training(chosen, tiny)
    events = list(whole.events())
    found = [event for event in events if isinstance(event, Epoch)]
    assert isinstance(events[0], Started) and events[0].paper_nll is None and events[0].kernel == "reference"
    assert found[-1].valid_nll < found[0].valid_nll
    updates = iter(range(1000))
    first = Training(chosen, tiny)
    list(first.events(lambda: next(updates) >= 7))
    second = Training(chosen, tiny, state=first.state())
    list(second.events())
    assert torch.equal(second.network.flat, whole.network.flat)
    best = whole.best_checkpoint()
    assert best is not None
    checkpoint.save(tmp_path / "m.safetensors", best)
    again = checkpoint.load(tmp_path / "m.safetensors")
    assert evaluate(again, tiny, "test")["parameters"] == whole.network.counts()
    assert sample.draw_music(again, steps=9, n=2, seed=1).rolls.shape == (2, 9, 88)
    told = gates.describe(again, tiny.splits["test"][0])
    assert set(made(name).GATES) == set(told["gates"])


def test_with_nothing_left_out_it_is_the_paper_s_lstm():
    unit, paper = AblatedLSTM(I, H).double(), LSTM(I, H).double()
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for name in ("W", "U", "b", "V"):
            getattr(unit, name).normal_(std=0.7, generator=generator)
            getattr(paper, name).copy_(getattr(unit, name))
    state = tuple(torch.randn(2, B, H, dtype=torch.float64, generator=generator))
    torch.testing.assert_close(unit(inputs(), state)[0], paper(inputs(), state)[0], rtol=0, atol=1e-14)


@pytest.mark.parametrize("name", VARIANTS)
def test_going_on_from_a_state_is_going_on(name):
    unit, x = made(name), inputs()
    whole, last = unit(x)
    _, state = unit(x[:2])
    rest, again = unit(x[2:], state)
    torch.testing.assert_close(rest, whole[2:], rtol=0, atol=0)
    for a, b in zip(*([s] if not isinstance(s, tuple) else s for s in (last, again)), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


@pytest.mark.parametrize("name", VARIANTS)
def test_gates_have_their_names_and_the_start_a_row_each(name):
    unit = VARIANTS[name](I, H)
    assert tuple(unit.step(torch.zeros(B, I))[1]) == unit.GATES
    start = unit.start(torch.zeros(T, B, I))
    assert all(one.shape == (B, H) for one in (start if isinstance(start, tuple) else (start,)))


@pytest.mark.parametrize("name", VARIANTS)
def test_initial_weights_follow_the_generator(name):
    units = [VARIANTS[name](I, H, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1)]
    assert torch.equal(VARIANTS[name](I, H).W, units[0].W) and not torch.equal(units[0].W, units[1].W)
