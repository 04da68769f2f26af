"""The sample catalogue: products drawn by us, whose attributes are therefore known exactly."""

from modiste.catalogue.sample.source import SampleSource

__all__ = ["SampleSource"]
