"""A method: what its network predicts, how it is put together from an entry of params.yaml, and its file of weights."""
