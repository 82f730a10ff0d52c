/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's header, and after it conditions of RCU's accessors that keep who they are; see lockdep.h.
 */
#include_next <linux/rcupdate.h>
#include "../claims.h"

/* says that something is wrong where the condition is met */
#undef RCU_LOCKDEP_WARN
#ifdef CONFIG_PROVE_RCU
#define RCU_LOCKDEP_WARN(c, ...) \
	do { \
		__lockspec_claim("RCU_LOCKDEP_WARN", !(c)); \
		if (debug_lockdep_rcu_enabled() && (c)) \
			lockdep_rcu_suspicious(__FILE__, __LINE__, "" __VA_ARGS__); \
	} while (0)
#else
#define RCU_LOCKDEP_WARN(c, ...)	do { __lockspec_claim("RCU_LOCKDEP_WARN", !(c)); } while (0)
#endif

/* every accessor says which pointer it is about */
#undef rcu_check_sparse
#define rcu_check_sparse(p, space)	__lockspec_claim("rcu_check_sparse", __lockspec_pointer(p))

#undef lockdep_assert_in_rcu_read_lock
#undef lockdep_assert_in_rcu_read_lock_bh
#undef lockdep_assert_in_rcu_read_lock_sched
#undef lockdep_assert_in_rcu_reader
#define lockdep_assert_in_rcu_read_lock() \
	do { __lockspec_claim("lockdep_assert_in_rcu_read_lock", rcu_read_lock_held()); } while (0)
#define lockdep_assert_in_rcu_read_lock_bh() \
	do { __lockspec_claim("lockdep_assert_in_rcu_read_lock_bh", rcu_read_lock_bh_held()); } while (0)
#define lockdep_assert_in_rcu_read_lock_sched() \
	do { __lockspec_claim("lockdep_assert_in_rcu_read_lock_sched", rcu_read_lock_sched_held()); } while (0)
#define lockdep_assert_in_rcu_reader() \
	do { \
		__lockspec_claim("lockdep_assert_in_rcu_reader", \
				 rcu_read_lock_held() || rcu_read_lock_bh_held() || rcu_read_lock_sched_held()); \
	} while (0)

/* the accessor without a condition does not say it by itself */
#ifdef __rcu_dereference_raw
#undef rcu_dereference_raw
#define rcu_dereference_raw(p) \
	({ rcu_check_sparse(p, __rcu); __rcu_dereference_raw(p, __UNIQUE_ID(rcu)); })
#endif
