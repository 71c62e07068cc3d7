import pytest

from tests.small_methods import classifier, on_the_cpu, prepared, small, space  # noqa: F401


@pytest.fixture(autouse=True)
def _alone(on_the_cpu):  # noqa: F811
    pass
