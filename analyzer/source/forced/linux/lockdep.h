/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's header, and after it assertions that keep who they are, whether lockdep is configured or not.
 *
 * There is no guard: headers may include each other in a circle, and the last word must be the one here.
 */
#include_next <linux/lockdep.h>
#include "../claims.h"
#include "../deeds.h"

#undef lockdep_assert
#undef lockdep_assert_once
#undef lockdep_assert_held
#undef lockdep_assert_held_once
#undef lockdep_assert_held_write
#undef lockdep_assert_held_read
#undef lockdep_assert_not_held
#undef lockdep_assert_irqs_enabled
#undef lockdep_assert_irqs_disabled
#undef lockdep_assert_in_irq
#undef lockdep_assert_no_hardirq
#undef lockdep_assert_preemption_enabled
#undef lockdep_assert_preemption_disabled
#undef lockdep_assert_in_softirq
#undef lockdep_assert_in_softirq_func
#undef lockdep_assert_RT_in_threaded_ctx
#undef lockdep_assert_none_held_once
#undef might_lock
#undef might_lock_read
#undef might_lock_nested

/* what the kernel evaluates is evaluated still: with lockdep the condition, without it the lock */
#ifdef CONFIG_LOCKDEP
#define __lockspec_condition(form, c)	do { __lockspec_claim(form, c); if (debug_locks && !(c)) { } } while (0)
#define __lockspec_assertion(form, l, c) \
	do { __lockspec_claim(form, c); if (debug_locks && !lockdep_is_held(l)) { } } while (0)
#else
#define __lockspec_condition(form, c)	do { __lockspec_claim(form, c); } while (0)
#define __lockspec_assertion(form, l, c)	do { (void)(l); __lockspec_claim(form, c); } while (0)
#undef lockdep_is_held_type
#define lockdep_is_held_type(l, r) \
	((r) == 0 ? __lockspec_held_write(l) : (r) == 1 ? __lockspec_held_read(l) : __lockspec_held(l))
#endif

#define lockdep_assert(c)		__lockspec_condition("lockdep_assert", c)
#define lockdep_assert_once(c)		__lockspec_condition("lockdep_assert_once", c)
#define lockdep_assert_held(l)		__lockspec_assertion("lockdep_assert_held", l, __lockspec_held(l))
#define lockdep_assert_held_once(l)	__lockspec_assertion("lockdep_assert_held_once", l, __lockspec_held(l))
#define lockdep_assert_held_write(l)	__lockspec_assertion("lockdep_assert_held_write", l, __lockspec_held_write(l))
#define lockdep_assert_held_read(l)	__lockspec_assertion("lockdep_assert_held_read", l, __lockspec_held_read(l))
#define lockdep_assert_not_held(l)	__lockspec_assertion("lockdep_assert_not_held", l, !__lockspec_held(l))

#define __lockspec_context(form, c)	do { __lockspec_claim(form, c); } while (0)
#define lockdep_assert_irqs_enabled()	__lockspec_context("lockdep_assert_irqs_enabled", !__lockspec_irqs_off())
#define lockdep_assert_irqs_disabled()	__lockspec_context("lockdep_assert_irqs_disabled", __lockspec_irqs_off())
#define lockdep_assert_in_irq()		__lockspec_context("lockdep_assert_in_irq", __lockspec_in_hardirq())
#define lockdep_assert_no_hardirq() \
	__lockspec_context("lockdep_assert_no_hardirq", !__lockspec_in_hardirq() && !__lockspec_irqs_off())
#define lockdep_assert_preemption_enabled() \
	__lockspec_context("lockdep_assert_preemption_enabled", !__lockspec_atomic())
#define lockdep_assert_preemption_disabled() \
	__lockspec_context("lockdep_assert_preemption_disabled", __lockspec_atomic())
#define lockdep_assert_in_softirq()	__lockspec_context("lockdep_assert_in_softirq", __lockspec_in_softirq())
#define lockdep_assert_in_softirq_func()	__lockspec_context("lockdep_assert_in_softirq_func", __lockspec_in_softirq())
#define lockdep_assert_RT_in_threaded_ctx() \
	__lockspec_context("lockdep_assert_RT_in_threaded_ctx", !__lockspec_in_hardirq() || __lockspec_threaded())
#define lockdep_assert_none_held_once() \
	__lockspec_context("lockdep_assert_none_held_once", !__lockspec_locked())

/* the lock is taken and dropped, as far as orders go */
#define might_lock(lock)		__lockspec_might_lock(lock)
#define might_lock_read(lock)		__lockspec_might_lock_read(lock)
#define might_lock_nested(lock, subclass)	__lockspec_might_lock(lock)
