#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Obtain and prepare the real kernel tree that tests and benchmarks use: Debian's Linux 6.12 for x86-64, configured with
# every part of KVM, its KVM directories compiled.
#
#     scripts/kernel.sh [DIRECTORY]      default: $LOCKSPEC_KERNEL, else .kernel/linux
#
# As root, missing packages are installed; otherwise they are fetched and unpacked beside DIRECTORY.
# Takes about a minute and 2 GB the first time, nothing when the tree is ready.
# Exit status: 0 ready; 75 it cannot be had here (one line says why); 1 it was fetched but did not build.
set -euo pipefail

package=linux-source-6.12
archive=/usr/src/$package.tar.xz
options=(EXPERT DEBUG_KERNEL DEBUG_INFO_DWARF5 KVM KVM_INTEL KVM_AMD KVM_SW_PROTECTED_VM KVM_XEN KVM_HYPERV KVM_SMM
	AMD_MEM_ENCRYPT CRYPTO_DEV_CCP CRYPTO_DEV_CCP_DD CRYPTO_DEV_SP_PSP KVM_AMD_SEV X86_SGX)
directories=(virt/kvm arch/x86/kvm)
# what proves that a package is there, and the packages that bring it
needed=(
	"command make:make" "command gcc:gcc libc6-dev" "command flex:flex m4" "command bison:bison m4" "command bc:bc"
	"command xz:xz-utils" "command cpio:cpio" "command perl:perl" "command python3:python3"
	"header gelf.h:libelf-dev libelf1 zlib1g-dev" "header openssl/opensslv.h:libssl-dev libssl3"
)
make_options=()
if [ "$(uname -m)" != x86_64 ]; then
	make_options=(ARCH=x86_64 CROSS_COMPILE=x86_64-linux-gnu-)
	needed+=("command x86_64-linux-gnu-gcc:gcc-x86-64-linux-gnu")
fi

tree=$(realpath -m "${1:-${LOCKSPEC_KERNEL:-$(dirname "$0")/../.kernel/linux}}")
beside=$(dirname "$tree")
unpacked=$beside/packages
log=$beside/kernel.log
ready=$tree/.lockspec-ready
ours=$tree/.lockspec-tree
# Another list of options, or another way to build, makes the tree another one.
recipe=$(sha256sum <"$0" | cut -d ' ' -f 1)

cannot() {
	echo "scripts/kernel.sh: no kernel tree: $*" >&2
	exit 75
}

failed() {
	echo "scripts/kernel.sh: $* failed; the end of $log:" >&2
	tail -n 15 "$log" >&2
	exit 1
}

# has "command flex" or "header gelf.h"
has() {
	case $1 in
	command\ *) command -v "${1#* }" >/dev/null ;;
	header\ *) echo "#include <${1#* }>" | gcc -E -x c - >/dev/null 2>&1 ;;
	esac
}

missing_packages() {
	local need
	[ -e "$archive" ] || [ -e "$unpacked$archive" ] || [ -e "$ours" ] || echo "$package"
	for need in "${needed[@]}"; do
		has "${need%%:*}" || echo "${need#*:}"
	done
}

install_packages() {
	command -v apt-get >/dev/null || cannot "it comes from Debian's packages, and there is no apt-get here; missing: $*"
	if [ "$(id -u)" -eq 0 ]; then
		echo "installing $*"
		{ DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" ||
			{ apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; }
		} >>"$log" 2>&1 || cannot "apt-get cannot install $* (no network, or not Debian 12 or later?); see $log"
	else
		echo "fetching $*"
		mkdir -p "$unpacked/fetched"
		(cd "$unpacked/fetched" && apt-get download "$@") >>"$log" 2>&1 ||
			cannot "apt-get cannot download $* (no network, or package lists never fetched?); see $log"
		for file in "$unpacked"/fetched/*.deb; do
			dpkg-deb -x "$file" "$unpacked" >>"$log" 2>&1 || cannot "$file is damaged; remove it and try again"
		done
	fi
}

# Let programs, headers and libraries that were only unpacked be found.
use_unpacked() {
	local target libraries
	target=$(gcc -print-multiarch)
	libraries=$unpacked/usr/lib/$target
	export PATH="$PATH:$unpacked/usr/bin"
	export C_INCLUDE_PATH="$unpacked/usr/include:$unpacked/usr/include/$target"
	export LIBRARY_PATH="$libraries" LD_LIBRARY_PATH="$libraries:$unpacked/lib/$target"
	export PKG_CONFIG_PATH="$libraries/pkgconfig" BISON_PKGDATADIR="$unpacked/usr/share/bison"
	command -v m4 >/dev/null && M4=$(command -v m4) && export M4
	[ -d "$BISON_PKGDATADIR" ] || unset BISON_PKGDATADIR
}

build() {
	local jobs option
	jobs=$(nproc 2>/dev/null || echo 2)
	make -s "${make_options[@]}" defconfig || return
	for option in "${options[@]}"; do scripts/config -e "$option" || return; done
	make -s "${make_options[@]}" olddefconfig &&
		make -s -j "$jobs" "${make_options[@]}" prepare modules_prepare &&
		make -s -j "$jobs" "${make_options[@]}" "${directories[@]/%//}" &&
		scripts/clang-tools/gen_compile_commands.py -d . "${directories[@]}"
}

if [ -e "$ready" ] && [ "$(cat "$ready")" = "$recipe" ] && [ -s "$tree/compile_commands.json" ]; then
	exit 0
fi
if [ -e "$tree" ] && [ ! -e "$ours" ]; then
	cannot "$tree is there already and was not made by this script, which would configure it anew"
fi
mkdir -p "$beside" || cannot "$beside cannot be made"
exec 9>"$beside/lock"
flock 9
: >"$log"

[ ! -d "$unpacked/usr" ] || use_unpacked
mapfile -t missing < <(missing_packages | tr ' ' '\n' | sort -u)
if [ ${#missing[@]} -gt 0 ]; then
	install_packages "${missing[@]}"
	[ ! -d "$unpacked/usr" ] || use_unpacked
	mapfile -t missing < <(missing_packages | tr ' ' '\n' | sort -u)
	[ ${#missing[@]} -eq 0 ] || cannot "still missing after installation: ${missing[*]}; see $log"
fi

if [ ! -e "$ours" ]; then
	[ -e "$archive" ] || archive=$unpacked$archive
	echo "unpacking $archive"
	rm -rf "$tree.part"
	mkdir -p "$tree.part"
	tar -x -f "$archive" -C "$tree.part" --strip-components=1 >>"$log" 2>&1 || failed "unpacking $archive"
	touch "$tree.part/$(basename "$ours")"
	mv -T "$tree.part" "$tree"
fi
echo "preparing $tree"
cd "$tree"
build >>"$log" 2>&1 || failed "building"
echo "$recipe" >"$ready"
