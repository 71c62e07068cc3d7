"""One module per stage of dvc.yaml: read, call, write. Each `run` returns the line that says what it did."""
