# SPDX-License-Identifier: GPL-2.0-only
"""The JSON Schema of specification files, for editors.

In: the same key tables that the loader reads with. Out: a draft 2020-12 schema.
"""

from __future__ import annotations

import json

from analyzer.spec.documents import ASSUMPTIONS_FILE, CALLS_FILE, FAMILY_FILE, ROWS_FILE, RULES_FILE, STATEMENTS_FILE
from analyzer.spec.requirements import requirement_definition
from analyzer.spec.shapes import Schema


def json_schema() -> Schema:
    """Make the schema."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": "SPDX-License-Identifier: GPL-2.0-only",
        "title": "Lock specification for lockspec",
        "anyOf": [
            RULES_FILE.schema(),
            FAMILY_FILE.schema(),
            ROWS_FILE.schema(),
            CALLS_FILE.schema(),
            ASSUMPTIONS_FILE.schema(),
            STATEMENTS_FILE.schema(),
        ],
        "$defs": {"requirement": requirement_definition()},
    }


def schema_text() -> str:
    """Make the schema as text, as `lockspec spec schema` prints it and `lockspecs/schema.json` holds it."""
    return json.dumps(json_schema(), indent=1, sort_keys=False, ensure_ascii=False) + "\n"
