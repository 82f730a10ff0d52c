# SPDX-License-Identifier: GPL-2.0-only
"""What holds for all tests: generated cases are the same each time, unless LOCKSPEC_NEW_CASES asks for new ones."""

import os

import pytest
from hypothesis import settings

# a busy machine is no error of what is tested
settings.register_profile("same", deadline=None, derandomize=True, database=None)
settings.register_profile("new", deadline=None)
settings.load_profile("new" if os.environ.get("LOCKSPEC_NEW_CASES") else "same")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, the tests on the real tree, so that no worker is left with it at the end."""
    items.sort(key=lambda item: item.get_closest_marker("kernel") is None)
