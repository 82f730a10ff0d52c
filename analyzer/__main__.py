# SPDX-License-Identifier: GPL-2.0-only
"""`python -m analyzer`: the `lockspec` command without an installation."""

from analyzer.cli.start import run

if __name__ == "__main__":
    run()
