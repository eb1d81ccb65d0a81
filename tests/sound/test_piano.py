import numpy as np
import pytest

from gatedtui.errors import BadArgument
from gatedtui.sound.piano import MAX_LENGTH_S, RELEASE_S, render, render_notes

RATE = 44_100


def held(*columns, steps=8, length=8, first=0):
    roll = np.zeros((length, 88), np.uint8)
    for pitch in columns:
        roll[first : first + steps, pitch - 21] = 1
    return roll


def loudest_hz(sound, rate_hz=RATE):
    """Frequency of the highest peak, by a parabola through the logarithm of three bins."""
    size = 1 << 18
    spectrum = np.log(np.abs(np.fft.rfft(sound * np.hanning(len(sound)), size)) + 1e-12)
    top = int(np.argmax(spectrum))
    left, mid, right = spectrum[top - 1 : top + 2]
    return (top + 0.5 * (left - right) / (left - 2 * mid + right)) * rate_hz / size


@pytest.mark.parametrize("pitch", [33, 45, 57, 69, 81, 93, 105, 108])
@pytest.mark.parametrize("rate_hz", [22_050, 44_100])
def test_the_fundamental_is_in_tune(pitch, rate_hz):
    sound = render(held(pitch), qpm=60, steps_per_quarter=4, rate_hz=rate_hz)
    cents = 1200 * np.log2(loudest_hz(sound[: 2 * rate_hz], rate_hz) / (440 * 2 ** ((pitch - 69) / 12)))
    assert abs(cents) < 0.5


def test_the_loudest_sample_is_nine_tenths_of_full_scale_and_silence_stays_silent():
    dense = (np.random.default_rng(0).random((64, 88)) < 0.3).astype(np.uint8)
    for roll in (dense, held(60), np.ones((4, 88), np.uint8)):
        sound = render(roll, qpm=96, steps_per_quarter=4)
        assert sound.dtype == np.float32
        assert np.abs(sound).max() == pytest.approx(0.9, rel=1e-6)
    assert not render(np.zeros((4, 88), np.uint8), qpm=96, steps_per_quarter=4).any()


def test_a_roll_lasts_as_long_as_its_steps_and_a_release():
    for roll in (held(60), held(60, steps=2), np.zeros((8, 88), np.uint8)):
        sound = render(roll, qpm=96, steps_per_quarter=4, rate_hz=8000)
        assert len(sound) == pytest.approx((8 * 60 / 96 / 4 + RELEASE_S) * 8000, abs=2)


@pytest.mark.parametrize("pitch", [21, 45, 69, 93, 108])
def test_notes_begin_and_end_without_a_click(pitch):
    # One second of tone after a second of silence, let go while it still rings.
    sound = render(held(pitch, first=4, steps=4, length=12), qpm=60, steps_per_quarter=4)
    jump = np.abs(np.diff(sound, prepend=0.0))
    on, off = RATE, 2 * RATE
    assert not sound[:on].any()
    assert jump[on : on + 44].max() < 0.25 * jump[on + 441 : on + 4410].max()
    assert np.abs(sound[off - 4410 : off]).max() > 1e-3
    assert jump[off : off + 8820].max() <= 1.01 * jump[off - 4410 : off].max()
    assert np.abs(sound[off + round(RELEASE_S * RATE) :]).max() == 0.0
    # A click is energy where the tone itself has none. It is sought by a fourth difference, which weighs the
    # spectrum with f^4.
    rough = np.abs(np.diff(sound, 4))
    assert rough[off - 50 : off + 4000].max() <= 1.01 * rough[off - 4410 : off - 50].max()


def test_a_note_is_cut_off_only_once_it_cannot_be_heard():
    sound = render(held(108, steps=40, length=40), qpm=60, steps_per_quarter=4)
    assert np.abs(sound[:RATE]).max() == pytest.approx(0.9, rel=1e-6)
    last = int(np.flatnonzero(sound)[-1])
    assert last < 5 * RATE
    assert np.abs(sound[last - 100 : last + 1]).max() < 1.1e-5


def test_high_tones_do_not_fold_back_at_low_rates():
    # Partials of C7 (2093 Hz) at 8,000 Hz: only the fundamental fits.
    sound = render(held(96), qpm=60, steps_per_quarter=4, rate_hz=8000)
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    hz = np.fft.rfftfreq(len(sound), 1 / 8000)
    assert spectrum[np.abs(hz - 2093) > 100].max() < 1e-3 * spectrum.max()
    assert not render(held(108), qpm=60, steps_per_quarter=4, rate_hz=8000).any()


def test_neighbouring_steps_are_one_note():
    """Struck anew, the second step would be as loud as the first."""
    sound = render(held(93, steps=8, length=8), qpm=60, steps_per_quarter=1)
    loudness = [np.sqrt(np.mean(sound[k * RATE : (k + 1) * RATE] ** 2)) for k in range(4)]
    assert loudness[0] > 3 * loudness[1] > 9 * loudness[2] > 0


def test_notes_add_up_and_a_repeated_pitch_is_struck_anew():
    one, two = np.array([[60, 0.0, 1.0, 1.0]]), np.array([[67, 0.5, 1.5, 0.5]])
    both = render_notes(np.concatenate([one, two]), rate_hz=8000)
    parts = [render_notes(note, length_s=1.5, rate_hz=8000) for note in (one, two)]
    scale = np.linalg.lstsq(np.stack(parts, axis=1), both, rcond=None)[0]
    assert np.abs(both - scale @ np.stack(parts)).max() < 1e-5
    twice = render_notes(np.array([[60, 0.0, 2.0, 1.0], [60, 1.0, 2.0, 1.0]]), rate_hz=8000)
    assert np.abs(twice[8800:12000]).max() == pytest.approx(np.abs(twice[800:4000]).max(), rel=0.02)


def test_no_notes_at_all_are_silence():
    assert not render_notes(np.zeros((0, 4)), length_s=0.5, rate_hz=8000).any()


@pytest.mark.parametrize(
    "wrong", [{"rate_hz": 7999}, {"rate_hz": 192_001}, {"qpm": float("nan")}, {"qpm": 0}, {"steps_per_quarter": 0}]
)
def test_numbers_out_of_range_are_refused(wrong):
    with pytest.raises(BadArgument):
        render(held(60), **({"qpm": 96, "steps_per_quarter": 4} | wrong))


def test_a_sound_too_long_for_memory_is_refused():
    with pytest.raises(BadArgument, match="too long"):
        render_notes(np.array([[60.0, 0.0, MAX_LENGTH_S + 1, 1.0]]))
