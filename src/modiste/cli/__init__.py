"""The command line: parses options, calls the library, prints the results."""

from modiste.cli.main import main

__all__ = ["main"]
