# SPDX-License-Identifier: GPL-2.0-only
"""Where the `lockspec` command begins: the one subcommand that a build calls for every file starts without the others.

In: `sys.argv`. Out: an exit status.
"""

from __future__ import annotations

import sys
from typing import NoReturn


def run() -> NoReturn:
    """Run the command line and leave the process."""
    words = sys.argv[1:]
    if words[:2] == ["kbuild", "check"] and not {"-h", "--help"} & {*words[2:3]}:
        from analyzer.cli.kbuild_check import main

        sys.exit(main(words[2:]))
    from analyzer.cli.main import run as run_any

    run_any()
