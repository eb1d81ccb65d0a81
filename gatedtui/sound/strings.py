"""The constants of the built-in piano: a key's partials, how loud and how long, by key and by stroke.

Keys are MIDI pitches m (21 = A0, 60 = C4, 108 = C8). Sources, as named below:

- Fletcher 1964, Normal vibration frequencies of a stiff piano string, J. Acoust. Soc. Am. 36.
- Rigaud, David and Daudet 2013, A parametric model and estimation techniques for the inharmonicity and tuning of the
  piano, J. Acoust. Soc. Am. 133; it fits the classical measurements of Young 1952 (ibid. 24) and later ones.
- Weinreich 1977, Coupled piano strings, J. Acoust. Soc. Am. 62.
- Chaigne and Askenfelt 1994, Numerical simulations of piano strings, J. Acoust. Soc. Am. 95.
- Askenfelt and Jansson 1988, From touch to string vibrations, STL-QPSR 29.
- Fletcher and Rossing 1998, The Physics of Musical Instruments, chapter 12.
- Dannenberg 2006, The interpretation of MIDI velocity, ICMC.

Where a source gives a range, or single keys, the curve through them was chosen by ear and by spectrogram.
"""

import math
from dataclasses import dataclass

import numpy as np

PARTIALS = 80
"""At most so many partials a key: up to 4.5 kHz at A0."""
FAINT = 8e-4
"""Partials weaker than this against the whole tone (-62 dB), even struck hard, are left out."""
HIGHEST_HZ = 12_000.0
KNOCK_S = 0.25
"""The knock of the case is over after this time."""
LONGEST_RELEASE_S = 0.35
_SHORTEST_RELEASE_S = 0.09
_LOW, _HIGH = 21.0, 108.0


@dataclass(frozen=True, eq=False)
class Modes:
    """The damped sines of one key, all (M,) float64."""

    hz: np.ndarray
    decay: np.ndarray
    """Amplitudes fall as exp(-decay · t), t in seconds."""
    soft: np.ndarray
    """Amplitudes of a stroke at velocity `SOFT`, of energy 1: how loud it is is told by `gain`."""
    hard: np.ndarray
    """Amplitudes of a stroke at velocity `HARD`, likewise."""


SOFT, HARD = 32.0, 120.0
"""MIDI velocities of the two strokes that are computed: about p and ff."""


def modes(pitch: float, *, below_hz: float = math.inf) -> Modes:
    """The damped sines of a key: each partial twice, as prompt sound and as aftersound.

    The aftersound is what the unison strings go on with once they move against each other and lose little to the
    bridge (Weinreich): 18 dB weaker, three times as long, and 0.5 cents beside it, so that the two beat gently where
    they cross. Above the twelfth partial it is inaudible and left out.

    Args:
        pitch: MIDI pitch.
        below_hz: partials from here on are left out.
    """
    number = np.arange(1, PARTIALS + 1)
    hz = partials_hz(pitch, number)
    kept = hz < min(below_hz, HIGHEST_HZ)
    number, hz = number[kept], hz[kept]
    if not len(hz):
        return Modes(*np.zeros((4, 0)))
    soft, hard = (_amplitudes(pitch, number, hz, velocity) for velocity in (SOFT, HARD))
    soft, hard = (struck / math.sqrt(float(np.sum(struck**2))) for struck in (soft, hard))
    heard = hard >= FAINT
    number, hz, soft, hard = number[heard], hz[heard], soft[heard], hard[heard]
    decay = decays(pitch, hz)
    late = number <= 12
    beside = 2.0 ** ((0.5 if round(pitch) % 2 else -0.5) / 1200.0)
    return Modes(
        hz=np.concatenate([hz, hz[late] * beside]),
        decay=np.concatenate([decay, decay[late] / 3.0]),
        soft=np.concatenate([soft, 0.125 * soft[late]]),
        hard=np.concatenate([hard, 0.125 * hard[late]]),
    )


def inharmonicity(pitch: float) -> float:
    """The coefficient B of a key's string: one line in log B along the bass bridge, one along the treble bridge, added
    (Rigaud et al., the fit they start from): 5e-4 at A0, 1.4e-4 at its lowest, near G#2, 7e-4 at A4, 0.026 at C8."""
    return math.exp(0.0926 * pitch - 13.64) + math.exp(-0.0847 * pitch - 5.82)


def partials_hz(pitch: float, number: np.ndarray) -> np.ndarray:
    """Frequencies of partials: f_k = k f √(1 + B k²) (Fletcher), with f such that f_1 is exactly at equal
    temperament."""
    stiff = inharmonicity(pitch)
    first = 440.0 * 2.0 ** ((pitch - 69.0) / 12.0)
    return first * number * np.sqrt((1.0 + stiff * number**2) / (1.0 + stiff))


def decays(pitch: float, hz: np.ndarray) -> np.ndarray:
    """How fast partials fall at first, 1/s.

    The first falls by 60 dB in 20 s at A0, 5 s at C4 and 1 s at C8, 3 to 60 dB a second, within the range that
    Fletcher and Rossing report. Above it, loss grows with the square of the frequency, by 6.25e-9 (2πf)² (Chaigne and
    Askenfelt, their C4).
    """
    fall_60db_s = 20.0 * 20.0 ** (-_place(pitch))
    return math.log(1000.0) / fall_60db_s + 6.25e-9 * (2.0 * math.pi) ** 2 * (hz**2 - hz[:1] ** 2)


def _amplitudes(pitch: float, number: np.ndarray, hz: np.ndarray, velocity: float) -> np.ndarray:
    """What the bridge gets of each partial: the hammer's pulse, where it strikes, and what the soundboard radiates.

    - A force pulse of length τ has a spectrum that is flat to about 1/(2τ) and then falls by 12 dB an octave, or more
      the rounder the pulse: 18 dB at the top, where the felt is thick for its string, and 4 dB more at p than at ff,
      since felt is stiffer the more it is pressed (Fletcher and Rossing).
    - Striking at the part s of the string moves partial k as sin(πks) does (s = 1/8 in the lower half of the keyboard,
      less and less above: Fletcher and Rossing); felt is wide, so the minima are filled to -8 dB.
    - Below 60 Hz a soundboard hardly radiates.
    """
    contact = contact_s(pitch, velocity)
    place = 0.125 * 2.0 ** (-max(0.0, pitch - 60.0) / 48.0)
    roundness = 0.3 * (1.0 - hardness(velocity))
    pulse = (1.0 + (2.0 * hz * contact) ** 2) ** (-1.0 - 0.5 * _place(pitch) - roundness)
    comb = np.sqrt(0.15 + 0.85 * np.sin(np.pi * number * place) ** 2)
    return pulse * comb / np.sqrt(1.0 + (60.0 / hz) ** 2)


def contact_s(pitch: float, velocity: float) -> float:
    """How long the hammer touches the string, in seconds.

    Half a period at C4 (1.9 ms), about 5 ms at A0 and 0.6 ms at C8; a fifth longer at p and a fifth shorter at ff
    (Askenfelt and Jansson). That alone makes loud tones brighter.
    """
    return 1.9e-3 * 2.0 ** (-(pitch - 60.0) / 30.0) * (1.2 - 0.4 * hardness(velocity))


def hardness(velocity: float) -> float:
    """Where a stroke lies between the two that are computed, 0..1."""
    return min(1.0, max(0.0, (velocity - SOFT) / (HARD - SOFT)))


def gain(velocity: float) -> float:
    """Amplitude by MIDI velocity: (v/127)², a square law (Dannenberg)."""
    return (velocity / 127.0) ** 2


def attack_s(pitch: float) -> float:
    """A tone rises from nothing in this time: twice the hammer's contact, 1.2 ms at C8 to 6 ms in the bass."""
    return min(6e-3, 2.0 * contact_s(pitch, 76.0))


def release_s(pitch: float) -> float:
    """The damper needs this long: 0.35 s at A0, where it meets a heavy string, to 0.09 s at C8. (The top notes of a
    real piano have no dampers; here they have, so that a rest in a roll is one.)"""
    return LONGEST_RELEASE_S * (_SHORTEST_RELEASE_S / LONGEST_RELEASE_S) ** _place(pitch)


def sides(pitch: float) -> tuple[float, float]:
    """Gains of the left and the right channel, of equal power in sum: the bass left, as a player hears it, but only by
    a quarter of the way, since headphones exaggerate."""
    angle = math.pi / 4.0 * (1.0 + 0.5 * (_place(pitch) - 0.5))
    return math.cos(angle), math.sin(angle)


def knock() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The modes of case and keybed that every stroke sets moving: frequencies, decays and amplitudes, all (24,).

    Between 70 and 900 Hz, dead within a tenth of a second, together 26 dB below a tone: heard as the wooden beginning
    of the high notes, whose strings have nothing there (Fletcher and Rossing). Drawn once with a fixed seed.
    """
    chance = np.random.default_rng(1729)
    hz = np.sort(70.0 * (900.0 / 70.0) ** chance.random(24))
    amplitude = chance.choice([-1.0, 1.0], 24) / np.sqrt(hz)
    return hz, 25.0 + 0.05 * hz, 0.05 * amplitude / math.sqrt(float(np.sum(amplitude**2)))


def _place(pitch: float) -> float:
    """Where a key lies: 0 at A0, 1 at C8; keys beyond count as those at the end."""
    return min(1.0, max(0.0, (pitch - _LOW) / (_HIGH - _LOW)))
