"""How many inputs the two fuzzers try of each kind, and what both hold every reader to."""

SHARES = {
    "MIDI": 130,
    "MusicXML": 30,
    "MusicXML, packed": 20,
    "WAV FLAC OGG AIFF": 100,
    "MP3": 30,
    "MATLAB": 110,
    "archive": 100,
    "model": 100,
    "model's header": 60,
    "run state": 20,
    "run state's header": 20,
    "run.toml": 60,
    "model file": 50,
    "sweep.toml": 30,
    "events.jsonl": 60,
    "blind tests": 20,
    "list of imports": 20,
    "prepared data": 20,
    "typed words": 20,
}
"""How many of 1,000 inputs are of each kind."""
MEMORY_MIB = 600
"""Most that a small damaged file may make a process grow by; no child may take more than 1 GiB in any case."""
SEED = 20261120
