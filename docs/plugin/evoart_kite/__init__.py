"""A shape, an output format and a command for evoart."""
