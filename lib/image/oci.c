/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/image/oci.h"

#include "lib/json.h"
#include "lib/words.h"

#include <stdio.h>
#include <string.h>

static size_t count_children(const struct json *json)
{
	size_t count = 0;

	for (const struct json *child = json->child; child; child = child->next)
		count++;
	return count;
}

static int wrong(const char *key, struct err *err)
{
	return err_set(err, "'%s' of the OCI configuration is of the wrong type", key);
}

/* A string, or absent or null: then *out stays NULL. */
static int take_string(const struct json *from, const char *key, char **out, struct err *err)
{
	const struct json *value = json_get(from, key);

	if (!value || value->type == JSON_NULL)
		return 0;
	if (value->type != JSON_STRING)
		return wrong(key, err);
	*out = strdup(value->text);
	return *out ? 0 : err_sys(err, "cannot read the OCI configuration");
}

/* An array of strings, or absent or null. */
static int take_vector(const struct json *from, const char *key, char ***out, struct err *err)
{
	const struct json *value = json_get(from, key);
	size_t count = 0;

	if (!value || value->type == JSON_NULL)
		return 0;
	if (value->type != JSON_ARRAY)
		return wrong(key, err);
	*out = calloc(count_children(value) + 1, sizeof(char *));
	for (const struct json *child = value->child; *out && child; child = child->next) {
		if (child->type != JSON_STRING)
			return wrong(key, err);
		(*out)[count] = strdup(child->text);
		if (!(*out)[count++])
			return err_sys(err, "cannot read the OCI configuration");
	}
	return *out ? 0 : err_sys(err, "cannot read the OCI configuration");
}

/* What is run. One empty string takes back what an image below says: as if there were none. */
static int take_command(const struct json *from, const char *key, char ***out, struct err *err)
{
	if (take_vector(from, key, out, err) < 0)
		return -1;
	if (*out && (*out)[0] && !(*out)[0][0] && !(*out)[1])
		free(take_ptr(&(*out)[0]));
	return 0;
}

static int take_labels(const struct json *from, char ***out, struct err *err)
{
	const struct json *value = json_get(from, "Labels");
	size_t count = 0;

	if (!value || value->type == JSON_NULL)
		return 0;
	if (value->type != JSON_OBJECT)
		return wrong("Labels", err);
	*out = calloc(count_children(value) + 1, sizeof(char *));
	for (const struct json *child = value->child; *out && child; child = child->next) {
		if (child->type != JSON_STRING)
			return wrong("Labels", err);
		if (asprintf(&(*out)[count], "%s=%s", child->key, child->text) < 0) {
			(*out)[count] = NULL;
			return err_sys(err, "cannot read the OCI configuration");
		}
		count++;
	}
	return *out ? 0 : err_sys(err, "cannot read the OCI configuration");
}

static int parse(const char *text, size_t size, struct json **out, struct err *err)
{
	auto_json *root = NULL;

	if (json_parse(text, size, &root, err) < 0)
		return -1;
	if (root->type != JSON_OBJECT)
		return err_set(err, "the OCI configuration is no object");
	*out = take_ptr(&root);
	return 0;
}

/* A member that is an object of its own, or absent or null. */
static int take_object(const struct json *from, const char *key, const struct json **out,
		       struct err *err)
{
	const struct json *value = json_get(from, key);

	if (value && value->type != JSON_NULL && value->type != JSON_OBJECT)
		return wrong(key, err);
	*out = value;
	return 0;
}

int oci_config_parse(const char *text, size_t size, struct oci_config **out, struct err *err)
{
	auto_oci_config *config = calloc(1, sizeof(*config));
	auto_json *root = NULL;
	const struct json *run = NULL;

	if (!config)
		return err_sys(err, "cannot read the OCI configuration");
	if (parse(text, size, &root, err) < 0 || take_object(root, "config", &run, err) < 0)
		return -1;
	if (take_string(root, "architecture", &config->architecture, err) < 0 ||
	    take_string(root, "os", &config->os, err) < 0 ||
	    take_string(root, "variant", &config->variant, err) < 0 ||
	    take_string(root, "created", &config->created, err) < 0 ||
	    take_string(run, "WorkingDir", &config->workdir, err) < 0 ||
	    take_string(run, "User", &config->user, err) < 0 ||
	    take_vector(run, "Env", &config->env, err) < 0 ||
	    take_command(run, "Entrypoint", &config->entrypoint, err) < 0 ||
	    take_command(run, "Cmd", &config->cmd, err) < 0 ||
	    take_labels(run, &config->labels, err) < 0)
		return -1;
	*out = take_ptr(&config);
	return 0;
}

int oci_diff_ids(const char *text, size_t size, char ***out, struct err *err)
{
	auto_words list = {0};
	auto_json *root = NULL;
	const struct json *rootfs = NULL;

	if (parse(text, size, &root, err) < 0 || take_object(root, "rootfs", &rootfs, err) < 0 ||
	    take_vector(rootfs, "diff_ids", &list.item, err) < 0)
		return -1;
	*out = take_ptr(&list.item);
	return 0;
}

void oci_config_free(struct oci_config *config)
{
	if (!config)
		return;
	words_free(config->env);
	words_free(config->entrypoint);
	words_free(config->cmd);
	words_free(config->labels);
	free(config->workdir);
	free(config->user);
	free(config->architecture);
	free(config->os);
	free(config->variant);
	free(config->created);
	free(config);
}

void oci_config_freep(struct oci_config **config)
{
	oci_config_free(*config);
}
