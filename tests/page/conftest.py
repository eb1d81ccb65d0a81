"""Clips, runs and a browser for the tests of pages; nothing here is drawn by a model."""

import base64
import json
import re
import shutil

import numpy as np
import pytest

from gatedtui.listen.items import Item, matched
from gatedtui.page import clip

HOSTILE = 'u <img src=x onerror=alert(1)> & "q" </script><script>alert(2)</script>'
RATE = 44_100


def music(label, kind="model", unit="gru", hz=440.0, length_s=2.0, primer_s=0.5, rate_hz=RATE):
    """Eight steps a second of one pitch, and a tone of its own that tells the clip."""
    time_s = np.arange(round(length_s * rate_hz)) / rate_hz
    tone = (0.2 * np.sin(2 * np.pi * hz * time_s)).astype(np.float32)
    roll = np.zeros((round(length_s * 8), 88), np.uint8)
    roll[2:6, 40] = roll[6:, 44] = 1
    return Item(
        label,
        kind,
        np.repeat(tone[:, None], 2, axis=1),
        rate_hz,
        f"source of {label}",
        content="music",
        unit=unit if kind == "model" else "",
        roll=roll,
        step_s=0.125,
        primer_s=primer_s,
        nll=8.5 if kind == "model" else None,
        statistics={"polyphony": 1.0, "scale_consistency": 0.9},
        command=("gated", "sample", f"/somewhere/{label}/best.safetensors", "--seed", "1") if kind == "model" else (),
    )


@pytest.fixture
def songs():
    """A real piece and three models' songs, each with a tone of its own: 300, 400, 500 and 600 Hz."""
    items = [music("jsb:3", "real", hz=300.0)]
    items += [music(f"{unit}-run", unit=unit, hz=hz) for unit, hz in (("tanh", 400.0), ("lstm", 500.0), ("gru", 600.0))]
    return matched(items)


@pytest.fixture
def clips(songs):
    """The same, compressed."""
    return clip.clips(songs, [item.label for item in songs])


@pytest.fixture
def hostile():
    """Two clips whose names would run a script if they were not escaped."""
    items = matched([music(HOSTILE, unit="tanh"), music("jsb:3", "real")])
    return clip.clips(items, [HOSTILE, "jsb:3"])


@pytest.fixture(scope="session")
def new_browser(tmp_path_factory):
    """Makes Chromiums of a window size: `new_browser(1280, 900, dark=True)`; skips where there is none."""
    selenium = pytest.importorskip("selenium.webdriver", reason="selenium is not installed: pip install -e '.[dev]'")
    chrome = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    chromedriver = shutil.which("chromedriver")
    if not chrome or not chromedriver:
        pytest.skip("no browser is installed: apt-get install chromium chromium-driver")
    opened = []

    def start(width, height, *, dark=False, downloads=None):
        options = selenium.ChromeOptions()
        options.binary_location = chrome
        profile = tmp_path_factory.mktemp("profile")
        for word in (
            "--headless",
            "--no-sandbox",
            "--disable-background-networking",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--autoplay-policy=no-user-gesture-required",
            f"--user-data-dir={profile}",
            f"--window-size={width},{height}",
        ):
            options.add_argument(word)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        if downloads:
            options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
        driver = selenium.Chrome(options=options, service=selenium.ChromeService(chromedriver))
        opened.append(driver)
        # A window is never as narrow as a phone; the page's view of it can be.
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})
        return driver

    yield start
    for driver in opened:
        driver.quit()


@pytest.fixture
def page_data():
    """Reads the JSON blocks of a page, by id."""

    def read(page):
        blocks = re.findall(r'<script type="application/json" id="([^"]+)">(.*?)</script>', page, re.S)
        return {name: json.loads(text) for name, text in blocks}

    return read


@pytest.fixture
def sounds():
    """The MP3s of a page, in order."""

    def read(page):
        return [base64.b64decode(text) for text in re.findall(r'src="data:audio/mpeg;base64,([^"]+)"', page)]

    return read
