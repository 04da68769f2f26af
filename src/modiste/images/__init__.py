"""Pixels: reading, checking, segmenting and describing photos."""
