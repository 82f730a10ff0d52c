/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The words that assertions become when lockspec preprocesses a unit.
 *
 * Nothing here is compiled. A claim is no call: the words are lowered to events that stand beside the program.
 */
#ifndef LOCKSPEC_CLAIMS_H
#define LOCKSPEC_CLAIMS_H

void __lockspec_claim(const char *form, int condition);

/* questions inside a claim */
int __lockspec_held(const volatile void *lock);
int __lockspec_held_read(const volatile void *lock);
int __lockspec_held_write(const volatile void *lock);
int __lockspec_irqs_off(void);
int __lockspec_in_hardirq(void);
int __lockspec_in_softirq(void);
/* preemption is off, by whatever */
int __lockspec_atomic(void);
/* any lock is held */
int __lockspec_locked(void);
/* whoever runs stays on this processor; an interrupt's handler runs in a thread: nobody here knows */
int __lockspec_stays(void);
int __lockspec_threaded(void);
/* an accessor is used on this pointer: no question about locks, and always so */
int __lockspec_pointer(const volatile void *pointer);

#endif
