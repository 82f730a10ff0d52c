// SPDX-License-Identifier: GPL-2.0-only
// Two implementations of the same operations, and a second function called helper().
#include "core.h"

static int helper(int n)
{
	walk(n);
	return n;
}

static int first_open(int n)
{
	return helper(n);
}

static int second_open(int n)
{
	return n;
}

static struct ops first = { .open = first_open };
static struct ops second = { .open = second_open };

int start(int n)
{
	return run(n ? &first : &second, n);
}

static int each(int (*visit)(int n), int n)
{
	return visit(n) + visit(n + 1);
}

int count_first(int n)
{
	return each(first_open, n);
}

int count_second(int n)
{
	return each(second_open, n);
}
