#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
#
# squashfs-seeds.sh DIR - small images for the fuzzer to begin with, one of each
# kind. Most have their metadata uncompressed: a bent byte then bends a field,
# and not a whole block.
set -eu
PATH=$PATH:/usr/sbin
seeds=$(mkdir -p "$1" && cd "$1" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
cd "$tree"

mkdir -p tree/a/b/c tree/s/m many none
echo hello > tree/f1
: > tree/empty
head -c 5000 /dev/urandom > tree/f5000
head -c 9000 /dev/zero > tree/zero
cp tree/f1 tree/a/x
ln tree/f1 tree/a/hard
ln -s f1 tree/link
ln -s /a/b tree/absolute
ln -s loop tree/loop
ln -s ../a tree/a/b/up
mkfifo tree/fifo
truncate -s 100K tree/sparse
echo end >> tree/sparse
for i in 1 2 3 4 5 6 7 8 9; do echo $i > tree/s/file$i; done
for i in $(seq 300); do : > many/a_name_so_long_that_the_directory_has_an_index_$i; done
if command -v setfattr > /dev/null; then
	setfattr -n user.small -v value tree/f1 || true
	setfattr -n user.large -v "$(seq -s , 100)" tree/a/x tree/empty || true
fi

make() {
	mksquashfs "$1" "$seeds/$2" -noappend -nopad -no-progress $3 > /dev/null
}
plain='-noI -noId -noX'
make tree none-4k "$plain -noD -noF -b 4K"
make tree none-128k "$plain -noD -noF"
make tree zstd "-comp zstd -b 4K"
make tree zstd-plain "-comp zstd -b 4K $plain"
make tree gzip "-comp gzip -b 4K -always-use-fragments"
make tree gzip-plain "-comp gzip -b 4K -no-fragments $plain"
make tree lz4-plain "-comp lz4 -b 4K $plain"
make tree xz-plain "-comp xz -b 4K $plain"
make many many "$plain"
make none none "$plain"
