"""The command line: parses, calls Shop, prints."""

from modiste.cli.main import main

__all__ = ["main"]
