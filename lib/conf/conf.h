/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * conf.h - firn.conf: what the site decides, and what a user may add.
 *
 * The site's file (sysconfdir/firn/firn.conf) is read if its name exists, and a name that leads
 * nowhere (a symlink's target that is not mounted) is an error; no other place is looked at,
 * so that of an install of the user's own is the only one there. trust.h says whose it may be.
 * A file named with --config is read after it if the user or root owns it and nobody else can
 * write to it; it may only set what a user may set (the table in conf.c says which), and takes
 * nothing back that the site denies or requires. Format: firn.conf(5): sections
 * in brackets, KEY = VALUE lines, '#' comments; keys that take lists may be repeated.
 */
#ifndef FIRN_LIB_CONF_CONF_H
#define FIRN_LIB_CONF_CONF_H

#include "lib/err.h"
#include "lib/own.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define CONF_SQUASHFUSE "squashfuse_ll"

enum conf_engine { ENGINE_FIRN, ENGINE_SQUASHFUSE };
enum conf_mpi { MPI_HYBRID, MPI_NONE };

/* Whether a job runs the image that was there when it was submitted (doc/decisions/slurm.md). */
enum conf_pin { PIN_OFF, PIN_TRY, PIN_REQUIRE };

/* Words in the order of the file; owned by the conf. */
struct conf_list {
	char **item; /* NULL-terminated, or NULL when empty */
	size_t count;
};

enum { CONF_REGISTRY_KEYS = 4 };

/* [registry "HOST[:PORT]"]: one section for each registry that needs it */
struct conf_registry {
	char *host;
	char *mirror;  /* URL that is asked first; NULL: none */
	char *ca;      /* file of certificates to trust for this host; NULL: the system's */
	/* HOST[:PORT] outside its domain that may get its credentials; NULL: none. */
	char *token_server;
	bool insecure; /* plain http and certificates of anybody are good enough */
	int seen[CONF_REGISTRY_KEYS]; /* conf.c's: where the file being read has set each key */
};

/* What is in force: all keys of firn.conf(5), each with its default where no file sets it. */
struct conf {
	/* [run] */
	/* "SRC[:DST[:ro|rw|optional]]": bound in every container, if SRC exists; both are as
	 * written, for expand.h */
	struct conf_list bind;
	enum conf_engine engine;   /* default firn */
	char *squashfuse; /* program of the second engine; default CONF_SQUASHFUSE from PATH */
	enum conf_mpi mpi;         /* default hybrid: the host's launcher starts the image's MPI */
	bool topology; /* default yes: what hwloc finds is found once for all ranks of a step */
	/* [server] */
	size_t cache_size;         /* bytes, default 12 MiB */
	size_t metadata_size;      /* bytes, default 16 MiB */
	int threads;               /* 0: by CPUs */
	bool require_cage;         /* no Landlock or seccomp: no server; default no (lib/cage) */
	/* [env] */
	/* Host variables that never enter, built in; a trailing '*' matches the rest. */
	const char *const *env_always;
	size_t env_always_count;
	/* ... and more of them, of the site's and the user's. */
	struct conf_list env_drop;
	struct conf_list env_keep; /* exceptions to both */
	/* [session] */
	int linger;                /* seconds; default 0 */
	/* [slurm] */
	enum conf_pin pin;         /* default try */
	/* [build]: limits of one image, and where layers are kept */
	size_t max_entries;        /* files; default 4 million */
	size_t max_size;           /* bytes unpacked; default 256 GiB */
	size_t max_ratio;          /* unpacked bytes for one compressed; default 200 */
	size_t max_memory;         /* bytes of names, links and attributes; default 1 GiB */
	char *cache;		   /* directory as written, for expand.h; NULL: XDG's */
	/* [store]: where images of registries' names are, as written, for expand.h */
	struct conf_list store;
	int store_fresh;  /* seconds for which a tag's answer is good; default 0: it is asked for */
	bool store_group; /* what a group can write to is good enough; default no */
	/* [pull], and all [registry] sections */
	char *default_registry;    /* host of names without one; NULL: not said here */
	int stall; /* seconds without a byte after which a transfer is begun anew; default 60 */
	struct conf_registry *registry;
	size_t registry_count;
	/* [users] */
	struct conf_list deny; /* options and verbs that users may not give: names without dashes */
};

/*
 * Read the site's file and then @extra (NULL for none) into a new conf, with the
 * built-in defaults for what neither sets. An unknown key is an error that names
 * file and line. Returns 0 and a new @out, which conf_free() frees (NULL is fine), or -1.
 */
int conf_read(const char *extra, struct conf **out, struct err *err);
void conf_free(struct conf *conf);
void conf_freep(struct conf **conf);
#define auto_conf CLEANUP(conf_freep) struct conf

/* The section of @host, which has its port if it is named with one, or NULL. The conf's own. */
const struct conf_registry *conf_registry(const struct conf *conf, const char *host);

/* The line in which the file that was read last sets @registry's key @name; 0: it does not. */
int conf_registry_line(const struct conf_registry *registry, const char *name);

/* off, try or require into @out; false for any other word. */
bool conf_pin_parse(const char *text, enum conf_pin *out);

/* Whether users may give the option or verb @word (lib/conf/deniable.h). */
bool conf_allows(const struct conf *conf, const char *word);

/* Whether they may give all of @given, NULL-terminated or NULL. Returns 0, or -1 and which not. */
int conf_check(const struct conf *conf, const char **given, struct err *err);

/* Read one file; @trusted says that it is the site's. For conf_read() and the tests. */
int conf_read_file(struct conf *conf, const char *path, bool trusted, struct err *err);
/* The same of @text, which is changed; @path is for messages. */
int conf_take_text(struct conf *conf, char *text, const char *path, bool trusted, struct err *err);
/* One of the defaults alone; NULL without memory. */
struct conf *conf_new(void);

#endif
