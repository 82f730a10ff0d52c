/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's header, and after it what it says of sleeping, whatever is configured; see lockdep.h.
 */
#include_next <linux/kernel.h>
#include "../deeds.h"

/* where something is left of might_sleep(), that is a call that may sleep */
#if !defined(CONFIG_DEBUG_ATOMIC_SLEEP) && !defined(CONFIG_PREEMPT_VOLUNTARY_BUILD) && !defined(CONFIG_PREEMPT_DYNAMIC)
#undef might_sleep
#define might_sleep()	__lockspec_might_sleep()
#endif

#undef cant_sleep
#undef cant_migrate
#define cant_sleep()	do { __lockspec_claim("cant_sleep", __lockspec_atomic()); } while (0)
#define cant_migrate()	do { __lockspec_claim("cant_migrate", __lockspec_atomic() || __lockspec_stays()); } while (0)

#undef non_block_start
#undef non_block_end
#define non_block_start()	__lockspec_non_block_start()
#define non_block_end()		__lockspec_non_block_end()
