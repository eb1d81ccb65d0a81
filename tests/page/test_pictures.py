import re

from gatedtui.page import pictures


def test_notes_stand_where_they_sound_and_the_primers_apart(songs):
    (shown,) = pictures.drawn(songs[:1])
    wide = float(re.search(r'viewBox="0 0 ([\d.]+) ', shown)[1])
    assert wide == 16.0, "two seconds of eight steps"
    given = re.search(r'd="([^"]*)" class="given"', shown)[1]
    own = re.search(r'd="([^"]*)" class="own"', shown)[1]
    assert [text.split("h")[0].split()[0] for text in given.split("M")[1:]] == ["2"]
    assert [text.split()[0] for text in own.split("M")[1:]] == ["4", "6"], "the note under way goes on"


def test_the_first_picture_shows_and_the_others_wait(songs):
    assert pictures.views(songs) == ["roll", "wave", "spectrogram"]
    for shown in pictures.drawn(songs):
        hidden = re.findall(r'class="view (\w+)" data-view="\w+"( hidden)?', shown)
        assert hidden == [("roll", ""), ("wave", " hidden"), ("spectrogram", " hidden")]


def test_every_picture_has_words(songs):
    for item, shown in zip(songs, pictures.drawn(songs), strict=True):
        for name in ("Piano roll", "Waveform", "Spectrogram"):
            assert f"{name} of {item.label}" in shown


def test_the_primer_is_shaded_to_its_end(songs):
    assert 'width="25.000%"' in pictures.primer(songs[1])


def test_the_axis_has_round_seconds():
    assert re.findall(r">([^<]+)</text>", pictures.axis(2.0)) == ["0 s", "0.5 s", "1 s", "1.5 s", "2 s"]
