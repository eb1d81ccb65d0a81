"""The recurrences in Triton with U on the chip: for layers whose whole U is at most `recurrence.HELD_BYTES`.

One program takes ROWS rows of one run through all steps: state and U stay in registers and shared memory, and a step
reads and writes only what it must keep. The grid is (groups of rows, runs).

Pointers, all contiguous, R runs, T steps, B rows, H units, G gates:
    g `(R, T, B, G·H)`: the gates' arguments from the input, W x + b.
    gates `(R, T, B, G·H)`: the gates' values, written by forward. They do not take the place of `g`: the threads of a
        small tile hold copies of one another's elements, and one that comes late would load what another has written.
    hs, cs `(R, T + 1, B, H)`: states; the first of each run is the initial one, the rest is written by forward. A row
        that has ended keeps its state.
    rh `(R, T, B, H)`: r ⊙ h_{t-1} of the GRU, written by forward.
    U `(R, G·H, H)`. V `(R, 3, H)`. lengths `(R, B)` int32.
    dh `(R, T, B, H)`: dL/dh; ignored where a row has ended.
    dg `(R, T, B, G·H)`: written by backward, dL/d(argument of each gate); 0 where a row has ended.
    D, E `(R, B, H)`: dL/d(last state) and, after backward, dL/d(initial state); of h and of c.
T and B are no part of what a kernel is compiled for: minibatches have many lengths, and a compilation takes seconds.
WIDTH is H rounded up to a power of two; what lies beyond H is 0 in every tile, and stays 0 in the state.
"""

import triton  # pyright: ignore[reportMissingImports]
import triton.language as tl  # pyright: ignore[reportMissingImports]

from gatedtui.kernels.cuda.squashing import sigmoid, tanh


@triton.jit
def _tile(U, H: tl.constexpr, WIDTH: tl.constexpr):
    """One gate's U `(WIDTH, WIDTH)`, out of the gate `(H, H)`."""
    i, k = tl.arange(0, WIDTH)[:, None], tl.arange(0, WIDTH)[None, :]
    return tl.load(U + i * H + k, mask=(i < H) & (k < H), other=0.0)


@triton.jit
def _product(a, b):
    """a @ b, every product in the type of its factors: no TF32."""
    return tl.dot(a, b, input_precision="ieee")


@triton.jit(do_not_specialize=["T", "B"])
def tanh_forward(g, hs, U, lengths, T, B, H: tl.constexpr, ROWS: tl.constexpr, WIDTH: tl.constexpr):
    """h_t = tanh(g_t + U h_{t-1})."""
    run = tl.program_id(1).to(tl.int64)
    row, j = (tl.program_id(0) * ROWS + tl.arange(0, ROWS))[:, None], tl.arange(0, WIDTH)[None, :]
    there, place = (row < B) & (j < H), row * H + j
    length = tl.load(lengths + run * B + row, mask=row < B, other=0)
    g, hs = g + run * T * B * H + place, hs + run * (T + 1) * B * H + place
    U_T = tl.trans(_tile(U + run * H * H, H, WIDTH))
    h = tl.load(hs, mask=there, other=0.0)
    for t in range(T):
        new = tanh(tl.load(g, mask=there, other=0.0) + _product(h, U_T))
        h = tl.where(t < length, new, h)
        g, hs = g + B * H, hs + B * H
        tl.store(hs, h, mask=there)


@triton.jit(do_not_specialize=["T", "B"])
def tanh_backward(dh, dg, hs, U, D, lengths, T, B, H: tl.constexpr, ROWS: tl.constexpr, WIDTH: tl.constexpr):
    """From the last step to the first."""
    run = tl.program_id(1).to(tl.int64)
    row, j = (tl.program_id(0) * ROWS + tl.arange(0, ROWS))[:, None], tl.arange(0, WIDTH)[None, :]
    there, place = (row < B) & (j < H), row * H + j
    length = tl.load(lengths + run * B + row, mask=row < B, other=0)
    step, D = run * T * B * H + place, D + run * B * H + place
    dh, dg, hs = dh + step, dg + step, hs + run * (T + 1) * B * H + place
    U_ = _tile(U + run * H * H, H, WIDTH)
    d = tl.load(D, mask=there, other=0.0)
    for back in range(T):
        t = T - 1 - back
        at, live = t.to(tl.int64) * B * H, there & (t < length)
        h = tl.load(hs + at + B * H, mask=there, other=0.0)
        da = (d + tl.load(dh + at, mask=live, other=0.0)) * (1.0 - h * h)
        da = tl.where(live, da, 0.0)
        tl.store(dg + at, da, mask=there)
        d = tl.where(live, _product(da, U_), d)
    tl.store(D, d, mask=there)


@triton.jit(do_not_specialize=["T", "B"])
def gru_forward(g, hs, gates, rh, U, lengths, T, B, H: tl.constexpr, ROWS: tl.constexpr, WIDTH: tl.constexpr):
    """Gates r, z, h̃; the reset gate acts before the product, so a step holds two products, one after the other."""
    run = tl.program_id(1).to(tl.int64)
    row, j = (tl.program_id(0) * ROWS + tl.arange(0, ROWS))[:, None], tl.arange(0, WIDTH)[None, :]
    there, place = (row < B) & (j < H), row * H + j
    length = tl.load(lengths + run * B + row, mask=row < B, other=0)
    step = run * T * B * 3 * H + row * 3 * H + j
    g, gates = g + step, gates + step
    hs, rh, U = hs + run * (T + 1) * B * H + place, rh + run * T * B * H + place, U + run * 3 * H * H
    U_r, U_z, U_h = (
        tl.trans(_tile(U, H, WIDTH)),
        tl.trans(_tile(U + H * H, H, WIDTH)),
        tl.trans(_tile(U + 2 * H * H, H, WIDTH)),
    )
    h = tl.load(hs, mask=there, other=0.0)
    for t in range(T):
        r, z = tl.load(g, mask=there, other=0.0), tl.load(g + H, mask=there, other=0.0)
        a = tl.load(g + 2 * H, mask=there, other=0.0)
        r, z = sigmoid(r + _product(h, U_r)), sigmoid(z + _product(h, U_z))
        reset = r * h
        a = tanh(a + _product(reset, U_h))
        tl.store(gates, r, mask=there)
        tl.store(gates + H, z, mask=there)
        tl.store(gates + 2 * H, a, mask=there)
        tl.store(rh, reset, mask=there)
        h = tl.where(t < length, h + z * (a - h), h)
        g, gates, hs, rh = g + B * 3 * H, gates + B * 3 * H, hs + B * H, rh + B * H
        tl.store(hs, h, mask=there)


@triton.jit(do_not_specialize=["T", "B"])
def gru_backward(dh, dg, gates, hs, U, D, lengths, T, B, H: tl.constexpr, ROWS: tl.constexpr, WIDTH: tl.constexpr):
    """From the last step to the first."""
    run = tl.program_id(1).to(tl.int64)
    row, j = (tl.program_id(0) * ROWS + tl.arange(0, ROWS))[:, None], tl.arange(0, WIDTH)[None, :]
    there, place = (row < B) & (j < H), row * H + j
    length = tl.load(lengths + run * B + row, mask=row < B, other=0)
    step = run * T * B * 3 * H + row * 3 * H + j
    gates, dg, dh = gates + step, dg + step, dh + run * T * B * H + place
    hs, D, U = hs + run * (T + 1) * B * H + place, D + run * B * H + place, U + run * 3 * H * H
    U_r, U_z, U_h = _tile(U, H, WIDTH), _tile(U + H * H, H, WIDTH), _tile(U + 2 * H * H, H, WIDTH)
    d = tl.load(D, mask=there, other=0.0)
    for back in range(T):
        t = T - 1 - back
        at, live = t.to(tl.int64) * B * H, there & (t < length)
        r = tl.load(gates + 3 * at, mask=live, other=0.0)
        z = tl.load(gates + 3 * at + H, mask=live, other=0.0)
        a = tl.load(gates + 3 * at + 2 * H, mask=live, other=0.0)
        p = tl.load(hs + at, mask=live, other=0.0)
        both = d + tl.load(dh + at, mask=live, other=0.0)
        dz = tl.where(live, both * (a - p) * z * (1.0 - z), 0.0)
        da = tl.where(live, both * z * (1.0 - a * a), 0.0)
        s = _product(da, U_h)
        dr = tl.where(live, s * p * r * (1.0 - r), 0.0)
        tl.store(dg + 3 * at, dr, mask=there)
        tl.store(dg + 3 * at + H, dz, mask=there)
        tl.store(dg + 3 * at + 2 * H, da, mask=there)
        d = tl.where(live, both * (1.0 - z) + s * r + _product(dr, U_r) + _product(dz, U_z), d)
    tl.store(D, d, mask=there)


@triton.jit(do_not_specialize=["T", "B"])
def lstm_forward(g, hs, gates, cs, U, V, lengths, T, B, H: tl.constexpr, ROWS: tl.constexpr, WIDTH: tl.constexpr):
    """Gates i, f, c̃, o; the peepholes of i and f see the old cell, that of o the new one."""
    run = tl.program_id(1).to(tl.int64)
    row, j = (tl.program_id(0) * ROWS + tl.arange(0, ROWS))[:, None], tl.arange(0, WIDTH)[None, :]
    there, place = (row < B) & (j < H), row * H + j
    length = tl.load(lengths + run * B + row, mask=row < B, other=0)
    step = run * T * B * 4 * H + row * 4 * H + j
    g, gates = g + step, gates + step
    hs, cs = hs + run * (T + 1) * B * H + place, cs + run * (T + 1) * B * H + place
    U, V = U + run * 4 * H * H, V + run * 3 * H + j
    U_i, U_f = tl.trans(_tile(U, H, WIDTH)), tl.trans(_tile(U + H * H, H, WIDTH))
    U_c, U_o = tl.trans(_tile(U + 2 * H * H, H, WIDTH)), tl.trans(_tile(U + 3 * H * H, H, WIDTH))
    V_i, V_f = tl.load(V, mask=j < H, other=0.0), tl.load(V + H, mask=j < H, other=0.0)
    V_o = tl.load(V + 2 * H, mask=j < H, other=0.0)
    h, c = tl.load(hs, mask=there, other=0.0), tl.load(cs, mask=there, other=0.0)
    for t in range(T):
        i, f = tl.load(g, mask=there, other=0.0), tl.load(g + H, mask=there, other=0.0)
        a, o = tl.load(g + 2 * H, mask=there, other=0.0), tl.load(g + 3 * H, mask=there, other=0.0)
        i, f = sigmoid(i + _product(h, U_i) + V_i * c), sigmoid(f + _product(h, U_f) + V_f * c)
        a = tanh(a + _product(h, U_c))
        new = f * c + i * a
        o = sigmoid(o + _product(h, U_o) + V_o * new)
        tl.store(gates, i, mask=there)
        tl.store(gates + H, f, mask=there)
        tl.store(gates + 2 * H, a, mask=there)
        tl.store(gates + 3 * H, o, mask=there)
        live = there & (t < length)
        h, c = tl.where(live, o * tanh(new), h), tl.where(live, new, c)
        g, gates, hs, cs = g + B * 4 * H, gates + B * 4 * H, hs + B * H, cs + B * H
        tl.store(hs, h, mask=there)
        tl.store(cs, c, mask=there)


@triton.jit(do_not_specialize=["T", "B"])
def lstm_backward(
    dh, dg, gates, cs, U, V, D, E, lengths, T, B, H: tl.constexpr, ROWS: tl.constexpr, WIDTH: tl.constexpr
):
    """From the last step to the first."""
    run = tl.program_id(1).to(tl.int64)
    row, j = (tl.program_id(0) * ROWS + tl.arange(0, ROWS))[:, None], tl.arange(0, WIDTH)[None, :]
    there, place = (row < B) & (j < H), row * H + j
    length = tl.load(lengths + run * B + row, mask=row < B, other=0)
    step = run * T * B * 4 * H + row * 4 * H + j
    gates, dg, dh = gates + step, dg + step, dh + run * T * B * H + place
    cs, D, E = cs + run * (T + 1) * B * H + place, D + run * B * H + place, E + run * B * H + place
    U, V = U + run * 4 * H * H, V + run * 3 * H + j
    U_i, U_f = _tile(U, H, WIDTH), _tile(U + H * H, H, WIDTH)
    U_c, U_o = _tile(U + 2 * H * H, H, WIDTH), _tile(U + 3 * H * H, H, WIDTH)
    V_i, V_f = tl.load(V, mask=j < H, other=0.0), tl.load(V + H, mask=j < H, other=0.0)
    V_o = tl.load(V + 2 * H, mask=j < H, other=0.0)
    d, e = tl.load(D, mask=there, other=0.0), tl.load(E, mask=there, other=0.0)
    for back in range(T):
        t = T - 1 - back
        at, live = t.to(tl.int64) * B * H, there & (t < length)
        i = tl.load(gates + 4 * at, mask=live, other=0.0)
        f = tl.load(gates + 4 * at + H, mask=live, other=0.0)
        a = tl.load(gates + 4 * at + 2 * H, mask=live, other=0.0)
        o = tl.load(gates + 4 * at + 3 * H, mask=live, other=0.0)
        p = tl.load(cs + at, mask=live, other=0.0)
        y = tanh(tl.load(cs + at + B * H, mask=live, other=0.0))
        both = d + tl.load(dh + at, mask=live, other=0.0)
        do = tl.where(live, both * y * o * (1.0 - o), 0.0)
        of_c = e + both * o * (1.0 - y * y) + do * V_o
        di = tl.where(live, of_c * a * i * (1.0 - i), 0.0)
        df = tl.where(live, of_c * p * f * (1.0 - f), 0.0)
        da = tl.where(live, of_c * i * (1.0 - a * a), 0.0)
        tl.store(dg + 4 * at, di, mask=there)
        tl.store(dg + 4 * at + H, df, mask=there)
        tl.store(dg + 4 * at + 2 * H, da, mask=there)
        tl.store(dg + 4 * at + 3 * H, do, mask=there)
        before = _product(di, U_i) + _product(df, U_f) + _product(da, U_c) + _product(do, U_o)
        d = tl.where(live, before, d)
        e = tl.where(live, of_c * f + di * V_i + df * V_f, e)
    tl.store(D, d, mask=there)
    tl.store(E, e, mask=there)
