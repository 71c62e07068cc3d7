"""The visual Turing test: its trials and what people answered."""
