/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/plan/visible.h"

#include "lib/path.h"

#include <string.h>
#include <sys/stat.h>

enum form {
	PATH,	 /* the path itself */
	FILES,	 /* "FILE:path", "DIR:path" or a path; other types name no file (krb5, ccache types)
		  */
	BUSES,	 /* "unix:path=/x,guid=...;...": D-Bus Specification, "Server Addresses" */
	SOCKETS, /* "unix:/x" or "unix:///x", perhaps in braces before it; else no file */
	LISTED,	 /* "/path:pid:..." or "/path,pid,...": up to the first of these */
	RUNTIME, /* a path, or a name in XDG_RUNTIME_DIR */
};

static const struct variable {
	const char *name;
	enum form form;
	bool shown; /* the one file is bound */
} variables[] = {
	{"TMPDIR", PATH, false},
	{"TMP", PATH, false},
	{"TEMP", PATH, false},
	{"TEMPDIR", PATH, false},
	{"XDG_RUNTIME_DIR", PATH, false},
	{"XDG_CONFIG_HOME", PATH, false},
	{"XDG_CACHE_HOME", PATH, false},
	{"XDG_DATA_HOME", PATH, false},
	{"XDG_STATE_HOME", PATH, false},
	{"JUPYTER_RUNTIME_DIR", PATH, false},
	{"GNUPGHOME", PATH, false},
	{"XAUTHORITY", PATH, true},
	{"ICEAUTHORITY", PATH, true},
	{"SSH_AUTH_SOCK", PATH, true},
	{"X509_USER_PROXY", PATH, true},
	{"KRB5CCNAME", FILES, true},
	{"DBUS_SESSION_BUS_ADDRESS", BUSES, false},
	{"DBUS_SYSTEM_BUS_ADDRESS", BUSES, false},
	{"PULSE_SERVER", SOCKETS, false},
	{"DOCKER_HOST", SOCKETS, false},
	{"CONTAINER_HOST", SOCKETS, false},
	{"GPG_AGENT_INFO", LISTED, false},
	{"TMUX", LISTED, false},
	{"WAYLAND_DISPLAY", RUNTIME, false},
};

static const struct variable *find(const char *text, size_t len)
{
	for (size_t i = 0; i < COUNT_OF(variables); i++)
		if (variables[i].name[0] == text[0] && strlen(variables[i].name) == len &&
		    memcmp(variables[i].name, text, len) == 0)
			return &variables[i];
	return NULL;
}

/* What follows @prefix in @text, or NULL. */
static const char *after(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

/* The path of the first address, where it is one: abstract sockets are seen by all. */
static const char *bus_path(const char *value, size_t *len)
{
	const char *path = after(value, "unix:path=");

	*len = path ? strcspn(path, ",;") : 0;
	return path;
}

static const char *file_path(const char *value)
{
	const char *path = after(value, "FILE:");

	path = path ? path : after(value, "DIR:");
	return path ? path : value;
}

static const char *socket_path(const char *value)
{
	const char *path;

	if (*value == '{' && strchr(value, '}'))
		value = strchr(value, '}') + 1;
	path = after(value, "unix:");
	path = path ? path : value;
	return strncmp(path, "///", 3) == 0 ? path + 2 : path;
}

/* The path that @value names, as a new string; NULL when it names none, or none that makes sense.
 */
static char *named_path(enum form form, const char *value, const char *runtime)
{
	const char *path = value;
	auto_free char *copy = NULL;
	size_t len;
	char *tidy = NULL;
	struct err ignored;

	if (form == BUSES)
		path = bus_path(value, &len);
	else if (form == FILES)
		path = file_path(value);
	else if (form == SOCKETS)
		path = socket_path(value);
	if (form != BUSES)
		len = form == LISTED ? strcspn(path, ":,") : strlen(path);
	if (form == RUNTIME && *path && *path != '/' && runtime)
		copy = path_join(runtime, path);
	else if (path && *path == '/')
		copy = strndup(path, len);
	if (copy && path_tidy(copy, &tidy, &ignored) < 0)
		return strdup(""); /* ".." means nothing without a look: shown by nobody */
	return tidy;
}

bool visible_is_missing(const struct plan *plan, const char *text, size_t len, const char *runtime)
{
	const struct variable *variable = find(text, len);
	auto_free char *path = NULL;

	if (!variable)
		return false;
	path = named_path(variable->form, text + len + 1, runtime);
	/* A relative directory is one of the working directory's: as good inside as outside. */
	return path && !plan_shows_host(plan, path);
}

/* Show @path, if it exists and nothing does yet. */
static int add_file(struct plan *plan, const char *path, struct err *err)
{
	unsigned flags = PLAN_OPTIONAL | PLAN_IMPLICIT | PLAN_PERSONAL;
	struct stat stat_;

	if (plan_shows_host(plan, path) || plan_is_images(path, false) || stat(path, &stat_) < 0)
		return 0;
	if (!S_ISDIR(stat_.st_mode))
		flags |= PLAN_ISFILE;
	return plan_add_bind(plan, path, path, flags, err);
}

int visible_add(struct plan *plan, char *const *env, struct err *err)
{
	for (; env && *env; env++) {
		size_t len = strcspn(*env, "=");
		const struct variable *variable = (*env)[len] ? find(*env, len) : NULL;
		auto_free char *path = NULL;

		if (!variable || !variable->shown)
			continue;
		path = named_path(variable->form, *env + len + 1, NULL);
		if (path && add_file(plan, path, err) < 0)
			return -1;
	}
	return 0;
}
