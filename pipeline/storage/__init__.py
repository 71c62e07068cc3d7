"""Photographs and tables on disk (DESIGN section 3)."""
