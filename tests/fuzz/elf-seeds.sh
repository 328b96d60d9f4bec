#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# elf-seeds.sh FOLDER: objects for make fuzz-elf to begin with: small ones, made by the compiler, of each kind of
# search path, hash table and version; the system's, cut; a cache of the loader. What the linker here cannot do is left out.
set -eu
mkdir -p "$1"
folder=$(cd "$1" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
echo 'A_1 { global: a; }; A_2 { global: b; } A_1;' >map
echo 'int a(void) { return 1; } int b(void) { return 2; }' >a.c
echo 'int a(void); int b(void); int MPI_Init(void *, void *); int main(void) { return a() + b() + MPI_Init(0, 0); }' >main.c
small='-nostdlib -Os -w -fno-asynchronous-unwind-tables -Wl,--build-id=none -Wl,-z,noseparate-code -Wl,-s'
# seed NAME WORDS...: compile, and keep with the mark of an object before it.
seed()
{
	name=$1
	shift
	if ${CC:-cc} $small -o "$name" "$@" 2>/dev/null; then
		{ printf o && cat "$name"; } >"$folder/$name"
	fi
}
seed liba.so -shared -fPIC -Wl,-soname,liba.so.1 -Wl,--version-script,map a.c
seed libr.so -shared -fPIC -Wl,-rpath,/opt/lib -Wl,--disable-new-dtags -Wl,--hash-style=sysv a.c
seed libn.so -shared -fPIC -Wl,-rpath,'$ORIGIN/../lib' -Wl,--enable-new-dtags -Wl,--hash-style=gnu -Wl,-z,nodefaultlib a.c
seed main -Wl,--unresolved-symbols=ignore-all -Wl,-e,main main.c ./liba.so
seed fixed -no-pie -Wl,--unresolved-symbols=ignore-all -Wl,-e,main main.c ./liba.so ./libr.so
seed lonely -fPIC -shared -Wl,--hash-style=gnu main.c
# The system's own, of which some are small, and the others' beginnings, which have all but the dynamic segment.
for name in libdl.so.2 librt.so.1 libutil.so.1 libz.so.1 libuuid.so.1; do
	library=$(ldconfig -p 2>/dev/null | sed -n "s|.*$name (.*x86-64.*) => ||p; s|.*$name (.*AArch64.*) => ||p" | head -n 1)
	if [ -r "$library" ]; then
		{ printf o && head -c 16000 "$library"; } >"$folder/$name"
	fi
done
printf 'cld.so-1.7.0' >"$folder/cache"
if [ -r /etc/ld.so.cache ]; then
	{ printf c && head -c 8000 /etc/ld.so.cache; } >"$folder/cache-cut"
fi
