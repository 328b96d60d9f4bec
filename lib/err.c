/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/err.h"

#include "lib/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void fill(struct err *err, int code, const char *format, va_list args)
{
	size_t used;

	err->code = code;
	err->status = 0;
	(void)vsnprintf(err->text, sizeof(err->text), format, args);
	if (code != 0) {
		used = strlen(err->text);
		(void)snprintf(err->text + used, sizeof(err->text) - used, ": %s", strerror(code));
	}
	/* A name from an image or a command line may hold anything. */
	text_tame(err->text);
}

int err_set(struct err *err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fill(err, 0, format, args);
	va_end(args);
	return -1;
}

int err_sys(struct err *err, const char *format, ...)
{
	int code = errno;
	va_list args;

	va_start(args, format);
	fill(err, code, format, args);
	va_end(args);
	return -1;
}

int err_code(struct err *err, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fill(err, code, format, args);
	va_end(args);
	return -1;
}

int err_answer(struct err *err, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fill(err, 0, format, args);
	va_end(args);
	err->code = code;
	return -1;
}

bool err_is_full(const struct err *err)
{
	return err->code == ENOSPC || err->code == EDQUOT;
}

int err_aim(struct err *err, const char *format, ...)
{
	char cause[ERR_TEXT_SIZE];
	size_t used;
	va_list args;

	memcpy(cause, err->text, sizeof(cause));
	va_start(args, format);
	(void)vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	used = strlen(err->text);
	(void)snprintf(err->text + used, sizeof(err->text) - used, ": %s", cause);
	text_tame(err->text);
	return -1;
}
