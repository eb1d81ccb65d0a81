"""Layers with drawn weights and inputs, the same in every process, and how far one tensor is from another."""

import torch

from gatedtui.units import UNITS

EPS = {torch.float64: torch.finfo(torch.float64).eps, torch.float32: torch.finfo(torch.float32).eps}


def drawn(*size, seed=5, std=1.0):
    return torch.empty(size, dtype=torch.float64).normal_(std=std, generator=torch.Generator().manual_seed(seed))


def binary(*size, seed=6, share=0.1):
    return (torch.rand(size, generator=torch.Generator().manual_seed(seed)) < share).double()


def flat(state):
    return [] if state is None else list(state) if isinstance(state, tuple) else [state]


def distance(a, b):
    """Largest difference over the largest value."""
    a, b = a.detach().double(), b.detach().double()
    return float((a - b).abs().max() / b.abs().max().clamp_min(1e-30))


def case(name, shape, dtype, *, started, x_grad, sparse=False):
    T, B, I, H = shape
    unit = UNITS[name](I, H).to(dtype)
    with torch.no_grad():
        for number, p in enumerate(unit.parameters()):
            p.copy_(drawn(*p.shape, seed=number, std=p.shape[-1] ** -0.5))
    x = (binary(T, B, I) if sparse else drawn(T, B, I)).to(dtype).requires_grad_(x_grad)
    h0, c0 = (drawn(B, H, seed=seed).to(dtype).requires_grad_() for seed in (8, 9))
    return unit, x, (None if not started else (h0, c0) if name == "lstm" else h0)


def lengths_of(kind, steps, rows):
    some = torch.randint(1, steps + 1, (rows,), generator=torch.Generator().manual_seed(steps * 100 + rows))
    match kind:
        case "none":
            return None
        case "longest first":
            return some.sort(descending=True).values
        case "all shorter than T":
            return some.clamp(max=max(1, steps - 2))
        case _:
            return some.tolist()
