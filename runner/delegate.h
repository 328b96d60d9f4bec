/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * delegate.h - verbs that another program of firn's does.
 *
 * Building needs a network client and a JSON library; running must start in a
 * millisecond. So firn-build is a program of its own, beside this one.
 */
#ifndef FIRN_RUNNER_DELEGATE_H
#define FIRN_RUNNER_DELEGATE_H

/* Become "firn-build @verb @argv...". Returns an exit status if that cannot be. */
int delegate(const char *verb, int argc, char **argv);

#endif
