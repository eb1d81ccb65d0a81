"""Drawing from a network of one layer and a standard head by the compiled kernels, several streams side by side.

One step of one stream in torch is two dozen operations of a few microseconds each; here it is one product after the
other, and 16 streams share each weight that is read.
"""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gatedtui.errors import BadArgument
from gatedtui.kernels import library
from gatedtui.kernels.native import KINDS, SUFFIX, Held, check, functions, head_sizes, head_weights, pointer


class Drawing:
    """Streams that are each fed what they have just drawn; they begin at the zero state.

    A stream's numbers depend on what it was fed and on its own uniform numbers alone, to the bit, however many run
    beside it. The weights are copied.

    Args:
        unit: the recurrent layer, on the CPU.
        head: one that `kernels.applies` accepts.
        streams: N.
    """

    def __init__(self, unit: Any, head: Any, streams: int) -> None:
        weights, head_s = (
            [None if w is None else w.detach().contiguous() for w in given]
            for given in ((unit.W, unit.U, unit.b, getattr(unit, "V", None)), head_weights(head))
        )
        self.streams, self.inputs, self.outputs, self.draws = streams, unit.input_size, head.outputs, head.draws
        self.dtype = unit.W.dtype
        sizes = (KINDS[type(unit)], unit.input_size, unit.hidden_size, *head_sizes(head), streams)
        self._held = Held("drawing", self.dtype, *sizes)
        pointers = library.Weights(*map(pointer, weights)), library.HeadWeights(*map(pointer, head_s))
        check(self._function("begin")(self._held.address, *pointers))

    def feed(self, x: Tensor) -> None:
        """Feeds frames `(F, N, I)`.

        Raises:
            ValueError: another shape.
        """
        if x.shape[1:] != (self.streams, self.inputs):
            raise ValueError(f"frames must be (F, {self.streams}, {self.inputs}), not {tuple(x.shape)}")
        x = x.to(self.dtype).contiguous()
        check(self._function("feed")(self._held.address, x.data_ptr(), len(x)))

    def draw(
        self, uniform: np.ndarray, *, temperature: float = 1.0, greedy: bool = False, limit: float = math.inf
    ) -> tuple[Tensor, np.ndarray]:
        """Draws frames, each from the state after the one before it; something must have been fed.

        Args:
            uniform: `(F, N, draws)` float64 in [0, 1): what the head's own `draw` takes for each frame.
            temperature: above 0, as in the head's `draw`.
            greedy: the likelier value, or the means of the weightiest part, instead of a draw.
            limit: no output of a mixture beyond ±limit.

        Returns:
            Frames `(F, N, D)`, NaN where the state is NaN, and each one's nats at temperature 1, `(F, N)` float64.

        Raises:
            BadArgument: the temperature is not above 0 (NaN too).
            ValueError: uniform numbers of another shape.
        """
        if not temperature > 0:
            raise BadArgument(f"The temperature '{temperature}' must be above 0.", "Try --temperature 1.")
        if uniform.shape[1:] != (self.streams, self.draws):
            raise ValueError(f"uniform must be (F, {self.streams}, {self.draws}), not {uniform.shape}")
        uniform = np.ascontiguousarray(uniform, np.float64)
        frames = torch.empty(len(uniform), self.streams, self.outputs, dtype=self.dtype)
        nll = np.empty((len(uniform), self.streams))
        manner = library.Manner(temperature, limit, greedy)
        call = self._function("draw")
        check(call(self._held.address, len(uniform), uniform.ctypes.data, manner, frames.data_ptr(), nll.ctypes.data))
        return frames, nll

    def _function(self, name: str) -> Any:
        return functions()[f"drawing_{name}_{SUFFIX[self.dtype]}"]
