"""The built-in piano: notes as sound in stereo, without a soundfont.

A tone is a sum of damped sines, as a struck string's is, with what tells a piano from an organ: partials that are
stretched by the wire's stiffness, two stages of decay, a hammer that is harder the faster it strikes, a knock of the
case, dampers, a room. Every constant is one of `sound.strings` and `sound.room`, with its source there.

Tuning: the first partial of every key stands exactly at equal temperament (A4 = 440 Hz); octaves are not stretched, so
that a pitch can be measured against the table.

Damped sines are never computed sample by sample. With n = jB + i, exp(zn) = exp(zjB)·exp(zi), so all samples and all
partials of a tone are one product of two small matrices (J, 2M)·(2M, B). A pitch is computed once, struck softly and
struck hard, as long as its longest note; each note is a blend of the two. Measured on one core at 44,100 Hz: 30 s of
four-part music take 56 ms (540 times real time), of noise on a third of all keys 130 ms; a quarter of it is the measure
of loudness.
"""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gatedtui.errors import BadArgument
from gatedtui.sound import strings
from gatedtui.sound.expression import perform
from gatedtui.sound.loudness import normalise
from gatedtui.sound.midi import check_tempo
from gatedtui.sound.room import TAIL_S, add_room

RATE_HZ = 44_100
"""Samples a second unless another rate is asked for."""
MAX_LENGTH_S = 3600.0
"""Longest sound that is rendered: 1.27 GB at 44,100 Hz."""

_FADED = 3e-5
"""A mode is over at -90 dB, below the last bit of 16-bit audio."""
_BLOCK = 512


def render(
    roll: np.ndarray, *, qpm: float, steps_per_quarter: int, rate_hz: int = RATE_HZ, restrike: int = 0
) -> np.ndarray:
    """A roll as sound: its notes as `sound.expression` plays them.

    Args:
        roll: (T, 88) integers, column p is MIDI pitch 21 + p, not zero where the pitch sounds.
        qpm: quarter notes a minute, 4..1000.
        steps_per_quarter: steps in a quarter note, 1..480.
        rate_hz: samples a second, 8,000..192,000.
        restrike: quarter notes after which a held note is struck anew; 0 = never.

    Returns:
        (samples, 2) float32 at `loudness.TARGET_LUFS` (all zero for a silent roll): the roll's own length, the longest
        release, and the room's `TAIL_S`.

    Raises:
        BadArgument: a number is out of range, or the sound is longer than `MAX_LENGTH_S`.
        ValueError: the roll is not (T, 88) integers.
    """
    check_tempo(qpm, steps_per_quarter)
    step_s = 60.0 / (qpm * steps_per_quarter)
    played = perform(roll, steps_per_quarter=steps_per_quarter, restrike=restrike)
    notes = np.empty((len(played), 4))
    notes[:, 0], notes[:, 1:3], notes[:, 3] = played[:, 2], played[:, :2] * step_s, played[:, 3]
    return render_notes(notes, length_s=len(roll) * step_s, rate_hz=rate_hz)


def render_notes(notes: np.ndarray, *, length_s: float = 0.0, rate_hz: int = RATE_HZ) -> np.ndarray:
    """Notes as sound.

    Args:
        notes: (N, 4) float: MIDI pitch 0..127, start and end in seconds, MIDI velocity 1..127. A pitch that is struck
            while it sounds ends there, as on a piano, so at most 128 tones sound together.
        length_s: at least so long (silence is added).
        rate_hz: samples a second, 8,000..192,000.

    Returns:
        (samples, 2) float32 at `loudness.TARGET_LUFS`, nothing beyond `loudness.CEILING`.

    Raises:
        BadArgument: `rate_hz` is out of range, or the sound is longer than `MAX_LENGTH_S`.
    """
    if not 8_000 <= rate_hz <= 192_000:
        raise BadArgument(f"The sample rate '{rate_hz}' is out of range.", "Rates are 8000 to 192000 Hz.")
    length_s = max(length_s, float(notes[:, 2].max(initial=0.0)))
    if not length_s <= MAX_LENGTH_S:
        raise BadArgument(
            f"A sound of '{length_s:.0f}' seconds is too long.", f"At most {MAX_LENGTH_S:.0f} s are rendered at once."
        )
    samples = math.ceil((length_s + strings.LONGEST_RELEASE_S + TAIL_S) * rate_hz)
    sound = np.zeros((2, samples), np.float32)
    knock = _knock(rate_hz)
    # Against the hardest stroke, so that a piece of soft notes does not fall below the gate of the loudness measure.
    notes = np.column_stack([notes, [strings.gain(velocity) for velocity in notes[:, 3].tolist()]])
    notes[:, 4] /= notes[:, 4].max(initial=0.0) or 1.0
    for pitch in np.unique(notes[:, 0]):
        own = notes[notes[:, 0] == pitch]
        _play_pitch(sound, float(pitch), own[np.argsort(own[:, 1], kind="stable")], knock, rate_hz)
    if len(notes):
        add_room(sound, rate_hz)
    return normalise(sound.T, rate_hz)


def _play_pitch(sound: np.ndarray, pitch: float, notes: np.ndarray, knock: np.ndarray, rate_hz: int) -> None:
    """Adds all notes of one pitch, (N, 5) with their gains, to `sound` (2, samples)."""
    release = round(strings.release_s(pitch) * rate_hz)
    fade = ((0.5 + 0.5 * np.cos(np.pi * (np.arange(release) + 0.5) / release)) ** 2).astype(np.float32)
    first = np.rint(notes[:, 1] * rate_hz).astype(np.int64)
    length = np.rint(notes[:, 2] * rate_hz).astype(np.int64) - first
    length[:-1] = np.minimum(length[:-1], np.diff(first))
    soft, hard = _tone(pitch, int(length.max()) + release, rate_hz)
    sides = np.array(strings.sides(pitch), np.float32)
    blends: dict[float, np.ndarray] = {}
    for at, held, velocity, gain in zip(first.tolist(), length.tolist(), *notes[:, 3:].T.tolist(), strict=True):
        tone = blends.get(velocity)
        if tone is None:
            share = strings.hardness(velocity)
            tone = soft * np.float32(gain * (1.0 - share))
            tone += hard * np.float32(gain * share)
            tone[: len(knock)] += knock[: len(tone)] * np.float32(gain)
            blends[velocity] = tone
        tail = tone[held : held + release]
        tail = tail * fade[: len(tail)]
        for channel, side in zip(sound, sides, strict=True):
            channel[at : at + min(held, len(tone))] += side * tone[:held]
            channel[at + held : at + held + len(tail)] += side * tail


def _tone(pitch: float, samples: int, rate_hz: int) -> tuple[np.ndarray, np.ndarray]:
    """A string that is not let go, struck softly and struck hard: at most `samples` samples each, fewer when it has
    faded before; float32, energy 1 at the start."""
    modes = strings.modes(pitch, below_hz=0.45 * rate_hz)  # what lies above would fold back as a false pitch
    if not len(modes.hz):
        return np.zeros(samples, np.float32), np.zeros(samples, np.float32)
    # The longest modes first: after a while the others are below hearing, and need not be summed any more.
    fade_s = np.log(np.maximum(modes.hard, 2.0 * _FADED) / _FADED) / modes.decay
    order = np.argsort(-fade_s)
    ends = np.ceil(fade_s[order] * rate_hz / _BLOCK).astype(int)
    samples = min(samples, int(ends[0]) * _BLOCK)
    blocks = -(-samples // _BLOCK)
    rate = (-modes.decay[order] + 2j * np.pi * modes.hz[order]) / rate_hz
    inner = _powers(np.exp(rate), _BLOCK)
    right = np.concatenate([inner.imag, inner.real], axis=1).astype(np.float32).reshape(2 * len(rate), _BLOCK)
    outer = _powers(np.exp(rate * _BLOCK), blocks).T
    left = np.empty((2, blocks, len(rate), 2), np.float32)
    for struck, amplitude in zip(left, (modes.soft[order], modes.hard[order]), strict=True):
        struck[..., 0], struck[..., 1] = outer.real * amplitude, outer.imag * amplitude
    left = left.reshape(2, blocks, 2 * len(rate))
    tones = np.empty((2, blocks, _BLOCK), np.float32)
    at = 0
    while at < blocks:
        alive = int(np.count_nonzero(ends > at))
        to = min(blocks, max(at + 1, int(ends[alive // 2])))
        # The imaginary part of the product: damped sines that start at zero.
        np.matmul(left[:, at:to, : 2 * alive], right[: 2 * alive], out=tones[:, at:to])
        at = to
    soft, hard = tones.reshape(2, -1)[:, :samples]
    attack = min(round(strings.attack_s(pitch) * rate_hz), samples)
    rise = (0.5 - 0.5 * np.cos(np.pi * np.arange(attack) / attack)).astype(np.float32)
    soft[:attack] *= rise
    hard[:attack] *= rise
    return soft, hard


def _powers(base: np.ndarray, count: int) -> NDArray[np.complex128]:
    """`base` (M,) to the powers 0..count - 1, as (M, count): by doubling, a tenth of the time of exponentials."""
    powers = np.empty((len(base), count), np.complex128)
    powers[:, 0] = 1.0
    done, step = 1, base
    while done < count:
        more = min(done, count - done)
        np.multiply(powers[:, :more], step[:, None], out=powers[:, done : done + more])
        done, step = done + more, step * step
    return powers


@lru_cache(maxsize=4)
def _knock(rate_hz: int) -> np.ndarray:
    """What a stroke sets moving besides the string, the same for every key; float32."""
    hz, decay, amplitude = strings.knock()
    time_s = np.arange(round(strings.KNOCK_S * rate_hz)) / rate_hz
    sound = (np.exp(-np.outer(time_s, decay)) * np.sin(2 * np.pi * np.outer(time_s, hz))) @ amplitude
    fall = 0.5 + 0.5 * np.cos(np.pi * np.arange(len(sound)) / len(sound))
    return (sound * fall).astype(np.float32)
