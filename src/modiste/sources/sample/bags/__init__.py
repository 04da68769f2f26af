"""Drawings of bags."""
