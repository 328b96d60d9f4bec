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
registry_for_tour
tour README.md user
PATH=$PWD/build:$PATH
unset -f firn
tour doc/recipes.md user
done_testing
