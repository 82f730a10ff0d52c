# SPDX-License-Identifier: GPL-2.0-only
"""Segments: the runs of preprocessed text that come from one file.

In: nothing. Out: `Segment("include/linux/kvm_host.h", 1, "…")`.
"""

from msgspec import Struct


class Segment(Struct, frozen=True, gc=False):
    """Text between the line markers that enter or leave a file.

    Line markers are gone: a marker that moves forward within the file became blank lines, one that moves back
    became a line of its own, `# -3`, which says that the line after it is numbered 3 less than it would be.
    Names that the preprocessor made unique (`__UNIQUE_ID_…123`) are renumbered from 0 within the segment.
    """

    #: path as in `Location.file`
    file: str
    #: number of the segment's first line in the file
    line: int
    text: str
    #: of `text` alone, so that an equal text elsewhere is the same
    digest: str
    #: include depth: 0 for the main file
    depth: int
