"""One module per stage of dvc.yaml: read, call, write. `registry` lists them, `frame` runs them."""
