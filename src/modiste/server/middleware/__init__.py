"""Middleware of the HTTP server."""
