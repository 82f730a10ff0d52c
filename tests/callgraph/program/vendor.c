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
