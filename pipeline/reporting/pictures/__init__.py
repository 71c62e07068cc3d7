"""Galleries, charts and figures."""
