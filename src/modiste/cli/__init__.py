"""The command line: parses, calls Shop, prints."""
