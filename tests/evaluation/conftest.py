"""The photographs and results that the tests of the metrics make serve those of scoring as well."""

from tests.metrics.conftest import pairs  # noqa: F401
