import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from gatedtui.page import listening

from .conftest import HOSTILE


class Tags(HTMLParser):
    """Every element of a page with its attributes, and what stands in the elements asked for."""

    def __init__(self, page):
        super().__init__()
        self.seen, self.text, self.inside = [], {}, []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "br", "input"):
            self.inside.append(tag)

    def handle_endtag(self, tag):
        assert self.inside.pop() == tag, "every element is closed where it was opened"

    def handle_data(self, data):
        if self.inside:
            self.text.setdefault(self.inside[-1], []).append(data)


@pytest.fixture
def page(clips):
    return listening.page(clips, title="one primer: jsb:3")


def test_every_clip_is_a_sound_that_can_be_played_without_a_script(page, clips):
    audios = [attributes for tag, attributes in Tags(page).seen if tag == "audio"]
    assert [one["src"] for one in audios] == [clip.audio for clip in clips]
    assert [one["aria-label"] for one in audios] == ["jsb:3", "tanh-run", "lstm-run", "gru-run"]
    assert all("controls" in one for one in audios)


def test_the_page_asks_no_address_for_anything(page):
    for tag, attributes in Tags(page).seen:
        for name in ("src", "href", "action", "data", "poster", "srcset"):
            assert attributes.get(name, "data:").startswith("data:"), (tag, name)
        assert not any(name.startswith("on") or name == "style" for name in attributes), "the policy would refuse it"
    assert not re.search(r"https?:", re.sub(r"http://www\.w3\.org/\S+", "", page))
    assert "url(" not in page and "@import" not in page and "import(" not in page


def test_the_policy_lets_only_the_pages_own_style_and_script_run(page):
    tags = Tags(page)
    policy = next(a["content"] for _, a in tags.seen if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; media-src data:; img-src data:;")
    assert "unsafe" not in policy
    for name in ("style", "script"):
        own = re.findall(rf"<{name}>(.*?)</{name}>", page, re.S)
        assert len(own) == 1
        digest = base64.b64encode(hashlib.sha256(own[0].encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy


def test_a_runs_name_is_only_ever_text(hostile, page_data):
    page = listening.page(hostile, title=HOSTILE)
    assert "<img src=x" not in page and "alert(2)</script>" not in page
    assert [a for tag, a in Tags(page).seen if tag == "img" and "onerror" in a] == []
    assert page_data(page)["player-1-data"]["labels"][0] == HOSTILE
    assert page.count("&lt;img src=x onerror=alert(1)&gt; &amp; &quot;q&quot;") >= 3


def test_the_same_clips_give_the_same_bytes(clips, page):
    assert listening.page(clips, title="one primer: jsb:3") == page
    assert not re.search(r"20\d\d-\d\d", re.sub(r'="data:[^"]*"', "", page)), "no date of today"


def test_what_is_shown_of_a_clip_is_what_is_known(page):
    shown = " ".join(Tags(page).text["span"])
    assert "the real continuation" in shown and "8.50 nats a frame" in shown and "in scale 90%" in shown
    assert "gated sample tanh-run --seed 1 --out tanh-run.mid" in page


def test_a_chorale_is_asked_for_by_its_composer(songs, page_data, page):
    assert page_data(page)["player-1-data"]["questions"]["real"] == "Which one is Bach?"
    assert listening.questions(songs[1:])["real"] == "Which is the real one?"


def test_the_tenth_clip_has_the_key_0_and_the_eleventh_none(songs):
    from gatedtui.page import clip

    many = clip.clips([songs[1]] * 11, ["x"] * 11)
    keys = re.findall(r"<kbd>([^<]*)</kbd>", listening.player(many, [list(range(11))], number=1))
    assert keys == [*"1234567890", ""]
