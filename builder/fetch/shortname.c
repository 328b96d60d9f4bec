/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/fetch/shortname.h"

#include "builder/fetch/registries_conf.h"

#include <stdio.h>

/* @by says who chose: "by ...", or "" for nobody. */
static int say(const char *text, const struct reference *reference, const char *by, char **said,
	       struct err *err)
{
	const char *tag = reference->tag, *digest = reference->digest.text;

	if (asprintf(said, "'%s' is %s/%s%s%s%s%s%s", text, reference->host, reference->name,
		     tag ? ":" : "", tag ? tag : "", *digest ? "@" : "", digest, by) < 0)
		return err_sys(err, "cannot fetch '%s'", text);
	return 0;
}

/* Where the tag or the digest of @text begins, or its end. */
static size_t name_length(const char *text)
{
	const char *slash = strrchr(text, '/');
	size_t start = slash ? (size_t)(slash - text) : 0;

	return start + strcspn(text + start, ":@");
}

static int by_alias(const char *text, const struct registries_alias *alias, struct reference **out,
		    char **said, struct err *err)
{
	auto_reference *reference = NULL;
	auto_free char *full = NULL, *by = NULL;

	if (asprintf(&full, "%s%s", alias->target, text + name_length(text)) < 0 ||
	    asprintf(&by, ", an alias of '%s'", alias->path) < 0)
		return err_sys(err, "cannot fetch '%s'", text);
	if (alias->target[name_length(alias->target)])
		return err_set(err, "'%s': the alias '%s' is '%s', with a tag or digest",
			       alias->path, alias->name, alias->target);
	if (reference_parse(full, NULL, &reference, err) < 0)
		return err_aim(err, "the alias of '%s'", alias->path);
	if (say(text, reference, by, said, err) < 0)
		return -1;
	*out = take_ptr(&reference);
	return 0;
}

static int at_host(const char *text, const char *host, const char *by, struct reference **out,
		   char **said, struct err *err)
{
	auto_reference *reference = NULL;

	if (reference_parse(text, host, &reference, err) < 0 ||
	    say(text, reference, by, said, err) < 0)
		return -1;
	*out = take_ptr(&reference);
	return 0;
}

/* The first of several is meant; that there are others is no secret. */
static int of_list(const char *text, const struct registries_conf *conf, struct reference **out,
		   char **said, struct err *err)
{
	auto_free char *by = NULL;
	int result;

	if (conf->host_count == 0)
		return err_set(err, "'%s' names no registry, and '%s' lists none to look in", text,
			       conf->hosts_path);
	if (conf->host_count == 1)
		result = asprintf(&by, ", by '%s'", conf->hosts_path);
	else
		result = asprintf(&by, ", the first registry of the %zu in '%s'", conf->host_count,
				  conf->hosts_path);
	if (result < 0)
		return err_sys(err, "cannot fetch '%s'", text);
	return at_host(text, conf->host[0], by, out, said, err);
}

int shortname_resolve(const char *text, const char *default_host, struct reference **out,
		      char **said, struct err *err)
{
	auto_registries_conf conf = {0};
	const struct registries_alias *alias;
	auto_free char *name = NULL;

	*said = NULL;
	if (reference_has_host(text))
		return reference_parse(text, NULL, out, err);
	if (default_host)
		return at_host(text, default_host, ", by firn.conf", out, said, err);
	/* No file has a say in what is no name at all. */
	if (at_host(text, REFERENCE_HUB, "", out, said, err) < 0)
		return -1;
	reference_free(take_ptr(out));
	free(take_ptr(said));
	if (registries_conf_read(&conf, err) < 0)
		return err_aim(err, "'%s' names no registry, and which it means cannot be told",
			       text);
	name = strndup(text, name_length(text));
	if (!name)
		return err_sys(err, "cannot fetch '%s'", text);
	alias = registries_conf_alias(&conf, name);
	if (alias)
		return by_alias(text, alias, out, said, err);
	if (conf.hosts_path)
		return of_list(text, &conf, out, said, err);
	return at_host(text, REFERENCE_HUB, "", out, said, err);
}
