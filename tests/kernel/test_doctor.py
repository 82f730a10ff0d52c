# SPDX-License-Identifier: GPL-2.0-only
"""A real tree that is prepared is well in every respect."""

from pathlib import Path

import pytest

from analyzer.pipeline.doctor import diagnose
from analyzer.pipeline.options import CheckOptions

pytestmark = pytest.mark.kernel


def test_the_prepared_tree_is_well(tree: Path, cache: Path) -> None:
    diagnoses = list(diagnose(CheckOptions(tree=tree, cache=cache)))
    assert [one for one in diagnoses if one.condition != "well"] == []
    assert len(diagnoses) == 8
