"""The units against the paper's equations (section 3) in NumPy float64, one row and one frame at a time."""

import numpy as np
import pytest
import torch

from gatedtui.units import UNITS
from gatedtui.units.unroll import checked_lengths, live_frames, unroll

LENGTHS = (3, 7, 1, 5)  # neither sorted nor all different from T = 7


def sigma(a):
    return 1 / (1 + np.exp(-a))


def tanh_frame(p, x, h, c):
    return np.tanh(p["W"] @ x + p["U"] @ h + p["b"]), c


def gru_frame(p, x, h, c):
    (W_r, W_z, W), (U_r, U_z, U), (b_r, b_z, b) = (np.split(p[k], 3) for k in "WUb")
    r = sigma(W_r @ x + U_r @ h + b_r)
    z = sigma(W_z @ x + U_z @ h + b_z)
    candidate = np.tanh(W @ x + U @ (r * h) + b)
    return (1 - z) * h + z * candidate, c


def lstm_frame(p, x, h, c):
    (W_i, W_f, W_c, W_o), (U_i, U_f, U_c, U_o), (b_i, b_f, b_c, b_o) = (np.split(p[k], 4) for k in "WUb")
    V_i, V_f, V_o = p["V"]
    i = sigma(W_i @ x + U_i @ h + V_i * c + b_i)
    f = sigma(W_f @ x + U_f @ h + V_f * c + b_f)
    c = f * c + i * np.tanh(W_c @ x + U_c @ h + b_c)
    o = sigma(W_o @ x + U_o @ h + V_o * c + b_o)
    return o * np.tanh(c), c


FRAMES = {"tanh": tanh_frame, "gru": gru_frame, "lstm": lstm_frame}


def by_the_paper(name, unit, x, h0, c0, lengths):
    """h (T, B, H), last h (B, H) and last c (B, H)."""
    p = {k: v.detach().numpy() for k, v in unit.named_parameters()}
    outputs = np.zeros((*x.shape[:2], unit.hidden_size))
    h, c = h0.copy(), c0.copy()
    for row, length in enumerate(lengths):
        for t in range(length):
            h[row], c[row] = FRAMES[name](p, x[t, row], h[row], c[row])
            outputs[t, row] = h[row]
    return outputs, h, c


def made(name, inputs=6, hidden=5):
    """A float64 unit with nothing left at zero, not even biases and peepholes."""
    unit = UNITS[name](inputs, hidden).double()
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for p in unit.parameters():
            p.normal_(std=0.6, generator=generator)
    return unit


def packed(name, h, c):
    return (torch.from_numpy(h), torch.from_numpy(c)) if name == "lstm" else torch.from_numpy(h)


@pytest.mark.parametrize("name", UNITS)
@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["whole", "ragged"])
@pytest.mark.parametrize("started", [False, True], ids=["zero state", "initial state"])
def test_unit_is_the_paper_s_equation(name, lengths, started):
    random = np.random.default_rng(0)
    unit, x = made(name), random.normal(size=(7, 4, 6))
    h0, c0 = random.normal(size=(2, 4, 5)) if started else np.zeros((2, 4, 5))
    h, last = unit(torch.from_numpy(x), packed(name, h0, c0) if started else None, lengths)
    expected, h_last, c_last = by_the_paper(name, unit, x, h0, c0, lengths or [7] * 4)
    np.testing.assert_allclose(h.detach().numpy(), expected, rtol=0, atol=1e-12)
    if name == "lstm":
        np.testing.assert_allclose(last[1].detach().numpy(), c_last, rtol=0, atol=1e-12)
        last = last[0]
    np.testing.assert_allclose(last.detach().numpy(), h_last, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", UNITS)
def test_steps_give_what_the_whole_sequence_gives_and_name_their_gates(name):
    unit, x = made(name), torch.randn(5, 2, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    whole, last = unit(x)
    state = None
    for t in range(5):
        state, gates = unit.step(x[t], state)
        torch.testing.assert_close(state[0] if name == "lstm" else state, whole[t], rtol=0, atol=0)
        assert tuple(gates) == unit.GATES
        assert all(gate.shape == (2, 5) for gate in gates.values())
    torch.testing.assert_close(state, last, rtol=0, atol=0)


def test_gate_values_compose_the_gru_and_the_lstm():
    x = torch.randn(3, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    h0, c0 = torch.randn(2, 3, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    h, g = made("gru").step(x, h0)
    torch.testing.assert_close(h, (1 - g["z"]) * h0 + g["z"] * g["candidate"], rtol=0, atol=1e-15)
    (h, c), g = made("lstm").step(x, (h0, c0))
    torch.testing.assert_close(c, g["f"] * c0 + g["i"] * g["candidate"], rtol=0, atol=1e-15)
    torch.testing.assert_close(h, g["o"] * torch.tanh(c), rtol=0, atol=1e-15)


@pytest.mark.parametrize("name", UNITS)
def test_gradients_are_right_by_finite_differences(name):
    unit = made(name, inputs=3, hidden=2)
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(3, 2, 3, dtype=torch.float64, generator=generator, requires_grad=True)
    state = [torch.randn(2, 2, dtype=torch.float64, generator=generator, requires_grad=True) for _ in range(2)]
    state = state if name == "lstm" else state[:1]
    names = [key for key, _ in unit.named_parameters()]

    def outputs(x, *rest):
        start, values = rest[: len(state)], rest[len(state) :]
        given = (x, start if name == "lstm" else start[0], torch.tensor([2, 3]))
        h, last = torch.func.functional_call(unit, dict(zip(names, values, strict=True)), given)
        return (h, *last) if name == "lstm" else (h, last)

    assert torch.autograd.gradcheck(outputs, (x, *state, *unit.parameters()))


@pytest.mark.parametrize("name", UNITS)
def test_what_stands_beyond_a_row_s_end_reaches_nothing(name):
    unit, x = made(name), torch.randn(7, 4, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    dead = torch.arange(7)[:, None] >= torch.tensor(LENGTHS)
    results = []
    for filler in (0.0, float("nan")):
        unit.zero_grad()
        filled = torch.where(dead[:, :, None], filler, x).requires_grad_()
        h, _ = unit(filled, None, LENGTHS)
        assert bool((h[dead] == 0).all())
        h.backward(torch.where(dead[:, :, None], filler, torch.ones_like(h)))
        assert bool((filled.grad[dead] == 0).all())
        results.append([filled.grad, *(p.grad.clone() for p in unit.parameters())])
    torch.testing.assert_close(results[1], results[0], rtol=0, atol=0)


@pytest.mark.parametrize("name", UNITS)
@pytest.mark.parametrize("lengths", [[0, 1, 2, 3], [1, 2, 3, 8], [1, 2, 3]])
def test_impossible_lengths_are_refused(name, lengths):
    with pytest.raises(ValueError, match="lengths must"):
        made(name)(torch.zeros(7, 4, 6, dtype=torch.float64), None, lengths)


def test_torch_s_gru_with_the_same_weights_is_another_unit():
    unit, other = made("gru"), torch.nn.GRU(6, 5, dtype=torch.float64)
    W, U, b = (p.detach().chunk(3) for p in (unit.W, unit.U, unit.b))
    with torch.no_grad():
        other.weight_ih_l0.copy_(torch.cat((W[0], -W[1], W[2])))  # its z is our 1 - z = σ(-argument)
        other.weight_hh_l0.copy_(torch.cat((U[0], -U[1], U[2])))
        other.bias_ih_l0.copy_(torch.cat((b[0], -b[1], b[2])))
        other.bias_hh_l0.zero_()
    x = torch.randn(4, 2, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    ours, theirs = unit(x)[0].detach(), other(x)[0].detach()
    torch.testing.assert_close(ours[0], theirs[0], rtol=0, atol=1e-12)  # from h = 0 there is nothing to reset
    assert float((ours[1:] - theirs[1:]).abs().max()) > 1e-3


def test_torch_s_lstm_is_ours_only_without_peepholes():
    unit, other = made("lstm"), torch.nn.LSTM(6, 5, dtype=torch.float64)
    with torch.no_grad():
        for theirs, ours in zip(other.parameters(), (unit.W, unit.U, unit.b, torch.zeros(20)), strict=True):
            theirs.copy_(ours)
    x = torch.randn(4, 2, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    theirs = other(x)[0].detach()
    assert float((unit(x)[0].detach() - theirs).abs().max()) > 1e-3
    with torch.no_grad():
        unit.V.zero_()
    torch.testing.assert_close(unit(x)[0].detach(), theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "inputs", "hidden", "count"),
    [
        ("tanh", 88, 100, 18_900),
        ("gru", 88, 46, 18_630),
        ("lstm", 88, 36, 18_108),
        ("tanh", 20, 400, 168_400),
        ("gru", 20, 227, 168_888),
        ("lstm", 20, 195, 169_065),
    ],
)
def test_sizes_have_table_1_s_parameter_counts(name, inputs, hidden, count):
    assert sum(p.numel() for p in UNITS[name](inputs, hidden).parameters()) == count


@pytest.mark.parametrize("name", UNITS)
def test_initial_weights_follow_the_generator_alone(name):
    gates = len(UNITS[name].GATES)
    before = torch.get_rng_state()
    units = [UNITS[name](88, 46, generator=torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)]
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(a, b) for a, b in zip(units[0].parameters(), units[1].parameters(), strict=True))
    assert not torch.equal(units[0].W, units[2].W)
    for U_gate in units[0].U.detach().double().chunk(gates):
        torch.testing.assert_close(U_gate @ U_gate.T, torch.eye(46, dtype=torch.float64), rtol=0, atol=1e-5)
    std = float(units[0].W.detach().std())
    assert abs(std * 88**0.5 - 1) < 5 / (2 * units[0].W.numel()) ** 0.5  # five standard errors
    assert not units[0].b.any()


@pytest.mark.parametrize("name", UNITS)
def test_without_a_generator_the_weights_are_those_of_seed_0(name):
    unit, same = UNITS[name](4, 3), UNITS[name](4, 3, generator=torch.Generator().manual_seed(0))
    assert all(torch.equal(a, b) for a, b in zip(unit.parameters(), same.parameters(), strict=True))


@pytest.mark.parametrize("name", UNITS)
def test_the_state_before_the_first_frame_is_zero_for_every_row(name):
    start = made(name).start(torch.ones(7, 4, 6, dtype=torch.float64))
    for one in start if name == "lstm" else (start,):
        assert one.shape == (4, 5) and one.dtype == torch.float64 and not one.any()


@pytest.mark.parametrize("lengths", [(2, 1), np.array([2, 1], np.uint8), torch.tensor([2.0, 1.0])], ids=type)
def test_lengths_of_any_kind_are_whole_numbers_on_the_cpu(lengths):
    checked = checked_lengths(lengths, steps=2, rows=2)
    assert checked.dtype == torch.int64 and checked.device.type == "cpu" and checked.tolist() == [2, 1]
    assert live_frames(lengths, 2, 2).tolist() == [[True, True], [True, False]]


def test_a_state_of_the_wrong_number_of_parts_is_refused():
    unit, x = made("lstm"), torch.zeros(3, 2, 6, dtype=torch.float64)
    h = torch.zeros(2, 5, dtype=torch.float64)

    def step(x_t, state):
        return unit.step(x_t, state[:2])

    with pytest.raises(ValueError, match="zip"):
        unroll(step, x, (h, h, h), [3, 1])


@pytest.mark.parametrize("name", UNITS)
def test_padding_is_masked_on_the_device_of_x(name):
    unit, x = UNITS[name](6, 5).to("meta"), torch.zeros(7, 4, 6, device="meta")
    assert unit(x, None, LENGTHS)[0].device.type == "meta"
    assert live_frames(LENGTHS, 7, 4, x.device).device.type == "meta"
