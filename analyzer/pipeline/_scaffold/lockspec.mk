# SPDX-License-Identifier: GPL-2.0-only
# Written by `lockspec init kbuild`; yours to change. A target for make that checks locks and fails on findings, without
# an edit to any file of the kernel:
#
#   make -f lockspec.mk lockspec M=drivers/net              the units that make builds in a directory
#   make -f lockspec.mk lockspec drivers/net/ net/core/     in several
#   make -f lockspec.mk lockspec                            in LOCKSPEC_DIRS, or everything there is
#   make -f lockspec.mk lockspec M=~/module KDIR=~/linux    an external module
#   make -f lockspec.mk lockspec MODE=diff BASE=v6.12       what changes since BASE bring, in git
#
# O=, -j and what else make takes for the kernel work as they do there. What is called from outside the directories is
# not known: name all directories of a subsystem together.

# the program; where it keeps facts; further options of its last step: --format, --baseline, --rule, --output, --strict
LOCKSPEC       ?= lockspec
LOCKSPEC_CACHE ?=
LOCKSPEC_FLAGS ?=
LOCKSPEC_DIRS  ?= @@dirs@@
MODE           ?= report
BASE           ?= HEAD
Q              := $(if $(findstring 1,$(V)),,@)

# Where the kernel is: here, or, in a module's directory, where modules are built for the running one.
ifneq ($(wildcard Kconfig source/Kconfig),)
KDIR ?= $(CURDIR)
else
KDIR ?= /lib/modules/$(shell uname -r)/build
M    ?= $(CURDIR)
endif
lockspec-out   ?= $(abspath $(or $(O),$(KBUILD_OUTPUT),$(KDIR)))
lockspec-entry ?= -C $(KDIR) $(if $(O),O=$(lockspec-out))
lockspec-src   := $(realpath $(firstword $(wildcard $(lockspec-out)/source $(KDIR)/source) $(KDIR)))
lockspec-tops  := $(sort $(lockspec-src) $(lockspec-out) $(realpath $(lockspec-out)) $(abspath $(KDIR)))

# Directories by their names in the tree; what is left absolute lies outside of it.
lockspec-goals := $(filter %/,$(MAKECMDGOALS))
lockspec-asked := $(or $(strip $(M) $(lockspec-goals)),$(LOCKSPEC_DIRS))
lockspec-paths := $(foreach dir,$(lockspec-asked),$(or $(realpath $(dir)),$(abspath $(dir))))
lockspec-names := $(sort $(foreach path,$(filter-out $(lockspec-tops),$(lockspec-paths)), \
	$(firstword $(foreach top,$(lockspec-tops),$(patsubst $(top)/%,%,$(filter $(top)/%,$(path)))) $(path))))
lockspec-module := $(filter /%,$(lockspec-names))
lockspec-inside := $(filter-out /%,$(lockspec-names))
# make descends where there is a makefile; what lies elsewhere is built from there
lockspec-built  := $(strip $(foreach dir,$(lockspec-inside), \
	$(if $(wildcard $(lockspec-src)/$(dir)/Makefile $(lockspec-src)/$(dir)/Kbuild),$(dir)/)))

ifneq ($(words $(lockspec-module) $(if $(lockspec-inside),.)),$(if $(lockspec-names),1,0))
$(error lockspec: one external module, or directories of the kernel: not $(lockspec-names))
endif
ifneq ($(lockspec-inside),)
ifeq ($(lockspec-built),)
$(error lockspec: no makefile in $(lockspec-inside): name the directory whose makefile builds it, too)
endif
endif

lockspec-where := --build $(or $(lockspec-module),$(lockspec-out)) $(if $(LOCKSPEC_CACHE),--cache $(LOCKSPEC_CACHE))
lockspec-under := $(foreach dir,$(lockspec-inside),--under $(dir))
lockspec-check := $(LOCKSPEC) kbuild check --facts-only $(if $(LOCKSPEC_CACHE),--cache $(LOCKSPEC_CACHE))
lockspec-kernel = $(lockspec-entry) M=$(lockspec-module) KBUILD_EXTMOD=$(lockspec-module)

.PHONY: lockspec lockspec-report lockspec-diff $(lockspec-goals)
lockspec: lockspec-$(MODE)
$(lockspec-goals): lockspec
	@:

lockspec-report:
	$(Q)$(LOCKSPEC) kbuild forget --quiet $(lockspec-where) $(lockspec-under)
	$(Q)$(MAKE) $(lockspec-kernel) KBUILD_CHECKSRC=2 CHECK='$(lockspec-check)' $(lockspec-built)
	@echo '  LOCKSPEC $(or $(lockspec-names),all)'
	$(Q)$(LOCKSPEC) kbuild link --quiet --format gcc $(lockspec-where) $(lockspec-under) $(LOCKSPEC_FLAGS)

lockspec-diff:
	$(if $(lockspec-module),$(error lockspec: MODE=diff is for directories of the kernel))
	$(Q)$(MAKE) $(lockspec-kernel) KBUILD_CHECKSRC=0 $(lockspec-built)
	@echo '  LOCKSPEC $(or $(lockspec-names),all) since $(BASE)'
	$(Q)$(LOCKSPEC) diff --quiet --format gcc --tree $(lockspec-src) $(lockspec-where) --base $(BASE) \
		$(lockspec-under) $(LOCKSPEC_FLAGS)

lockspec-%:
	@echo 'lockspec: MODE is report or diff, not $*' >&2; false
