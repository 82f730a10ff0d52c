// SPDX-License-Identifier: GPL-2.0-only
struct ops {
	int (*open)(int n);
	void (*close)(void);
};

int outside(int n);
int run(struct ops *ops, int n);
int apply(int (*visit)(int n), int n);
void walk(int n);
