"""The version of Modiste."""

__version__ = "0.1.0"
