/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * login.h - from a registry's challenge to the value of Authorization.
 *
 * Distribution spec's "token authentication" (distribution/docs/spec/auth): GET
 * realm?service&scope, with Basic credentials if there are any; or, with an
 * identity token, POST as OAuth2's refresh_token grant.
 */
#ifndef FIRN_BUILDER_FETCH_LOGIN_H
#define FIRN_BUILDER_FETCH_LOGIN_H

#include "builder/fetch/challenge.h"
#include "builder/fetch/patience.h"
#include "lib/conf/conf.h"

/*
 * For repository @name of @host, whose credentials are kept under @account. Credentials
 * go to a realm only over https, or to a host for which plain http is allowed, and only
 * to a host of the registry's own (login_is_related()) or the one that firn.conf names
 * as its token server. Returns a new string for Authorization; fails when the challenge
 * cannot be met.
 */
int login_answer(const struct conf *conf, const char *host, const char *account, const char *name,
		 const struct challenge *challenge, const struct patience *patience,
		 char **authorization, struct err *err);

/*
 * Whether @realm (with its port) is of those who run @host: the same name, or one of the same
 * domain. Without a list of public suffixes that is a guess, which errs on the side of no.
 */
bool login_is_related(const char *host, const char *realm);

#endif
