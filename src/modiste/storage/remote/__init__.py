"""A shop on object storage: its manifest, commits, lease, cached copies and transfers."""
