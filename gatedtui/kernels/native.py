"""The compiled kernels behind torch: `scan` and `nll` as differentiable functions, `update` in place.

What each call owns: a scan's forward pass takes a `Scan` object of cpp/scan.h, which holds copies of the weights and
all states, and gives it back when its backward pass can no longer come. So no other call can change what a backward
pass reads. The one thing it does not copy is a whole, dense x; torch refuses the backward pass when that was
overwritten.
"""

import ctypes
from collections import defaultdict
from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.autograd.function import Function, once_differentiable

from gatedtui.heads.bernoulli import Bernoulli
from gatedtui.heads.mixture import MixtureOfGaussians
from gatedtui.heads.nade import Nade
from gatedtui.kernels import library
from gatedtui.kernels.library import LibraryError
from gatedtui.kernels.rules import RULES, UpdateRecipe
from gatedtui.units import GRU, LSTM, Tanh
from gatedtui.units.unroll import checked_lengths

KINDS: dict[type[nn.Module], int] = {Tanh: 0, GRU: 1, LSTM: 2}
"""The number of each unit in cpp/unit.h."""
SUFFIX = {torch.float32: "f32", torch.float64: "f64"}
OUT_OF_MEMORY, NOT_BINARY = 1, 2
MOST_PARTS, MOST_OUTPUTS = 256, 64
"""Limits of the compiled mixture (cpp/head.h)."""
KEPT = 8
"""Unused objects of one kind that are kept, with their memory, for the next call."""


class NotBinary(Exception):
    """A Bernoulli or NADE target that is neither 0 nor 1: the compiled loss does not take it."""


def functions() -> dict[str, Callable[..., Any]]:
    """The functions of the library in use.

    Raises:
        LibraryError: there is none.
    """
    found = library.installed()
    if found.library is None:
        raise LibraryError(found.why)
    return found.library.functions


def check(status: int) -> None:
    """Turns a status of cpp/api.cpp into an exception."""
    if status == OUT_OF_MEMORY:
        raise MemoryError("the compiled kernels ran out of memory")
    if status == NOT_BINARY:
        raise NotBinary


def pointer(tensor: Tensor | None) -> int | None:
    """The address of a contiguous tensor's numbers."""
    return None if tensor is None else tensor.data_ptr()


class Held:
    """An object of the library, taken from those that lie unused, or made; it goes back there when this is dropped.

    Args:
        name: "scan", "loss" or "step".
        dtype: its number format.
        sizes: the arguments of its constructor.
    """

    _unused: ClassVar[defaultdict[tuple[Any, ...], list[int]]] = defaultdict(list)

    def __init__(self, name: str, dtype: torch.dtype, *sizes: int) -> None:
        table = functions()
        self._key = (id(table), name, dtype, sizes)
        self._free = table[f"{name}_free_{SUFFIX[dtype]}"]
        unused = self._unused[self._key]
        self.address: int = unused.pop() if unused else table[f"{name}_new_{SUFFIX[dtype]}"](*sizes)
        if not self.address:
            raise MemoryError("the compiled kernels ran out of memory")

    def __del__(self) -> None:
        address = getattr(self, "address", None)
        if not address:
            return
        unused = self._unused[self._key]
        if len(unused) < KEPT:
            unused.append(address)
        else:
            self._free(address)


class Plan:
    """The packed order of a padded `(T, B, ·)` minibatch, and the memory its `Shape` points to.

    Args:
        steps: T.
        rows: B.
        lengths: `(B,)`, each in 1..T, rows in any order; None when every row is T long.

    Raises:
        ValueError: a length outside 1..T.
    """

    def __init__(self, steps: int, rows: int, lengths: Any) -> None:
        self.whole = True
        self.shape = library.Shape(steps, rows, steps * rows, None, None)
        if lengths is None:
            return
        lengths = checked_lengths(lengths, steps, rows)
        if int(lengths.min()) == steps:
            return
        self.whole = False
        self._order, self._live = torch.empty(rows, dtype=torch.int32), torch.empty(steps, dtype=torch.int32)
        longest = ctypes.c_int64()
        check(
            functions()["sort_rows"](
                lengths.data_ptr(), steps, rows, self._order.data_ptr(), self._live.data_ptr(), ctypes.byref(longest)
            )
        )
        self.shape = library.Shape(
            longest.value, rows, int(lengths.sum()), self._live.data_ptr(), self._order.data_ptr()
        )


def scan(unit: Tanh | GRU | LSTM, x: Tensor, state: Any = None, lengths: Any = None) -> tuple[Tensor, Any]:
    """`unit(x, state, lengths)` by the compiled kernels; arguments, values and errors as there. CPU tensors."""
    plan, grad = Plan(x.shape[0], x.shape[1], lengths), torch.is_grad_enabled()
    if isinstance(unit, LSTM):
        h0, c0 = (None, None) if state is None else state
        h, h_last, c_last = _Scan.apply(plan, grad, 2, x, unit.W, unit.U, unit.b, unit.V, h0, c0)
        return h, (h_last, c_last)
    h, h_last, _ = _Scan.apply(plan, grad, KINDS[type(unit)], x, unit.W, unit.U, unit.b, None, state, None)
    return h, h_last


class _Scan(Function):
    @staticmethod
    def forward(
        ctx: Any,
        plan: Plan,
        grad: bool,
        kind: int,
        x: Tensor,
        W: Tensor,
        U: Tensor,
        b: Tensor,
        V: Tensor | None,
        h0: Tensor | None,
        c0: Tensor | None,
    ) -> Any:
        (T, B, I), H = x.shape, U.shape[1]
        x, W, U, b = (t.contiguous() for t in (x, W, U, b))
        V, h0, c0 = (None if t is None else t.contiguous() for t in (V, h0, c0))
        h = x.new_empty(T, B, H) if plan.whole else x.new_zeros(T, B, H)
        h_last, c_last = x.new_empty(B, H), x.new_empty(B, H) if kind == 2 else None
        wanted = grad and any(ctx.needs_input_grad)
        wants_dx = wanted and ctx.needs_input_grad[3]
        pointers = map(pointer, (x, h0, c0, h, h_last, c_last))
        arguments = library.ScanForward(*pointers, backward=wanted, wants_dx=wants_dx)
        held, suffix = Held("scan", x.dtype, kind, I, H), SUFFIX[x.dtype]
        weights = library.Weights(*map(pointer, (W, U, b, V)))
        check(functions()[f"scan_forward_{suffix}"](held.address, weights, plan.shape, arguments))
        if wanted:
            ctx.held, ctx.plan, ctx.shapes = held, plan, (W.shape, U.shape, b.shape, None if V is None else V.shape)
            ctx.set_materialize_grads(False)
            ctx.save_for_backward(x)
        return h, h_last, c_last

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dh: Any, dh_last: Any, dc_last: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        (x,) = ctx.saved_tensors  # raises if it was overwritten
        (T, B, I), H = x.shape, ctx.shapes[1][1]
        needs = ctx.needs_input_grad
        given = [None if t is None else t.contiguous() for t in (dh, dh_last, dc_last)]
        weights = [x.new_empty(s) if s is not None and n else None for s, n in zip(ctx.shapes, needs[4:8], strict=True)]
        dx = None if not needs[3] else x.new_empty(T, B, I) if ctx.plan.whole else x.new_zeros(T, B, I)
        starts = [x.new_empty(B, H) if n else None for n in needs[8:10]]
        arguments = library.ScanBackward(*map(pointer, (*given, *weights, dx, *starts)))
        check(functions()[f"scan_backward_{SUFFIX[x.dtype]}"](ctx.held.address, arguments))
        return None, None, None, dx, *weights, *starts


def takes(head: nn.Module) -> bool:
    """Whether `nll` and the single step know this head."""
    if type(head) is MixtureOfGaussians:
        return head.parts <= MOST_PARTS and head.outputs <= MOST_OUTPUTS
    return type(head) in (Bernoulli, Nade)


def head_sizes(head: Any) -> tuple[int, int, int]:
    """Which loss of cpp/head.h a head is, its parts (NADE: hidden units) and its outputs."""
    if isinstance(head, Bernoulli):
        return 0, 0, head.outputs
    return 2 if isinstance(head, Nade) else 1, head.parts, head.outputs


def binary(head: Any) -> bool:
    """Whether a head's targets are zeros and ones, which the library reads as lists."""
    return isinstance(head, Bernoulli | Nade)


def head_weights(head: Any) -> list[Tensor | None]:
    """The tensors of a head in the order of cpp/head.h: weight, bias, and V and W of NADE."""
    return [head.weight, head.bias, getattr(head, "V", None), getattr(head, "W", None)]


def nll(head: Any, h: Tensor, target: Tensor, mask: Tensor | None = None) -> Tensor:
    """Nats of every frame `(T, B)` by the compiled kernels, zero where masked; as `kernels.nll`, for a head it `takes`.

    Raises:
        NotBinary: a Bernoulli or NADE target that counts is neither 0 nor 1.
    """
    place = None
    if mask is not None:
        place = mask.flatten().nonzero().squeeze(1)
        if len(place) == mask.numel():
            place = None
    return _Loss.apply(head_sizes(head), torch.is_grad_enabled(), place, h, target, *head_weights(head))


class _Loss(Function):
    """Forward also computes the gradients of the plain sum, while the logits are in the cache: most losses are that sum
    times a number. When the frames turn out to be weighted differently, backward computes them anew."""

    @staticmethod
    def forward(
        ctx: Any,
        sizes: tuple[int, int, int],
        grad: bool,
        place: Tensor | None,
        h: Tensor,
        target: Tensor,
        *given: Tensor | None,
    ) -> Any:
        h, target = h.contiguous(), target.contiguous()
        weights = [t.contiguous() for t in given if t is not None]
        values = h.new_empty(h.shape[:2]) if place is None else h.new_zeros(h.shape[:2])
        wanted = grad and any(ctx.needs_input_grad)
        ctx.sizes, ctx.place = sizes, place
        gradients = _loss_call(sizes, place, h, target, weights, nll=values, gradients=wanted)
        if wanted:
            ctx.unused = len(given) - len(weights)
            ctx.save_for_backward(h, target, *weights, *gradients)
        return values

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d: Tensor) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        h, target, *rest = ctx.saved_tensors
        weights, gradients = rest[: len(rest) // 2], rest[len(rest) // 2 :]  # the gradients have one more: dh
        scales = d.contiguous().view(-1)
        live = scales if ctx.place is None else scales[ctx.place]
        if len(live) and bool((live == live[0]).all()):
            gradients = [g * live[0] for g in gradients]
        else:
            gradients = _loss_call(ctx.sizes, ctx.place, h, target, weights, scales=scales, gradients=True)
        dh, *d_weights = gradients
        return None, None, None, dh, None, *d_weights, *(None,) * ctx.unused


def _loss_call(
    sizes: tuple[int, int, int],
    place: Tensor | None,
    h: Tensor,
    target: Tensor,
    weights: list[Tensor],
    *,
    nll: Tensor | None = None,
    scales: Tensor | None = None,
    gradients: bool,
) -> list[Tensor]:
    """Fills `nll` and gives dL/dh and the weights' gradients of L = Σ scale · nll, or [] when none are wanted."""
    made: list[Tensor] = []
    if gradients:
        made = [h.new_empty(h.shape) if place is None else torch.zeros_like(h), *map(torch.empty_like, weights)]
    frames = h.shape[0] * h.shape[1] if place is None else len(place)
    arguments = library.LossCall(
        library.HeadWeights(*map(pointer, weights)),
        *map(pointer, (h, target, place)),
        frames,
        *map(pointer, (scales, nll, made[0] if made else None)),
        library.HeadWeights(*map(pointer, made[1:])),
    )
    held = Held("loss", h.dtype, sizes[0], h.shape[2], *sizes[1:])
    check(functions()[f"loss_call_{SUFFIX[h.dtype]}"](held.address, arguments))
    return made


def recipe_for(recipe: UpdateRecipe, lr: float | None = None) -> library.Recipe:
    """A recipe as the library reads it."""
    return library.Recipe(
        list(RULES).index(recipe.optimiser),
        recipe.clip_what == "update",
        recipe.lr if lr is None else lr,
        recipe.momentum,
        recipe.averaging,
        recipe.eps,
        recipe.clip,
    )


def memory_for(state: dict[str, Tensor]) -> ctypes.Structure:
    """An optimiser's memory as the library reads and writes it."""
    return library.Memory(*(pointer(state.get(name)) for name in ("mean_square", "mean", "velocity", "updates")))


def update(
    parameters: Tensor, gradients: Tensor, state: dict[str, Tensor], recipe: UpdateRecipe, *, lr: float | None = None
) -> Tensor:
    """`rules.update` by the compiled kernels; arguments and values as there. Contiguous CPU vectors."""
    norm = ctypes.c_double()
    check(
        functions()[f"update_{SUFFIX[parameters.dtype]}"](
            parameters.data_ptr(),
            gradients.contiguous().data_ptr(),
            parameters.numel(),
            recipe_for(recipe, lr),
            memory_for(state),
            ctypes.byref(norm),
        )
    )
    return torch.tensor(norm.value, dtype=parameters.dtype)
