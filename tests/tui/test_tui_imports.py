import json
import subprocess
import sys

CODE = """
import json, sys
import gatedtui.tui.app, gatedtui.tui.inline
print(json.dumps([name for name in ("torch", "numpy", "scipy", "music21", "typer") if name in sys.modules]))
"""


def test_the_faces_start_without_torch_and_numpy():
    result = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert json.loads(result.stdout) == []
