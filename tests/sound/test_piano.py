import numpy as np
import pytest

from gatedtui.errors import BadArgument
from gatedtui.sound import strings
from gatedtui.sound.loudness import CEILING, TARGET_LUFS, loudness, peak
from gatedtui.sound.piano import MAX_LENGTH_S, RATE_HZ, render, render_notes
from gatedtui.sound.room import TAIL_S

TAIL = strings.LONGEST_RELEASE_S + TAIL_S


def held(*columns, steps=8, length=8, first=0):
    roll = np.zeros((length, 88), np.uint8)
    for pitch in columns:
        roll[first : first + steps, pitch - 21] = 1
    return roll


def struck(pitch, *, start=0.0, length=4.0, velocity=80.0, rate_hz=RATE_HZ):
    return render_notes(np.array([[pitch, start, start + length, velocity]]), rate_hz=rate_hz)


def spectrum(sound, rate_hz, size=1 << 19):
    """Logarithm of the spectrum of a sound, and the frequency of a bin."""
    mono = sound.mean(axis=1) if sound.ndim == 2 else sound
    return np.log(np.abs(np.fft.rfft(mono * np.hanning(len(mono)), size)) + 1e-12), rate_hz / size


def peak_hz(log_spectrum, bin_hz, near_hz, within):
    """The highest peak around a frequency, by a parabola through three bins."""
    low, high = round((near_hz - within) / bin_hz), round((near_hz + within) / bin_hz)
    top = low + int(np.argmax(log_spectrum[low : high + 1]))
    left, middle, right = log_spectrum[top - 1 : top + 2]
    return (top + 0.5 * (left - right) / (left - 2 * middle + right)) * bin_hz


def cents(hz, reference):
    return 1200 * np.log2(hz / reference)


@pytest.mark.parametrize("pitch", [*range(21, 109, 3), 108])
def test_every_key_is_in_tune_within_three_cents_with_its_stretched_partials(pitch):
    equal = 440 * 2 ** ((pitch - 69) / 12)
    stiffness = np.exp(0.0926 * pitch - 13.64) + np.exp(-0.0847 * pitch - 5.82)
    log_spectrum, bin_hz = spectrum(struck(pitch)[: 3 * RATE_HZ], RATE_HZ)
    for number in (1, 2, 3, 4):
        stretched = number * equal * np.sqrt((1 + stiffness * number**2) / (1 + stiffness))
        if stretched < 10_000:
            found = peak_hz(log_spectrum, bin_hz, stretched, 0.3 * equal)
            assert abs(cents(found, stretched)) < 3, number
    if pitch == 69:
        assert cents(number * equal, stretched) < -5, "partials are stretched"


def test_the_highest_peak_of_a_bass_note_belongs_to_its_series():
    for pitch in (21, 28, 35):
        log_spectrum, bin_hz = spectrum(struck(pitch)[: 3 * RATE_HZ], RATE_HZ)
        top = peak_hz(log_spectrum, bin_hz, 2000, 1990)
        series = strings.partials_hz(pitch, np.arange(1, 20))
        assert np.abs(cents(top, series)).min() < 3


@pytest.mark.parametrize("rate_hz", [8000, 22_050, 96_000])
def test_other_rates_sound_the_same_pitch(rate_hz):
    log_spectrum, bin_hz = spectrum(struck(69, rate_hz=rate_hz)[: 2 * rate_hz], rate_hz)
    assert abs(cents(peak_hz(log_spectrum, bin_hz, 440, 50), 440)) < 1


def test_everything_is_equally_loud_and_nothing_goes_beyond_full_scale():
    chance = np.random.default_rng(0)
    dense = (chance.random((64, 88)) < 0.3).astype(np.uint8)
    sparse = held(60, steps=1, length=64)
    staccato = render_notes(np.array([[m, 2.0 * t, 2.0 * t + 0.05, 127 - 25 * t] for t, m in enumerate((21, 60, 108))]))
    rolls = (dense, sparse, held(21), held(108), np.ones((4, 88), np.uint8))
    for sound in (*(render(roll, qpm=96, steps_per_quarter=4) for roll in rolls), staccato, struck(40, length=0.2)):
        assert sound.dtype == np.float32
        assert loudness(sound, RATE_HZ) == pytest.approx(TARGET_LUFS, abs=0.5)
        assert peak(sound) <= CEILING + 1e-6
    assert not render(np.zeros((4, 88), np.uint8), qpm=96, steps_per_quarter=4).any()


@pytest.mark.parametrize("velocity", [1.0, 10.0])
def test_a_piece_of_only_soft_notes_is_as_loud_as_any(velocity):
    assert loudness(struck(60, velocity=velocity), RATE_HZ) == pytest.approx(TARGET_LUFS, abs=0.1)


def test_a_roll_lasts_as_long_as_its_steps_a_release_and_the_room():
    for roll in (held(60), held(60, steps=2), np.zeros((8, 88), np.uint8)):
        sound = render(roll, qpm=96, steps_per_quarter=4, rate_hz=8000)
        assert sound.shape == (pytest.approx((8 * 60 / 96 / 4 + TAIL) * 8000, abs=2), 2)


@pytest.mark.parametrize("pitch", [21, 45, 69, 93, 108])
def test_notes_begin_and_end_without_a_click(pitch):
    # One second of tone after a second of silence, let go while it still rings.
    sound = struck(pitch, start=1.0, length=1.0)[:, 0]
    jump = np.abs(np.diff(sound, prepend=np.float32(0)))
    on, off = RATE_HZ, 2 * RATE_HZ
    assert np.abs(sound[:on]).max() < 1e-7
    assert jump[on : on + 11].max() < 0.25 * jump[on + 441 : on + 4410].max()
    assert jump.max() < 0.25
    assert np.abs(sound[off - 4410 : off]).max() > 1e-4
    # A click is energy where the tone itself has none. It is sought by a fourth difference, which weighs the spectrum
    # with f^4.
    for order in (1, 4):
        rough = np.abs(np.diff(sound, order))
        assert rough[off - 50 : off + 4000].max() <= 1.02 * rough[off - 4410 : off - 50].max()
    assert np.abs(sound[off + round(TAIL * RATE_HZ) :]).max(initial=0.0) < 1e-7


def test_a_damped_note_is_gone_and_a_held_one_is_not():
    for pitch in (28, 60, 90):
        short, long = (struck(pitch, length=length).mean(axis=1) for length in (0.5, 3.0))
        after = slice(round(1.3 * RATE_HZ), round(1.35 * RATE_HZ))
        assert np.abs(short[after]).max(initial=0.0) < 0.01 * np.abs(long[after]).max()


def test_tones_fall_fast_at_first_and_slowly_later():
    sound = struck(60, length=12.0).mean(axis=1)
    level = [20 * np.log10(np.sqrt(np.mean(sound[k * RATE_HZ : (k + 1) * RATE_HZ] ** 2))) for k in range(12)]
    assert level[0] - level[2] > 1.5 * (level[8] - level[10]) > 0


def test_a_hard_stroke_is_brighter_and_louder_than_a_soft_one():
    pair = render_notes(np.array([[60, 0.0, 2.0, 40.0], [60, 4.0, 6.0, 110.0]]))
    soft, hard = pair[:RATE_HZ], pair[4 * RATE_HZ : 5 * RATE_HZ]
    assert np.abs(hard).max() > 4 * np.abs(soft).max()

    def centre(sound):
        power = np.abs(np.fft.rfft(sound.mean(axis=1))) ** 2
        return float((power * np.arange(len(power))).sum() / power.sum())

    assert centre(hard) > 1.15 * centre(soft)


def test_the_bass_stands_left_and_the_treble_right_within_one_room():
    for first, near in ((24, 0), (96, 1)):  # the room turns a single key this way or that: an octave of them
        power = sum(np.mean(struck(pitch, length=1.0) ** 2, axis=0) for pitch in range(first, first + 12))
        assert power[near] > 1.4 * power[1 - near]
    end = struck(60, length=0.5)[round(0.9 * RATE_HZ) :]
    assert np.abs(end).max() > 1e-5, "the room is heard after the note"
    assert abs(np.corrcoef(end[:4000].T)[0, 1]) < 0.7, "and differs between the ears"


def test_high_tones_do_not_fold_back_at_low_rates():
    # Partials of C7 (2093 Hz) at 8,000 Hz: only the fundamental fits.
    sound = struck(96, rate_hz=8000)[4000:].mean(axis=1)
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    hz = np.fft.rfftfreq(len(sound), 1 / 8000)
    assert power[(np.abs(hz - 2093) > 100) & (hz > 1500)].max() < 1e-3 * power.max()


def test_neighbouring_steps_are_one_note_unless_they_are_struck_anew():
    """Struck anew, every step would be as loud as the first."""
    loud = {}
    for restrike in (0, 1):
        sound = render(held(93), qpm=60, steps_per_quarter=1, restrike=restrike).mean(axis=1)
        loud[restrike] = [np.sqrt(np.mean(sound[k * RATE_HZ : (k + 1) * RATE_HZ] ** 2)) for k in range(4)]
    assert loud[0][0] > 2 * loud[0][1] > 4 * loud[0][2] > 0
    assert loud[1][3] > 0.9 * loud[1][0]


def test_notes_add_up_and_a_repeated_pitch_is_struck_anew():
    one, two = np.array([[60, 0.0, 1.0, 90.0]]), np.array([[67, 0.5, 1.5, 90.0]])
    both = render_notes(np.concatenate([one, two]), rate_hz=8000)
    parts = [render_notes(note, length_s=1.5, rate_hz=8000) for note in (one, two)]
    flat = np.stack([part.ravel() for part in parts], axis=1)
    scale = np.linalg.lstsq(flat, both.ravel(), rcond=None)[0]
    assert np.abs(both.ravel() - flat @ scale).max() < 1e-5
    twice = render_notes(np.array([[60, 0.0, 2.0, 90.0], [60, 1.0, 2.0, 90.0]]), rate_hz=8000)
    assert np.abs(twice[8800:12000]).max() == pytest.approx(np.abs(twice[800:4000]).max(), rel=0.1)


def test_no_notes_at_all_are_silence():
    assert not render_notes(np.zeros((0, 4)), length_s=0.5, rate_hz=8000).any()


def test_the_same_notes_give_the_same_samples():
    assert np.array_equal(struck(50, length=0.5), struck(50, length=0.5))


@pytest.mark.parametrize(
    "wrong", [{"rate_hz": 7999}, {"rate_hz": 192_001}, {"qpm": float("nan")}, {"qpm": 0}, {"steps_per_quarter": 0}]
)
def test_numbers_out_of_range_are_refused(wrong):
    with pytest.raises(BadArgument):
        render(held(60), **({"qpm": 96, "steps_per_quarter": 4} | wrong))


def test_a_sound_too_long_for_memory_is_refused():
    with pytest.raises(BadArgument, match="too long"):
        render_notes(np.array([[60.0, 0.0, MAX_LENGTH_S + 1, 80.0]]))
