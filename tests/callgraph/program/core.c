// SPDX-License-Identifier: GPL-2.0-only
// A small program with a call of each sort.
#include "core.h"

struct static_call_key {
	void *func;
};

static int helper(int n)
{
	return outside(n);
}

static int patched(int n)
{
	return helper(n);
}

struct static_call_key __SCK__work = { .func = patched };
extern int __SCT__work(int n);

static void put(int *n)
{
	outside(*n);
}

int run(struct ops *ops, int n)
{
	int mine __attribute__((cleanup(put))) = ops->open(n);

	mine += helper(mine) + helper(n);
	if (ops->close)
		ops->close();
	return __SCT__work(mine);
}

// nobody passes a function here
int apply(int (*visit)(int n), int n)
{
	return visit(n);
}

void walk(int n)
{
	if (n)
		walk(n - 1);
	else
		run(0, 0);
}
