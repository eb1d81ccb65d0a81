"""Fixtures of the data tests."""

import os
from pathlib import Path

import pytest


@pytest.fixture
def published() -> Path:
    """The folder with the real published files; without one the tests on them are skipped."""
    mirror = os.environ.get("GATED_MIRROR", "")
    if not Path(mirror).is_dir() or not mirror:
        pytest.skip("GATED_MIRROR names no folder with the published data files")
    return Path(mirror)
