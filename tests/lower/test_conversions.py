# SPDX-License-Identifier: GPL-2.0-only
"""Golden dumps: values that get another type."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

Lowered = Callable[..., str]


def test_a_number_becomes_a_truth_value(lowered: Lowered) -> None:
    text = """
        struct s { _Bool on; };
        void g(_Bool on, int n);
        _Bool f(struct s *p, int n, _Bool on) {
            _Bool local = n, same = on, compared = n > 2;
            p->on = n; g(n, n); g(on, on); local |= n;
            return n;
        }
    """
    assert lowered(text) == dedent("""
        b0:
          local = n != 0
          same = on
          compared = n > 2
          p->on = n != 0
          g(n != 0, n)
          g(on, on)
          local <- (local | n) != 0
          return n != 0
    """)
