"""A shop on object storage."""
