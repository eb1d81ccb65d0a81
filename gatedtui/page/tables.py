"""The tables of a report: NLLs beside the paper's, parameter counts, and the measures of songs."""

from collections.abc import Sequence

from gatedtui import modelfile
from gatedtui.page import looks
from gatedtui.page.clip import Clip
from gatedtui.page.findings import Group, Model
from gatedtui.page.html import Markup, tag
from gatedtui.sound.distribution import SAID, Band, flat, rows

RECALLED = "The paper's figures are as recalled; nobody has checked them against the PDF yet."
PAPER_SETS = {
    "nottingham": "Nottingham",
    "jsb": "JSB Chorales",
    "muse": "MuseData",
    "piano": "Piano-midi",
    "ubisoft-a": "Ubisoft A",
    "ubisoft-b": "Ubisoft B",
}
SPLITS = {"test": "Test", "train": "Training", "valid": "Validation"}
WEIGHTINGS = {"frame": "by frame", "sequence": "by piece"}


def nlls(group: Group) -> Markup:
    """Nats a frame of a data set's models beside the paper's Table 2, in both weightings; a column a model."""
    configs = [model.checkpoint.config.model for model in group.models]
    body: list[Markup] = []
    for split, title in SPLITS.items():
        body.append(tag("tr", tag("th", title, scope="rowgroup", colspan=len(configs) + 1), class_="group"))
        theirs = [modelfile.paper_nll(config, group.data.name, split) for config in configs]
        if any(value is not None for value in theirs):
            body.append(_row("the paper", [looks.nll(value) for value in theirs], "theirs"))
        for weighting, said in WEIGHTINGS.items():
            ours = [looks.nll(model.nll(split, weighting)) for model in group.models]
            body.append(_row(f"ours, {said}", ours, "ours" if split == "test" else ""))
        if split == "test":
            for value, said in zip(group.guessing, WEIGHTINGS.values(), strict=True):
                body.append(_row(f"guessing, {said}", [looks.nll(value)] * len(configs), "theirs"))
    body.append(_row("best epoch", [str(model.checkpoint.nll.get("epoch", looks.NONE)) for model in group.models], ""))
    return _table([""], [_head(model) for model in group.models], body, f"{group.data.name}: nats a frame")


def whole_table_2() -> Markup:
    """The paper's Table 2 as the model files recall it."""
    units = ("tanh", "gru", "lstm")
    body = []
    for name, said in PAPER_SETS.items():
        kind = "speech" if name.startswith("ubisoft") else "music"
        files = [modelfile.for_unit(unit, kind) for unit in units]
        pairs = [(file.paper_nll(name, "train"), file.paper_nll(name, "test")) for file in files]
        body.append(_row(said, [f"{looks.nll(train)} / {looks.nll(test)}" for train, test in pairs], ""))
    heads = [tag("th", looks.sign(unit), " ", looks.name(unit), scope="col") for unit in units]
    note = "Ubisoft A and B were never published; our speech sets are others, so the two cannot be compared."
    return tag(
        "details",
        tag("summary", "The paper's whole Table 2"),
        _table(["train / test"], heads, body, "Average negative log-probability, nats a frame"),
        tag("p", f"{RECALLED} {note}", class_="note"),
    )


def parameters(models: Sequence[Model]) -> Markup:
    """Counts of each model beside the paper's Table 1."""
    body, notes = [], {}
    for model in models:
        config = model.checkpoint.config.model
        counts = modelfile.parameters(config)
        file = modelfile.for_unit(config.unit, str(model.checkpoint.data["kind"]))
        same = config.hidden == file.model.hidden and config.layers == 1
        theirs = str(file.paper.get("parameters", looks.NONE)) if same else looks.NONE
        if same and "note" in file.paper:
            notes[f"{looks.name(config.unit)} {config.hidden}"] = str(file.paper["note"])
        size = f"{config.hidden:,}" if config.layers == 1 else f"{config.layers} × {config.hidden:,}"
        cells = [size, *(looks.count(counts[key]) for key in ("recurrent", "output", "total")), theirs]
        body.append(_row([looks.sign(config.unit), " ", model.label], cells, ""))
    names = ("units", "recurrent", "output", "total", "paper's Table 1")
    heads = [tag("th", name, scope="col") for name in names]
    remarks = [tag("p", f"{name}: {note}", class_="note") for name, note in notes.items()]
    details = tag("details", tag("summary", "How the paper counts"), *remarks) if remarks else Markup("")
    return Markup(_table([""], heads, body, "Weights and biases") + details)


def statistics(clips: Sequence[Clip], training: dict[str, Band]) -> Markup:
    """The measures of each clip beside what is usual in the training set; what lies outside is marked `*`."""
    measured = [{row.name: row for row in rows(one.item.statistics, training)} for one in clips]
    names = list(dict.fromkeys(name for table in measured for name in table))
    bands = {_said(key): (band, key) for key, band in training.items()}
    body = []
    for name in names:
        band = bands.get(name)
        usual = _usual(*band) if band else looks.NONE
        cells: list[Markup] = [tag("td", usual, class_="dim")]
        for table in measured:
            row = table.get(name)
            if row is None:
                cells.append(tag("td", looks.NONE))
            elif row.inside is False:
                cells.append(tag("td", f"{row.value} *", class_="unusual"))
            else:
                cells.append(tag("td", row.value))
        body.append(tag("tr", tag("th", name, scope="row"), *cells))
    heads = [tag("th", "training: median (middle 90 %)", scope="col")]
    for one in clips:
        heads.append(tag("th", looks.sign(looks.family(one.item)), " ", one.title, scope="col", class_="run"))
    note = tag(
        "p", "* outside the middle 90 % of training excerpts of the same length; primers left out.", class_="note"
    )
    return Markup(note + _table([""], heads, body, "Measures of each clip"))


def _said(measure: str) -> str:
    """What a measure is called."""
    return SAID[measure][0] if measure in SAID else f"level {measure} (dB)"


def _usual(band: Band, measure: str) -> str:
    decimals = SAID[measure][1] if measure in SAID else 1
    return f"{band.median:.{decimals}f} ({band.low:.{decimals}f} … {band.high:.{decimals}f})"


def has_measures(clips: Sequence[Clip]) -> bool:
    """Whether there is anything to put into the table of measures."""
    return any(flat(one.item.statistics) for one in clips)


def _head(model: Model) -> Markup:
    config = model.checkpoint.config.model
    return tag(
        "th",
        looks.sign(config.unit),
        f" {looks.name(config.unit)} {config.hidden}{', joint outputs' if config.head == 'nade' else ''}",
        tag("br"),
        model.label,
        scope="col",
        class_="run",
    )


def _row(head: str | Sequence[str], cells: Sequence[str], class_: str) -> Markup:
    heads = (head,) if isinstance(head, str) else head
    return tag("tr", tag("th", *heads, scope="row"), *(tag("td", cell) for cell in cells), class_=class_ or None)


def _table(first: Sequence[str], heads: Sequence[Markup], body: Sequence[Markup], caption: str) -> Markup:
    head = tag("tr", *(tag("th", text, scope="col") for text in first), *heads)
    table = tag("table", tag("caption", caption), tag("thead", head), tag("tbody", *body))
    return tag("div", table, class_="wide", tabindex="0", role="region", aria_label=caption)
