"""The three recurrences by Triton kernels, forward and backward: the same values as the units' own autograd.

Around the kernels stand products of all frames at once: W x before the loop, and the gradients of W, U and x after it.
They are torch's, in the type of their factors: TF32 is off, which workers see to.

Everything has a leading axis of R runs, each with parameters of its own, which one launch takes all together.

Memory: each forward pass owns its buffers and keeps them for its backward pass. Arguments are read, never written. One
backward pass a forward pass, and no second derivatives.
"""

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import Function, once_differentiable

from gatedtui.kernels.cuda import held, tiled
from gatedtui.kernels.cuda.launch import groups, launch, power_of_2
from gatedtui.units import GRU, LSTM, Tanh
from gatedtui.units.unroll import checked_lengths

KINDS: dict[Any, str] = {Tanh: "tanh", GRU: "gru", LSTM: "lstm"}
HELD_BYTES = 64 * 1024
"""Bytes of U, its sides rounded up to powers of two, up to which a program keeps it on the chip: the paper's sizes for
music (100, 46 and 36 units) just fit."""
CHIP_BYTES = 96 * 1024
"""Shared memory a program must be able to have for that: the kernels take 50 to 84 KB."""
HELD_ROWS, TILED_ROWS, WARPS = 4, 8, 8
"""Rows and warps a program; `held` half as many where its tiles are 128 wide. By what the compiler says for compute
capabilities 8.0 and 9.0: so no float32 kernel of the paper's sizes spills more than 24 bytes of registers. With twice
the rows several spill a hundred and more, with 4 warps a `held` one ten thousand."""
TILE = 64


def scan(unit: Any, x: Tensor, state: Any = None, lengths: Any = None) -> tuple[Tensor, Any]:
    """`unit(x, state, lengths)` for one of the paper's three units; arguments, values and errors as there."""
    kind = KINDS[type(unit)]
    if lengths is not None:
        lengths = checked_lengths(lengths, x.shape[0], x.shape[1])
        lengths = None if int(lengths.min()) == x.shape[0] else lengths.to(x.device, torch.int32)[None]
    if state is not None:
        state = tuple(s[None] for s in (state if kind == "lstm" else (state,)))
    V = unit.V[None] if kind == "lstm" else None
    h, last = scan_runs(kind, x[None], unit.W[None], unit.U[None], unit.b[None], V, state, lengths)
    return h[0], tuple(s[0] for s in last) if kind == "lstm" else last[0][0]


def scan_runs(
    kind: str,
    x: Tensor,
    W: Tensor,
    U: Tensor,
    b: Tensor,
    V: Tensor | None = None,
    state: tuple[Tensor, ...] | None = None,
    lengths: Tensor | None = None,
    *,
    is_held: bool | None = None,
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """One recurrent layer of R runs over all frames.

    Args:
        kind: "tanh", "gru" or "lstm".
        x: `(R, T, B, I)`, float32 or float64, like all that follows.
        W: `(R, G·H, I)`.
        U: `(R, G·H, H)`.
        b: `(R, G·H)`.
        V: `(R, 3, H)`, of the LSTM alone.
        state: before the first frame: `(h,)`, for the LSTM `(h, c)`, each `(R, B, H)`; None is zero.
        lengths: `(R, B)` int32 on x's device, each in 1..T, which nobody checks here; None when every row is T long.
        is_held: whether U stays on the chip; None decides by its size.

    Returns:
        h `(R, T, B, H)`, zero beyond a row's end (gradients arriving there are ignored), and the state after each
        row's last frame, as `state`.
    """
    if is_held is None:
        is_held = _fits(U)
    live = None
    if lengths is not None:
        live = (torch.arange(x.shape[1], device=x.device)[:, None] < lengths[:, None, :])[..., None]
        x = torch.where(live, x, 0.0)  # else a NaN beyond a row's end would reach the gradient of W
    else:
        lengths = torch.full((x.shape[0], x.shape[2]), x.shape[1], dtype=torch.int32, device=x.device)
    h0, c0 = (*(state or (None,)), None)[:2]
    h, *last = _Scan.apply(kind, is_held, lengths, x, W, U, b, V, h0, c0)
    return (h if live is None else torch.where(live, h, 0.0)), tuple(last)


class _Scan(Function):
    @staticmethod
    def forward(
        ctx: Any,
        kind: str,
        is_held: bool,
        lengths: Tensor,
        x: Tensor,
        W: Tensor,
        U: Tensor,
        b: Tensor,
        V: Tensor | None,
        h0: Tensor | None,
        c0: Tensor | None,
    ) -> Any:
        R, T, B, _ = x.shape
        H = U.shape[-1]
        U = U.contiguous()
        xs = x.reshape(R, T * B, -1)
        g = torch.baddbmm(b[:, None], xs, W.mT).view(R, T, B, -1)
        hs = _states(x, H, h0)
        rest: list[Tensor] = []
        if kind == "gru":
            rest = [torch.empty_like(g), x.new_empty(R, T, B, H)]
        if kind == "lstm":
            rest = [torch.empty_like(g), _states(x, H, c0)]
        extra = [] if V is None else [V.contiguous()]
        _run(f"{kind}_forward", is_held, (g, hs, *rest, U, *extra), lengths, T, B, H)
        ctx.kind, ctx.is_held = kind, is_held
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(lengths, xs, W, U, hs, *rest, *extra)
        last = [hs[:, T].clone()] + ([rest[1][:, T].clone()] if kind == "lstm" else [])
        return hs[:, 1:], *last

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dh: Any, *last: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        lengths, xs, W, U, hs, *rest = ctx.saved_tensors
        kind: str = ctx.kind
        R, T, B, H = hs[:, 1:].shape
        dh = torch.zeros_like(hs[:, 1:]) if dh is None else dh.contiguous()
        D, *E = (hs.new_zeros(R, B, H) if d is None else d.clone(memory_format=torch.contiguous_format) for d in last)
        dg = hs.new_empty(R, T, B, U.shape[1])
        values = {"tanh": (hs, U, D), "gru": (*rest[:1], hs, U, D), "lstm": (*rest[:2], U, *rest[2:], D, *E)}[kind]
        _run(f"{kind}_backward", ctx.is_held, (dh, dg, *values), lengths, T, B, H)
        flat, before = dg.view(R, T * B, -1), hs[:, :T].reshape(R, T * B, H)
        dx = torch.bmm(flat, W).view(R, T, B, -1) if ctx.needs_input_grad[3] else None
        dW, db, dV = torch.bmm(flat.mT, xs), flat.sum(1), None
        if kind == "gru":
            reset = rest[1].view(R, T * B, H)
            dU = torch.cat((torch.bmm(flat[..., : 2 * H].mT, before), torch.bmm(flat[..., 2 * H :].mT, reset)), 1)
        else:
            dU = torch.bmm(flat.mT, before)
        if kind == "lstm":
            cs = rest[1]
            di, df, _, do = dg.chunk(4, -1)
            dV = torch.stack([(d * c).sum((1, 2)) for d, c in ((di, cs[:, :T]), (df, cs[:, :T]), (do, cs[:, 1:]))], 1)
        dh0 = D if ctx.needs_input_grad[8] else None
        dc0 = E[0] if ctx.needs_input_grad[9] else None
        return None, None, None, dx, dW, dU, db, dV, dh0, dc0


def _states(x: Tensor, H: int, start: Tensor | None) -> Tensor:
    """A buffer `(R, T + 1, B, H)` whose first step is the initial state."""
    R, T, B, _ = x.shape
    states = x.new_empty(R, T + 1, B, H)
    states[:, 0] = 0.0 if start is None else start
    return states


def _run(name: str, is_held: bool, tensors: tuple[Tensor, ...], lengths: Tensor, T: int, B: int, H: int) -> None:
    """Runs a kernel of `held` or `tiled` on a grid of groups of rows by runs."""
    width = max(16, power_of_2(H)) if is_held else TILE
    most = TILED_ROWS if not is_held else HELD_ROWS if width <= 64 else HELD_ROWS // 2
    rows = min(most, power_of_2(B))
    grid = (groups(B, rows), len(lengths))
    kernel = getattr(held if is_held else tiled, name)
    launch(kernel, grid, *tensors, lengths, T, B, H, rows, width, num_warps=WARPS)


def _fits(U: Tensor) -> bool:
    """Whether a program can keep U `(R, G·H, H)` on the chip."""
    H = U.shape[-1]
    size = U.shape[1] // H * power_of_2(H) ** 2 * U.itemsize
    return size <= HELD_BYTES and _chip_bytes(U.device) >= CHIP_BYTES


@lru_cache
def _chip_bytes(device: torch.device) -> int:
    """Shared memory one program can have there; the interpreter, on the CPU, knows no limit."""
    if device.type != "cuda":
        return CHIP_BYTES
    return torch.cuda.get_device_properties(device).shared_memory_per_block_optin
