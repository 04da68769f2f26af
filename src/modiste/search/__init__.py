"""Nearest products for a code: exact, in memory, rebuilt from the store."""
