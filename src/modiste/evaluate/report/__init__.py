"""The evaluation as tables in the terminal, and as an HTML report."""
