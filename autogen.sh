#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# Make ./configure from a git checkout.
set -eu
cd "$(dirname "$0")"
exec autoreconf --force --install --warnings=all,no-portability
