#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# README's tour, from top to bottom, as an ordinary user would type it; docker.io is a registry of this machine.
. "${srcdir:-.}/tests/lib.sh"
. "$srcdir/tests/tour.sh"
needs firn exec /usr true
needs_programs mksquashfs unsquashfs
mkdir "$scratch/home"
export HOME="$scratch/home" USER=tester LOGNAME=tester
unset XDG_CACHE_HOME FIRN_CACHE DOCKER_CONFIG REGISTRY_AUTH_FILE OLDPWD https_proxy HTTPS_PROXY http_proxy all_proxy ALL_PROXY no_proxy
cd "$HOME" || exit 1
# This machine's other engines may know names of their own.
: >"$scratch/registries.conf"
export CONTAINERS_REGISTRIES_CONF="$scratch/registries.conf"
registry_for_tour
tour README.md user
PATH=$PWD/build:$PATH
unset -f firn
tour doc/recipes.md user

# What --json prints, of the tour's images.
[ -e "$srcdir/doc/json.md" ] || { skip '--json is documented' 'there is no doc/json.md'; done_testing; }
ok 'inspect --json is documented'     documented firn inspect --json debian_12.sqfs
python3 "$srcdir/tests/images/mksif.py" own.sqfs app.sif
ok '... of a SIF'                     documented firn inspect --json app.sif
ok '... of a directory'               documented firn inspect --json rootfs
ok 'build --json is documented'       documented firn build --json json.sqfs dir:rootfs
ok 'pull --json is documented'        documented firn pull --json --force debian:12 json.sqfs
ok 'verify --json is documented'      documented firn verify --json --rebuild debian_12.sqfs
ok 'cache --json list is documented'  documented firn cache list --json
ok 'cache --json gc is documented'    documented firn cache gc --json --keep 1M
! firn doctor --help | grep -q -e --json || ok 'doctor --json is documented' documented firn doctor --json
done_testing
