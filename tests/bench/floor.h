/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * floor.h - the server half of the smallest launcher.
 */
#ifndef FIRN_TESTS_BENCH_FLOOR_H
#define FIRN_TESTS_BENCH_FLOOR_H

/*
 * Serve @image on @device, an open /dev/fuse that has been mounted already,
 * with libsquashfuse as it comes and one thread. Returns 0 when the mount is
 * gone, 1 after saying on standard error what failed.
 */
int floor_serve(const char *image, int device);

#endif
