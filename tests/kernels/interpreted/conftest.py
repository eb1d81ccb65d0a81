"""Tests of the Triton kernels on the CPU: only in a process that had Triton interpret them from the start.

`test_triton.py` starts that process. By hand: TRITON_INTERPRET=1 pytest -n0 -m triton tests/kernels/interpreted
"""

import os

collect_ignore_glob = [] if os.environ.get("TRITON_INTERPRET") == "1" else ["test_*.py"]
