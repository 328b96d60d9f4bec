/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * inspect.h - firn inspect [--json] IMAGE: what an image is and says of itself.
 */
#ifndef FIRN_RUNNER_INSPECT_H
#define FIRN_RUNNER_INSPECT_H

/* @argv begins behind the verb and ends with NULL. Returns the exit status. */
int inspect_main(int argc, char **argv);

#endif
