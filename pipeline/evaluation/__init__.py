"""Results against the truth: stores in, tables of scores out."""
