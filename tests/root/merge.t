#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# As root, umoci keeps every owner and any mode: the whole comparison of tests/e2e/merge.t again.
. "${srcdir:-.}/tests/e2e/merge.t"
