"""HTTP API of one shop, and the studio: the page on which a person designs."""
