/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/conf/deniable.h"

#include "tests/unit/tap.h"

#include <stdio.h>
#include <stdlib.h>

/* What the programs themselves call their options: the table must keep up with them. */
static void every_option_can_be_denied(const char *verb)
{
	char command[512], word[64];
	const char *firn = getenv("FIRN");
	size_t count = 0;
	FILE *words;

	(void)snprintf(
		command, sizeof(command),
		"'%s' %s --help | grep -oE '^ +(-.,)? *--[a-z-]+' | grep -oE '[a-z][a-z-]+$'",
		firn ? firn : "./firn", verb);
	words = popen(command, "r");
	while (words && fgets(word, sizeof(word), words)) {
		word[strcspn(word, "\n")] = '\0';
		count++;
		if (strcmp(word, "help") == 0)
			ok(!deniable(word), "--help of %s cannot be denied", verb);
		else
			ok(deniable(word), "--%s of %s can be denied", word, verb);
	}
	ok(words && pclose(words) == 0 && count > 5, "%s tells its options", verb);
	ok(deniable(verb) && deniable_is_verb(verb), "%s itself can be denied", verb);
}

int main(void)
{
	static const char *const verbs[] = {"exec", "run",    "shell", "build",
					    "pull", "verify", "cache"};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		every_option_can_be_denied(verbs[i]);
	ok(!deniable("") && !deniable("session-start") && !deniable("control-fd") &&
		   !deniable("-B"),
	   "what is no word of users cannot");
	ok(!deniable_is_verb("root"), "an option is no verb");
	return done_testing();
}
