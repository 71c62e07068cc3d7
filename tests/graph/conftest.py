from conftest_graph import clone  # noqa: F401
