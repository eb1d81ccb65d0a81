"""The compiled builds that this CPU can run, each in turn."""

import pytest

from gatedtui.kernels import library
from gatedtui.kernels.library import Found, Library


@pytest.fixture(params=library.usable() or [None], ids=lambda found: found.build if found else "none")
def build(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Library:
    """Each build in turn as the one in use."""
    if request.param is None:
        pytest.skip(f"no compiled kernels: {library.installed().why}")
    found = Found(request.param, "for a test")
    monkeypatch.setattr(library, "installed", lambda: found)
    return request.param
