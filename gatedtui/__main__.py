"""`python -m gatedtui`: the command `gated`."""

from gatedtui.cli.main import main

main()
