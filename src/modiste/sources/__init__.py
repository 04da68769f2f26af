"""Where products come from, and how a photo becomes pixels."""
