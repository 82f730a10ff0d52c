# SPDX-License-Identifier: GPL-2.0-only
"""A page in one file: style, script and data in one HTML document.

In: a folder with `page.html`, `page.css` and `page.js`, and data for the script. Out: the document.

**Invariant:** the page asks the network for nothing, and its content security policy would not let it.
**Invariant:** names never become markup: the data cannot end its element.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

#: what could end a script element or begin a comment in it, as JSON escapes
_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def page(folder: Path, document: object) -> str:
    """Return the page of `folder` with `document` as its data."""
    style = (folder / "page.css").read_text("utf-8")
    script = (folder / "page.js").read_text("utf-8")
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; "
        f"style-src '{_digest(style)}'; script-src '{_digest(script)}'"
    )
    data = json.dumps(document, separators=(",", ":")).translate(_ESCAPES)
    parts = {"policy": policy, "style": style, "data": data, "script": script}
    # Split first: what is put in may itself hold what looks like a place to put something in.
    head, *rest = (folder / "page.html").read_text("utf-8").split("@@")
    return head + "".join(parts[part] if index % 2 == 0 else part for index, part in enumerate(rest))


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


class Words:
    """Gives each text a number, in the order of their first use: texts that come again and again."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        """Return the number of `text`."""
        return self._numbers.setdefault(text, len(self._numbers))

    def texts(self) -> list[str]:
        """Return the texts in the order of their numbers."""
        return list(self._numbers)
