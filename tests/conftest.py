# SPDX-License-Identifier: GPL-2.0-only
"""What holds for all tests: generated cases are the same each time, unless LOCKSPEC_NEW_CASES asks for new ones."""

import os

from hypothesis import settings

# a busy machine is no error of what is tested
settings.register_profile("same", deadline=None, derandomize=True, database=None)
settings.register_profile("new", deadline=None)
settings.load_profile("new" if os.environ.get("LOCKSPEC_NEW_CASES") else "same")
