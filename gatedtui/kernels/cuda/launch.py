"""Starting a Triton kernel: the one place where what Triton makes of a function is called."""

from typing import Any


def launch(kernel: Any, grid: tuple[int, ...], *arguments: Any, **options: Any) -> None:
    """Runs `kernel` on a grid of programs, in order with torch's work on the same stream; nothing waits for it.

    Args:
        kernel: a function under `triton.jit`.
        grid: programs along each axis.
        arguments: the kernel's; a tensor is handed on as its address.
        options: of the compilation, as `num_warps`.
    """
    kernel[grid](*arguments, **options)


def power_of_2(n: int) -> int:
    """The least power of two that is n or more: tiles have no other sides."""
    return 1 << (n - 1).bit_length()


def groups(n: int, size: int) -> int:
    """How many groups of `size` n things make, the last perhaps smaller."""
    return -(-n // size)
