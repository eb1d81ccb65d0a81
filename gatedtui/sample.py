"""Drawing from a trained model, frame by frame: what comes next is what it has just drawn."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gatedtui import kernels
from gatedtui.checkpoint import Checkpoint
from gatedtui.data.dataset import FRAME
from gatedtui.network import Network, restore

AT_ONCE = 256
"""Frames whose random numbers are drawn together; the numbers are the same as one frame at a time."""
SLOW = 20_000
"""Frames of speech from which on progress is told: some seconds."""
LOUDEST = 2.2
"""The level, in RMS of the training set, above which a voice is held back: 95 of 100 windows of speech-a are softer."""
LEVEL_FRAMES = 50
"""Frames of 10 samples over which the level is taken (a running mean): at 8 kHz 62 ms, as long as those windows."""
BLOCK = 8
"""Frames drawn between two looks at the level."""


@dataclass(frozen=True)
class Drawn:
    """Songs as drawn.

    Attributes:
        rolls: `(N, T, 88)` uint8, the drawn frames alone, without the primer.
        nll: `(N,)` nats a frame of the drawn frames under the model at temperature 1; NaN where none was scored.
        scored: how many frames of each song `nll` is the mean of: all, but a first frame taken from `start`.
    """

    rolls: np.ndarray
    nll: np.ndarray
    scored: int


@torch.no_grad()
def draw_music(
    checkpoint: Checkpoint,
    *,
    steps: int,
    n: int = 1,
    seed: int,
    temperature: float = 1.0,
    greedy: bool = False,
    primer: np.ndarray | None = None,
) -> Drawn:
    """Draws `n` songs side by side; song k depends on the seed and k alone, not on how many there are.

    Args:
        checkpoint: a model of music.
        steps: T, frames to draw.
        n: N, songs.
        seed: of every draw.
        temperature: logits are divided by it.
        greedy: the likelier value of each pitch instead of a draw; only the first frame is then left to chance.
        primer: `(T0, 88)` frames fed first; None draws the first frame from the model's own `start`, since feeding
            zeros would invite silence.
    """
    network = restore(checkpoint.config.model, checkpoint.weights)
    chance = [np.random.default_rng([seed, song]) for song in range(n)]
    rolls = np.zeros((n, steps, 88), np.uint8)
    nll, drawn = np.zeros(n), 0
    if primer is None or not len(primer):
        start = checkpoint.tensors["start"]
        rolls[:, 0] = np.stack([start[generator.integers(len(start))] for generator in chance])
        fed, drawn = rolls[:, :1].swapaxes(0, 1), 1
    else:
        fed = np.repeat(primer[:, None], n, axis=1)
    streams = _streams(network, n)
    streams.feed(torch.from_numpy(fed.astype(np.float32)))
    scored = steps - drawn
    for first in range(drawn, steps, AT_ONCE):
        count = min(AT_ONCE, steps - first)
        uniform = np.stack([generator.random((count, network.head.draws)) for generator in chance], 1)
        frames, nats = streams.draw(uniform, temperature=temperature, greedy=greedy)
        rolls[:, first : first + count] = frames.numpy().astype(np.uint8).swapaxes(0, 1)
        nll += nats.sum(0)
    return Drawn(rolls, nll / scored if scored else np.full(n, np.nan), scored)


@dataclass(frozen=True)
class Spoken:
    """Voices as drawn.

    Attributes:
        waves: `(N, S)` float32, the drawn samples alone, without the primer, in the model's units (the data's standard
            deviation is 1).
        nll: `(N,)` nats a frame of 10 samples under the model at temperature 1; NaN where none was scored.
        scored: how many frames of each voice `nll` is the mean of: all, but those taken from `start`.
        held: `(N,)` which share of the drawn frames was held back, because the voice had become too loud.
    """

    waves: np.ndarray
    nll: np.ndarray
    scored: int
    held: np.ndarray


@torch.no_grad()
def draw_speech(
    checkpoint: Checkpoint,
    *,
    samples: int,
    n: int = 1,
    seed: int,
    temperature: float = 1.0,
    greedy: bool = False,
    primer: np.ndarray | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Spoken:
    """Draws `n` voices, 10 samples at a time from the last 20; voice k depends on the seed and k alone.

    One voice after the other: side by side torch would sum their products in another order than one alone, and what is
    fed back makes of the last bit another voice within a second.

    What is drawn is fed back, and a model that hears louder noise than any in training may answer with louder noise
    still (one GRU on speech-a ended at eight times the training set's RMS and stayed there). Two measures keep a voice
    in the range that training heard, both by drawing from normals that are cut off, so that nothing is ever clipped. No
    sample is louder than the loudest of the training set (`data.peak`, else full scale). And while the level of the
    last 62 ms is above `LOUDEST`, no sample is louder than that.

    Args:
        checkpoint: a model of speech.
        samples: S, to draw.
        n: N, voices.
        seed: of every draw.
        temperature: of the weights and variances of the mixture.
        greedy: the means of the weightiest part instead of a draw.
        primer: `(S0,)` samples in the model's units, S0 at least 20, that are fed first, all but what is left over at
            their beginning by steps of 10; None takes 20 samples of the model's own `start`, which then stand first,
            since feeding zeros would invite silence.
        progress: told how many frames are drawn.
    """
    network = restore(checkpoint.config.model, checkpoint.weights)
    limit = min(float(checkpoint.data.get("peak", math.inf)), 1.0 / float(checkpoint.data["scale"]))
    given = 2 * FRAME if primer is None else 0
    frames = max(0, -(-(samples - given) // FRAME))
    waves, nll, held = np.zeros((n, given + FRAME * frames), np.float32), np.zeros(n), np.zeros(n)
    for voice in range(n):
        chance = np.random.default_rng([seed, voice])
        start = checkpoint.tensors["start"]
        heard = start[chance.integers(len(start))] if primer is None else primer
        sound = heard[len(heard) % FRAME :].astype(np.float32)
        waves[voice, :given] = sound[:given]
        streams = _streams(network, 1)
        windows = np.lib.stride_tricks.sliding_window_view(sound, 2 * FRAME)[::FRAME]
        streams.feed(torch.from_numpy(windows[:, None].copy()))
        power = 0.0
        for first in range(0, frames, BLOCK):
            count, too_loud = min(BLOCK, frames - first), power > LOUDEST**2
            drawn, nats = streams.draw(
                chance.random((count, 1, network.head.draws)),
                temperature=temperature,
                greedy=greedy,
                limit=min(limit, LOUDEST) if too_loud else limit,
            )
            waves[voice, given + FRAME * first : given + FRAME * (first + count)] = drawn.numpy().reshape(-1)
            nll[voice] += nats.sum()
            held[voice] += count * too_loud
            power += (float(drawn.square().mean()) - power) * count / LEVEL_FRAMES
            if progress and n * frames > SLOW and first % 1000 == 0:
                progress("drawing", voice * frames + first, n * frames)
    scored = max(1, frames)
    return Spoken(waves[:, :samples], nll / scored if frames else np.full(n, np.nan), frames, held / scored)


class _InTorch:
    """`kernels.Drawing` by the network's own steps: for several layers, other heads, and where nothing is compiled."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.h, self.states, self.x = torch.zeros(0), None, torch.zeros(0)

    def feed(self, x: Tensor) -> None:
        """Feeds frames `(F, N, I)`."""
        for frame in x.to(self.network.flat):
            self._step(frame)

    def draw(
        self, uniform: np.ndarray, *, temperature: float, greedy: bool, limit: float = math.inf
    ) -> tuple[Tensor, np.ndarray]:
        """Frames `(F, N, D)` and each one's nats `(F, N)` from uniform numbers `(F, N, draws)`."""
        head, frames, nats = self.network.head, [], []
        limited = {"limit": limit} if limit < math.inf else {}
        for numbers in torch.from_numpy(uniform):
            frames.append(head.draw(self.h, numbers, temperature=temperature, greedy=greedy, **limited))
            nats.append(head.nll(self.h, frames[-1]).double())
            self._step(torch.cat((self.x[:, frames[-1].shape[1] :], frames[-1]), 1))
        return torch.stack(frames), torch.stack(nats).numpy()

    def _step(self, x: Tensor) -> None:
        self.x = x
        self.h, self.states, _ = self.network.step(x, self.states)


def _compiled(network: Network) -> bool:
    native = kernels.choose(network.flat.device, network.flat.dtype).backend == "native"
    return native and kernels.applies(network.units, network.head, network.flat)


def _streams(network: Network, n: int) -> kernels.Drawing | _InTorch:
    """`n` streams at the zero state."""
    return kernels.Drawing(network.units[0], network.head, n) if _compiled(network) else _InTorch(network)
