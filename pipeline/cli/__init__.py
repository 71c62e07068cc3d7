"""The command line: one command for each stage of the graph, and what a user does by hand."""

from pipeline.cli.graph import main

__all__ = ["main"]
