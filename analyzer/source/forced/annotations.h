/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Annotations that compilers and checkers may leave out, as attributes that lockspec reads. There is no guard: the
 * last word must be the one here, see lockdep.h.
 *
 * A kernel whose annotations tell readers from writers has a word for readers. Where there is none, an annotation is
 * sparse's, and means the lock in whatever mode.
 */
#if defined(__must_hold_shared) && !defined(LOCKSPEC_ANNOTATIONS)
#define LOCKSPEC_MODES
#endif
#define LOCKSPEC_ANNOTATIONS

#undef __guarded_by
#undef __pt_guarded_by
#undef __must_hold
#undef __must_hold_shared
#undef __must_not_hold
#undef __acquires
#undef __acquires_shared
#undef __cond_acquires
#undef __cond_acquires_shared
#undef __releases
#undef __releases_shared
#undef __releases_generic
#undef __no_context_analysis
#undef __rcu
#ifdef LOCKSPEC_MODES
#define __must_hold(...)	__attribute__((requires_capability(__VA_ARGS__)))
#define __acquires(...)		__attribute__((acquire_capability(__VA_ARGS__)))
#define __cond_acquires(...)	__attribute__((try_acquire_capability(__VA_ARGS__)))
#define __releases(...)		__attribute__((release_capability(__VA_ARGS__)))
#else
#define __must_hold(...)	__attribute__((lockspec_must_hold(__VA_ARGS__)))
#define __acquires(...)		__attribute__((lockspec_acquires(__VA_ARGS__)))
#define __cond_acquires(...)	__attribute__((lockspec_try_acquires(__VA_ARGS__)))
#define __releases(...)		__attribute__((lockspec_releases(__VA_ARGS__)))
#endif
#define __guarded_by(...)	__attribute__((guarded_by(__VA_ARGS__)))
#define __pt_guarded_by(...)	__attribute__((pt_guarded_by(__VA_ARGS__)))
#define __must_hold_shared(...)	__attribute__((requires_shared_capability(__VA_ARGS__)))
#define __must_not_hold(...)	__attribute__((locks_excluded(__VA_ARGS__)))
#define __acquires_shared(...)	__attribute__((acquire_shared_capability(__VA_ARGS__)))
#define __cond_acquires_shared(...)	__attribute__((try_acquire_shared_capability(__VA_ARGS__)))
#define __releases_shared(...)	__attribute__((release_shared_capability(__VA_ARGS__)))
#define __releases_generic(...)	__attribute__((release_generic_capability(__VA_ARGS__)))
#define __no_context_analysis	__attribute__((no_thread_safety_analysis))
#define __rcu			__attribute__((lockspec_rcu))
