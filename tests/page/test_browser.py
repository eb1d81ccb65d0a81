"""The pages in a real Chromium, without a network: keys, media time, blind tests, curves, sizes of window."""

import base64
import json
import time
import urllib.parse
from itertools import pairwise

import pytest

from gatedtui.events import Epoch
from gatedtui.listen import blind as tests
from gatedtui.listen import results
from gatedtui.page import blind, curves, listening, shell
from gatedtui.page.html import tag

pytestmark = pytest.mark.xdist_group("browser")

STATE = "return [...document.querySelectorAll('.clip audio')].map(a => [a.currentTime, a.paused])"


@pytest.fixture(scope="module")
def desktop(new_browser, tmp_path_factory):
    """One browser for all tests of a wide window; it keeps downloads in `downloads`."""
    downloads = tmp_path_factory.mktemp("downloads")
    driver = new_browser(1280, 900, downloads=downloads)
    driver.downloads = downloads
    return driver


def wait(condition, what, limit_s=10.0):
    begun = time.monotonic()
    while not (found := condition()):
        assert time.monotonic() - begun < limit_s, f"waited in vain for {what}"
        time.sleep(0.02)
    return found


def opened(driver, page, folder):
    """Opens a page and gives a function that types keys; waits until every clip can be played."""
    path = folder / "page.html"
    path.write_text(page, encoding="utf-8")
    driver.get_log("browser")
    driver.get(f"file://{urllib.parse.quote(str(path))}")
    ready = "return [...document.querySelectorAll('audio')].every(a => a.readyState >= 2)"
    wait(lambda: driver.execute_script(ready), "the sounds")
    body = driver.find_element("tag name", "body")

    def type_(*keys):
        for key in keys:
            body.send_keys(key)

    return type_


def complaints(driver):
    return [entry["message"] for entry in driver.get_log("browser")]


def alone(driver):
    """The number of the only clip that plays, or None."""
    sounding = [at for at, (_, paused) in enumerate(driver.execute_script(STATE)) if not paused]
    return sounding[0] if len(sounding) == 1 else None


def test_keys_play_switch_and_keep_the_media_time(desktop, clips, tmp_path):
    type_ = opened(desktop, listening.page(clips, title="t"), tmp_path)
    type_(" ")
    wait(lambda: desktop.execute_script(STATE)[0][0] > 0.4, "the first clip to play")
    type_("3")
    before = desktop.execute_script(STATE)[0][0]
    wait(lambda: alone(desktop) == 2, "the third clip alone")
    at, _ = desktop.execute_script(STATE)[2]
    assert abs(at - before) < 0.4 and at > 0.4
    wait(lambda: desktop.execute_script(STATE)[2][0] > at, "the third clip to go on")
    type_(" ")
    paused = wait(lambda: all(stopped for _, stopped in desktop.execute_script(STATE)), "silence")
    held = desktop.execute_script(STATE)[2][0]
    type_("2")
    assert paused and desktop.execute_script(STATE)[1] == [pytest.approx(held, abs=0.001), True]
    pressed = desktop.execute_script("return document.querySelectorAll('.pick[aria-pressed=true]').length")
    assert pressed == 1
    assert complaints(desktop) == []


def test_the_play_head_stands_where_the_sound_is(desktop, clips, tmp_path):
    type_ = opened(desktop, listening.page(clips, title="t"), tmp_path)
    desktop.execute_script("document.querySelectorAll('.clip audio')[0].currentTime = 1.0")
    type_("4", "3")
    left = [
        float(text.rstrip("%"))
        for text in desktop.execute_script("return [...document.querySelectorAll('.head')].map(e => e.style.left)")
    ]
    assert left == [pytest.approx(50.0, abs=2.0)] * 4
    assert desktop.find_element("css selector", ".time").text == "0:01 / 0:02"


def test_a_region_loops(desktop, clips, tmp_path):
    type_ = opened(desktop, listening.page(clips, title="t"), tmp_path)
    seek = "document.querySelectorAll('.clip audio')[0].currentTime = arguments[0]"
    desktop.execute_script(seek, 0.5)
    type_("[")
    desktop.execute_script(seek, 0.9)
    type_("]")
    shown = desktop.execute_script("const s = document.querySelector('.region').style; return [s.left, s.width]")
    assert [float(text.rstrip("%")) for text in shown] == [pytest.approx(25, abs=1), pytest.approx(20, abs=1)]
    type_(" ")
    heard = []
    until = time.monotonic() + 1.6
    while time.monotonic() < until:
        heard.append(desktop.execute_script(STATE)[0][0])
    heard = heard[len(heard) // 4 :]
    assert min(heard) > 0.4 and max(heard) < 1.1
    assert any(after < earlier for earlier, after in pairwise(heard)), "it came back"
    type_(" ", "l")
    assert desktop.find_element("css selector", ".loop").get_attribute("aria-pressed") == "false"


def test_dragging_over_a_picture_makes_a_region_and_a_click_goes_there(desktop, clips, tmp_path):
    opened(desktop, listening.page(clips, title="t"), tmp_path)
    drag = """
      const stage = document.querySelectorAll('.stage')[1], box = stage.getBoundingClientRect();
      const at = (kind, share) => stage.dispatchEvent(new PointerEvent(kind, {
        clientX: box.left + share * box.width, clientY: box.top + 5, pointerId: 1, bubbles: true, button: 0 }));
      stage.setPointerCapture = () => {};
      for (const [kind, share] of arguments[0]) at(kind, share);
    """
    desktop.execute_script(drag, [["pointerdown", 0.6], ["pointermove", 0.2], ["pointerup", 0.2]])
    assert desktop.execute_script("return document.querySelector('.region').style.left").startswith("20")
    desktop.execute_script(drag, [["pointerdown", 0.75], ["pointerup", 0.75]])
    assert desktop.execute_script(STATE)[1][0] == pytest.approx(1.5, abs=0.03)


def test_the_pictures_change_with_v(desktop, clips, tmp_path):
    type_ = opened(desktop, listening.page(clips, title="t"), tmp_path)
    shown = "return [...document.querySelectorAll('.view:not([hidden])')].map(e => e.dataset.view)"
    assert desktop.execute_script(shown) == ["roll"] * 4
    type_("v", "v")
    assert desktop.execute_script(shown) == ["spectrogram"] * 4
    sizes = "return [...document.images].map(i => i.naturalWidth)"
    assert desktop.execute_script(sizes) == [640] * 4


def right_answers(page_data, page):
    from gatedtui.page.sealed import unseal

    return [trial["right"] for trial in unseal(page_data(page)["player-1-data"]["order"])]


def test_a_sealed_test_is_done_by_keys_alone_and_kept(desktop, clips, tmp_path, page_data):
    order = tests.trials("abx", 6, [True, False, False, False], seed=5)
    page = blind.page("abx", order, [clips], seed=5)
    type_ = opened(desktop, page, tmp_path)
    said = right_answers(page_data, page)
    said[-1] = "b" if said[-1] == "a" else "a"
    labels = [one.item.label for one in clips]
    audios = "return [...document.querySelectorAll('.test audio')].map(a => [a.currentTime, a.paused])"
    for number, answer in enumerate(said, 1):
        assert f"Trial {number} of 6" in desktop.find_element("css selector", ".test").text
        markup = desktop.execute_script("return document.documentElement.outerHTML")
        assert not any(label in markup for label in labels)
        if number == 1:
            type_("x")
            wait(lambda: desktop.execute_script(audios)[2][0] > 0.3, "X to play")
            type_("b")
            wait(lambda: not desktop.execute_script(audios)[1][1] and desktop.execute_script(audios)[2][1], "B alone")
            assert desktop.execute_script(audios)[1][0] > 0.3, "the place is kept"
        type_("1" if answer == "a" else "2")
    shown = desktop.find_element("css selector", ".test").text
    assert "5 of 6 right, p = 0.109" in shown
    assert all(label in shown for label in {labels[item] for trial in order for item in (trial.a, trial.b)})
    desktop.find_element("css selector", ".save").click()
    kept = desktop.downloads / "listen-results.json"
    wait(kept.exists, "the download")
    (session,) = results.read(kept)
    answers = [tests.Answer(trial, answer, 0.0) for trial, answer in zip(order, said, strict=True)]
    assert session["result"] == tests.results("abx", answers, labels)
    assert (session["complete"], session["items"], session["task"]) == (True, labels, "abx")
    assert [trial["correct"] for trial in session["trials"]] == [True] * 5 + [False]
    assert complaints(desktop) == []


@pytest.mark.parametrize("task", ["prefer", "real"])
def test_the_other_tests_reckon_as_the_terminal_does(desktop, clips, tmp_path, task):
    order = tests.trials(task, 7, [True, False, False, False], seed=2)
    type_ = opened(desktop, blind.page(task, order, [clips], seed=2), tmp_path)
    type_(*"1211212")
    shown = desktop.find_element("css selector", ".test").text
    answers = [tests.Answer(trial, "ab"[int(key) - 1], 0.0) for trial, key in zip(order, "1211212", strict=True)]
    labels = [one.item.label for one in clips]
    found = tests.results(task, answers, labels)
    if task == "real":
        assert f"{found['correct']} of 7 right, p = {found['p_value']:.3f}" in shown
        for label, told in found["told_apart"].items():
            assert f"from {label}: {told['correct']} of {told['trials']}, p = {told['p_value']:.3f}" in shown
    else:
        for pair in found["pairs"]:
            (one, other), (wins, losses) = pair["pair"], pair["chosen"]
            assert f"{one} {wins} : {losses} {other}, p = {pair['p_value']:.3f}" in shown


def test_a_test_made_on_the_page_takes_the_names_out_of_the_markup(desktop, clips, tmp_path):
    type_ = opened(desktop, listening.page(clips, title="t"), tmp_path)
    type_("b")
    type_("\ue007")
    wait(lambda: "Trial 1 of 10" in desktop.find_element("css selector", ".test").text, "the test")
    markup = desktop.execute_script("return document.documentElement.outerHTML")
    assert not any(one.item.label in markup for one in clips)
    type_("a", "1", "2", "q")
    shown = desktop.find_element("css selector", ".test").text
    assert "2 of 10 trials answered" in shown
    type_("q")
    rows = desktop.execute_script("return [...document.querySelectorAll('.pick .label')].map(e => e.textContent)")
    assert rows == [one.title for one in clips]
    assert complaints(desktop) == []


def test_a_test_made_on_the_page_is_balanced(desktop, clips, tmp_path):
    """Draws in the browser as the page does and counts."""
    opened(desktop, listening.page(clips, title="t"), tmp_path)
    source = shell._asset("blind.js").partition("// How many of")[0]
    script = source + "; return drawTrials('abx', 48, [true, false, false], [[0, 1, 2]]);"
    drawn = desktop.execute_script(script)
    kinds = [(trial["a"], trial["b"], trial["right"]) for trial in drawn]
    assert len(set(kinds)) == 12 and all(kinds.count(kind) == 4 for kind in set(kinds))
    for trial in drawn:
        assert trial["x"] == trial[trial["right"]] == trial["play"]["x"]


def test_a_hostile_name_runs_nothing(desktop, hostile, tmp_path):
    order = tests.trials("abx", 1, [False, True], seed=1)
    for page in (listening.page(hostile, title=hostile[0].item.label), blind.page("abx", order, [hostile], seed=1)):
        type_ = opened(desktop, page, tmp_path)
        type_("1")
        assert desktop.execute_script("return document.images.length") in (0, 2)
        assert complaints(desktop) == []
        shown = desktop.find_element("tag name", "body").text
        assert '<img src=x onerror=alert(1)> & "q"' in shown


def test_the_policy_refuses_what_is_not_the_pages_own(desktop, clips, tmp_path):
    opened(desktop, listening.page(clips, title="t"), tmp_path)
    desktop.execute_script("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.bad=1\">')")
    wait(lambda: any("Content Security Policy" in text for text in complaints(desktop)), "the refusal")
    assert desktop.execute_script("return window.bad") is None


def test_curves_change_scale_and_tell_their_values(desktop, tmp_path):
    epochs = [Epoch(n, 100 * n, 0, 9.0 - n / 10, 9.5 - n / 10, 0, 0, 0, 0, 3.0 * n) for n in range(1, 11)]
    part = curves.section([curves.Curve("gru-1", "gru", epochs, epochs[-1])], number=1, guessing_nll=11.0)
    opened(desktop, shell.document("t", [tag("main", part)], scripts=shell.REPORT), tmp_path)
    visible = "return [...document.querySelectorAll('.chart svg:not([hidden])')].map(e => e.getAttribute('class'))"
    assert desktop.execute_script(visible) == ["linear", "linear"]
    desktop.find_element("css selector", ".log").click()
    assert desktop.execute_script(visible) == ["logarithmic", "logarithmic"]
    point = """
      const svg = document.querySelectorAll('.chart')[1].querySelector('svg:not([hidden])');
      const box = svg.getBoundingClientRect(), wide = svg.viewBox.baseVal.width;
      const left = Number(svg.dataset.left), right = Number(svg.dataset.right);
      svg.dispatchEvent(new PointerEvent('pointermove', { bubbles: true,
        clientX: box.left + (left + (right - left) * 0.5) / wide * box.width, clientY: box.top + 50 }));
      return document.querySelectorAll('.tip')[1].textContent;
    """
    assert "gru-1 9.00 valid, 8.50 train, epoch 5" in desktop.execute_script(point)
    assert complaints(desktop) == []


@pytest.mark.parametrize("dark", [False, True])
def test_a_phone_shows_it_all_without_scrolling_sideways(new_browser, clips, tmp_path, dark):
    phone = new_browser(390, 844, dark=dark)
    opened(phone, listening.page(clips, title="t"), tmp_path)
    assert phone.execute_script("return [innerWidth, document.documentElement.scrollWidth]") == [390, 390]
    ground = phone.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(15, 17, 22)" if dark else "rgb(251, 251, 249)")
    small = phone.execute_script(
        "return [...document.querySelectorAll('button')].filter(b => b.offsetParent && b.offsetHeight < 24).length"
    )
    assert small == 0
    assert base64.b64decode(phone.get_screenshot_as_base64()).startswith(b"\x89PNG")


def test_without_a_script_the_page_plays(desktop, clips, tmp_path):
    desktop.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        path = tmp_path / "page.html"
        path.write_text(listening.page(clips, title="t"), encoding="utf-8")
        desktop.get(f"file://{path}")
        found = desktop.find_elements("css selector", "audio[controls]")
        assert [audio.is_displayed() for audio in found] == [True] * 4
        assert not desktop.find_element("css selector", ".bar").is_displayed()
        assert desktop.find_element("css selector", ".view.roll").is_displayed()
    finally:
        desktop.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_results_are_json_of_the_terminals_form(desktop, clips, tmp_path):
    """What the page saves has the keys that the terminal's file has."""
    order = tests.trials("abx", 2, [True, False], seed=1)
    type_ = opened(desktop, blind.page("abx", order, [clips[:2]], seed=1), tmp_path)
    type_("1", "q")
    for old in desktop.downloads.iterdir():
        old.unlink()
    desktop.find_element("css selector", ".save").click()
    kept = desktop.downloads / "listen-results.json"
    wait(kept.exists, "the download")
    (session,) = json.loads(kept.read_text())["sessions"]
    answers = [tests.Answer(order[0], "a", 1.0)]
    ours = results.session("abx", answers, [[one.item for one in clips[:2]]], asked=2, seed=1, how="x")
    assert set(session) == set(ours)
    assert set(session["trials"][0]) == set(ours["trials"][0])
    assert session["complete"] is False
