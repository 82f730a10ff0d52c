/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's header, and after it annotations of locks that keep who they are; see lockdep.h. */
#include_next <linux/compiler_types.h>
#include "../annotations.h"
