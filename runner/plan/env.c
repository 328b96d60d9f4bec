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

/* Where Apptainer lets an image's %post write what its environment shall be. */
#define ENVIRONMENT_FILE "/.singularity.d/env/91-environment.sh"

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

const char *env_get(char *const *env, const char *name)
{
	size_t len = strlen(name);

	for (; env && *env; env++)
		if (strncmp(*env, name, len) == 0 && (*env)[len] == '=')
			return *env + len + 1;
	return NULL;
}

/* An environment while it is made. */
struct maker {
	const struct env_sources *from;
	struct names host;   /* the first of each name, as for getenv(3) */
	const char *runtime; /* the host's XDG_RUNTIME_DIR, or NULL */
	struct pairs *pairs; /* what comes of it */
};

/* The host's value of @name, or NULL. */
static const char *host_value(const struct maker *maker, const char *name)
{
	const struct name_place *place = names_find(&maker->host, name, strlen(name));

	return place ? maker->from->host[place->at] + place->len + 1 : NULL;
}

static int know_host(struct maker *maker)
{
	char *const *host = maker->from->host;

	for (size_t i = 0; host[i]; i++) {
		size_t len = strcspn(host[i], "=");

		if (host[i][len] == '=' && !names_find(&maker->host, host[i], len) &&
		    names_add(&maker->host, host[i], len, i) < 0)
			return -1;
	}
	maker->runtime = host_value(maker, "XDG_RUNTIME_DIR");
	return 0;
}

/* Whether host variable NAME=VALUE enters. */
static bool enters(const struct maker *maker, const char *text, size_t len)
{
	const struct env_sources *from = maker->from;
	const struct request *request = from->request;

	if (request->frozen)
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
	return !visible_is_missing(from->plan, text, len, maker->runtime);
}

static int take_host(const struct maker *maker)
{
	char *const *host = maker->from->host;
	char dropped[1024];
	size_t used = 0;

	dropped[0] = '\0';
	for (size_t i = 0; host[i]; i++) {
		size_t len = strcspn(host[i], "=");
		const struct name_place *first = names_find(&maker->host, host[i], len);

		if (first && first->at != i)
			continue;
		if (first && enters(maker, host[i], len)) {
			if (pairs_set(maker->pairs, host[i]) < 0)
				return -1;
			continue;
		}
		if (used + len + 2 < sizeof(dropped) && !maker->from->request->clean_env &&
		    !matches("PATH", host[i], len) && !matches("PWD", host[i], len)) {
			dropped[used++] = ' ';
			memcpy(dropped + used, host[i], len);
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
	struct pairs *pairs;
	const struct maker *maker;
};

static int take_pair(void *arg, const char *name, const char *value)
{
	const struct file_taker *taker = arg;

	value = value ? value : host_value(taker->maker, name);
	return value ? pairs_set_value(taker->pairs, name, value) : 0;
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

static int take_request(const struct maker *maker, struct pairs *pairs, struct err *err)
{
	const struct request *request = maker->from->request;

	for (size_t i = 0; i < request->env_count; i++) {
		const char *text = request->env[i].text;
		const char *value;

		if (request->env[i].is_file) {
			struct file_taker taker = {pairs, maker};

			if (env_file_read(text, request->env_fd ? request->env_fd[i] : -1,
					  take_pair, &taker, err) < 0)
				return -1;
			continue;
		}
		if (strchr(text, '=')) {
			if (pairs_set(pairs, text) < 0)
				return err_sys(err, "cannot set '%s'", text);
			continue;
		}
		value = host_value(maker, text);
		if (value && pairs_set_value(pairs, text, value) < 0)
			return err_sys(err, "cannot set '%s'", text);
	}
	return 0;
}

/* What the image sets stays; so does what --env sets, which comes later. */
static int show_inside(const struct maker *maker)
{
	const struct env_sources *from = maker->from;
	const char *wanted = host_value(maker, "FIRN_PROMPT");
	char name[PROMPT_NAME_SIZE];
	auto_free char *prompt = NULL;

	if (!from->request->prompt || (wanted && strcmp(wanted, "no") == 0))
		return 0;
	prompt_name(from->image_path, name);
	if (!pairs_get(maker->pairs, "debian_chroot") &&
	    pairs_set_value(maker->pairs, "debian_chroot", name) < 0)
		return -1;
	if (from->image && env_get(from->image, "PS1"))
		return 0;
	prompt = prompt_make(from->image_path, pairs_get(maker->pairs, "PS1"),
			     from->request->root || geteuid() == 0);
	return prompt ? pairs_set_value(maker->pairs, "PS1", prompt) : -1;
}

/* How a program can tell that it is in a container: by names of our own, and by those for which
 * programs look that know Apptainer, with its values (its user guide, "Environment Variables"). */
static int set_names(struct pairs *pairs, const char *image_path)
{
	static const char *const paths[] = {"FIRN_CONTAINER", "APPTAINER_CONTAINER",
					    "SINGULARITY_CONTAINER"};
	static const char *const names[] = {"APPTAINER_NAME", "SINGULARITY_NAME"};
	const char *slash = strrchr(image_path, '/');
	const char *name = slash && slash[1] ? slash + 1 : image_path;

	for (size_t i = 0; i < COUNT_OF(paths); i++)
		if (pairs_set_value(pairs, paths[i], image_path) < 0)
			return -1;
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (pairs_set_value(pairs, names[i], name) < 0)
			return -1;
	return pairs_set(pairs, "APPTAINER_ENVIRONMENT=" ENVIRONMENT_FILE) < 0
		       ? -1
		       : pairs_set(pairs, "SINGULARITY_ENVIRONMENT=" ENVIRONMENT_FILE);
}

/* The places of the binds, as a list of binds for whoever starts a container in this one: what is
 * there is bound from there. */
static int set_binds(struct pairs *pairs, const struct request *request)
{
	static const char *const names[] = {"APPTAINER_BIND", "SINGULARITY_BIND"};
	auto_free char *list = NULL;
	size_t size;
	FILE *out;

	if (request->mount_count == 0)
		return 0;
	out = open_memstream(&list, &size);
	if (!out)
		return -1;
	for (size_t i = 0; i < request->mount_count; i++) {
		const struct request_mount *mount = &request->mount[i];
		const char *place = mount->target ? mount->target : mount->source;

		if (mount->source && !strpbrk(place, ":,\\"))
			(void)fprintf(out, mount->readonly ? "%s%s:%s:ro" : "%s%s",
				      ftell(out) > 0 ? "," : "", place, place);
	}
	if (fclose(out) != 0)
		return -1;
	for (size_t i = 0; *list && i < COUNT_OF(names); i++)
		if (pairs_set_value(pairs, names[i], list) < 0)
			return -1;
	return 0;
}

/* What the image and firn say; @maker knows the host. */
static int fill(const struct maker *maker)
{
	const struct env_sources *from = maker->from;
	const char *cwd = from->plan->cwd ? from->plan->cwd[0] : NULL;
	struct pairs *pairs = maker->pairs;
	bool bare = from->request->frozen;

	if (pairs_set(pairs, "PATH=" DEFAULT_PATH) < 0 || take_host(maker) < 0)
		return -1;
	for (char *const *text = from->image; text && *text; text++)
		if (strchr(*text, '=') && **text != '=' && pairs_set(pairs, *text) < 0)
			return -1;
	if (pairs_set(pairs, "PYTHONNOUSERSITE=1") < 0 ||
	    pairs_set_value(pairs, "HOME", from->home) < 0 ||
	    (cwd && !bare && pairs_set_value(pairs, "PWD", cwd) < 0) ||
	    (!bare &&
	     (set_names(pairs, from->image_path) < 0 || set_binds(pairs, from->request) < 0)))
		return -1;
	return show_inside(maker);
}

/* PATH is known now, or to the image's shell alone. */
static int put_around_path(struct maker *maker, struct env_late *late)
{
	const char *first = maker->from->request->path_first;
	const char *last = maker->from->request->path_last;

	if (!first && !last)
		return 0;
	if (!late->scripts)
		return pairs_surround(maker->pairs, "PATH", first, last);
	late->path_first = strdup(first ? first : "");
	late->path_last = strdup(last ? last : "");
	return late->path_first && late->path_last ? 0 : -1;
}

/* All that @late has not to do. */
static int make(struct maker *maker, struct env_late *late, struct err *err)
{
	struct content *content = maker->from->content;
	auto_pairs own = {0};

	if (know_host(maker) < 0 || fill(maker) < 0)
		return err_sys(err, "cannot make the environment");
	if ((content && env_scripts_apply(content, maker->pairs, &late->scripts, err) < 0) ||
	    take_request(maker, &own, err) < 0)
		return -1;
	/* Scripts do not see it, whoever runs them. */
	for (char *const *text = own.words.item; text && *text && !late->scripts; text++)
		if (pairs_set(maker->pairs, *text) < 0)
			return err_sys(err, "cannot make the environment");
	late->own = take_ptr(&own.words.item);
	if (put_around_path(maker, late) < 0)
		return err_sys(err, "cannot make the environment");
	return 0;
}

static const char *get_variable(void *arg, const char *name)
{
	return pairs_get(arg, name);
}

static int set_variable(void *arg, const char *name, const char *value)
{
	return pairs_set_value(arg, name, value);
}

static int wire_up(struct pairs *pairs, struct err *err)
{
	struct wireup_env env = {get_variable, set_variable, pairs};
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
	auto_pairs pairs = {0};
	struct maker maker = {.from = sources, .pairs = &pairs};
	int result;

	*late = (struct env_late){NULL};
	result = make(&maker, late, err);
	names_clear(&maker.host);
	if (result < 0 || (sources->wireup && wire_up(&pairs, err) < 0)) {
		words_free(take_ptr(&late->scripts));
		words_free(take_ptr(&late->own));
		free(take_ptr(&late->path_first));
		free(take_ptr(&late->path_last));
		return -1;
	}
	*out = take_ptr(&pairs.words.item);
	return 0;
}
