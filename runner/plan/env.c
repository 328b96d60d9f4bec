/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/plan/env.h"

#include "lib/log.h"
#include "lib/words.h"
#include "mpi-glue/wireup.h"
#include "runner/ask/env_file.h"
#include "runner/plan/env_scripts.h"
#include "runner/plan/prompt.h"
#include "runner/plan/visible.h"

#include <fcntl.h>
#include <string.h>

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/*
 * What a program needs to be part of a parallel job, and to talk to a terminal
 * as its user: all that --clean-env leaves, but for what is secret. A '*' at the end matches
 * the rest.
 */
static const char *const launch_names[] = {
	"HOME", "USER", "LOGNAME", "TERM",
	"PMI_*", "PMIX_*", "PMI2_*", "SLURM_*", "SLURMD_*", "PALS_*", "HYDI_*", "HYDRA_*",
	"MPI_LOCAL*", "OMPI_*", "PRTE_*", "I_MPI_*", "MPICH_*", "FI_*", "UCX_*", "NCCL_*",
	"OMP_*", "KMP_*", "CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES",
	"ZE_AFFINITY_MASK", "HWLOC_XMLFILE",
};

/*
 * Words that open something: to --contain and --clean-env they are never of use, whatever
 * else they match; who needs one names it with --env. A '*' at the beginning matches any.
 */
static const char *const secret_names[] = {
	"SLURM_JWT", "SLURM_JWT_*", "SSH_AUTH_SOCK", "SSH_AGENT_PID", "GPG_AGENT_INFO", "AWS_*",
	"*_TOKEN", "*_TOKEN_FILE", "*_SECRET", "*_SECRET_KEY", "*_PASSWORD", "*_PASSWD",
	"*_PASSPHRASE", "*_API_KEY", "*_ACCESS_KEY", "*_PRIVATE_KEY", "*_CREDENTIALS",
	"*_AUTH_CONFIG", "TOKEN", "PASSWORD", "SECRET", "PGPASSWORD", "MYSQL_PWD", "KRB5CCNAME",
	"BEARER_*", "NETRC", "AZURE_STORAGE_*", "OS_AUTH_*",
};

static bool matches(const char *pattern, const char *name, size_t len)
{
	size_t fixed;

	/* A job has hundreds of variables, and nearly all differ here. */
	if (pattern[0] != name[0] && pattern[0] != '*')
		return false;
	fixed = strlen(pattern);
	if (pattern[0] == '*' && fixed > 1)
		return len >= fixed - 1 &&
		       strncmp(pattern + 1, name + len - (fixed - 1), fixed - 1) == 0;
	if (fixed > 0 && pattern[fixed - 1] == '*')
		return len >= fixed - 1 && strncmp(pattern, name, fixed - 1) == 0;
	return len == fixed && strncmp(pattern, name, fixed) == 0;
}

static bool in_list(const struct conf_list *list, const char *name, size_t len)
{
	for (size_t i = 0; i < list->count; i++)
		if (matches(list->item[i], name, len))
			return true;
	return false;
}

static bool in_names(const char *const *names, size_t count, const char *name, size_t len)
{
	for (size_t i = 0; i < count; i++)
		if (matches(names[i], name, len))
			return true;
	return false;
}

static bool is_dropped(const struct conf *conf, const char *name, size_t len)
{
	return in_names(conf->env_always, conf->env_always_count, name, len) ||
	       in_list(&conf->env_drop, name, len);
}

int env_set(struct words *words, const char *text)
{
	size_t len = strcspn(text, "=");
	char *copy;

	for (size_t i = 0; i < words->count; i++) {
		if (strncmp(words->item[i], text, len) != 0 || words->item[i][len] != '=')
			continue;
		copy = strdup(text);
		if (!copy)
			return -1;
		free(words->item[i]);
		words->item[i] = copy;
		return 0;
	}
	return words_add(words, text);
}

static int set_pair(struct words *words, const char *name, const char *value)
{
	auto_free char *text = NULL;

	if (asprintf(&text, "%s=%s", name, value) < 0)
		return -1;
	return env_set(words, text);
}

const char *env_get(char *const *env, const char *name)
{
	size_t len = strlen(name);

	for (; env && *env; env++)
		if (strncmp(*env, name, len) == 0 && (*env)[len] == '=')
			return *env + len + 1;
	return NULL;
}

/* Whether host variable NAME=VALUE enters. */
static bool enters(const struct env_sources *from, const char *text, size_t len)
{
	const struct request *request = from->request;

	if (text[len] != '=' || request->frozen)
		return false;
	if (matches("PATH", text, len) || matches("PWD", text, len) || matches("OLDPWD", text, len))
		return false; /* the image's and the new working directory's */
	if (request->clean_env &&
	    !in_names(launch_names, COUNT_OF(launch_names), text, len))
		return false;
	if ((request->clean_env || request->contain) &&
	    in_names(secret_names, COUNT_OF(secret_names), text, len))
		return false;
	if (is_dropped(from->conf, text, len) && !in_list(&from->conf->env_keep, text, len))
		return false;
	return !visible_is_missing(from->plan, text, len, env_get(from->host, "XDG_RUNTIME_DIR"));
}

static int take_host(const struct env_sources *from, struct words *words)
{
	char dropped[1024];
	size_t used = 0;

	dropped[0] = '\0';
	for (char *const *text = from->host; *text; text++) {
		size_t len = strcspn(*text, "=");

		if (enters(from, *text, len)) {
			if (words_add(words, *text) < 0)
				return -1;
			continue;
		}
		if (used + len + 2 < sizeof(dropped) && !from->request->clean_env &&
		    !matches("PATH", *text, len) && !matches("PWD", *text, len)) {
			dropped[used++] = ' ';
			memcpy(dropped + used, *text, len);
			used += len;
			dropped[used] = '\0';
		}
	}
	if (used > 0)
		log_info("dropped from the environment:%s", dropped);
	return 0;
}

/* What one variable of an env file becomes. */
struct file_taker {
	struct words *words;
	char *const *host;
};

static int take_pair(void *arg, const char *name, const char *value)
{
	const struct file_taker *taker = arg;

	value = value ? value : env_get(taker->host, name);
	return value ? set_pair(taker->words, name, value) : 0;
}

int env_open_files(struct request *request, struct err *err)
{
	if (request->env_count == 0 || request->env_fd)
		return 0;
	request->env_fd = malloc(request->env_count * sizeof(int));
	if (!request->env_fd)
		return err_sys(err, "cannot make the environment");
	for (size_t i = 0; i < request->env_count; i++)
		request->env_fd[i] = -1;
	for (size_t i = 0; i < request->env_count; i++) {
		const char *path = request->env[i].text;

		if (!request->env[i].is_file)
			continue;
		request->env_fd[i] = open(path, O_RDONLY | O_CLOEXEC);
		if (request->env_fd[i] < 0)
			return err_sys(err, "cannot read '%s'", path);
	}
	return 0;
}

static int take_request(const struct env_sources *from, struct words *words, struct err *err)
{
	const struct request *request = from->request;

	for (size_t i = 0; i < request->env_count; i++) {
		const char *text = request->env[i].text;
		const char *value;

		if (request->env[i].is_file) {
			struct file_taker taker = {words, from->host};

			if (env_file_read(text, request->env_fd ? request->env_fd[i] : -1,
					  take_pair, &taker, err) < 0)
				return -1;
			continue;
		}
		if (strchr(text, '=')) {
			if (env_set(words, text) < 0)
				return err_sys(err, "cannot set '%s'", text);
			continue;
		}
		value = env_get(from->host, text);
		if (value && set_pair(words, text, value) < 0)
			return err_sys(err, "cannot set '%s'", text);
	}
	return 0;
}

/* What the image sets stays; so does what --env sets, which comes later. */
static int show_inside(const struct env_sources *from, struct words *words)
{
	const char *wanted = env_get(from->host, "FIRN_PROMPT");
	char name[PROMPT_NAME_SIZE];
	auto_free char *prompt = NULL;

	if (!from->request->prompt || (wanted && strcmp(wanted, "no") == 0))
		return 0;
	prompt_name(from->image_path, name);
	if (!env_get(words->item, "debian_chroot") && set_pair(words, "debian_chroot", name) < 0)
		return -1;
	if (from->image && env_get(from->image, "PS1"))
		return 0;
	prompt = prompt_make(from->image_path, env_get(words->item, "PS1"),
			     from->request->root || geteuid() == 0);
	return prompt ? set_pair(words, "PS1", prompt) : -1;
}

/* All that @late has not to do. */
static int fill(const struct env_sources *from, struct words *words, struct env_late *late,
		struct err *err)
{
	const char *cwd = from->plan->cwd ? from->plan->cwd[0] : NULL;
	bool bare = from->request->frozen;
	auto_words own = {0};

	if (words_add(words, "PATH=" DEFAULT_PATH) < 0 || take_host(from, words) < 0)
		return err_sys(err, "cannot make the environment");
	for (char *const *text = from->image; text && *text; text++)
		if (strchr(*text, '=') && **text != '=' && env_set(words, *text) < 0)
			return err_sys(err, "cannot make the environment");
	if (env_set(words, "PYTHONNOUSERSITE=1") < 0 || set_pair(words, "HOME", from->home) < 0 ||
	    (cwd && !bare && set_pair(words, "PWD", cwd) < 0) ||
	    (!bare && set_pair(words, "FIRN_CONTAINER", from->image_path) < 0) ||
	    show_inside(from, words) < 0)
		return err_sys(err, "cannot make the environment");
	if ((from->content &&
	     env_scripts_apply(from->content, words, &late->scripts, err) < 0) ||
	    take_request(from, &own, err) < 0)
		return -1;
	for (char *const *text = own.item; text && *text; text++)
		if (env_set(words, *text) < 0)
			return err_sys(err, "cannot make the environment");
	late->own = take_ptr(&own.item);
	return 0;
}

static const char *get_variable(void *arg, const char *name)
{
	return env_get(((struct words *)arg)->item, name);
}

static int set_variable(void *arg, const char *name, const char *value)
{
	return set_pair(arg, name, value);
}

static int wire_up(struct words *words, struct err *err)
{
	struct wireup_env env = {get_variable, set_variable, words};
	int count = wireup_pmix(&env);

	if (count < 0)
		return err_sys(err, "cannot make the environment");
	if (count > 0)
		log_debug("%d parameters for PMIx clients of any version", count);
	return 0;
}

int env_build(const struct env_sources *sources, char ***out, struct env_late *late,
	      struct err *err)
{
	auto_words words = {0};

	*late = (struct env_late){NULL, NULL};
	if (fill(sources, &words, late, err) < 0 || (sources->wireup && wire_up(&words, err) < 0)) {
		words_free(take_ptr(&late->scripts));
		words_free(take_ptr(&late->own));
		return -1;
	}
	*out = take_ptr(&words.item);
	return 0;
}
