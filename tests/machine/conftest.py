"""The server on loopback, for the tests of this room."""

from tests.loopback import site

__all__ = ["site"]
