/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Annotations that compilers and checkers may leave out, as attributes that lockspec reads. There is no guard: the
 * last word must be the one here, see lockdep.h.
 */
#undef __guarded_by
#undef __pt_guarded_by
#undef __must_hold
#undef __must_not_hold
#define __guarded_by(...)	__attribute__((guarded_by(__VA_ARGS__)))
#define __pt_guarded_by(...)	__attribute__((pt_guarded_by(__VA_ARGS__)))
#define __must_hold(...)	__attribute__((lockspec_must_hold(__VA_ARGS__)))
#define __must_not_hold(...)	__attribute__((lockspec_must_not_hold(__VA_ARGS__)))
