# SPDX-License-Identifier: GPL-2.0-only
"""`contract`: what the source claims of locks is so.

In: `forms: [lockdep_assert_held, lockdep_assert_held_write]`. Out: `Contract(…)`.
"""

from __future__ import annotations

from analyzer.spec.kinds import RuleKind
from analyzer.spec.mapping import Fields, Key
from analyzer.spec.model import Contract, Mention
from analyzer.spec.shapes import ListOf, Text

FORMS = Key("forms", ListOf(Text(), "forms of claims"), "the words by which the source claims it", required=True)


def _build(fields: Fields) -> tuple[Contract, tuple[Mention, ...]]:
    return Contract(fields[FORMS]), ()


KIND = RuleKind("contract", "what the source claims of locks is so", (FORMS,), (), _build)
