"""Blind listening tests: which clips are presented when, and what the answers show. Pure: no sound, no clock, no files.

Three tasks, after the usual practice of listening tests (Clark 1982, High-resolution subjective testing using a
double-blind comparator, J. Audio Eng. Soc. 30; ITU-R BS.1116):

- `abx`: A, B, and X, which is one of the two. Which? Whoever hears no difference is right half the time.
- `prefer`: two clips. Which is better?
- `real`: one is the data set's own, the other a model's. Which is the real one?

What is presented is drawn from a seed, balanced over pairs, sides and X, and the labels stay hidden until the end.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

import numpy as np

from gatedtui.errors import BadArgument

Task = Literal["abx", "prefer", "real"]
TASKS: tuple[Task, ...] = ("abx", "prefer", "real")
QUESTIONS = {"abx": "Is X the same as A or as B?", "prefer": "Which is better?", "real": "Which is the real one?"}


@dataclass(frozen=True)
class Trial:
    """One presentation."""

    excerpt: int
    """Which set of clips it is taken from."""
    a: int
    """Which item is presented as A."""
    b: int
    """Which item is presented as B."""
    x: int | None
    """Which item is presented as X (`abx` only): that of A or that of B."""
    right: str
    """`a` or `b`; empty where no answer is right or wrong (`prefer`)."""


@dataclass(frozen=True)
class Answer:
    """What somebody answered, `a` or `b`, and after how long."""

    trial: Trial
    said: str
    after_s: float


def trials(task: Task, count: int, real: Sequence[bool], *, excerpts: int = 1, seed: int = 1) -> list[Trial]:
    """What to present.

    Args:
        task: see above.
        count: trials, 1 or more.
        real: for each item whether it is the data set's own.
        excerpts: sets of clips of the same items; they take turns.
        seed: of every draw.

    Raises:
        BadArgument: too few items for the task, or none or only real ones for `real`.
    """
    if len(real) < 2:
        raise BadArgument("A blind test needs two things to compare.", "gated listen A B --blind")
    pairs = list(combinations(range(len(real)), 2))
    if task == "real":
        pairs = [pair for pair in pairs if real[pair[0]] != real[pair[1]]]
        if not pairs:
            what = "none of them is" if not any(real) else "all of them are"
            raise BadArgument(
                f"'{task}' asks which one is real, and {what} a data set's own.", "gated listen bach:0 gru-bach --blind"
            )
    chance = np.random.default_rng(seed)
    made = []
    for number, (pair, flip, same) in enumerate(_balanced(pairs, count, chance)):
        a, b = pair[::-1] if flip else pair
        x = (a if same else b) if task == "abx" else None
        right = {"abx": "a" if same else "b", "prefer": "", "real": "a" if real[a] else "b"}[task]
        made.append(Trial(number % excerpts, a, b, x, right))
    return made


def _balanced(
    pairs: list[tuple[int, int]], count: int, chance: np.random.Generator
) -> list[tuple[tuple[int, int], bool, bool]]:
    """So many pairs, sides and Xs in random order, each combination as often as the others, but for what is left."""
    every = [(pair, flip, same) for pair in pairs for flip in (False, True) for same in (False, True)]
    drawn: list[tuple[tuple[int, int], bool, bool]] = []
    while len(drawn) < count:
        drawn += [every[index] for index in chance.permutation(len(every))]
    drawn = drawn[:count]
    return [drawn[index] for index in chance.permutation(count)]


def results(task: Task, answers: Sequence[Answer], labels: Sequence[str]) -> dict[str, Any]:
    """What the answers show, as plain values for a file.

    For `abx` and `real`: `correct` of `trials`, and `p_value`, the chance to be right so often or oftener by guessing,
    P(K >= correct), K binomial (trials, 1/2). For `prefer`: for each pair how often either was chosen, and the
    two-sided `p_value` of a sign test; and for each item its share of all its comparisons.
    """
    if task == "prefer":
        return _preferences(answers, labels)
    correct = sum(answer.said == answer.trial.right for answer in answers)
    summary: dict[str, Any] = {"correct": correct, "trials": len(answers), "p_value": at_least(correct, len(answers))}
    if task == "real":
        by_label: dict[str, list[int]] = {}
        for answer in answers:
            other = answer.trial.b if answer.trial.right == "a" else answer.trial.a
            tally = by_label.setdefault(labels[other], [0, 0])
            tally[0] += answer.said == answer.trial.right
            tally[1] += 1
        summary["told_apart"] = {
            label: {"correct": right, "trials": all_, "p_value": at_least(right, all_)}
            for label, (right, all_) in by_label.items()
        }
    return summary


def _preferences(answers: Sequence[Answer], labels: Sequence[str]) -> dict[str, Any]:
    wins: dict[tuple[int, int], list[int]] = {}
    for answer in answers:
        chosen = answer.trial.a if answer.said == "a" else answer.trial.b
        pair = (min(answer.trial.a, answer.trial.b), max(answer.trial.a, answer.trial.b))
        wins.setdefault(pair, [0, 0])[pair.index(chosen)] += 1
    pairs = [
        {
            "pair": [labels[pair[0]], labels[pair[1]]],
            "chosen": counts,
            "p_value": two_sided(counts[0], sum(counts)),
        }
        for pair, counts in sorted(wins.items())
    ]
    share = {}
    for number, label in enumerate(labels):
        own = [(counts[pair.index(number)], sum(counts)) for pair, counts in wins.items() if number in pair]
        if own:
            share[label] = sum(won for won, _ in own) / sum(all_ for _, all_ in own)
    return {"trials": len(answers), "pairs": pairs, "share": share}


def at_least(successes: int, count: int) -> float:
    """P(K >= successes) for K binomial (count, 1/2), by exact summation: Σ_{k=s}^{n} C(n, k) / 2^n."""
    return sum(math.comb(count, k) for k in range(max(0, successes), count + 1)) / 2**count


def two_sided(successes: int, count: int) -> float:
    """The exact two-sided binomial test against 1/2: the sum of all outcomes no likelier than this one, which for 1/2
    is twice the smaller tail (at most 1)."""
    tail = sum(math.comb(count, k) for k in range(min(successes, count - successes) + 1))
    return min(1.0, 2 * tail / 2**count)
