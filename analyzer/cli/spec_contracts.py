# SPDX-License-Identifier: GPL-2.0-only
"""`lockspec spec contracts`: what the source itself claims of locks, with a verdict for each call.

In: a tree. Out: a Markdown page.
"""

from __future__ import annotations

from analyzer.cli import arguments, output, progress
from analyzer.cli.common_options import Common, with_input_options
from analyzer.report import render_claims

EXAMPLES = """\b
Examples:
  lockspec spec contracts --tree ~/linux                            every assertion, and who keeps it
  lockspec spec contracts --tree ~/linux --rule kernel/contract-held
"""


@with_input_options
def contracts(
    common: Common,
    rule: arguments.Rules = None,
    output_file: arguments.Output = None,
) -> None:
    """List what functions claim of locks: assertions and conditions, proven or not for each call."""
    from analyzer.pipeline.claims import judged_claims

    output.check_writable(output_file)
    with progress.shown(common.quiet) as bar:
        found, assumed = judged_claims(common.options(rule), bar)
    output.write(render_claims(found, assumed), output_file)
