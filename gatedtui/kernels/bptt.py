"""Backward through time written by hand, in torch operations: the same values as the units' own autograd, sooner.

What is paid for once instead of at every step: the product of all inputs with W before the loop, the local derivatives
of all gates and the weight gradients (one product over all frames) around the backward loop. What is left inside works
in place on slices made beforehand, because at these sizes (36 to 100 units, 8 to 16 rows) a step costs the number of
operations, not their arithmetic: 2 operations forward and 2 backward for tanh, 6 and 6 for the GRU, 10 and 5 for the
LSTM.

Memory: each forward pass owns its buffers and keeps them for its backward pass; nothing is shared between calls.
Arguments are read, never written. One backward pass a forward pass, and no second derivatives.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import Function, once_differentiable

from gatedtui.kernels.packing import Packing
from gatedtui.units import GRU, LSTM, Tanh


def scan(unit: Tanh | GRU | LSTM, x: Tensor, state: Any = None, lengths: Any = None) -> tuple[Tensor, Any]:
    """`unit(x, state, lengths)`, with the backward pass by hand; arguments, values and errors as there."""
    packing = Packing(x.shape[0], x.shape[1], lengths, x.device)
    if isinstance(unit, LSTM):
        h0, c0 = (None, None) if state is None else state
        h, h_last, c_last = _LSTM.apply(packing, x, unit.W, unit.U, unit.b, unit.V, h0, c0)
        return h, (h_last, c_last)
    function = _GRU if isinstance(unit, GRU) else _Tanh
    return function.apply(packing, x, unit.W, unit.U, unit.b, state)


def dense(kind: str, x: Tensor, W: Tensor, U: Tensor, b: Tensor, V: Tensor | None = None) -> Tensor:
    """h `(T, B, H)` of one layer from the zero state, every row T long. Nothing in it depends on a value: it can be
    captured as a CUDA graph.

    Args:
        kind: "tanh", "gru" or "lstm".
        x: `(T, B, I)`.
        W: `(G·H, I)`.
        U: `(G·H, H)`.
        b: `(G·H,)`.
        V: `(3, H)`, of the LSTM alone.
    """
    packing = Packing(x.shape[0], x.shape[1], None, x.device)
    if kind == "lstm":
        return _LSTM.apply(packing, x, W, U, b, V, None, None)[0]  # pyright: ignore[reportIndexIssue]
    return (_GRU if kind == "gru" else _Tanh).apply(packing, x, W, U, b, None)[0]  # pyright: ignore[reportIndexIssue]


def _input_gradients(ctx: Any, packing: Packing, dg: Tensor, x: Tensor, W: Tensor) -> tuple[Any, Tensor, Tensor]:
    """dx (None where nobody asks), dW and db from the gradients `dg (N, G·H)` at the gates' arguments."""
    dx = packing.unpack(dg @ W) if ctx.needs_input_grad[1] else None
    return dx, dg.T @ x, dg.sum(0)


class _Tanh(Function):
    @staticmethod
    def forward(ctx: Any, packing: Packing, x: Tensor, W: Tensor, U: Tensor, b: Tensor, h0: Tensor | None) -> Any:
        xs = packing.pack(x)
        hs = packing.states(xs, U.shape[1], h0)
        h = hs[packing.rows :]
        torch.addmm(b, xs, W.T, out=h)
        U_T = U.T
        for p_t, h_t in zip(*packing.walk(hs), strict=True):
            h_t.addmm_(p_t, U_T).tanh_()
        ctx.packing = packing
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(xs, W, U, hs)
        return packing.unpack(h), packing.final(hs)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dh: Any, dh_last: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        xs, W, U, hs = ctx.saved_tensors
        packing: Packing = ctx.packing
        h = hs[packing.rows :]
        D = packing.gradients(hs, U.shape[1], dh, dh_last)
        dg = D[packing.rows :]  # becomes the gradient at tanh's argument, step by step
        k = 1 - h * h
        steps = zip(*packing.walk(D), packing.split(k), strict=True)
        for p_t, d_t, k_t in reversed(list(steps)):
            p_t.addmm_(d_t.mul_(k_t), U)
        dx, dW, db = _input_gradients(ctx, packing, dg, xs, W)
        dh0 = packing.initial(D) if ctx.needs_input_grad[5] else None
        return None, dx, dW, dg.T @ packing.predecessors(hs), db, dh0


class _GRU(Function):
    @staticmethod
    def forward(ctx: Any, packing: Packing, x: Tensor, W: Tensor, U: Tensor, b: Tensor, h0: Tensor | None) -> Any:
        H = U.shape[1]
        xs = packing.pack(x)
        hs = packing.states(xs, H, h0)
        g = torch.addmm(b, xs, W.T)  # arguments of r, z, h̃; then their values
        rh = torch.empty_like(hs[packing.rows :])
        U_rz, U_h = U[: 2 * H].T, U[2 * H :].T
        steps = zip(
            *packing.walk(hs),
            packing.split(g[:, : 2 * H]),
            *map(packing.split, g.chunk(3, 1)),
            packing.split(rh),
            strict=True,
        )
        for p_t, h_t, rz_t, r_t, z_t, a_t, rh_t in steps:
            rz_t.addmm_(p_t, U_rz).sigmoid_()
            torch.mul(r_t, p_t, out=rh_t)
            a_t.addmm_(rh_t, U_h).tanh_()
            torch.lerp(p_t, a_t, z_t, out=h_t)
        ctx.packing = packing
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(xs, W, U, g, hs, rh)
        return packing.unpack(hs[packing.rows :]), packing.final(hs)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dh: Any, dh_last: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        xs, W, U, g, hs, rh = ctx.saved_tensors
        packing: Packing = ctx.packing
        H = U.shape[1]
        r, z, a = g.chunk(3, 1)
        p = packing.predecessors(hs)
        stay = 1 - z
        k_za = torch.stack(((a - p) * z * stay, z * (1 - a * a)), 1)  # of z and h̃, by dL/dh
        k_r = rh * (1 - r)  # of r, by dL/d(r ⊙ h)
        D = packing.gradients(hs, H, dh, dh_last)
        dg = torch.empty_like(g)
        d = D[packing.rows :]
        s = hs.new_empty(packing.rows, H)  # dL/d(r ⊙ h) of the step at hand
        U_rz, U_h = U[: 2 * H], U[2 * H :]
        steps = zip(
            *packing.walk(D),
            packing.split(d[:, None]),
            packing.split(k_za),
            packing.split(k_r),
            packing.split(stay),
            packing.split(r),
            packing.split(dg[:, H:].unflatten(1, (2, H))),
            packing.split(dg[:, 2 * H :]),
            packing.split(dg[:, :H]),
            packing.split(dg[:, : 2 * H]),
            [s[:n] for n in packing.counts],
            strict=True,
        )
        for p_t, d_t, d1_t, k_za_t, k_r_t, stay_t, r_t, dza_t, da_t, dr_t, drz_t, s_t in reversed(list(steps)):
            torch.mul(d1_t, k_za_t, out=dza_t)
            torch.mm(da_t, U_h, out=s_t)
            torch.mul(s_t, k_r_t, out=dr_t)
            p_t.addmm_(drz_t, U_rz).addcmul_(d_t, stay_t).addcmul_(s_t, r_t)
        dx, dW, db = _input_gradients(ctx, packing, dg, xs, W)
        dU = torch.cat((dg[:, : 2 * H].T @ p, dg[:, 2 * H :].T @ rh))
        return None, dx, dW, dU, db, packing.initial(D) if ctx.needs_input_grad[5] else None


class _LSTM(Function):
    @staticmethod
    def forward(
        ctx: Any,
        packing: Packing,
        x: Tensor,
        W: Tensor,
        U: Tensor,
        b: Tensor,
        V: Tensor,
        h0: Tensor | None,
        c0: Tensor | None,
    ) -> Any:
        H = U.shape[1]
        xs = packing.pack(x)
        hs, cs = packing.states(xs, H, h0), packing.states(xs, H, c0)
        g = torch.addmm(b, xs, W.T)  # arguments of i, f, c̃, o; then their values
        tanh_c = torch.empty_like(hs[packing.rows :])
        U_T, V_if, V_o = U.T, V[:2], V[2]
        steps = zip(
            *packing.walk(hs),
            *packing.walk(cs),
            packing.walk(cs[:, None])[0],
            packing.split(g),
            packing.split(g[:, : 2 * H].unflatten(1, (2, H))),
            *map(packing.split, g.chunk(4, 1)),
            packing.split(tanh_c),
            strict=True,
        )
        for hp_t, h_t, cp_t, c_t, cp1_t, g_t, if_t, i_t, f_t, a_t, o_t, tanh_t in steps:
            g_t.addmm_(hp_t, U_T)
            if_t.addcmul_(cp1_t, V_if).sigmoid_()
            a_t.tanh_()
            torch.mul(f_t, cp_t, out=c_t).addcmul_(i_t, a_t)
            o_t.addcmul_(c_t, V_o).sigmoid_()
            torch.mul(o_t, torch.tanh(c_t, out=tanh_t), out=h_t)
        ctx.packing = packing
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(xs, W, U, V, g, hs, cs, tanh_c)
        return packing.unpack(hs[packing.rows :]), packing.final(hs), packing.final(cs)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dh: Any, dh_last: Any, dc_last: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        xs, W, U, V, g, hs, cs, tanh_c = ctx.saved_tensors
        packing: Packing = ctx.packing
        H = U.shape[1]
        i, f, a, o = g.chunk(4, 1)
        cp = packing.predecessors(cs)
        k_o = tanh_c * o * (1 - o)  # of o, by dL/dh
        k_c = o * (1 - tanh_c * tanh_c) + k_o * V[2]  # of c_t, by dL/dh: through h and through o's peephole
        k_ifa = torch.stack((a * i * (1 - i), cp * f * (1 - f), i * (1 - a * a)), 1)  # of i, f, c̃, by dL/dc
        k_p = f + k_ifa[:, 0] * V[0] + k_ifa[:, 1] * V[1]  # of c_{t-1}, by dL/dc: through c and the peepholes of i, f
        D, E = packing.gradients(hs, H, dh, dh_last), packing.gradients(cs, H, None, dc_last)
        dg = torch.empty_like(g)
        e = E[packing.rows :]
        steps = zip(
            *packing.walk(D),
            *packing.walk(E),
            packing.split(e[:, None]),
            packing.split(k_o),
            packing.split(k_c),
            packing.split(k_ifa),
            packing.split(k_p),
            packing.split(dg),
            packing.split(dg[:, : 3 * H].unflatten(1, (3, H))),
            packing.split(dg[:, 3 * H :]),
            strict=True,
        )
        for hp_t, d_t, cp_t, e_t, e1_t, k_o_t, k_c_t, k_ifa_t, k_p_t, dg_t, difa_t, do_t in reversed(list(steps)):
            torch.mul(d_t, k_o_t, out=do_t)
            e_t.addcmul_(d_t, k_c_t)
            torch.mul(e1_t, k_ifa_t, out=difa_t)
            hp_t.addmm_(dg_t, U)
            cp_t.addcmul_(e_t, k_p_t)
        dx, dW, db = _input_gradients(ctx, packing, dg, xs, W)
        di, df, _, do = dg.chunk(4, 1)
        dV = torch.stack(((di * cp).sum(0), (df * cp).sum(0), (do * cs[packing.rows :]).sum(0)))
        dh0 = packing.initial(D) if ctx.needs_input_grad[6] else None
        dc0 = packing.initial(E) if ctx.needs_input_grad[7] else None
        return None, dx, dW, dg.T @ packing.predecessors(hs), db, dV, dh0, dc0
