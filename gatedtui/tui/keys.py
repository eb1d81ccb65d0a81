"""What can be set for a run, for the form: every key of the config with its meaning, limits and choices.

The meanings are the docstrings under the config's own fields, read from its source, so that they are written once.
"""

import ast
import inspect
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from gatedtui import config, recipes
from gatedtui.plan import UNITS


@dataclass(frozen=True)
class Key:
    """One field of the form.

    Attributes:
        key: a dotted config key, or one of `unit data model recipe name`.
        group: the heading it stands under.
        help: its meaning, in a sentence or two.
        choices: what it may be; "" or other texts too where `free`.
        free: whether any text may be typed.
    """

    key: str
    group: str
    help: str
    choices: tuple[str, ...] = ()
    free: bool = True

    @property
    def label(self) -> str:
        """The key without its table."""
        return self.key.rpartition(".")[2]


WHAT = (
    Key("unit", "", "The recurrent unit; all trains the three side by side.", (*UNITS, "all"), free=False),
    Key("data", "", "A data set, or the path of a folder of MIDI, MusicXML or audio files."),
    Key("model", "", "A model file's name or path; by default the paper's size for the unit."),
    Key("recipe", "", "Named settings, each with its source.", tuple(recipes.RECIPES), free=False),
    Key("name", "", "The run's name: printable characters without slashes."),
)
COVERED = ("model.unit", "data.name", "train.recipe")
"""Config keys that the fields above stand for."""


@cache
def keys() -> tuple[Key, ...]:
    """All fields, the most wanted first, then the config's own in their order."""
    meanings = _meanings()
    found = list(WHAT)
    dotted = [key for key in config.flat(config.RunConfig()) if key not in COVERED]
    for key in dotted:
        choices = tuple(config.field_of(key).metadata.get("choices", ()))
        group = key.rpartition(".")[0] or "seed"
        found.append(Key(key, group, _sentence(key, meanings.get(key, "")), choices, free=not choices))
    return tuple(found)


def _sentence(key: str, meaning: str) -> str:
    """The meaning and the limits."""
    limits = config.field_of(key).metadata
    low, high = limits.get("low"), limits.get("high")
    text = meaning.replace("`", "") or {"seed": "Seed of everything that is drawn by chance."}.get(key, "")
    return f"{text} {low:,g} to {high:,g}." if low is not None and high is not None else text


def _meanings() -> dict[str, str]:
    """The docstring under each field of the config, by dotted key; none where the source is not at hand."""
    try:
        tree = ast.parse(inspect.getsource(config))
    except (OSError, SyntaxError):
        return {}
    tables = {kind.__name__: table for table, kind in config.TABLES.items()}
    found: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name in tables:
            found |= {f"{tables[node.name]}.{name}": text for name, text in _fields(node)}
    return found


def _fields(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, after in itertools.pairwise(node.body):
        text = ast.literal_eval(after.value) if isinstance(after, ast.Expr) else None
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, str):
            yield field.target.id, " ".join(text.split())
