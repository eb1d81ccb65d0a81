"""Whether a run could train here: asked by `start`, in a process of its own, before a folder is made.

`python -m gatedtui.train.check DEVICE KERNEL DTYPE` exits 0, or 2 or 4 with the sentence and the hint on stderr.
"""

import sys

from gatedtui.errors import GatedError


def main(arguments: list[str]) -> int:
    """Chooses device and kernel as a worker would; gives the exit code."""
    import torch

    from gatedtui.kernels import choose
    from gatedtui.kernels.place import place

    device, kernel, dtype, *_ = arguments
    try:
        choice = choose(place(device).device, getattr(torch, dtype), kernel)
    except GatedError as error:
        sys.stderr.write(f"error: {error.what}\n  {error.hint}\n")
        return error.exit_code
    sys.stdout.write(f'"{choice.backend}"\n')
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
