"""Modiste: sliders that draw a product, the products like it, and what goes with it."""
