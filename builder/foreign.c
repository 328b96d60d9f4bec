/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/foreign.h"

#include "lib/cli/advice.h"
#include "lib/own.h"

#include <fcntl.h>
#include <stdbool.h>
#include <strings.h>
#include <sys/stat.h>

enum { HEAD_SIZE = 4096 };

#define NOT_YET "that is not in this version"
#define NO_RECIPES "firn builds no Dockerfile and no definition file"
#define USE_PODMAN NO_RECIPES ": 'podman build -t NAME DIR', then 'firn build OUT.sqfs podman:NAME'"
#define USE_OUT "the first operand is the file to write: firn build OUT.sqfs SOURCE"
#define USE_LOGIN "log in with docker, podman or skopeo; firn reads their credentials"
#define USE_CA "firn.conf(5) says which registry may do without https: [registry \"HOST\"]"
#define FETCH "fetch the file first, and run it as it is, or 'firn build OUT.sqfs FILE'"
#define USE_GC "'firn cache gc --keep 0' empties the cache, '--keep 20G' leaves that much"
#define USE_LIST "'firn cache list' shows what is kept"

// clang-format off
static const struct advice options[] = {
	/* Apptainer */
	{"s", "a directory is run as it is; an image is one file"},
	{"sandbox", "a directory is run as it is; an image is one file"},
	{"fakeroot", "building needs no privilege; --all-root gives everything to root"},
	{"F", "--force replaces OUT"},
	{"T", NO_RECIPES},
	{"notest", NO_RECIPES},
	{"section", NO_RECIPES},
	{"build-arg-file", NO_RECIPES},
	{"r", NOT_YET}, {"remote", NOT_YET}, {"builder", NOT_YET}, {"library", NOT_YET},
	{"e", NOT_YET}, {"encrypt", NOT_YET}, {"passphrase", NOT_YET}, {"pem-path", NOT_YET},
	{"u", "an image is written anew: --force replaces OUT"},
	{"update", "an image is written anew: --force replaces OUT"},
	{"fix-perms", "files are read in the archive: nothing needs to be made readable"},
	{"no-cleanup", "nothing is unpacked"},
	{"tmpdir", "TMPDIR says where files wait for being packed"},
	{"disable-cache", "--no-cache neither reads nor fills the cache"},
	{"arch", "--platform OS/ARCH says which one"},
	{"arch-variant", "--platform OS/ARCH/VARIANT says which one"},
	{"dir", "the second operand is where to write: firn pull NAME DIR/NAME.sqfs"},
	{"name", "the second operand of pull is the file to write: firn pull NAME OUT.sqfs"},
	{"docker-login", USE_LOGIN}, {"docker-username", USE_LOGIN}, {"docker-password", USE_LOGIN},
	{"authfile", "REGISTRY_AUTH_FILE names the file of credentials"}, {"creds", USE_LOGIN},
	{"username", USE_LOGIN}, {"password", USE_LOGIN},
	{"nohttps", USE_CA}, {"no-https", USE_CA}, {"tls-verify", USE_CA}, {"cert-dir", USE_CA},
	{"U", "signatures are not checked in this version"},
	{"allow-unsigned", "signatures are not checked in this version"},
	{"B", NO_RECIPES},
	{"bind", NO_RECIPES},
	{"nv", NO_RECIPES},
	{"rocm", NO_RECIPES},
	{"writable-tmpfs", NO_RECIPES},
	{"clean", USE_GC},
	{"A", USE_GC},
	{"all", "all is shown and counted"},
	{"D", USE_GC},
	{"days", USE_GC},
	/* docker, podman, buildah */
	{"t", USE_PODMAN},
	{"tag", USE_PODMAN},
	{"o", USE_OUT},
	{"output", USE_OUT},
	{"iidfile", USE_OUT},
	{"file", USE_PODMAN},
	{"build-arg", USE_PODMAN},
	{"target", USE_PODMAN},
	{"secret", USE_PODMAN},
	{"ssh", USE_PODMAN}, {"squash", "an image is one file without layers"},
	{"layers", "an image is one file without layers"},
	{"network", NO_RECIPES},
	{"add-host", NO_RECIPES},
	{"label", NO_RECIPES},
	{"annotation", NO_RECIPES},
	{"isolation", NO_RECIPES},
	{"volume", NO_RECIPES},
	{"env", NO_RECIPES},
	{"memory", NO_RECIPES},
	{"pull", "the source is always looked up; its layers are kept in the cache"},
	{"policy", "the source is always looked up; its layers are kept in the cache"},
	{"rm", "nothing is left behind"}, {"force-rm", "nothing is left behind"},
	{"progress", "--quiet shows none"},
	{"format", "the file is squashfs; --json prints the result as JSON"},
	{"a", "one image at a time"}, {"all-tags", "one image at a time"},
	{"disable-content-trust", "signatures are not checked in this version"},
	{"storage-driver", "podman:NAME asks podman, as it is configured"},
	{"root", "podman:NAME asks podman, as it is configured"},
	/* mksquashfs, Charliecloud, Enroot */
	{"comp", "--compress CODEC[:LEVEL]"}, {"b", "--block-size SIZE"},
	{"noappend", "--force replaces OUT"}, {"processors", "--jobs N"},
};

/* Sources that are none here, by what they begin with. */
static const struct advice sources[] = {
	{"library://", "Apptainer's library is not in this version"},
	{"oras://",
	"ORAS artifacts are not in this version: fetch the file with oras or apptainer"},
	{"shub://", "Singularity Hub is no more"},
	{"https://", FETCH}, {"http://", FETCH}, {"ftp://", FETCH},
	{"dockerd://", "an image of the docker daemon is docker-daemon:NAME"},
	{"podman://", "an image of podman's store is podman:NAME"},
	{"containers-storage:", "an image of podman's store is podman:NAME"},
	{"docker:", "an image in a registry is docker://NAME"},
};

/* Sources of build, which are none of pull. */
static const char *const kinds[] = {
	"docker://", "oci:", "oci-archive:", "docker-archive:", "docker-daemon:", "podman:",
	"dir:", "tar:",
	"image:", "library://", "oras://", "shub://", "https://", "http://", "containers-storage:",
};

static const struct advice cache_words[] = {
	{"clean", USE_GC}, {"clear", USE_GC}, {"prune", USE_GC}, {"purge", USE_GC}, {"rm", USE_GC},
	{"remove", USE_GC},
	{"delete", USE_GC},
	{"empty", USE_GC},
	{"ls", USE_LIST},
	{"show", USE_LIST},
	{"info", USE_LIST}, {"size", USE_LIST}, {"df", USE_LIST}, {"dir", USE_LIST},
};

static const char *const image_ends[] = {".sqfs", ".squashfs", ".sqsh", ".sif", ".simg", ".img"};
static const char *const recipe_ends[] = {".def", ".recipe", ".dockerfile", ".containerfile"};
static const char *const recipe_names[] = {"dockerfile", "containerfile", "singularity"};
// clang-format on

const char *foreign_build_option(const char *name, size_t len)
{
	return advice_find(options, COUNT_OF(options), name, len);
}

const char *foreign_cache(const char *word)
{
	return advice_find(cache_words, COUNT_OF(cache_words), word, strlen(word));
}

static bool begins(const char *word, const char *with)
{
	return strncmp(word, with, strlen(with)) == 0;
}

static bool ends_in(const char *word, const char *const *end, size_t count)
{
	size_t len = strlen(word);

	for (size_t i = 0; i < count; i++)
		if (len > strlen(end[i]) && strcasecmp(word + len - strlen(end[i]), end[i]) == 0)
			return true;
	return false;
}

static bool is_image_name(const char *word)
{
	return ends_in(word, image_ends, COUNT_OF(image_ends));
}

static bool has_kind(const char *word)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if (begins(word, kinds[i]))
			return true;
	return false;
}

/* "Dockerfile", "docker/Dockerfile.gpu", "Singularity.v2", "my.def". */
static bool is_recipe_name(const char *word)
{
	const char *slash = strrchr(word, '/'), *name = slash ? slash + 1 : word;

	for (size_t i = 0; i < COUNT_OF(recipe_names); i++) {
		size_t len = strlen(recipe_names[i]);

		if (strncasecmp(name, recipe_names[i], len) == 0 &&
		    (!name[len] || name[len] == '.'))
			return !is_image_name(name);
	}
	return ends_in(name, recipe_ends, COUNT_OF(recipe_ends));
}

/* The first word of a text behind blank lines and comments. */
static bool says_recipe(const char *text)
{
	while (*text == '#' || *text == '\n' || *text == '\r' || *text == ' ' || *text == '\t')
		text += *text == '#' ? strcspn(text, "\n") : 1;
	return strncasecmp(text, "bootstrap:", 10) == 0 || strncasecmp(text, "from ", 5) == 0 ||
	       strncasecmp(text, "arg ", 4) == 0;
}

/* By what is in it, whatever it is called. */
static bool is_recipe_file(const char *path)
{
	char head[HEAD_SIZE + 1] = "";
	struct stat stat;
	auto_fd fd = -1;
	ssize_t n;

	if (lstat(path, &stat) < 0 || !S_ISREG(stat.st_mode))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY);
	n = fd < 0 ? -1 : pread(fd, head, HEAD_SIZE, 0);
	return n > 0 && !memchr(head, '\0', (size_t)n) && says_recipe(head);
}

static bool holds(const char *folder, const char *name)
{
	auto_fd fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && faccessat(fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* A folder that something is built from by a recipe, and no root file system. */
static bool is_context(const char *path)
{
	static const char *const recipes[] = {"Dockerfile", "Containerfile"};
	static const char *const roots[] = {"bin", "usr", "etc", "lib", "sbin"};
	bool has = false;

	for (size_t i = 0; i < COUNT_OF(recipes); i++)
		has = has || holds(path, recipes[i]);
	for (size_t i = 0; i < COUNT_OF(roots); i++)
		has = has && !holds(path, roots[i]);
	return has;
}

static bool is_recipe(const char *word)
{
	return is_recipe_name(word) || is_recipe_file(word);
}

static int check_source(const char *source, struct err *err)
{
	for (size_t i = 0; i < COUNT_OF(sources); i++) {
		bool is_docker = strcmp(sources[i].word, "docker:") == 0;

		if (begins(source, sources[i].word) && !(is_docker && begins(source, "docker://")))
			return err_set(err, "'%s' is no source; %s", source, sources[i].advice);
	}
	return 0;
}

/* "build SOURCE OUT": a source where a file is to be written. */
static bool is_swapped(const char *out, const char *source)
{
	struct stat stat;

	if (has_kind(out))
		return !has_kind(source) || is_image_name(source);
	return is_image_name(source) && lstat(source, &stat) < 0 && !is_image_name(out) &&
	       lstat(out, &stat) == 0;
}

static int one_operand(const char *word, struct err *err)
{
	if (is_recipe(word) || is_context(word))
		return err_set(err, "'%s': " USE_PODMAN, word);
	if (check_source(word, err) < 0)
		return -1;
	if (has_kind(word))
		return err_set(err, "the file to write is missing: firn build OUT.sqfs %s", word);
	return err_set(err, "the source is missing: firn build %s SOURCE", word);
}

int foreign_build(char **operand, int count, struct err *err)
{
	if (count == 1)
		return one_operand(operand[0], err);
	if (count != 2)
		return 0;
	if (is_recipe_name(operand[0]) || is_recipe(operand[1]))
		return err_set(err, "'%s': " USE_PODMAN,
			       is_recipe_name(operand[0]) ? operand[0] : operand[1]);
	if (is_swapped(operand[0], operand[1]))
		return err_set(err, "the file to write comes first: firn build %s %s", operand[1],
			       operand[0]);
	if (is_context(operand[1]))
		return err_set(err,
			       "'%s' has a recipe, but no root file system; " USE_PODMAN
			       "; dir:%s packs the folder as it is",
			       operand[1], operand[1]);
	return check_source(operand[1], err);
}

/* Sources of build, and files, where the name of an image in a registry is to stand. */
static int check_reference(const char *word, const char *out, struct err *err)
{
	if (check_source(word, err) < 0)
		return -1;
	if (has_kind(word) && !begins(word, "docker://"))
		return err_set(err, "'%s' is in no registry: firn build %s %s", word,
			       out ? out : "OUT.sqfs", word);
	if (is_recipe_name(word))
		return err_set(err, "'%s': " USE_PODMAN, word);
	if (is_image_name(word) && !strchr(word, ':'))
		return err_set(err,
			       "'%s' is the name of a file; the image's name comes first: "
			       "firn pull %s %s",
			       word, out ? out : "NAME", word);
	return 0;
}

int foreign_pull(char **operand, int count, struct err *err)
{
	if (count == 0)
		return 0;
	/* Apptainer's order. No file that is to be written begins so. */
	if (count == 2 && has_kind(operand[1]) && !has_kind(operand[0])) {
		char *out = operand[0];

		operand[0] = operand[1];
		operand[1] = out;
	}
	return check_reference(operand[0], operand[1], err);
}
