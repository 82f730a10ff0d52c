# SPDX-License-Identifier: GPL-2.0-only
"""`must-hold`: calls of a function need locks.

In: a MustHold rule. Out: a watch for each of its functions.
"""

from collections.abc import Iterable

from analyzer.analysis.names import NameResolver
from analyzer.analysis.watch import Watch
from analyzer.spec.model import MustHold, Rule

NOUN = "call"
KIND = "must-hold"
CHECK = MustHold


def watches(rule: Rule, names: NameResolver) -> Iterable[Watch]:
    """Return the watches of `rule`."""
    check = rule.check
    assert isinstance(check, MustHold)
    requires = names.requirement(check.requires, rule.location)
    for function in check.functions:
        yield Watch(rule.id, None, function, f"{function}()", "call", requires, rule.unless)


def headline(access: str, name: str) -> str:
    """Return `call of kvm_gmem_get_file()`."""
    return f"{access} of {name}"
