/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/fetch/registries_conf.h"

#include "builder/fetch/toml.h"
#include "lib/file.h"

#include <fcntl.h>

enum {
	FILE_MAX = 1 << 20,
	FILES_MAX = 256,     /* of one folder */
	ALIASES_MAX = 10000, /* of all files */
	HOSTS_MAX = 64,
	DEPTH_MAX = 16, /* of arrays in arrays */
};

#define SYSTEM_FOLDER "/etc/containers"
#define USER_FOLDER "/.config/containers"

/* A file that is read. */
struct taking {
	struct toml toml;
	struct registries_conf *conf;
	size_t first_alias; /* of this file */
	bool has_hosts;
};

/* What the value of a key is to us. */
enum meaning {
	NOBODYS, /* as is all below it */
	TABLE,	 /* with what is ours below it */
	ALIAS,
	HOSTS,
	MISPLACED, /* below an alias or a list of hosts */
};

/* Strings of one value, as they come. */
struct strings {
	char **item;
	size_t count, max;
	bool is_array;
};

static void strings_clear(struct strings *strings)
{
	for (size_t i = 0; i < strings->count; i++)
		free(strings->item[i]);
	free(strings->item);
	*strings = (struct strings){0};
}
#define auto_strings CLEANUP(strings_clear) struct strings

/*
 * What is behind the part @name at the begin of @key: "" where that is all of it, NULL where the
 * part is another one. Podman's reader does not heed the case of the names it knows.
 */
static const char *behind(const char *key, const char *name)
{
	size_t len = strlen(name);

	if (strncasecmp(key, name, len) != 0 || (key[len] && key[len] != TOML_DOT))
		return NULL;
	return key[len] ? key + len + 1 : key + len;
}

static enum meaning meaning_of(const char *key)
{
	const char *rest = behind(key, "aliases");

	if (rest)
		return !*rest ? TABLE : strchr(rest, TOML_DOT) ? MISPLACED : ALIAS;
	rest = behind(key, "unqualified-search-registries");
	if (rest)
		return *rest ? MISPLACED : HOSTS;
	rest = behind(key, "registries");
	if (rest && *rest)
		rest = behind(rest, "search");
	if (!rest || !*rest)
		return rest ? TABLE : NOBODYS;
	rest = behind(rest, "registries");
	return !rest ? NOBODYS : *rest ? MISPLACED : HOSTS;
}

/* What is said of a value that is not what its key has. */
static int misplaced(const struct toml *toml, struct err *err)
{
	switch (meaning_of(toml->key)) {
	case TABLE:
		return toml_wrong(toml, "it is to be a table", err);
	case HOSTS:
		return toml_wrong(toml, "it is no array of strings", err);
	default:
		return toml_wrong(toml, "an alias is one string, its name in quotes", err);
	}
}

static int read_table(struct toml *toml, struct err *err)
{
	bool is_array = toml->at[1] == '[';
	enum meaning meaning;

	toml->at += is_array ? 2 : 1;
	toml_skip_blanks(toml);
	toml_cut_key(toml, 0);
	if (toml_read_key(toml, err) < 0)
		return -1;
	if (strncmp(toml->at, is_array ? "]]" : "]", is_array ? 2 : 1) != 0)
		return toml_wrong(toml, "the name of a table does not end", err);
	toml->at += is_array ? 2 : 1;
	meaning = meaning_of(toml->key);
	if (meaning != NOBODYS && (meaning != TABLE || is_array))
		return misplaced(toml, err);
	return toml_end_line(toml, err);
}

static int read_string(struct toml *toml, struct strings *strings, struct err *err)
{
	char word[TOML_WORD_MAX] = "";
	size_t len = 0;
	char **grown;

	if (toml_read_string(toml, word, &len, err) < 0)
		return -1;
	if (strings->count == strings->max)
		return toml_wrong(toml, "an array is too long", err);
	grown = reallocarray(strings->item, strings->count + 1, sizeof(*grown));
	if (!grown)
		return err_sys(err, "cannot read '%s'", toml->path);
	strings->item = grown;
	strings->item[strings->count] = strdup(word);
	if (!strings->item[strings->count])
		return err_sys(err, "cannot read '%s'", toml->path);
	strings->count++;
	return 0;
}

/* @strings NULL: nobody wants it. */
static int read_value(struct toml *toml, int depth, struct strings *strings, struct err *err);
static int read_pair(struct toml *toml, int depth, struct err *err);

/* "[ value, ... ]" over several lines, or "{ key = value, ... }". */
static int read_list(struct toml *toml, int depth, struct strings *strings, struct err *err)
{
	bool is_table = *toml->at++ == '{';

	if (depth >= DEPTH_MAX)
		return toml_wrong(toml, "arrays lie too deep in each other", err);
	if (strings && (is_table || strings->is_array))
		return misplaced(toml, err);
	if (strings)
		strings->is_array = true;
	for (toml_skip_lines(toml); *toml->at != (is_table ? '}' : ']'); toml_skip_lines(toml)) {
		if ((is_table ? read_pair(toml, depth + 1, err)
			      : read_value(toml, depth + 1, strings, err)) < 0)
			return -1;
		toml_skip_lines(toml);
		if (*toml->at == ',')
			toml->at++;
		else if (*toml->at != (is_table ? '}' : ']'))
			return toml_wrong(toml, "an array or a table does not end", err);
	}
	toml->at++;
	return 0;
}

static int read_value(struct toml *toml, int depth, struct strings *strings, struct err *err)
{
	size_t len;

	if (*toml->at == '"' || *toml->at == '\'')
		return strings ? read_string(toml, strings, err) : toml_skip_string(toml, err);
	if (*toml->at == '[' || *toml->at == '{')
		return read_list(toml, depth, strings, err);
	if (strings)
		return toml_wrong(toml, "it is no string, or no array of strings", err);
	len = strcspn(toml->at, " \t\r\n#,]}");
	toml->at += len; /* true, 12, 1979-05-27 */
	return len > 0 ? 0 : toml_wrong(toml, "a value is missing", err);
}

static int take_alias(struct toml *toml, const char *name, const char *target, struct err *err)
{
	struct taking *taking = (struct taking *)toml;
	struct registries_conf *conf = taking->conf;
	struct registries_alias *grown, alias = {0};

	for (size_t i = taking->first_alias; i < conf->alias_count; i++)
		if (strcmp(conf->alias[i].name, name) == 0)
			return toml_wrong(toml, "the file has two of this alias", err);
	if (conf->alias_count == ALIASES_MAX)
		return toml_wrong(toml, "there are too many aliases", err);
	grown = reallocarray(conf->alias, conf->alias_count + 1, sizeof(*grown));
	if (!grown)
		return err_sys(err, "cannot read '%s'", toml->path);
	conf->alias = grown;
	alias.name = strdup(name);
	alias.target = strdup(target);
	alias.path = strdup(toml->path);
	conf->alias[conf->alias_count++] = alias;
	return alias.name && alias.target && alias.path
		       ? 0
		       : err_sys(err, "cannot read '%s'", toml->path);
}

static void drop_hosts(struct registries_conf *conf)
{
	for (size_t i = 0; i < conf->host_count; i++)
		free(conf->host[i]);
	free(conf->host);
	free(conf->hosts_path);
	conf->host = NULL;
	conf->hosts_path = NULL;
	conf->host_count = 0;
}

/* Takes over the strings. */
static int take_hosts(struct toml *toml, struct strings *strings, struct err *err)
{
	struct taking *taking = (struct taking *)toml;
	struct registries_conf *conf = taking->conf;

	if (!strings->is_array)
		return misplaced(toml, err);
	if (taking->has_hosts)
		return toml_wrong(toml, "the file has two of this list", err);
	taking->has_hosts = true;
	drop_hosts(conf);
	conf->host = take_ptr(&strings->item);
	conf->host_count = strings->count;
	strings->count = 0;
	conf->hosts_path = strdup(toml->path);
	return conf->hosts_path ? 0 : err_sys(err, "cannot read '%s'", toml->path);
}

/* The value of toml->key. */
static int take_value(struct toml *toml, int depth, struct err *err)
{
	auto_strings strings = {.max = HOSTS_MAX};
	enum meaning meaning = meaning_of(toml->key);

	if (meaning == MISPLACED || (meaning == TABLE && *toml->at != '{'))
		return misplaced(toml, err);
	if (meaning == NOBODYS || meaning == TABLE)
		return read_value(toml, depth, NULL, err);
	if (read_value(toml, depth, &strings, err) < 0)
		return -1;
	if (meaning == HOSTS)
		return take_hosts(toml, &strings, err);
	if (strings.is_array || strings.count != 1)
		return misplaced(toml, err);
	return take_alias(toml, behind(toml->key, "aliases"), strings.item[0], err);
}

/* "KEY = VALUE" of the table that toml->key names. */
static int read_pair(struct toml *toml, int depth, struct err *err)
{
	size_t before = toml->key_len;

	if (toml_read_key(toml, err) < 0)
		return -1;
	if (*toml->at++ != '=')
		return toml_wrong(toml, "it is not of the form KEY = VALUE", err);
	toml_skip_blanks(toml);
	if (take_value(toml, depth, err) < 0)
		return -1;
	toml_cut_key(toml, before);
	return 0;
}

static int read_line(struct toml *toml, struct err *err)
{
	return read_pair(toml, 0, err) < 0 ? -1 : toml_end_line(toml, err);
}

int registries_conf_take(struct registries_conf *conf, const char *text, size_t size,
			 const char *path, struct err *err)
{
	struct taking taking = {.toml = {.at = text, .path = path, .line = 1},
				.conf = conf,
				.first_alias = conf->alias_count};
	struct toml *toml = &taking.toml;

	if (memchr(text, '\0', size))
		return err_set(err, "'%s' is no text: it holds a NUL byte", path);
	for (toml_skip_lines(toml); *toml->at; toml_skip_lines(toml))
		if ((*toml->at == '[' ? read_table(toml, err) : read_line(toml, err)) < 0)
			return -1;
	return 0;
}

/* Returns 1, or 0 where there is no such file. */
static int read_file(struct registries_conf *conf, const char *path, struct err *err)
{
	auto_free char *text = NULL;
	size_t size;

	if (file_read(AT_FDCWD, path, FILE_MAX, &text, &size, err) < 0)
		return err->code == ENOENT || err->code == ENOTDIR ? 0 : -1;
	return registries_conf_take(conf, text, size, path, err) < 0 ? -1 : 1;
}

static int is_conf(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 5 && strcmp(entry->d_name + len - 5, ".conf") == 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int read_folder(struct registries_conf *conf, const char *folder, struct err *err)
{
	struct dirent **entry = NULL;
	int count = scandir(folder, &entry, is_conf, by_bytes), result = 0;

	if (count < 0)
		return errno == ENOENT || errno == ENOTDIR
			       ? 0
			       : err_sys(err, "cannot read '%s'", folder);
	if (count > FILES_MAX)
		result = err_set(err, "'%s' has more than %d files", folder, FILES_MAX);
	for (int i = 0; i < count; i++) {
		auto_free char *path = NULL;

		if (result >= 0 && asprintf(&path, "%s/%s", folder, entry[i]->d_name) < 0)
			result = err_sys(err, "cannot read '%s'", folder);
		if (result >= 0)
			result = read_file(conf, path, err);
		free(entry[i]);
	}
	free(entry);
	return result < 0 ? -1 : 0;
}

int registries_conf_read(struct registries_conf *out, struct err *err)
{
	const char *named = getenv("CONTAINERS_REGISTRIES_CONF"), *home = getenv("HOME");
	auto_free char *file = NULL, *folder = NULL;
	int found = 0;

	*out = (struct registries_conf){0};
	if (asprintf(&file, "%s" USER_FOLDER "/registries.conf", home ? home : "") < 0 ||
	    asprintf(&folder, "%s.d", file) < 0)
		return err_sys(err, "cannot find registries.conf");
	if (named && *named) {
		found = read_file(out, named, err);
		return found == 0 ? err_sys(err, "cannot read '%s'", named) : found < 0 ? -1 : 0;
	}
	if (home && *home)
		found = read_file(out, file, err);
	if (found == 0)
		found = read_file(out, SYSTEM_FOLDER "/registries.conf", err) < 0 ||
					read_folder(out, SYSTEM_FOLDER "/registries.conf.d", err) <
						0
				? -1
				: 0;
	if (found < 0 || !home || !*home)
		return found < 0 ? -1 : 0;
	return read_folder(out, folder, err);
}

const struct registries_alias *registries_conf_alias(const struct registries_conf *conf,
						     const char *name)
{
	for (size_t i = conf->alias_count; i-- > 0;)
		if (strcmp(conf->alias[i].name, name) == 0)
			return conf->alias[i].target[0] ? &conf->alias[i] : NULL;
	return NULL;
}

void registries_conf_clear(struct registries_conf *conf)
{
	for (size_t i = 0; i < conf->alias_count; i++) {
		free(conf->alias[i].name);
		free(conf->alias[i].target);
		free(conf->alias[i].path);
	}
	free(conf->alias);
	drop_hosts(conf);
	*conf = (struct registries_conf){0};
}
