import pytest

from gatedtui.sound.words import FORMATS, in_words, pitch_name


@pytest.mark.parametrize(("pitch", "name"), [(60, "C4"), (21, "A0"), (108, "C8"), (61, "C♯4")])
def test_pitches_have_names(pitch, name):
    assert pitch_name(pitch) == name


def test_what_is_asked_for_and_known_is_told_in_that_order():
    known = {"polyphony": 3.25, "scale_consistency": 0.9, "pitch_low": 50.0, "pitch_high": 74.0, "rms": None}
    assert in_words(known, "scale_consistency", "rms", "polyphony", "empty_rate") == ["in scale 90%", "polyphony 3.2"]
    assert in_words(known, "pitch_low") == ["D3–D5"]
    assert all(in_words({name: 1.0}, name) for name in FORMATS)


def test_a_measure_without_words_is_a_mistake():
    with pytest.raises(KeyError):
        in_words({"swing": 1.0}, "swing")
