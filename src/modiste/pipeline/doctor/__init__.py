"""Checks and repair of a shop and of the machine."""
