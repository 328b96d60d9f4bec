/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "config.h"

#include "slurm-plugin/pin.h"

#include "lib/own.h"

#ifdef HAVE_MUNGE
#include <munge.h>

static void clear_context(munge_ctx_t *context)
{
	munge_ctx_destroy(*context);
}
#define auto_context CLEANUP(clear_context) munge_ctx_t

static int open_context(const char *socket, munge_ctx_t *out, struct err *err)
{
	*out = munge_ctx_create();
	if (!*out)
		return err_set(err, "munge: not enough memory");
	if (socket && munge_ctx_set(*out, MUNGE_OPT_SOCKET, socket) != EMUNGE_SUCCESS)
		return err_set(err, "munge: %s", munge_ctx_strerror(*out));
	return 0;
}

static int fail(munge_ctx_t context, munge_err_t result, struct err *err)
{
	const char *more = munge_ctx_strerror(context);

	return err_set(err, "munge: %s", more ? more : munge_strerror(result));
}

int pin_seal(const char *text, const char *socket, char **out, struct err *err)
{
	auto_context context = NULL;
	munge_err_t result;

	if (open_context(socket, &context, err) < 0)
		return -1;
	result = munge_encode(out, context, text, (int)strlen(text));
	return result == EMUNGE_SUCCESS ? 0 : fail(context, result, err);
}

/* Those whose contents are authentic, and those that say nothing of the credential. */
static bool is_authentic(munge_err_t result)
{
	return result == EMUNGE_SUCCESS || result == EMUNGE_CRED_EXPIRED ||
	       result == EMUNGE_CRED_REPLAYED ||
	       result == EMUNGE_CRED_REWOUND /* the clock of this node is behind */;
}

static bool is_no_answer(munge_err_t result)
{
	return result == EMUNGE_SOCKET || result == EMUNGE_TIMEOUT || result == EMUNGE_NO_MEMORY;
}

int pin_open(const char *value, const char *socket, uid_t uid, struct pin *out, struct err *err)
{
	auto_context context = NULL;
	auto_free char *text = NULL;
	munge_err_t result;
	int size = 0;
	uid_t maker = (uid_t)-1;
	gid_t group;
	void *data = NULL;

	if (open_context(socket, &context, err) < 0)
		return -1;
	result = munge_decode(value, context, &data, &size, &maker, &group);
	text = data;
	if (is_no_answer(result)) {
		(void)fail(context, result, err);
		return 1;
	}
	if (!is_authentic(result)) {
		(void)fail(context, result, err);
		return err_aim(err, "the job's pin is not authentic");
	}
	if (maker != uid)
		return err_set(err, "the job's pin is of user %u, not of the job's user %u",
			       (unsigned)maker, (unsigned)uid);
	return pin_parse(text ? text : "", size > 0 ? (size_t)size : 0, out, err);
}

#else

int pin_seal(const char *text, const char *socket, char **out, struct err *err)
{
	(void)text, (void)socket, (void)out;
	return err_set(err, "firn's plugin was built without munge");
}

int pin_open(const char *value, const char *socket, uid_t uid, struct pin *out, struct err *err)
{
	(void)value, (void)socket, (void)uid, (void)out;
	(void)err_set(err, "firn's plugin was built without munge");
	return 1;
}

#endif
