"""Sample catalogue: drawn products, whose attributes are therefore known exactly."""

from modiste.sources.sample.source import SampleSource

__all__ = ["SampleSource"]
