"""The paper's tables, baselines, finer measures, and the report."""
