import numpy as np
import pytest

from gatedtui.data import catalogue, dataset, prepare, vowels


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return prepare.prepare("vowels", cache=tmp_path_factory.mktemp("cache"))


def test_the_set_has_the_shapes_of_speech_a_and_is_the_same_everywhere(data):
    assert (data.kind, data.rate_hz) == ("speech", 8000)
    assert [len(data.splits[split]) for split in dataset.SPLITS] == [1200, 200, 200]
    assert {len(wave) for waves in data.splits.values() for wave in waves} == {500}
    assert data.digest == catalogue.CATALOGUE["vowels"].digest
    assert np.concatenate(data.splits["train"]).std(dtype=np.float64) == pytest.approx(1.0, abs=1e-6)


def test_it_says_that_nobody_spoke_and_is_never_called_speech(data):
    entry = catalogue.CATALOGUE["vowels"]
    assert "synthetic" in entry.title.lower() and any("Synthetic" in note for note in data.notes)
    texts = [entry.title, entry.source, entry.licence, *data.notes, *data.titles["train"]]
    assert not any("speech" in text.lower() or "spoken" in text.lower() for text in texts)


def test_windows_are_neither_silent_nor_cut_and_differ_from_each_other(data):
    waves = np.stack([wave for split in dataset.SPLITS for wave in data.splits[split]]) * data.scale
    level = 10 * np.log10((waves**2).mean(axis=1))
    assert -26.2 < level.min() < -24 and -16 < level.max() < -13.8
    assert (np.abs(waves).max(axis=1) < 1.0).all()
    assert len({wave.tobytes() for wave in waves}) == len(waves)


def spectrum(wave):
    return np.abs(np.fft.rfft(wave * np.hanning(len(wave)), 8000))


@pytest.mark.parametrize("formants", [(270, 2290, 3010), (730, 1090, 2440), (310, 2790, 3310)])
def test_the_sound_has_its_pitch_and_its_formants(formants):
    f0 = np.array([100.0])
    (wave,) = vowels.waves(f0, np.zeros(1), np.array([formants], float), np.random.default_rng(0))
    assert wave.shape == (500,)
    # An octave of shifts around the period: the waveform is most like itself one period later.
    likeness = [np.dot(wave[:-lag], wave[lag:]) / (len(wave) - lag) for lag in range(56, 113)]
    assert 56 + int(np.argmax(likeness)) == pytest.approx(80, abs=1)
    power = spectrum(wave)
    for formant in formants:  # a harmonic beside the formant is stronger than those 300 Hz away
        near, below, above = (power[c - 60 : c + 60].max() for c in (formant, max(60, formant - 350), formant + 350))
        assert near > min(below, above)


def test_a_formant_lies_where_it_was_put():
    impulse = np.zeros((4000, 1))
    impulse[0] = 1.0
    for formants in ((500, 1500, 2500), (270, 2290, 3010)):
        power = np.abs(np.fft.rfft(vowels.resonated(impulse, np.array([formants], float).T)[:, 0], 8000))
        for formant in formants:
            around = power[formant - 40 : formant + 41]
            assert abs(int(np.argmax(around)) - 40) < 30 and around.max() > 1.05 * around[[0, -1]].min()
        assert power[0] == pytest.approx(1.0, rel=0.01)


def test_little_of_the_pulses_overtones_is_folded_back():
    f0 = np.full(1, 3100.0 / 7)  # the harmonics are 443 Hz apart; aliases would lie between them
    low = vowels.pulses(f0, np.zeros(1), np.zeros(1))[0, :800]
    power = np.abs(np.fft.rfft(low * np.blackman(800), 8000)) ** 2
    harmonic = np.zeros(len(power), bool)
    for k in range(1, 9):
        centre = round(k * 3100 / 7)
        harmonic[max(0, centre - 40) : centre + 41] = True
    harmonic[:40] = True
    # Measured: -33 dB; sampled at 8 kHz at once -25 dB.
    assert power[~harmonic].max() < 10**-3.1 * power[harmonic].max()
