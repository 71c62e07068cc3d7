"""Colour conversion, colour classes and their statistics; reads no file of the graph and no parameter."""
