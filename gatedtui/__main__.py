"""`python -m gatedtui` and the script `gated`: the command line."""

import sys


def main() -> None:
    """Runs the command line; Ctrl-C while its modules are still being loaded ends it without a traceback."""
    try:
        from gatedtui.cli.main import main as command_line
    except KeyboardInterrupt:
        sys.exit(130)
    command_line()


if __name__ == "__main__":
    main()
