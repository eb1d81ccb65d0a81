"""The examples of every command's help. A test runs each of them, but for those that say what they need."""

from typing import Literal, NamedTuple


class Example(NamedTuple):
    """One command line.

    Attributes:
        command: to be copied as it stands.
        does: what comes of it.
        needs: what keeps a test from running it: a terminal, a sound card, minutes of a quiet machine, or the extra
            `ray`. "" where it can be run anywhere.
    """

    command: str
    does: str
    needs: Literal["", "terminal", "sound", "minutes", "ray"] = ""


EXAMPLES: dict[str, tuple[Example, ...]] = {
    "": (
        Example("gated train --unit gru", "Trains the paper's GRU on Bach's chorales, with its curves."),
        Example("gated sample --out song.mid", "A song from the newest model, else from a released one."),
        Example("gated", "The terminal app: all runs, their curves, songs and gates.", "terminal"),
    ),
    "train": (
        Example("gated train --unit gru", "The paper's GRU on Bach's chorales, by the paper's recipe."),
        Example("gated train --unit all --epochs 20", "The three units side by side, for 20 epochs at most."),
        Example("gated train --data jsb --recipe modern --seed 2", "The paper's JSB chorales with today's methods."),
        Example("gated train --set train.lr=3e-3 --set hidden=64 --name wide", "Any key of run.toml can be set."),
        Example("gated train --data ./songs --detach", "Your own MIDI files, without this terminal."),
        Example("gated train --data vowels --unit lstm --json", "Waveforms; the events as JSON lines."),
    ),
    "resume": (
        Example("gated resume", "The newest run that can go on."),
        Example("gated resume gru-jsb-1 --detach", "That run, without this terminal."),
    ),
    "stop": (Example("gated stop gru-bach-1", "The run saves and ends; gated resume goes on with it."),),
    "watch": (
        Example("gated watch", "All that is training, started from anywhere."),
        Example("gated watch gru-bach-1 --json", "What happened in that run, and what happens, as JSON lines."),
    ),
    "sweep": (
        Example("gated sweep --data jsb --jobs 2 --name jsb", "The paper's protocol on its chorales, two at a time."),
        Example("gated sweep --unit gru --draws 3 --set 'train.lr=log(1e-4,1e-2)'", "Rates of your own, on its sets."),
        Example("gated sweep --name jsb", "Goes on with the sweep of that name, or tells what it found."),
        Example("gated sweep --engine ray --address auto", "On all machines of a Ray cluster.", "ray"),
    ),
    "table": (
        Example("gated table", "Table 2 of all runs and sweeps there are."),
        Example("gated table jsb --format markdown", "Of one sweep, to paste into a document."),
        Example("gated table --figures figures", "And the learning curves, an SVG a data set."),
    ),
    "runs": (Example("gated runs list", "All runs, newest first."),),
    "runs list": (Example("gated runs list --json", "All runs, to be read by another program."),),
    "runs show": (Example("gated runs show gru-bach-1", "What it reached, and every setting."),),
    "runs rm": (
        Example("gated runs rm gru-bach-1", "Asks first.", "terminal"),
        Example("gated runs rm gru-bach-1 lstm-bach-1 --yes", "Does not ask."),
    ),
    "eval": (
        Example("gated eval gru-bach-1", "On its own test set."),
        Example("gated eval runs/gru-bach-1/best.safetensors --split valid --json", "A file, on another split."),
        Example("gated eval lstm-jsb --data bach", "A released model on another data set."),
    ),
    "sample": (
        Example("gated sample --out song.mid", "Thirty seconds from the newest model."),
        Example("gated sample gru-bach-1 --out song.mid --out song.wav --seed 7", "To see and to hear."),
        Example("gated sample --prime bach:1 --keep-prime --out song.mid", "Going on from a chorale of the test set."),
        Example("gated sample --prime 'C4,E4,G4*8' --n 3 --out song.mid", "Three songs from a chord of two beats."),
        Example("gated sample --unit all --data bach --out song.mid --stats", "A song of each unit, with measures."),
        Example("gated sample --data speech-a --seconds 1 --out voice.wav", "A voice."),
    ),
    "play": (Example("gated play song.mid", "Through the sound card.", "sound"),),
    "listen": (
        Example("gated listen bach:1 gru-bach-1 lstm-bach-1", "Two models go on from a chorale, beside the real one."),
        Example("gated listen song.mid song.wav", "Files, equally loud."),
        Example("gated listen bach:1 gru-bach --seconds 10 --html page.html", "As a page for any browser."),
        Example("gated listen bach:1 gru-bach --blind --task real", "Which one did Bach write?", "sound"),
    ),
    "gates": (
        Example("gated gates gru-bach --input bach:0", "In numbers."),
        Example("gated gates gru-bach --input song.mid --out gates.svg", "As a picture, over a file of yours."),
        Example("gated gates lstm-bach --input bach:1 --json", "Every value of every gate."),
    ),
    "report": (
        Example(
            "gated report --samples 1 --seconds 5 --out report.html", "The newest run, and those of the other units."
        ),
        Example("gated report tanh-bach-1 lstm-bach-1 gru-bach-1 --samples 0 --out bach.html", "Three runs, no songs."),
    ),
    "data": (Example("gated data list", "The data sets, and which of them are ready."),),
    "data list": (Example("gated data list --json", "With licences and sources."),),
    "data info": (
        Example("gated data info jsb nottingham", "What they hold, and the NLL of guessing by frequency."),
        Example("gated data info ./songs --json", "A folder of yours: what was read, and why some was not."),
    ),
    "data fetch": (
        Example("gated data fetch jsb nottingham muse piano", "The paper's four, before a journey."),
        Example("gated data fetch jsb --mirror ./mirror", "From a folder that holds the published files."),
    ),
    "data import": (Example("gated data import my-songs ./songs", "gated train --data my-songs then works anywhere."),),
    "models": (Example("gated models list", "Sizes, beside the paper's."),),
    "models list": (Example("gated models list --json", "All that the model files say."),),
    "models show": (Example("gated models show music-gru", "How its parameters are counted."),),
    "bench": (
        Example("gated bench --quick", "Forty seconds.", "minutes"),
        Example("gated bench --json", "All of it, to be kept.", "minutes"),
    ),
    "doctor": (
        Example("gated doctor", "What works here."),
        Example("gated doctor --json", "To paste into a bug report."),
    ),
}
"""Examples by the words of the command, `runs list` and so on; "" is `gated` itself."""
