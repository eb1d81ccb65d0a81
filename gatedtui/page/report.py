"""The page of `gated report`: what was trained, beside the paper, to read, to look at and to hear."""

import math
import shlex
from collections.abc import Sequence

from gatedtui import plan
from gatedtui.listen.gather import SHORTEST_S
from gatedtui.page import curves, gates, listening, looks, shell, tables
from gatedtui.page.findings import GATE_STEPS, Group, Model
from gatedtui.page.html import Markup, tag

PAPER = (
    "Chung, Gulcehre, Cho and Bengio 2014, Empirical Evaluation of Gated Recurrent Neural Networks on Sequence "
    "Modeling, arXiv:1412.3555"
)


def page(groups: Sequence[Group], *, command: Sequence[str]) -> str:
    """The whole report.

    Args:
        groups: what `findings.groups` gave, one at least.
        command: the words that made it.
    """
    models = [model for group in groups for model in group.models]
    title = heading(groups)
    parts: list[tuple[str, str, Sequence[Markup | None]]] = [
        ("nll", "Negative log-likelihood", [*map(tables.nlls, groups), _weighting(), tables.whole_table_2()]),
        ("parameters", "Parameters", [tables.parameters(models)]),
    ]
    for number, group in enumerate(groups, 1):
        behind = f": {group.data.name}" if len(groups) > 1 else ""
        parts.append((f"curves-of-{number}", f"Learning curves{behind}", [_curves(group, number)]))
        parts.append((f"listen-{number}", f"Listening{behind}", _listening(group, number)))
        parts.append((f"gates-{number}", f"Gates{behind}", _gates(group)))
        if group.training and tables.has_measures(group.clips):
            measured = [tables.statistics(group.clips, group.training)]
            parts.append((f"statistics-{number}", f"Statistics{behind}", measured))
    parts.append(("commands", "Commands and seeds", _commands(groups, command)))
    links = [tag("a", name, href=f"#{key}") for key, name, _ in parts]
    body = [
        tag(
            "header",
            tag("h1", title),
            tag("p", f"Beside {PAPER}.", class_="lead"),
            tag("nav", *links, aria_label="Contents"),
        ),
        tag("main", *(tag("section", tag("h2", name, id=key), *inside) for key, name, inside in parts)),
        listening.footer(),
    ]
    return shell.document(f"{title} – gated", body, scripts=shell.REPORT)


def heading(groups: Sequence[Group]) -> str:
    """`tanh, LSTM and GRU on jsb`."""
    units = list(dict.fromkeys(looks.name(model.unit) for group in groups for model in group.models))
    sets = [group.data.name for group in groups]
    return f"{_listed(units)} on {_listed(sets)}"


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _weighting() -> Markup:
    return tag(
        "p",
        "By frame: all frames of all pieces in one list, so that long pieces count more; the headline. By piece: each "
        "piece's own mean first. The paper does not say which it took; its MuseData and Piano-midi rows fit the second "
        "better. Frames 2 to T are scored, by the epoch that was best on validation. Guessing is by how often each "
        f"pitch sounds, or by one normal distribution of all samples. {tables.RECALLED}",
        class_="note",
    )


def _curves(group: Group, number: int) -> Markup:
    drawn = [
        curves.Curve(
            model.label,
            model.unit,
            model.history.epochs,
            model.history.best,
            model.history.started.paper_nll if model.history.started else None,
        )
        for model in group.models
    ]
    if not any(curve.epochs for curve in drawn):
        said = "These are models without their runs, so that what happened in training is not known here."
        return tag("p", said, class_="note")
    return curves.section(drawn, number=number, guessing_nll=group.guessing[0])


def _listening(group: Group, number: int) -> list[Markup | None]:
    if not group.clips:
        return [tag("p", "No songs were drawn (--samples 0).", class_="note")]
    first = group.clips[0].item
    if not group.prime:
        what = "Each begins by itself: a folder's pieces have no name that a primer could be given by."
    else:
        piece = _after_colon(first.source)
        what = f"All begin with the first {first.primer_s:.3g} s of test piece {group.prime}: {piece}."
    real = "The first is how it really goes on." if first.kind == "real" else None
    own_s = len(group.data.splits["test"][0]) / group.data.rate_hz if group.data.kind == "speech" else math.inf
    if group.prime and own_s < SHORTEST_S:
        real = f"The first is how it really goes on, but a piece of this set ends after {1000 * own_s:.0f} ms."
    said = " ".join(filter(None, [what, real, "Equally loud; the numbers switch and keep the place."]))
    return [tag("p", said), listening.player(group.clips, group.sets, number=number)]


def _after_colon(source: str) -> str:
    return source.partition(": ")[2] or source


def _gates(group: Group) -> list[Markup | None]:
    if not group.gates:
        return [tag("p", "The set has no piece that could be named, so no gates were looked at.", class_="note")]
    figures = [
        tag(
            "figure",
            tag("figcaption", looks.sign(model.unit), f" {model.label}", _gates_said(about)),
            tag("div", Markup(gates.picture(about | {"model": model.label})), class_="gates", tabindex="0"),
        )
        for model, about in zip(group.models, group.gates, strict=True)
    ]
    return [tag("p", f"What the gates of every unit do while the model hears {group.prime}."), *figures]


def _gates_said(about: dict) -> str:
    """The figures of the picture in words, for those who cannot see it."""
    proper = {name: gate for name, gate in about["gates"].items() if "mean" in gate}
    if not proper:
        return ": tanh units have no gates; |h| is how hard each works"
    told = [
        f"{gates.NAMES[name].partition(' ')[2]} gates on average {gate['mean']:.2f} open, "
        f"closed {gate['closed']:.0%} and open {gate['open']:.0%} of the time"
        for name, gate in proper.items()
    ]
    return f": {'; '.join(told)}"


def _training(model: Model) -> list[str]:
    config, run = model.checkpoint.config, model.checkpoint.run
    return plan.command(plan.again(config) | {"seed": str(config.seed)} | ({"name": run} if run else {}))


def _commands(groups: Sequence[Group], command: Sequence[str]) -> list[Markup | None]:
    made: list[Markup | None] = [tag("h3", "This report"), _code([command])]
    trained, drawn, looked = [], [], []
    for group in groups:
        trained += [(*_training(model), *model.where) for model in group.models]
        drawn += [one.command for one in group.clips if one.command]
        if group.gates:
            looked += [
                ("gated", "gates", model.word, "--input", group.prime, "--steps", str(GATE_STEPS), *model.where)
                for model in group.models
            ]
    made += [tag("h3", "Training"), _code(trained)]
    made += [tag("h3", "Songs"), _code(drawn)] if drawn else []
    made += [tag("h3", "Gates"), _code(looked)] if looked else []
    return [*made, tag("h3", "What the models are"), _models([model for group in groups for model in group.models])]


def _code(lines: Sequence[Sequence[str]]) -> Markup:
    return tag("pre", tag("code", "\n".join(map(shlex.join, lines))), tabindex="0")


def _models(models: Sequence[Model]) -> Markup:
    names = ("state", "seed", "recipe", "best epoch", "data digest", "made by")
    heads = [tag("th", scope="col"), *(tag("th", name, scope="col") for name in names)]
    rows = []
    for model in models:
        held = model.checkpoint
        cells = [
            model.state,
            str(held.config.seed),
            held.config.train.recipe,
            str(held.nll.get("epoch", looks.NONE)),
            str(held.data["digest"])[:12],
            f"gated {held.version}",
        ]
        first = tag("th", looks.sign(model.unit), " ", model.label, scope="row", class_="run")
        rows.append(tag("tr", first, *(tag("td", cell) for cell in cells)))
    return tag("div", tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *rows)), class_="wide", tabindex="0")
