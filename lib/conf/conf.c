/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/conf/conf.h"

#include "lib/conf/deniable.h"
#include "lib/conf/lines.h"
#include "lib/conf/private.h"
#include "lib/host.h"
#include "paths.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum { SECTION_MAX = 300 };

#define SITE_FILE SYSCONFDIR "/firn/firn.conf"

/* Every key there is. "user": may stand in a file that a user names with --config. */
static const struct key keys[] = {
	{"run", "bind", VALUE_BIND, offsetof(struct conf, bind), true},
	{"run", "engine", VALUE_ENGINE, offsetof(struct conf, engine), true},
	{"run", "squashfuse", VALUE_TEXT, offsetof(struct conf, squashfuse), true},
	{"run", "mpi", VALUE_MPI, offsetof(struct conf, mpi), true},
	{"run", "topology", VALUE_FLAG, offsetof(struct conf, topology), true},
	{"server", "cache", VALUE_SIZE, offsetof(struct conf, cache_size), true},
	{"server", "metadata", VALUE_SIZE, offsetof(struct conf, metadata_size), true},
	{"server", "threads", VALUE_THREADS, offsetof(struct conf, threads), true},
	{"server", "cage", VALUE_CAGE, offsetof(struct conf, require_cage), true},
	{"env", "drop", VALUE_NAMES, offsetof(struct conf, env_drop), true},
	{"env", "keep", VALUE_NAMES, offsetof(struct conf, env_keep), true},
	{"session", "linger", VALUE_NUMBER, offsetof(struct conf, linger), false},
	{"slurm", "pin", VALUE_PIN, offsetof(struct conf, pin), false},
	{"build", "max-entries", VALUE_LIMIT, offsetof(struct conf, max_entries), true},
	{"build", "max-size", VALUE_LIMIT, offsetof(struct conf, max_size), true},
	{"build", "max-ratio", VALUE_LIMIT, offsetof(struct conf, max_ratio), true},
	{"build", "max-memory", VALUE_LIMIT, offsetof(struct conf, max_memory), true},
	{"build", "cache", VALUE_PLACE, offsetof(struct conf, cache), true},
	{"store", "dir", VALUE_PLACES, offsetof(struct conf, store), true},
	{"store", "fresh", VALUE_NUMBER, offsetof(struct conf, store_fresh), true},
	{"store", "group", VALUE_FLAG, offsetof(struct conf, store_group), false},
	{"pull", "default", VALUE_HOST, offsetof(struct conf, default_registry), false},
	{"pull", "stall", VALUE_NUMBER, offsetof(struct conf, stall), true},
	{"users", "deny", VALUE_DENY, offsetof(struct conf, deny), false},
};

/*
 * Of each [registry "HOST"]. A user may trust a CA or use a mirror; that a host needs no
 * proof of who it is, is the site's to say, since passwords go there.
 */
static const struct key registry_keys[] = {
	{"registry", "mirror", VALUE_URL, offsetof(struct conf_registry, mirror), true},
	{"registry", "ca", VALUE_PATH, offsetof(struct conf_registry, ca), true},
	{"registry", "token-server", VALUE_HOST, offsetof(struct conf_registry, token_server),
	 true},
	{"registry", "insecure", VALUE_FLAG, offsetof(struct conf_registry, insecure), false},
};

/*
 * What makes an image's programs find the host's files instead of their own:
 * loader, interpreters' search paths, locale and character set modules, start
 * files of shells. firn.conf(5) gives the reasons one by one.
 */
static const char *const dropped[] = {
	"LD_*", "GCONV_PATH", "LOCPATH", "NLSPATH", "GETCONF_DIR", "HOSTALIASES", "MALLOC_TRACE",
	"BASH_ENV", "ENV", "BASH_FUNC_*", "SHELLOPTS", "BASHOPTS", "CDPATH",
	"PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONUSERBASE", "PYTHONEXECUTABLE",
	"VIRTUAL_ENV", "CONDA_*", "_CE_*",
	"PERL5LIB", "PERLLIB", "PERL5OPT", "PERL_LOCAL_LIB_ROOT", "PERL_MB_OPT", "PERL_MM_OPT",
	"R_LIBS", "R_LIBS_USER", "R_LIBS_SITE", "R_HOME", "R_PROFILE", "R_ENVIRON",
	"RUBYLIB", "RUBYOPT", "GEM_HOME", "GEM_PATH", "NODE_PATH", "NODE_OPTIONS",
	"LUA_PATH*", "LUA_CPATH*", "TCLLIBPATH", "TCL_LIBRARY", "TK_LIBRARY",
	"JULIA_LOAD_PATH", "JULIA_DEPOT_PATH", "JAVA_HOME", "CLASSPATH", "JAVA_TOOL_OPTIONS",
	"CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "LIBRARY_PATH", "COMPILER_PATH",
	"PKG_CONFIG_PATH", "CMAKE_PREFIX_PATH", "GUILE_LOAD_PATH", "MANPATH", "INFOPATH",
	"TERMINFO", "TERMINFO_DIRS", "SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE",
	"REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO", "PIP_CERT",
	"OPENSSL_CONF", "OPENSSL_MODULES", "OPENSSL_ENGINES", "OPAL_PREFIX", "GIO_MODULE_DIR",
	"GTK_PATH", "GTK_MODULES", "QT_PLUGIN_PATH", "XDG_DATA_DIRS", "XDG_CONFIG_DIRS",
	"MODULEPATH", "MODULESHOME", "LOADEDMODULES", "_LMFILES_", "LMOD_*", "_ModuleTable*",
};

static void list_clear(struct conf_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->item[i]);
	free(list->item);
}

struct conf *conf_new(void)
{
	auto_conf *conf = calloc(1, sizeof(*conf));

	if (!conf)
		return NULL;
	conf->cache_size = 12 * MEBIBYTE;
	conf->metadata_size = 16 * MEBIBYTE;
	conf->max_entries = 4000000;
	conf->max_size = (size_t)256 << 30;
	conf->max_ratio = 200;
	conf->max_memory = (size_t)1 << 30;
	conf->stall = 60;
	conf->topology = true;
	conf->pin = PIN_TRY;
	conf->squashfuse = strdup(CONF_SQUASHFUSE);
	if (!conf->squashfuse)
		return NULL;
	/* Not copied: it would be a tenth of a rank's start. */
	conf->env_always = dropped;
	conf->env_always_count = COUNT_OF(dropped);
	return take_ptr(&conf);
}

void conf_free(struct conf *conf)
{
	if (!conf)
		return;
	list_clear(&conf->bind);
	list_clear(&conf->env_drop);
	list_clear(&conf->env_keep);
	list_clear(&conf->deny);
	list_clear(&conf->store);
	for (size_t i = 0; i < conf->registry_count; i++) {
		free(conf->registry[i].host);
		free(conf->registry[i].mirror);
		free(conf->registry[i].ca);
		free(conf->registry[i].token_server);
	}
	free(conf->registry);
	free(conf->default_registry);
	free(conf->cache);
	free(conf->squashfuse);
	free(conf);
}

void conf_freep(struct conf **conf)
{
	conf_free(*conf);
}

const struct conf_registry *conf_registry(const struct conf *conf, const char *host)
{
	for (size_t i = 0; i < conf->registry_count; i++)
		if (strcasecmp(conf->registry[i].host, host) == 0)
			return &conf->registry[i];
	return NULL;
}

/* The registry that a section 'registry "HOST"' speaks of, made if it is new; NULL if it is no such
 * section. */
static struct conf_registry *section_registry(struct conf *conf, const char *section)
{
	static const char prefix[] = "registry \"";
	size_t len = strlen(section), prefix_len = sizeof(prefix) - 1;
	auto_free char *host = NULL;
	struct conf_registry *grown;

	if (len <= prefix_len + 1 || strncmp(section, prefix, prefix_len) != 0 ||
	    section[len - 1] != '"')
		return NULL;
	host = strndup(section + prefix_len, len - prefix_len - 1);
	if (!host || !host_is_valid(host))
		return NULL;
	for (size_t i = 0; i < conf->registry_count; i++)
		if (strcasecmp(conf->registry[i].host, host) == 0)
			return &conf->registry[i];
	grown = reallocarray(conf->registry, conf->registry_count + 1, sizeof(*grown));
	if (!grown)
		return NULL;
	conf->registry = grown;
	grown += conf->registry_count++;
	*grown = (struct conf_registry){.host = take_ptr(&host)};
	return grown;
}

int conf_registry_line(const struct conf_registry *registry, const char *name)
{
	for (size_t i = 0; i < COUNT_OF(registry_keys); i++)
		if (strcmp(registry_keys[i].name, name) == 0)
			return registry->seen[i];
	return 0;
}

static const struct key *find_key(const struct key *table, size_t count, const char *section,
				  const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(table[i].section, section) == 0 && strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

/* Where a message points to. */
struct conf_place {
	const char *path;
	int line;
	bool trusted;
	int seen[COUNT_OF(keys)]; /* the line in which this file has set each; 0: it has not */
};

static bool is_section(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		if (strcmp(keys[i].section, name) == 0)
			return true;
	return false;
}

static int no_section(const char *section, const struct conf_place *place, struct err *err)
{
	if (strncmp(section, "registry", strlen("registry")) == 0 && !strchr(section, '"'))
		return err_set(err,
			       "'%s' line %d: the host of section '%s' is in double quotes: "
			       "[registry \"HOST\"]",
			       place->path, place->line, section);
	if (strncmp(section, "registry", strlen("registry")) == 0)
		return err_set(err,
			       "'%s' line %d: section '%s' names no host: [registry "
			       "\"HOST[:PORT]\"], without https:// and without a path",
			       place->path, place->line, section);
	return err_set(err, "'%s' line %d: there is no section '%s'", place->path, place->line,
		       section);
}

static int no_key(const char *section, const char *name, const struct conf_place *place,
		  struct err *err)
{
	if (*section == '\0')
		return err_set(err, "'%s' line %d: '%s' stands before any [section]", place->path,
			       place->line, name);
	return err_set(err, "'%s' line %d: there is no key '%s' in section '%s'", place->path,
		       place->line, name, section);
}

/* The line in which this file gave @key a value, if it takes one; 0: this is the first. */
static int earlier_line(struct conf_place *place, struct conf_registry *registry,
			const struct key *key)
{
	int *seen = registry ? &registry->seen[key - registry_keys] : &place->seen[key - keys];
	int line = *seen;

	_Static_assert(COUNT_OF(registry_keys) == CONF_REGISTRY_KEYS, "a line for each key");
	if (key->value == VALUE_NAMES || key->value == VALUE_BIND || key->value == VALUE_DENY ||
	    key->value == VALUE_PLACES)
		return 0;
	*seen = place->line;
	return line;
}

static int take_section(struct conf *conf, const char *name, char *section, size_t section_size,
			const struct conf_place *place, struct err *err)
{
	if ((size_t)snprintf(section, section_size, "%s", name) >= section_size)
		return err_set(err, "'%s' line %d is no section", place->path, place->line);
	if (!section_registry(conf, section) && !is_section(section))
		return no_section(section, place, err);
	return 0;
}

static int take_pair(struct conf *conf, const char *name, const char *value, const char *section,
		     struct conf_place *place, struct err *err)
{
	struct conf_registry *registry = section_registry(conf, section);
	const struct key *key;
	const char *wrong = conf_lines_likely_meant(value);
	int earlier;

	key = registry ? find_key(registry_keys, COUNT_OF(registry_keys), "registry", name) :
			 find_key(keys, COUNT_OF(keys), section, name);
	if (!key)
		return no_key(section, name, place, err);
	/* An option that the site denies must not come in by the back door of --config. */
	if (!place->trusted && (!key->user || !conf_allows(conf, name)))
		return err_set(err, "'%s' line %d: only the site may set '%s'", place->path,
			       place->line, name);
	if (wrong)
		return err_set(err, "'%s' line %d: '%s' cannot be '%s': %s", place->path,
			       place->line, name, value, wrong);
	earlier = earlier_line(place, registry, key);
	if (earlier > 0)
		return err_set(err, "'%s' line %d: '%s' is there twice, first in line %d",
			       place->path, place->line, name, earlier);
	if (conf_take_value(registry ? (void *)registry : conf, key, value, &wrong) < 0)
		return err_set(err, "'%s' line %d: '%s' cannot be '%s': %s", place->path,
			       place->line, name, value, wrong);
	return 0;
}

int conf_take_text(struct conf *conf, char *text, const char *path, bool trusted, struct err *err)
{
	struct conf_place place = {.path = path, .trusted = trusted};
	struct conf_lines lines = {.path = path, .rest = text};
	char section[SECTION_MAX] = "";
	int result;

	for (size_t i = 0; i < conf->registry_count; i++)
		memset(conf->registry[i].seen, 0, sizeof(conf->registry[i].seen));
	while ((result = conf_lines_next(&lines, err)) > 0) {
		place.line = lines.number;
		result = lines.section ? take_section(conf, lines.section, section, sizeof(section),
						      &place, err)
				       : take_pair(conf, lines.name, lines.value, section, &place,
						   err);
		if (result < 0)
			break;
	}
	return result;
}

static int read_open(struct conf *conf, int fd, const char *path, bool trusted, struct err *err)
{
	auto_free char *text = NULL;

	if (conf_lines_read(fd, path, trusted, &text, err) < 0)
		return -1;
	return conf_take_text(conf, text, path, trusted, err);
}

int conf_read_file(struct conf *conf, const char *path, bool trusted, struct err *err)
{
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return err_sys(err, "cannot read '%s'", path);
	return read_open(conf, fd, path, trusted, err);
}

/*
 * Whether the site has no file, where open(2) found none: a name, or one of a directory above
 * it, that is there but a symlink to nowhere is not none, as what it denies would be allowed.
 */
static bool is_without_site(void)
{
	struct open_how straight = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS};
	auto_fd fd = -1;
	char path[] = SITE_FILE;
	struct stat stat_;

	/* At most starts there is neither, which one call tells. */
	fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &straight, sizeof(straight));
	if (fd < 0 && errno == ENOENT)
		return true;
	while (path[0] && lstat(path, &stat_) < 0) {
		if (errno != ENOENT)
			return false;
		*strrchr(path, '/') = '\0';
	}
	return !path[0] || !S_ISLNK(stat_.st_mode) || stat(path, &stat_) == 0;
}

/* Read it, if there is one. */
static int read_site(struct conf *conf, struct err *err)
{
	auto_fd fd = open(SITE_FILE, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd >= 0)
		return read_open(conf, fd, SITE_FILE, true, err);
	if (errno != ENOENT)
		return err_sys(err, "cannot read '%s'", SITE_FILE);
	if (!is_without_site())
		return err_set(err, "cannot read '%s': it is a symlink that leads nowhere",
			       SITE_FILE);
	return 0;
}

int conf_read(const char *extra, struct conf **out, struct err *err)
{
	auto_conf *conf = conf_new();

	if (!conf)
		return err_sys(err, "cannot read the configuration");
	if (read_site(conf, err) < 0)
		return -1;
	if (extra && conf_read_file(conf, extra, false, err) < 0)
		return -1;
	*out = take_ptr(&conf);
	return 0;
}

bool conf_allows(const struct conf *conf, const char *word)
{
	for (size_t i = 0; i < conf->deny.count; i++)
		if (strcmp(conf->deny.item[i], word) == 0)
			return false;
	return true;
}

int conf_check(const struct conf *conf, const char **given, struct err *err)
{
	for (; given && *given; given++)
		if (!conf_allows(conf, *given))
			return err_set(err, "%s%s' is not allowed on this machine",
				       deniable_is_verb(*given) ? "'firn " : "option '--", *given);
	return 0;
}
