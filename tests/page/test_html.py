import json
import math
import re

from gatedtui.page.html import Markup, data, join, tag


def test_text_is_escaped_and_markup_is_not():
    assert tag("p", "a < b & c", Markup("<b>x</b>")) == "<p>a &lt; b &amp; c<b>x</b></p>"
    assert join("<", Markup("<br>"), None) == "&lt;<br>"


def test_attributes_are_escaped_named_and_left_out():
    made = tag("a", "x", class_="k", data_key='"><img>', aria_hidden="true", hidden=True, title=None, open=False)
    assert made == '<a class="k" data-key="&quot;&gt;&lt;img&gt;" aria-hidden="true" hidden>x</a>'
    assert tag("br") == "<br>"


def test_no_text_ends_a_block_of_data():
    value = {"name": "</script><script>alert(1)</script><!-- & \u2028", "nan": math.nan, "n": [1, (2.5, -math.inf)]}
    made = data("some", value)
    assert re.fullmatch(r'<script type="application/json" id="some">[^<>&\u2028]*</script>', made)
    read = json.loads(made.partition(">")[2].removesuffix("</script>"))
    assert read == {"name": value["name"], "nan": None, "n": [1, [2.5, None]]}
