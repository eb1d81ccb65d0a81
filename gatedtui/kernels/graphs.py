"""CUDA graphs of whole training steps: hundreds of launches recorded once and replayed as one.

A graph holds for one shape alone. Minibatches of like length share one: their steps are rounded up to a `bucket`, and
what is padded counts for nothing.
"""

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

WARM_UPS = 3
"""Steps before a capture, as torch asks for: what is made at a first call (handles, compiled kernels) must be there."""


def bucket(steps: int) -> int:
    """`steps` rounded up to one of eight lengths from each power of two to the next: an eighth is padding at most."""
    unit = 1 << max(0, steps.bit_length() - 4)
    return -(-steps // unit) * unit


class Graphs:
    """Functions of tensors on the device, replayed from a graph for each shape one was called with.

    Where a capture fails it says so in a warning, once, lets go of all graphs, whose memory may be what was missing,
    and calls the function as it is from then on.

    Args:
        state: what a function writes besides: tensors, and dicts of tensors. Put back as it was after warming up.
    """

    def __init__(self, state: tuple[Tensor | Mapping[str, Tensor], ...]) -> None:
        self._state = state
        self._held: dict[tuple[torch.Size, ...], tuple[Any, Any, Any]] = {}
        self._pool: Any = None
        self._side: Any = None
        self.works = True

    def __call__(self, function: Callable[[Any], Any], given: Any) -> Any:
        """What the function gives for `given`.

        Args:
            function: always the same, named anew each time so that graphs do not keep its owner alive: what only the
                garbage collector finds may be found during a capture. Takes a tuple of tensors, gives one; must not
                look at a value, nor wait for the device.
            given: a named tuple of tensors.
        """
        if not self.works:
            return function(given)
        shape = tuple(part.shape for part in given)
        if shape not in self._held:
            try:
                self._held[shape] = self._capture(function, given)
            except (RuntimeError, AssertionError) as error:  # torch without CUDA asserts
                self.works, self._pool = False, None
                self._held.clear()
                first = (str(error).strip() or type(error).__name__).splitlines()[0]
                warnings.warn(f"no CUDA graph could be made, so steps are launched one by one: {first}", stacklevel=2)
                return function(given)
        graph, inputs, outputs = self._held[shape]
        for held, part in zip(inputs, given, strict=True):
            held.copy_(part, non_blocking=True)
        graph.replay()
        return tuple(output.clone() for output in outputs)  # the next replay writes over them

    def _capture(self, function: Callable[[Any], Any], given: Any) -> tuple[Any, Any, Any]:
        tensors = [t for part in self._state for t in (part.values() if isinstance(part, Mapping) else (part,))]
        before = [tensor.clone() for tensor in tensors]
        inputs = type(given)(*(part.clone() for part in given))
        main = torch.cuda.current_stream()
        # One stream for all of it: cuBLAS has a workspace of its own for each, 32 MB on newer GPUs, and must not make
        # it during a capture; and what a capture frees only a later one on the same stream can take.
        self._side = side = self._side or torch.cuda.Stream()
        self._pool = self._pool or torch.cuda.graph_pool_handle()  # one for all: they never run at once
        graph = torch.cuda.CUDAGraph()
        try:
            side.wait_stream(main)
            try:
                with torch.cuda.stream(side):
                    for _ in range(WARM_UPS):
                        function(inputs)
            finally:
                main.wait_stream(side)
            # The first, because a capture that fails leaves its own stream the current one.
            with torch.cuda.stream(main), torch.cuda.graph(graph, pool=self._pool, stream=side):
                outputs = function(inputs)
        finally:
            with torch.no_grad():
                for tensor, value in zip(tensors, before, strict=True):
                    tensor.copy_(value)
        return graph, inputs, outputs
