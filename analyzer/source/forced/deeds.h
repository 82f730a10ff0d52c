/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the text says is done here or below, and is compiled to nothing: calls without a trace in the object. What they
 * stand for is said by rows.
 */
#ifndef LOCKSPEC_DEEDS_H
#define LOCKSPEC_DEEDS_H

static __inline__ void __lockspec_might_sleep(void) { }
static __inline__ void __lockspec_might_lock(const volatile void *lock) { (void)lock; }
static __inline__ void __lockspec_might_lock_read(const volatile void *lock) { (void)lock; }
static __inline__ void __lockspec_non_block_start(void) { }
static __inline__ void __lockspec_non_block_end(void) { }

#endif
