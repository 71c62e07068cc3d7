from tests.graph.clones import clone  # noqa: F401
