"""Tables of figures, in Parquet, CSV and Markdown."""
