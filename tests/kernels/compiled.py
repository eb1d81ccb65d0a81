"""Compiles Triton kernels for a GPU that need not be there; prints each one's shared memory and spilled bytes."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from gatedtui.kernels.cuda import held, losses, noise, recurrence, rule, tiled

PTXAS = Path(triton.__file__).parent / "backends/nvidia/bin/ptxas"
INTEGERS = {"T": "i32", "B": "i32", "N": "i32", "n": "i32", "half": "i32"}
POINTERS = {"lengths": "*i32", "live": "*u8", "ok": "*u8", "keys": "*i64", "draws": "*i64"}


def figures(kernel, constants, capability, warps, *, fused=True):
    """Shared memory in bytes, and bytes spilled by the assembler."""
    signature = {
        name: "constexpr" if name in constants else INTEGERS.get(name) or POINTERS.get(name) or "*fp32"
        for name in kernel.arg_names
    }
    aligned = [(at,) for at, name in enumerate(kernel.arg_names) if signature[name].startswith("*")]
    attrs = {at: [["tt.divisibility", 16]] for at in aligned}  # as torch's tensors are
    source = ASTSource(fn=kernel, signature=signature, constexprs=constants, attrs=attrs)
    options = {"num_warps": warps, "enable_fp_fusion": fused}
    made = triton.compile(source, target=GPUTarget("cuda", capability, 32), options=options)
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "kernel.ptx"
        path.write_text(made.asm["ptx"])
        chip = f"sm_{capability}{'a' if capability == 90 else ''}"
        words = [str(PTXAS), "-v", f"--gpu-name={chip}", str(path), "-o", str(path.with_suffix(".cubin"))]
        said = subprocess.run(words, capture_output=True, text=True, check=True).stderr
    return made.metadata.shared, sum(map(int, re.findall(r"(\d+) bytes spill stores", said)))


def main(capability):
    """The costliest of each kind, at the paper's sizes."""
    kept = {"ROWS": recurrence.HELD_ROWS, "WIDTH": 64}
    again = {"ROWS": recurrence.TILED_ROWS, "TILE": recurrence.TILE}
    rules = {"MOMENTUM": 0.9, "AVERAGING": 0.95, "EPS": 1e-4, "RMSPROP": True, "OF_UPDATE": False, "GUARDED": True}
    mixture = {"M": 20, "D": 10, "LOW": -7.0, "HIGH": 5.0, "CONSTANT": 9.2, "PARTS": 32, "WIDTH": 16, "MASKED": True}
    for kernel, constants in (
        (held.lstm_backward, {"H": 36, **kept}),
        (tiled.lstm_forward, {"H": 195, **again}),
        (losses._mixture, mixture),
        (rule._update, {**rules, "BLOCK": rule.BLOCK}),
    ):
        warps = recurrence.WARPS if "H" in constants else 4
        print(kernel.fn.__name__, *figures(kernel, constants, capability, warps))  # noqa: T201
    print("normal", *figures(noise._normal, {"BLOCK": noise.BLOCK}, capability, 4, fused=False))  # noqa: T201


if __name__ == "__main__":
    main(int(sys.argv[1]))
