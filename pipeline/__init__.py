"""Huebench: automatic image colorization as one reproducible graph."""

__version__ = "0.1.0"
