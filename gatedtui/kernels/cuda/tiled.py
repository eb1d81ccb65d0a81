"""The recurrences in Triton for layers of any size: U is read again at every step, tile by tile.

One program takes ROWS rows of one run through all steps, as in `held`, whose names, layouts and pointers hold here too.
But states and gradients pass from tile to tile through global memory, and a barrier stands wherever a tile reads what
another one wrote; U comes from the second-level cache, where every size of the paper stays (GRU 227: 618 KB).
"""

import triton  # pyright: ignore[reportMissingImports]
import triton.language as tl  # pyright: ignore[reportMissingImports]

from gatedtui.kernels.cuda.squashing import sigmoid, tanh


@triton.jit
def _times_U_T(h, U, row, j, rows_there, stride, H: tl.constexpr, TILE: tl.constexpr, like):
    """Columns j of h U^T, for h `(ROWS, H)` at `row · stride` and one gate's U `(H, H)`; the sum starts from `like`."""
    for first in range(0, H, TILE):
        k = first + tl.arange(0, TILE)
        a = tl.load(h + row * stride + k[None, :], mask=rows_there & (k[None, :] < H), other=0.0)
        b = tl.load(U + j * H + k[:, None], mask=(j < H) & (k[:, None] < H), other=0.0)
        like += tl.dot(a, b, input_precision="ieee")
    return like


@triton.jit
def _times_U(d, U, row, j, rows_there, stride, H: tl.constexpr, TILE: tl.constexpr, like):
    """Columns j of d U, likewise."""
    for first in range(0, H, TILE):
        k = first + tl.arange(0, TILE)
        a = tl.load(d + row * stride + k[None, :], mask=rows_there & (k[None, :] < H), other=0.0)
        b = tl.load(U + k[:, None] * H + j, mask=(j < H) & (k[:, None] < H), other=0.0)
        like += tl.dot(a, b, input_precision="ieee")
    return like


@triton.jit(do_not_specialize=["T", "B"])
def tanh_forward(g, hs, U, lengths, T, B, H: tl.constexpr, ROWS: tl.constexpr, TILE: tl.constexpr):
    """h_t = tanh(g_t + U h_{t-1})."""
    run = tl.program_id(1).to(tl.int64)
    row = (tl.program_id(0) * ROWS + tl.arange(0, ROWS))[:, None]
    here = row < B
    length = tl.load(lengths + run * B + row, mask=here, other=0)
    g, hs, U = g + run * T * B * H, hs + run * (T + 1) * B * H, U + run * H * H
    for t in range(T):
        for first in range(0, H, TILE):
            j = first + tl.arange(0, TILE)[None, :]
            there, place = here & (j < H), row * H + j
            a = _times_U_T(hs, U, row, j, here, H, H, TILE, tl.load(g + place, mask=there, other=0.0))
            h = tl.where(t < length, tanh(a), tl.load(hs + place, mask=there, other=0.0))
            tl.store(hs + B * H + place, h, mask=there)
        tl.debug_barrier()
        g, hs = g + B * H, hs + B * H


@triton.jit(do_not_specialize=["T", "B"])
def tanh_backward(dh, dg, hs, U, D, lengths, T, B, H: tl.constexpr, ROWS: tl.constexpr, TILE: tl.constexpr):
    """From the last step to the first."""
    run = tl.program_id(1).to(tl.int64)
    row = (tl.program_id(0) * ROWS + tl.arange(0, ROWS))[:, None]
    here = row < B
    length = tl.load(lengths + run * B + row, mask=here, other=0)
    last = (run * T + T - 1) * B * H  # from the run on in 64 bits
    dh, dg, hs = dh + last, dg + last, hs + (run * (T + 1) + T) * B * H
    D, U = D + run * B * H, U + run * H * H
    for back in range(T):
        alive = T - 1 - back < length
        for first in range(0, H, TILE):
            j = first + tl.arange(0, TILE)[None, :]
            there, place = here & (j < H), row * H + j
            live = there & alive
            h = tl.load(hs + place, mask=live, other=0.0)
            d = tl.load(D + place, mask=live, other=0.0) + tl.load(dh + place, mask=live, other=0.0)
            tl.store(dg + place, tl.where(live, d * (1.0 - h * h), 0.0), mask=there)
        tl.debug_barrier()
        for first in range(0, H, TILE):
            j = first + tl.arange(0, TILE)[None, :]
            zero = tl.zeros((ROWS, TILE), D.dtype.element_ty)
            d = _times_U(dg, U, row, j, here, H, H, TILE, zero)
            tl.store(D + row * H + j, d, mask=here & (j < H) & alive)
        tl.debug_barrier()
        dh, dg, hs = dh - B * H, dg - B * H, hs - B * H


@triton.jit(do_not_specialize=["T", "B"])
def gru_forward(g, hs, gates, rh, U, lengths, T, B, H: tl.constexpr, ROWS: tl.constexpr, TILE: tl.constexpr):
    """Gates r, z, h̃; the reset gate acts before the product, so a step goes over the tiles twice."""
    run = tl.program_id(1).to(tl.int64)
    row = (tl.program_id(0) * ROWS + tl.arange(0, ROWS))[:, None]
    here = row < B
    length = tl.load(lengths + run * B + row, mask=here, other=0)
    g, gates, rh = g + run * T * B * 3 * H, gates + run * T * B * 3 * H, rh + run * T * B * H
    hs, U = hs + run * (T + 1) * B * H, U + run * 3 * H * H
    for t in range(T):
        for first in range(0, H, TILE):
            j = first + tl.arange(0, TILE)[None, :]
            there, place, gate = here & (j < H), row * H + j, row * 3 * H + j
            r = _times_U_T(hs, U, row, j, here, H, H, TILE, tl.load(g + gate, mask=there, other=0.0))
            z = _times_U_T(hs, U + H * H, row, j, here, H, H, TILE, tl.load(g + gate + H, mask=there, other=0.0))
            r, z = sigmoid(r), sigmoid(z)
            tl.store(gates + gate, r, mask=there)
            tl.store(gates + gate + H, z, mask=there)
            tl.store(rh + place, r * tl.load(hs + place, mask=there, other=0.0), mask=there)
        tl.debug_barrier()
        for first in range(0, H, TILE):
            j = first + tl.arange(0, TILE)[None, :]
            there, place, gate = here & (j < H), row * H + j, row * 3 * H + j
            a = tl.load(g + gate + 2 * H, mask=there, other=0.0)
            a = tanh(_times_U_T(rh, U + 2 * H * H, row, j, here, H, H, TILE, a))
            tl.store(gates + gate + 2 * H, a, mask=there)
            h = tl.load(hs + place, mask=there, other=0.0)
            z = tl.load(gates + gate + H, mask=there, other=0.0)
            tl.store(hs + B * H + place, tl.where(t < length, h + z * (a - h), h), mask=there)
        tl.debug_barrier()
        g, gates, hs, rh = g + B * 3 * H, gates + B * 3 * H, hs + B * H, rh + B * H


@triton.jit(do_not_specialize=["T", "B"])
def gru_backward(dh, dg, gates, hs, U, D, lengths, T, B, H: tl.constexpr, ROWS: tl.constexpr, TILE: tl.constexpr):
    """From the last step to the first, in three goes over the tiles: z and h̃, then r, then the step before."""
    run = tl.program_id(1).to(tl.int64)
    row = (tl.program_id(0) * ROWS + tl.arange(0, ROWS))[:, None]
    here = row < B
    length = tl.load(lengths + run * B + row, mask=here, other=0)
    last = (run * T + T - 1) * B * H
    dh, gates, dg = dh + last, gates + 3 * last, dg + 3 * last
    hs, D, U = hs + (run * (T + 1) + T - 1) * B * H, D + run * B * H, U + run * 3 * H * H
    for back in range(T):
        alive = T - 1 - back < length
        for first in range(0, H, TILE):
            j = first + tl.arange(0, TILE)[None, :]
            there, place, gate = here & (j < H), row * H + j, row * 3 * H + j
            live = there & alive
            z = tl.load(gates + gate + H, mask=live, other=0.0)
            a = tl.load(gates + gate + 2 * H, mask=live, other=0.0)
            p = tl.load(hs + place, mask=live, other=0.0)
            d = tl.load(D + place, mask=live, other=0.0) + tl.load(dh + place, mask=live, other=0.0)
            tl.store(dg + gate + H, tl.where(live, d * (a - p) * z * (1.0 - z), 0.0), mask=there)
            tl.store(dg + gate + 2 * H, tl.where(live, d * z * (1.0 - a * a), 0.0), mask=there)
            tl.store(D + place, d * (1.0 - z), mask=live)
        tl.debug_barrier()
        for first in range(0, H, TILE):
            j = first + tl.arange(0, TILE)[None, :]
            there, place, gate = here & (j < H), row * H + j, row * 3 * H + j
            live = there & alive
            zero = tl.zeros((ROWS, TILE), D.dtype.element_ty)
            s = _times_U(dg + 2 * H, U + 2 * H * H, row, j, here, 3 * H, H, TILE, zero)
            r = tl.load(gates + gate, mask=live, other=0.0)
            p = tl.load(hs + place, mask=live, other=0.0)
            tl.store(dg + gate, tl.where(live, s * p * r * (1.0 - r), 0.0), mask=there)
            tl.store(D + place, tl.load(D + place, mask=live, other=0.0) + s * r, mask=live)
        tl.debug_barrier()
        for first in range(0, H, TILE):
            j = first + tl.arange(0, TILE)[None, :]
            live, place = here & (j < H) & alive, row * H + j
            d = tl.load(D + place, mask=live, other=0.0)
            d = _times_U(dg, U, row, j, here, 3 * H, H, TILE, d)
            tl.store(D + place, _times_U(dg + H, U + H * H, row, j, here, 3 * H, H, TILE, d), mask=live)
        tl.debug_barrier()
        dh, gates, dg, hs = dh - B * H, gates - B * 3 * H, dg - B * 3 * H, hs - B * H


@triton.jit(do_not_specialize=["T", "B"])
def lstm_forward(g, hs, gates, cs, U, V, lengths, T, B, H: tl.constexpr, ROWS: tl.constexpr, TILE: tl.constexpr):
    """Gates i, f, c̃, o; the peepholes of i and f see the old cell, that of o the new one."""
    run = tl.program_id(1).to(tl.int64)
    row = (tl.program_id(0) * ROWS + tl.arange(0, ROWS))[:, None]
    here = row < B
    length = tl.load(lengths + run * B + row, mask=here, other=0)
    g, gates = g + run * T * B * 4 * H, gates + run * T * B * 4 * H
    U, V = U + run * 4 * H * H, V + run * 3 * H
    hs, cs = hs + run * (T + 1) * B * H, cs + run * (T + 1) * B * H
    for t in range(T):
        for first in range(0, H, TILE):
            j = first + tl.arange(0, TILE)[None, :]
            there, place, gate = here & (j < H), row * H + j, row * 4 * H + j
            live = there & (t < length)
            h, c = tl.load(hs + place, mask=there, other=0.0), tl.load(cs + place, mask=there, other=0.0)
            i = tl.load(g + gate, mask=there, other=0.0) + tl.load(V + j, mask=j < H, other=0.0) * c
            i = sigmoid(_times_U_T(hs, U, row, j, here, H, H, TILE, i))
            f = tl.load(g + gate + H, mask=there, other=0.0) + tl.load(V + H + j, mask=j < H, other=0.0) * c
            f = sigmoid(_times_U_T(hs, U + H * H, row, j, here, H, H, TILE, f))
            a = tl.load(g + gate + 2 * H, mask=there, other=0.0)
            a = tanh(_times_U_T(hs, U + 2 * H * H, row, j, here, H, H, TILE, a))
            new = f * c + i * a
            o = tl.load(g + gate + 3 * H, mask=there, other=0.0) + tl.load(V + 2 * H + j, mask=j < H, other=0.0) * new
            o = sigmoid(_times_U_T(hs, U + 3 * H * H, row, j, here, H, H, TILE, o))
            tl.store(gates + gate, i, mask=there)
            tl.store(gates + gate + H, f, mask=there)
            tl.store(gates + gate + 2 * H, a, mask=there)
            tl.store(gates + gate + 3 * H, o, mask=there)
            tl.store(hs + B * H + place, tl.where(live, o * tanh(new), h), mask=there)
            tl.store(cs + B * H + place, tl.where(live, new, c), mask=there)
        tl.debug_barrier()
        g, gates, hs, cs = g + B * 4 * H, gates + B * 4 * H, hs + B * H, cs + B * H


@triton.jit(do_not_specialize=["T", "B"])
def lstm_backward(
    dh, dg, gates, cs, U, V, D, E, lengths, T, B, H: tl.constexpr, ROWS: tl.constexpr, TILE: tl.constexpr
):
    """From the last step to the first."""
    run = tl.program_id(1).to(tl.int64)
    row = (tl.program_id(0) * ROWS + tl.arange(0, ROWS))[:, None]
    here = row < B
    length = tl.load(lengths + run * B + row, mask=here, other=0)
    last = (run * T + T - 1) * B * H
    dh, gates, dg, cs = dh + last, gates + 4 * last, dg + 4 * last, cs + (run * (T + 1) + T - 1) * B * H
    D, E, U, V = D + run * B * H, E + run * B * H, U + run * 4 * H * H, V + run * 3 * H
    for back in range(T):
        alive = T - 1 - back < length
        for first in range(0, H, TILE):
            j = first + tl.arange(0, TILE)[None, :]
            there, place, gate = here & (j < H), row * H + j, row * 4 * H + j
            live = there & alive
            i, f = tl.load(gates + gate, mask=live, other=0.0), tl.load(gates + gate + H, mask=live, other=0.0)
            a = tl.load(gates + gate + 2 * H, mask=live, other=0.0)
            o = tl.load(gates + gate + 3 * H, mask=live, other=0.0)
            p = tl.load(cs + place, mask=live, other=0.0)
            y = tanh(tl.load(cs + B * H + place, mask=live, other=0.0))
            d = tl.load(D + place, mask=live, other=0.0) + tl.load(dh + place, mask=live, other=0.0)
            do = tl.where(live, d * y * o * (1.0 - o), 0.0)
            e = tl.load(E + place, mask=live, other=0.0) + d * o * (1.0 - y * y)
            e += do * tl.load(V + 2 * H + j, mask=j < H, other=0.0)
            di = tl.where(live, e * a * i * (1.0 - i), 0.0)
            df = tl.where(live, e * p * f * (1.0 - f), 0.0)
            tl.store(dg + gate, di, mask=there)
            tl.store(dg + gate + H, df, mask=there)
            tl.store(dg + gate + 2 * H, tl.where(live, e * i * (1.0 - a * a), 0.0), mask=there)
            tl.store(dg + gate + 3 * H, do, mask=there)
            e = e * f + di * tl.load(V + j, mask=j < H, other=0.0)
            tl.store(E + place, e + df * tl.load(V + H + j, mask=j < H, other=0.0), mask=live)
        tl.debug_barrier()
        for first in range(0, H, TILE):
            j = first + tl.arange(0, TILE)[None, :]
            d = tl.zeros((ROWS, TILE), D.dtype.element_ty)
            for gate in tl.static_range(4):
                d = _times_U(dg + gate * H, U + gate * H * H, row, j, here, 4 * H, H, TILE, d)
            tl.store(D + row * H + j, d, mask=here & (j < H) & alive)
        tl.debug_barrier()
        dh, gates, dg, cs = dh - B * H, gates - B * 4 * H, dg - B * 4 * H, cs - B * H
