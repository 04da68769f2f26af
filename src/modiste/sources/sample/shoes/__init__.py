"""Drawings of shoes."""
