"""The logistic function and tanh in Triton, from exp of a number that is never above 0: nothing overflows.

The absolute error is below 2 eps of the type; NaN in is NaN out. (`libdevice.tanh` would do, but the interpreter, which
shows the kernels right where there is no GPU, knows no libdevice.)
"""

import triton  # pyright: ignore[reportMissingImports]
import triton.language as tl  # pyright: ignore[reportMissingImports]


@triton.jit
def sigmoid(x):
    """σ(x)."""
    e = tl.exp(-tl.abs(x))
    return tl.where(x < 0, e, 1.0) / (1.0 + e)


@triton.jit
def tanh(x):
    """tanh x."""
    e = tl.exp(-2.0 * tl.abs(x))
    y = (1.0 - e) / (1.0 + e)
    return tl.where(x < 0, -y, y)
