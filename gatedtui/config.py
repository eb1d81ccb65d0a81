"""What a run is made of: frozen dataclasses, their limits, and their TOML form (`run.toml`).

A config is always whole: every key has a value, so a checkpoint that carries one needs nothing else to be understood.
Zero means "off" for `window`, `rate_hz`, `patience`, `noise`, `dropout`, `transpose`, `smoothing`, `clip`, `truncate`.
"""

import dataclasses
import math
import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, get_type_hints

from gatedtui.errors import BadArgument, nearest


def limited(default: Any, *, low: float | None = None, high: float | None = None, choices: tuple[str, ...] = ()) -> Any:
    """A dataclass field whose value lies in `[low, high]` or among `choices`."""
    return field(default=default, metadata={"low": low, "high": high, "choices": choices})


MEANT = {"gpu": "cuda", "nvidia": "cuda"}
"""Devices by the names they are also known by."""
VARIANTS = {"gru-no-reset": (2, 0), "lstm-no-peepholes": (4, 0), "lstm-no-forget": (3, 2), "lstm-coupled": (3, 2)}
"""Units that are not the paper's (`units.variants`): blocks of H rows in W, U and b, and rows of peepholes V."""


@dataclass(frozen=True)
class ModelConfig:
    """Which network is trained."""

    unit: str = limited("gru", choices=("tanh", "lstm", "gru", *VARIANTS))
    """The recurrent unit: one of the paper's section 3, or a variant with a gate left out or tied."""
    hidden: int = limited(46, low=1, high=8192)
    """Units a layer."""
    layers: int = limited(1, low=1, high=8)
    """Recurrent layers, stacked."""
    head: str = limited("bernoulli", choices=("bernoulli", "nade", "mixture"))
    """The output distribution: independent Bernoullis or the joint NADE (music), or a mixture of Gaussians (speech)."""
    parts: int = limited(20, low=1, high=1024)
    """Components of the mixture, or hidden units of the NADE; unused by the Bernoullis."""


@dataclass(frozen=True)
class DataConfig:
    """Which data it is trained on."""

    name: str = limited("bach")
    """A data set's name, or the path of a folder."""
    rate_hz: int = limited(0, low=0, high=192_000)
    """Sampling rate a folder of audio is brought to; 0 = the data set's own."""
    window: int = limited(0, low=0, high=10_000_000)
    """Steps (music) or samples (speech) long pieces are cut to; 0 = whole pieces, or the data set's own windows."""


@dataclass(frozen=True)
class TrainConfig:
    """How it is trained."""

    recipe: str = limited("paper")
    """Name of the recipe the other values came from."""
    optimiser: str = limited("rmsprop", choices=("rmsprop", "adam"))
    """`rmsprop` is centred, with momentum (Graves 2013)."""
    lr: float = limited(1e-3, low=1e-12, high=10.0)
    """Learning rate."""
    schedule: str = limited("constant", choices=("constant", "linear"))
    """`linear`: the rate falls from `lr` in the first epoch to 1 % of it in the last of `epochs`."""
    momentum: float = limited(0.9, low=0.0, high=0.9999)
    """RMSProp's momentum, or Adam's first averaging factor."""
    averaging: float = limited(0.95, low=0.0, high=0.999999)
    """RMSProp's averaging factor, or Adam's second."""
    eps: float = limited(1e-4, low=1e-16, high=1.0)
    """The denominator's floor."""
    batch: int = limited(8, low=1, high=4096)
    """Sequences a minibatch."""
    epochs: int = limited(500, low=1, high=1_000_000)
    """Passes over the training set, at most."""
    patience: int = limited(30, low=0, high=1_000_000)
    """Epochs without a better validation NLL before training stops; 0 = never stops early."""
    noise: float = limited(0.075, low=0.0, high=10.0)
    """Standard deviation of the noise on the recurrent layer's `W` and `U`, drawn afresh at every update."""
    dropout: float = limited(0.0, low=0.0, high=0.95)
    """Share of each layer's h that is dropped on its way up, drawn afresh at every update; 0 = none."""
    transpose: int = limited(0, low=0, high=12)
    """Semitones every training piece of music is moved by at most, up or down, drawn afresh every epoch; 0 = none."""
    smoothing: float = limited(0.0, low=0.0, high=0.999999)
    """What is scored and kept is a running mean of the weights that forgets by this factor an update; 0 = the weights
    themselves."""
    clip: float = limited(1.0, low=0.0, high=1e9)
    """The norm of what `clip_what` names is brought down to this when it is longer."""
    clip_what: str = limited("gradient", choices=("gradient", "update"))
    """`update`: not the gradient but the change of the weights, the learning rate in it, is kept that short."""
    loss: str = limited("mean", choices=("mean", "sum"))
    """`mean` over the frames of a minibatch; `sum` over each sequence's frames, the mean over sequences."""
    truncate: int = limited(0, low=0, high=10_000_000)
    """Steps after which backpropagation through time is cut: an update each so many steps, the recurrent state carried
    on; 0 = never."""
    threads: int = limited(1, low=1, high=256)
    """CPU threads of the run. One is fastest where several runs train at once (measured: 1.3 times as many frames)."""
    device: str = limited("auto", choices=("auto", "cpu", "cuda"))
    """Where the run trains."""
    kernel: str = limited("auto", choices=("auto", "reference", "bptt", "native", "cuda"))
    """Which implementation of the same equations."""
    dtype: str = limited("float32", choices=("float32", "float64"))
    """Number format of the weights."""


@dataclass(frozen=True)
class RunConfig:
    """Everything a result depends on, but for the data's digest and the package's version."""

    model: ModelConfig = field(default_factory=ModelConfig)
    data: DataConfig = field(default_factory=DataConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    seed: int = limited(1, low=0, high=2**63 - 1)


TABLES: dict[str, type] = {"model": ModelConfig, "data": DataConfig, "train": TrainConfig}


def keys() -> list[str]:
    """All dotted keys, in the order of `run.toml`: `model.unit` … `train.dtype`, `seed`."""
    return [f"{table}.{f.name}" for table, kind in TABLES.items() for f in dataclasses.fields(kind)] + ["seed"]


def find_key(name: str) -> str:
    """The dotted key meant by `name`: itself, or the one key that ends in it.

    Raises:
        BadArgument: no key has this name, or several do.
    """
    known = keys()
    if name in known:
        return name
    fits = [key for key in known if key.rsplit(".", 1)[-1] == name]
    if len(fits) == 1:
        return fits[0]
    guess = nearest(name, known + [key.rsplit(".", 1)[-1] for key in known])
    hint = f"Did you mean {guess!r}? " if guess else ""
    raise BadArgument(f"There is no config key {name!r}.", f"{hint}Keys: {', '.join(known)}.")


def parse_setting(text: str) -> tuple[str, Any]:
    """`"train.lr=1e-3"` → `("train.lr", 0.001)`: the value is read as the key's type.

    Raises:
        BadArgument: no `=`, an unknown key, or a value of another type.
    """
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise BadArgument(f"{text!r} is not KEY=VALUE.", "Write for example --set train.lr=1e-3")
    key = find_key(name.strip())
    kind = field_of(key).type
    try:
        if kind == "int" or kind is int:
            return key, int(value)
        if kind == "float" or kind is float:
            return key, float(value)
    except ValueError:
        word = "a whole number" if kind in ("int", int) else "a number"
        raise BadArgument(
            f"{key} must be {word}, not {value!r}.", f"Write for example --set {key}={default(key)}"
        ) from None
    return key, value.strip()


def parse_settings(texts: Iterable[str]) -> dict[str, Any]:
    """As `parse_setting`, of several; what is wrong with any of them is said at once."""
    found: dict[str, Any] = {}
    problems: list[BadArgument] = []
    for text in texts:
        try:
            found.update([parse_setting(text)])
        except BadArgument as problem:
            problems.append(problem)
    if problems:
        raise BadArgument(" ".join(one.what for one in problems), problems[0].hint)
    return found


def field_of(key: str) -> dataclasses.Field[Any]:
    """The dataclass field behind a dotted key."""
    table, _, name = key.rpartition(".")
    kind = TABLES[table] if table else RunConfig
    return next(f for f in dataclasses.fields(kind) if f.name == name)


def default(key: str) -> Any:
    """The default value of a dotted key."""
    return field_of(key).default


def flat(config: RunConfig) -> dict[str, Any]:
    """`{dotted key: value}` of a whole config."""
    values: dict[str, Any] = {}
    for table in TABLES:
        part = getattr(config, table)
        values |= {f"{table}.{f.name}": getattr(part, f.name) for f in dataclasses.fields(part)}
    return values | {"seed": config.seed}


def build(values: Mapping[str, Any]) -> RunConfig:
    """The config with these dotted keys set and defaults elsewhere.

    Raises:
        BadArgument: naming every unknown key and every value of the wrong type or out of range, all at once.
    """
    problems: list[str] = []
    hints: list[str] = []
    tables: dict[str, dict[str, Any]] = {table: {} for table in TABLES}
    seed: Any = default("seed")
    for name, value in values.items():
        try:
            key = find_key(name)
        except BadArgument as error:
            problems.append(error.what.rstrip("."))
            hints.insert(0, error.hint)
            continue
        problem, value = _checked(key, value)
        if problem:
            problems.append(problem)
            hints.append(f"Write for example --set {key}={default(key)}")
        elif key == "seed":
            seed = value
        else:
            table, _, name = key.partition(".")
            tables[table][name] = value
    if problems:
        raise BadArgument("; ".join(problems) + ".", hints[0])
    return RunConfig(*(kind(**tables[table]) for table, kind in TABLES.items()), seed=seed)


def _checked(key: str, value: Any) -> tuple[str, Any]:
    """The problem with a value (or "") and the value in its field's type."""
    spec = field_of(key)
    table = key.rpartition(".")[0]
    kind = get_type_hints(TABLES[table] if table else RunConfig)[spec.name]
    if kind is float and type(value) is int and abs(value) <= sys.float_info.max:
        value = float(value)
    if type(value) is not kind:
        return f"{key} must be {kind.__name__}, not {value!r}", value
    low, high, choices = spec.metadata["low"], spec.metadata["high"], spec.metadata["choices"]
    if choices and value not in choices:
        meant = MEANT.get(str(value).casefold()) if key == "train.device" else None
        guess = meant or nearest(str(value), choices)
        aside = f" (did you mean {guess!r}?)" if guess else ""
        return f"{key} must be one of {', '.join(choices)}, not {value!r}{aside}", value
    if isinstance(value, float) and not math.isfinite(value):
        return f"{key} must be a finite number, not '{value}'", value
    if (low is not None and value < low) or (high is not None and value > high):
        return f"{key} must lie in {_span(low, high, whole=kind is int)}, not '{value}'", value
    return "", value


def _span(low: float | None, high: float | None, *, whole: bool) -> str:
    """`1..1,000,000` for whole numbers, `[1e-12, 10]` for others; an end that is open is left out."""
    ends = ["" if end is None else f"{int(end):,}" if whole else f"{end:g}" for end in (low, high)]
    return "..".join(ends) if whole else f"[{ends[0]}, {ends[1]}]"


def nested(config: RunConfig) -> dict[str, Any]:
    """The config as tables of plain values, as in `run.toml`."""
    return {table: dataclasses.asdict(getattr(config, table)) for table in TABLES} | {"seed": config.seed}


def from_nested(tables: Mapping[str, Any]) -> RunConfig:
    """The inverse of `nested`; raises `BadArgument` as `build` does."""
    values: dict[str, Any] = {}
    for name, content in tables.items():
        if isinstance(content, Mapping):
            values |= {f"{name}.{key}": value for key, value in content.items()}
        else:
            values[name] = content
    return build(values)


def to_toml(config: RunConfig) -> str:
    """The text of `run.toml`."""
    import tomli_w

    tables = nested(config)
    return tomli_w.dumps({"seed": tables.pop("seed")} | tables)


def from_toml(text: str) -> RunConfig:
    """The config in a `run.toml`.

    Raises:
        BadArgument: the text is not TOML, or its keys or values are not a config's.
    """
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # not TOML; numbers of thousands of digits; tables without end
        raise BadArgument(f"This is not TOML: {error}.") from None
    return from_nested(tables)
