/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "slurm-plugin/pin.h"

#include "lib/own.h"

#define FIRST_LINE "firn-pin 1"
#define SEALED "MUNGE:" /* how a credential begins, munge(7) */

bool pin_is_sealed(const char *value)
{
	return strncmp(value, SEALED, strlen(SEALED)) == 0;
}

void pin_clear(struct pin *pin)
{
	free(pin->word);
	free(pin->image);
	free(pin->identity);
	*pin = (struct pin){0};
}

int pin_print(const struct pin *pin, char **out, struct err *err)
{
	if (strchr(pin->word, '\n') || strchr(pin->image, '\n'))
		return err_set(err, "image '%s' has a newline in its name", pin->image);
	if (asprintf(out, FIRST_LINE "\nword=%s\nimage=%s\nidentity=%s\noptions=%s", pin->word,
		     pin->image, pin->identity ? pin->identity : "", pin->options) < 0) {
		*out = NULL;
		return err_sys(err, "cannot pin '%s'", pin->image);
	}
	return 0;
}

/* The value of the line "NAME=", new; @at goes on to the next line. NULL if it is another line. */
static char *take_line(const char **at, const char *name)
{
	size_t name_len = strlen(name), len;
	char *value;

	if (strncmp(*at, name, name_len) != 0 || (*at)[name_len] != '=')
		return NULL;
	*at += name_len + 1;
	len = strcspn(*at, "\n");
	value = strndup(*at, len);
	*at += len + ((*at)[len] == '\n');
	return value;
}

int pin_parse(const char *text, size_t size, struct pin *out, struct err *err)
{
	auto_free char *copy = strndup(text, size);
	auto_free char *options = NULL;
	auto_pin pin = {0};
	const char *at = copy;

	if (!copy || strlen(copy) != size || strncmp(at, FIRST_LINE "\n", sizeof(FIRST_LINE)) != 0)
		return err_set(err, "the job's pin is not understood");
	at += sizeof(FIRST_LINE);
	pin.word = take_line(&at, "word");
	pin.image = take_line(&at, "image");
	pin.identity = take_line(&at, "identity");
	options = take_line(&at, "options");
	if (!pin.word || !pin.image || pin.image[0] != '/' || !pin.identity || !options ||
	    strlen(options) != sizeof(pin.options) - 1 || *at)
		return err_set(err, "the job's pin is not understood");
	if (!*pin.identity) {
		free(pin.identity);
		pin.identity = NULL;
	}
	memcpy(pin.options, options, sizeof(pin.options));
	*out = pin;
	pin = (struct pin){0};
	return 0;
}
