"""Drawing from a trained model, frame by frame: what comes next is what it has just drawn."""

from dataclasses import dataclass

import numpy as np
import torch

from gatedtui.checkpoint import Checkpoint
from gatedtui.network import restore


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
    nll, state, drawn = torch.zeros(n, dtype=torch.float64), None, 0
    if primer is None or not len(primer):
        start = checkpoint.tensors["start"]
        rolls[:, 0] = np.stack([start[generator.integers(len(start))] for generator in chance])
        fed, drawn = rolls[:, :1].swapaxes(0, 1), 1
    else:
        fed = np.repeat(primer[:, None], n, axis=1)
    h = torch.zeros(0)
    for frame in torch.from_numpy(fed.astype(np.float32)).to(network.flat):
        h, state, _ = network.step(frame, state)
    first = drawn
    while drawn < steps:
        uniform = torch.from_numpy(np.stack([generator.random(88) for generator in chance]))
        frame = network.head.draw(h, uniform, temperature=temperature, greedy=greedy)
        nll += network.head.nll(h, frame).double()
        rolls[:, drawn] = frame.numpy().astype(np.uint8)
        drawn += 1
        if drawn < steps:
            h, state, _ = network.step(frame, state)
    scored = steps - first
    return Drawn(rolls, nll.numpy() / scored if scored else np.full(n, np.nan), scored)
