"""The Triton kernels without a GPU: interpreted, they are right; compiled, they are ready for one."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
pytestmark = [
    pytest.mark.triton,
    pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="triton is not installed: extra 'gpu'"),
]


def child(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words], cwd=REPO, env={**os.environ, **environ}, capture_output=True, text=True, timeout=160
    )


def path() -> str:
    """A script finds only its own folder's modules, and what is installed."""
    return os.pathsep.join([str(REPO), *filter(None, [os.environ.get("PYTHONPATH")])])


def test_interpreted_they_give_the_reference_s_values_and_gradients():
    """In a process of its own: what Triton does with a kernel is settled when the kernel is imported."""
    words = ["-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", "tests/kernels/interpreted"]
    done = child(*words, TRITON_INTERPRET="1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(".") > 50, "too few tests were run"


def test_compiled_they_hardly_spill_and_fit_on_the_chip(tmp_path: Path):
    """Triton compiles down to machine code without a GPU, for any it is told of: here of compute capability 9.0."""
    cache = str(tmp_path / "cache")
    done = child("tests/kernels/compiled.py", "90", PYTHONPATH=path(), TRITON_INTERPRET="0", TRITON_CACHE_DIR=cache)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert len(lines) == 5, done.stdout
    for name, *figures in lines:
        shared, spilled = map(int, figures)
        assert shared <= 96 * 1024, name
        assert spilled <= 64, name
