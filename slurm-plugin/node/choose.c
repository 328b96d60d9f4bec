/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "slurm-plugin/node/choose.h"

#include <sys/socket.h>
#include <sys/un.h>

enum { DESCRIPTORS_MAX = 256 };

/* Returns 1 and the pin, 0 when there is none that can be used, or -1. */
static int read_pin(const struct node_job *job, const struct settings *settings, struct pin *out,
		    struct err *err)
{
	int result;

	if (!job->pin || !*job->pin) {
		(void)err_set(err, "the job has no pin of its image");
		return 0;
	}
	if (pin_is_sealed(job->pin)) {
		result = pin_open(job->pin, settings->munge, job->user, out, err);
		return result < 0 ? -1 : result == 0;
	}
	if (settings->pin == PIN_REQUIRE) {
		(void)err_set(err, "the pin of the job's image has no seal");
		return 0;
	}
	return pin_parse(job->pin, strlen(job->pin), out, err) < 0 ? -1 : 1;
}

/* Without a pin the word stands for itself, relative to where the job works. */
static int take_word(const char *word, const struct settings *settings,
		     void (*warn)(const struct err *err), struct pin *out, struct err *err)
{
	if (settings->pin == PIN_REQUIRE)
		return err_aim(err, "image '%s' is refused", word);
	if (settings->pin == PIN_TRY) {
		(void)err_aim(err, "'%s' is used as it is now", word);
		warn(err);
	}
	out->word = strdup(word);
	out->image = strdup(word);
	return out->word && out->image ? 1 : err_sys(err, "cannot use image '%s'", word);
}

bool node_is_asked(const struct slurm_wish *wish, const struct node_job *job)
{
	return wish->image || wish->name || (job->container && *job->container);
}

int node_find(const struct slurm_wish *wish, const struct node_job *job,
	      const struct settings *settings, void (*warn)(const struct err *err), struct pin *out,
	      struct err *err)
{
	const char *word = wish->image ? wish->image : job->container;
	char options[2 * SHA256_SIZE + 1];
	auto_pin pin = {0};
	int result;

	if (!word || !*word)
		return wish->name ? 1 : 0;
	result = settings->pin == PIN_OFF && job->pin && pin_is_sealed(job->pin)
			 ? 0
			 : read_pin(job, settings, &pin, err);
	if (result < 0)
		return -1;
	if (result == 0)
		return take_word(word, settings, warn, out, err);
	slurm_wish_hash(wish, options);
	if (strcmp(pin.word, word) != 0)
		return err_set(err, "image '%s' is not the '%s' that was submitted", word,
			       pin.word);
	if (strcmp(pin.options, options) != 0)
		return err_set(err, "the container's options are not those that were submitted");
	*out = pin;
	pin = (struct pin){0};
	return 1;
}

/*
 * slurmd/slurmstepd/req.c of Slurm: "DIR/NODE_JOB.STEP", or "DIR/NODE_JOB.STEP.COMPONENT". Returns
 * what is behind STEP in @path, or NULL.
 */
static const char *find_socket(uint32_t job, uint32_t step, char path[PATH_MAX])
{
	char wanted[64];

	(void)snprintf(wanted, sizeof(wanted), "_%u.%u", job, step);
	for (int fd = 3; fd < DESCRIPTORS_MAX; fd++) {
		struct sockaddr_un address = {0};
		socklen_t size = sizeof(address) - 1;
		char *name, *end;

		if (getsockname(fd, (struct sockaddr *)&address, &size) < 0 ||
		    address.sun_family != AF_UNIX || address.sun_path[0] != '/')
			continue;
		(void)snprintf(path, PATH_MAX, "%s", address.sun_path);
		name = strrchr(path, '/');
		end = name > path ? strstr(name, wanted) : NULL;
		if (end && (end[strlen(wanted)] == '\0' || end[strlen(wanted)] == '.'))
			return end + strlen(wanted);
	}
	return NULL;
}

int node_component(uint32_t job, uint32_t step)
{
	char path[PATH_MAX];
	const char *rest = find_socket(job, step, path);

	if (!rest)
		return -1;
	return *rest == '.' ? (int)strtol(rest + 1, NULL, 10) : 0;
}

bool node_spool(uint32_t job, uint32_t step, char out[PATH_MAX])
{
	if (!find_socket(job, step, out))
		return false;
	*strrchr(out, '/') = '\0';
	return true;
}
