"""The stages that write a shop."""
