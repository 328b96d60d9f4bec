/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/fetch/helper.h"

#include "lib/own.h"
#include "tests/unit/tap.h"

#include <signal.h>
#include <sys/stat.h>
#include <time.h>

static struct err err;
static char folder[] = "/tmp/firn-helper.XXXXXX", path[100];

/* docker-credential-test becomes this shell script; what asking it gives, or the error. */
static const char *ask(const char *script, int *result)
{
	static char out[1000];
	FILE *file = fopen(path, "we");
	char *text = NULL;
	size_t size = 0;

	if (!file || fprintf(file, "#!/bin/sh\n%s\n", script) < 0 || fclose(file) != 0 ||
	    chmod(path, 0700) < 0)
		exit(2);
	*result = helper_get("test", "a.org", &text, &size, &err);
	(void)snprintf(out, sizeof(out), "%s", *result > 0 ? text : *result < 0 ? err.text : "");
	free(text);
	return out;
}

static void answers_are_taken(void)
{
	int result;

	is_str(ask("read -r server; echo \"$1 $server\"", &result), "get a.org\n",
	       "what is asked and answered");
	(void)ask("echo credentials not found in it; exit 1", &result);
	ok(result == 0, "nothing to be had");
	ok(strstr(ask("echo no; exit 3", &result), "no credentials: no") && result == -1,
	   "a failure");
	ok(strstr(ask("kill -9 $$", &result), "no credentials") && result == -1,
	   "one that is killed");
	ok(strstr(ask("head -c 100000 /dev/zero", &result), "no answer") && result == -1,
	   "too much");
	is_str(ask("exec <&-; sleep 0.2; echo late", &result), "late\n",
	       "one that does not listen");
	(void)helper_get("nonexistent", "a.org", &(char *){NULL}, &(size_t){0}, &err);
	ok(strstr(err.text, "cannot execute 'docker-credential-nonexistent'"), "none such");
}

static void who_does_not_end_is_ended(void)
{
	time_t before = time(NULL);
	int result;

	ok(strstr(ask("echo '{}'; exec sleep 300 >/dev/null", &result), "does not end") &&
		   result == -1,
	   "one that answers and stays is an error");
	ok(time(NULL) - before < 60, "and not waited for");
}

/* firn-build ignores these two; a helper's own programs count on them. */
static void signals_are_as_usual(void)
{
	unsigned long long ignored = 0;
	int result;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	(void)sscanf(ask("exec grep SigIgn /proc/self/status", &result), "SigIgn: %llx", &ignored);
	ok(result == 1 && !(ignored & 1ULL << (SIGPIPE - 1)), "SIGPIPE");
	ok(!(ignored & 1ULL << (SIGXFSZ - 1)), "SIGXFSZ");
}

int main(void)
{
	char search[500];

	if (!mkdtemp(folder))
		return 2;
	(void)snprintf(path, sizeof(path), "%s/docker-credential-test", folder);
	(void)snprintf(search, sizeof(search), "%s:/usr/bin:/bin", folder);
	(void)setenv("PATH", search, 1);
	(void)signal(SIGPIPE,
		     SIG_IGN); /* as firn-build does: a helper may end before it is asked */
	answers_are_taken();
	who_does_not_end_is_ended();
	signals_are_as_usual();
	(void)unlink(path);
	(void)rmdir(folder);
	return done_testing();
}
