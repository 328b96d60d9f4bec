/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A libFuzzer target for what a job's environment has for slurmstepd: by the first byte a wish,
 * a list of mounts, or a pin.
 */
#include "lib/image/identity.h"
#include "lib/own.h"
#include "slurm-plugin/mounts.h"
#include "slurm-plugin/pin.h"
#include "slurm-plugin/words.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct slurm_step step = {
	.job = 1, .step = 2, .node = "n", .control = 3, .firn = "/f", .image = "/i", .jobs = "/j"};

/* Each word is one option: nothing of a value may look like another one. */
static void check_words(const struct slurm_wish *wish)
{
	char **words = NULL;
	struct err err;

	if (slurm_wish_words(wish, &step, &words, &err) < 0)
		return;
	for (char **word = words + 2; strcmp(*word, "--") != 0; word++)
		if (strncmp(*word, "--", 2) != 0)
			abort();
	slurm_words_free(words);
}

/* What was read once is written and read again without a change. */
static void bend_wish(const char *text)
{
	struct slurm_wish wish = {0}, back = {0};
	char one[2 * SHA256_SIZE + 1], other[2 * SHA256_SIZE + 1];
	auto_free char *again = NULL;
	struct err err;

	if (slurm_wish_parse(text, &wish, &err) < 0)
		return;
	check_words(&wish);
	if (slurm_wish_print(&wish, &again, &err) == 0) {
		if (slurm_wish_parse(again, &back, &err) < 0)
			abort();
		slurm_wish_hash(&wish, one);
		slurm_wish_hash(&back, other);
		if (strcmp(one, other) != 0 || wish.given != back.given)
			abort();
	}
	slurm_wish_clear(&back);
	(void)slurm_wish_inherit(&back, &wish, &err);
	slurm_wish_clear(&wish);
	slurm_wish_clear(&back);
}

static void bend_mounts(const char *text)
{
	struct err err;
	int result = 1;

	while (result > 0) {
		auto_free char *word = NULL;

		result = mounts_next(&text, &word, &err);
		if (result > 0 && strncmp(word, "--bind=", 7) != 0 &&
		    strncmp(word, "--tmpfs=/", 9) != 0)
			abort();
	}
}

static void bend_pin(const char *text, size_t size)
{
	struct identity identity;
	auto_free char *again = NULL;
	auto_pin pin = {0};
	auto_pin back = {0};
	char printed[IDENTITY_TEXT_SIZE];
	struct err err;

	if (pin_parse(text, size, &pin, &err) < 0)
		return;
	if (pin_print(&pin, &again, &err) < 0 || pin_parse(again, strlen(again), &back, &err) < 0)
		abort();
	if (pin.identity && identity_parse(pin.identity, &identity))
		identity_print(&identity, printed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = size ? strndup((const char *)data + 1, size - 1) : NULL;

	if (!text)
		return 0;
	if (data[0] == 'w')
		bend_wish(text);
	else if (data[0] == 'm')
		bend_mounts(text);
	else
		bend_pin(text, strlen(text));
	return 0;
}
