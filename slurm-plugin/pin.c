/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "slurm-plugin/pin.h"

#include "lib/own.h"
#include "lib/plan.h"
#include "lib/words.h"

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
	words_free(pin->data);
	*pin = (struct pin){0};
}

/* A line for each, which begins with the end of the one before. */
static int print_data(char *const *data, char **out, struct err *err)
{
	size_t size;
	FILE *text = open_memstream(out, &size);
	bool good = true;

	for (; text && data && *data; data++) {
		good = good && !strchr(*data, '\n');
		(void)fprintf(text, "\ndata=%s", *data);
	}
	if (!text || fclose(text) != 0)
		return err_sys(err, "cannot pin the data images");
	return good ? 0 : err_set(err, "a data image has a newline in its name");
}

int pin_print(const struct pin *pin, char **out, struct err *err)
{
	auto_free char *data = NULL;

	if (strchr(pin->word, '\n') || strchr(pin->image, '\n'))
		return err_set(err, "image '%s' has a newline in its name", pin->image);
	if (print_data(pin->data, &data, err) < 0)
		return -1;
	if (asprintf(out, FIRST_LINE "\nword=%s\nimage=%s\nidentity=%s\noptions=%s%s", pin->word,
		     pin->image, pin->identity ? pin->identity : "", pin->options, data) < 0) {
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
	auto_words data = {0};
	auto_pin pin = {0};
	const char *at = copy;

	if (!copy || strlen(copy) != size || strncmp(at, FIRST_LINE "\n", sizeof(FIRST_LINE)) != 0)
		return err_set(err, "the job's pin is not understood");
	at += sizeof(FIRST_LINE);
	pin.word = take_line(&at, "word");
	pin.image = take_line(&at, "image");
	pin.identity = take_line(&at, "identity");
	options = take_line(&at, "options");
	while (*at && data.count <= PLAN_IMAGES_MAX &&
	       words_take(&data, take_line(&at, "data")) == 0)
		continue;
	if (!pin.word || !pin.image || pin.image[0] != '/' || !pin.identity || !options ||
	    strlen(options) != sizeof(pin.options) - 1 || *at)
		return err_set(err, "the job's pin is not understood");
	if (!*pin.identity) {
		free(pin.identity);
		pin.identity = NULL;
	}
	pin.data = take_ptr(&data.item);
	memcpy(pin.options, options, sizeof(pin.options));
	*out = pin;
	pin = (struct pin){0};
	return 0;
}
