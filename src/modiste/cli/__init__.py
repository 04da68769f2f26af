"""The command line: parses, calls Shop, prints."""

from modiste.cli.run import main

__all__ = ["main"]
