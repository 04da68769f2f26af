"""Decoding of visitors' photos in a sandboxed subprocess."""
