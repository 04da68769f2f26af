"""Pure NumPy maths on codes: posterior, clusters, arithmetic, sliders. Imports no other room."""
