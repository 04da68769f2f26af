"""Shop: the one object that the command line, the HTTP API and notebooks use."""
