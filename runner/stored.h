/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * stored.h - the file of an image that was named as a registry names it.
 *
 * firn-build knows what a name means and has the store (builder/store/); here it is asked for a
 * path, before anything is planned: from then on the image is a file like any other. Ranks of one
 * launcher ask once for all on a node: the first asks, the others wait until he has the answer, and
 * those who come later find it for a minute. It is kept in the user's keyring (keyrings(7)), in the
 * kernel: nobody else writes there, nothing is left behind, and a rank pays a few system calls.
 * Where there are no keyrings each asks for himself, which is slower and as right.
 */
#ifndef FIRN_RUNNER_STORED_H
#define FIRN_RUNNER_STORED_H

#include "runner/ask/request.h"

/*
 * If @request's image is a registry's name (ask/image_name.h), put the path of its file in its
 * place. May take as long as a build. The string lives as long as the process. Returns 0, also when
 * there was nothing to be done; 1 when firn-build has failed, and has said why; or -1 with @err.
 */
int stored_image(struct request *request, struct err *err);

#endif
