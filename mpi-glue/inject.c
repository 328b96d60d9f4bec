/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "mpi-glue/inject_private.h"

#include "lib/log.h"

#include <fcntl.h>
#include <string.h>

static bool is_there(const struct closure_object *object)
{
	return object && object->state == CLOSURE_FOUND && object->elf;
}

/* The first pattern of @profile's require that nothing fits; NULL: none. */
static const char *find_lack(const struct profile *profile)
{
	for (size_t i = 0; i < profile->require.count; i++)
		if (!candidate_has(profile->require.item[i]))
			return profile->require.item[i];
	return NULL;
}

/* Look for the library of @it, by one name after the other; each in a closure of its own, which it
 * begins. */
static int find_library(const struct inject *inject, struct candidate *it, struct err *err)
{
	const struct closure_options options = {
		.library_path = getenv("LD_LIBRARY_PATH"),
		.libc = inject->host_libc,
	};

	for (size_t i = 0; i < it->profile->lib.count; i++) {
		it->closure = closure_new(inject->host, &options);
		if (!it->closure)
			return err_sys(err, "cannot look for the host's MPI");
		if (closure_add(it->closure, it->profile->lib.item[i], NULL, &it->library, err) < 0)
			return -1;
		if (is_there(it->library))
			return 0;
		it->library = NULL;
		closure_free(take_ptr(&it->closure));
	}
	return 0;
}

static void candidate_clear(struct candidate *it)
{
	closure_free(it->closure);
	free(it->folder);
	words_clear(&it->plugins);
	words_clear(&it->places);
}

/* Why @profile is none, where it was named. */
static int refuse(const struct profile *profile, const char *lack, struct err *err)
{
	if (lack)
		return err_set(err, "profile '%s' needs '%s', which this machine does not have",
			       profile->name, lack);
	return err_set(err,
		       "this machine has no '%s', which profile '%s' is about: is its module "
		       "loaded?",
		       profile->lib.item[0], profile->name);
}

static int add_places(struct inject *inject, const struct candidate *it)
{
	for (size_t i = 0; i < it->places.count; i++) {
		bool known = false;

		for (size_t j = 0; j < inject->places.count && !known; j++)
			known = strcmp(inject->places.item[j], it->places.item[i]) == 0;
		if (!known && words_add(&inject->places, it->places.item[i]) < 0)
			return -1;
	}
	return 0;
}

static int try_profile(struct inject *inject, const struct profile *profile, struct err *err)
{
	struct candidate *it = &inject->candidate[inject->count];
	const char *lack = find_lack(profile);

	*it = (struct candidate){.profile = profile};
	inject->count++;
	if (!lack && find_library(inject, it, err) < 0)
		return -1;
	if (lack || !it->library) {
		inject->count--;
		if (inject->named)
			return refuse(profile, lack, err);
		log_debug("profile '%s': not on this machine", profile->name);
		return 0;
	}
	if (candidate_find_files(it, err) < 0)
		return -1;
	log_debug("profile '%s': '%s'", profile->name, it->library->path);
	return add_places(inject, it) < 0 ? err_sys(err, "cannot look for the host's MPI") : 0;
}

int inject_prepare(const struct inject_wish *wish, struct inject **out, struct err *err)
{
	auto_inject *inject = calloc(1, sizeof(*inject));

	if (!inject)
		return err_sys(err, "cannot look for the host's MPI");
	inject->host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	inject->host_libc = wish->host_libc;
	if (inject->host < 0)
		return err_sys(err, "cannot look for the host's MPI");
	if (profiles_read(wish->profile, &inject->profiles, err) < 0)
		return -1;
	inject->named = wish->profile && inject->profiles->count == 1;
	inject->candidate = calloc(inject->profiles->count, sizeof(*inject->candidate));
	if (!inject->candidate)
		return err_sys(err, "cannot look for the host's MPI");
	for (size_t i = 0; i < inject->profiles->count; i++)
		if (try_profile(inject, &inject->profiles->item[i], err) < 0)
			return -1;
	if (inject->count == 0)
		return err_set(err, "this machine has no MPI that a profile knows: is its module "
				    "loaded?");
	*out = take_ptr(&inject);
	return 0;
}

void inject_free(struct inject *inject)
{
	if (!inject)
		return;
	for (size_t i = 0; i < inject->count; i++)
		candidate_clear(&inject->candidate[i]);
	free(inject->candidate);
	profiles_free(inject->profiles);
	words_clear(&inject->places);
	if (inject->host >= 0)
		(void)close(inject->host);
	free(inject);
}

void inject_freep(struct inject **inject)
{
	inject_free(*inject);
}

char *const *inject_places(const struct inject *inject)
{
	return inject->places.item;
}

/* Which of the sonames that @profile matches the image's side has, be it by the program (@look is
 * false) or where the loader looks for whoever asks. NULL in @out for none. */
static int match(const struct profile *profile, struct closure *image, bool look, const char **out,
		 struct err *err)
{
	*out = NULL;
	for (size_t i = 0; i < profile->match.count && !*out; i++) {
		const char *name = profile->match.item[i];
		const struct closure_object *object = closure_find(image, name);

		if (!object && look && closure_add(image, name, NULL, &object, err) < 0)
			return -1;
		/* What the program needs and the image lacks is wanted all the more. */
		if (object && (is_there(object) || (!look && object->by)))
			*out = name;
	}
	return 0;
}

/* Where several candidates match the same, the one whose library has that very soname is meant. */
static bool is_exact(const struct candidate *it, const char *wanted)
{
	const char *soname = it->library->elf->soname;

	return soname && strcmp(soname, wanted) == 0;
}

static int several(const struct decision *it, const struct candidate *one,
		   const struct candidate *two, bool look, struct err *err)
{
	return err_set(err,
		       "profiles '%s' and '%s' both fit '%s': say which, as in --mpi=host:%s",
		       one->profile->name, two->profile->name,
		       look ? it->root->image : it->program->path, one->profile->name);
}

static int choose(const struct inject *inject, struct decision *it, bool look, struct err *err)
{
	bool exact = false;

	for (size_t i = 0; i < inject->count; i++) {
		const struct candidate *next = &inject->candidate[i];
		const char *wanted;

		if (match(next->profile, it->image, look, &wanted, err) < 0)
			return -1;
		if (!wanted || (exact && !is_exact(next, wanted)))
			continue;
		if (it->candidate && exact == is_exact(next, wanted))
			return several(it, it->candidate, next, look, err);
		it->candidate = next;
		it->wanted = wanted;
		exact = is_exact(next, wanted);
	}
	return 0;
}

/* Any MPI library that @it's program needs, by its name; NULL for none. */
static const char *other_mpi(const struct decision *it)
{
	for (size_t i = 0; it->program && i < closure_count(it->image); i++) {
		const char *name = closure_at(it->image, i)->name;

		if (strncmp(name, "libmpi.so.", strlen("libmpi.so.")) == 0 ||
		    strncmp(name, "libmpich.so.", strlen("libmpich.so.")) == 0)
			return name;
	}
	return NULL;
}

static int decide_profile(const struct inject *inject, struct decision *it, struct err *err)
{
	if (it->program && choose(inject, it, false, err) < 0)
		return -1;
	if (!it->candidate && other_mpi(it))
		return err_set(err, "'%s' needs %s, which no profile%s%s%s of this machine is for",
			       it->program->path, other_mpi(it), inject->named ? " '" : "",
			       inject->named ? inject->candidate[0].profile->name : "",
			       inject->named ? "'" : "");
	if (!it->candidate && choose(inject, it, true, err) < 0)
		return -1;
	if (!it->candidate && inject->named)
		it->candidate = &inject->candidate[0];
	if (!it->candidate)
		return err_set(err,
			       "'%s' has no MPI that tells which of the host's is wanted: name "
			       "one, as in --mpi=host:%s",
			       it->root->image, inject->candidate[0].profile->name);
	return 0;
}

static int add_plugins(const struct candidate *it, struct err *err)
{
	for (size_t i = 0; i < it->plugins.count; i++)
		if (closure_add(it->closure, it->plugins.item[i], NULL, NULL, err) < 0)
			return -1;
	return 0;
}

/* Whether the program's MPI calls can be answered by the host's. */
static int check_abi(const struct decision *it, struct err *err)
{
	const struct candidate *candidate = it->candidate;
	char why[VERDICT_WHY_SIZE] = "";
	const char *soname = candidate->library->elf->soname;

	/* Known by another name: what its makers promise is for that one. */
	if (it->wanted && (!soname || strcmp(soname, it->wanted) != 0))
		return 0;
	switch (verdict_abi(candidate->profile->abi, candidate->closure, candidate->library,
			    it->image, it->program, why, err)) {
	case VERDICT_ABI_GOOD:
		return 0;
	case VERDICT_ABI_DOUBTFUL:
		log_warning("the host's %s may not do: %s", candidate->library->name, why);
		return 0;
	case VERDICT_ABI_BAD:
		return err_set(err, "the host's %s does not do: %s: use --mpi=hybrid",
			       candidate->library->name, why);
	default:
		return -1;
	}
}

static void tell_refused(const struct verdict_table *verdict)
{
	for (size_t i = 0; i < verdict->count; i++) {
		const struct verdict_line *line = &verdict->line[i];

		if (line->take == VERDICT_REFUSED && line->asked)
			log_info("not taken from the host: %s: %s", line->name, line->why);
	}
}

static int decide(struct inject *inject, struct decision *it, struct edits *edits, struct err *err)
{
	const struct verdict_wish wish = {.required = 1, .host_libc = inject->host_libc};
	auto_verdict *verdict = NULL;

	if (decide_profile(inject, it, err) < 0 || add_plugins(it->candidate, err) < 0 ||
	    verdict_make(it->candidate->closure, it->image, &wish, &verdict, err) < 0)
		return -1;
	if (verdict->no)
		return err_set(err, "%s", verdict->text);
	if (check_abi(it, err) < 0)
		return -1;
	tell_refused(verdict);
	it->verdict = verdict;
	log_debug("profile '%s': %zu of %zu libraries are the host's", it->candidate->profile->name,
		  verdict->injected, verdict->count);
	return decision_tell(it, edits, err);
}

int inject_resolve(struct inject *inject, const struct inject_root *root, struct edits *edits,
		   struct err *err)
{
	const struct closure_options options = {.library_path = root->library_path, .libc = true};
	auto_closure *image = closure_new(root->fd, &options);
	struct decision it = {.image = image, .root = root, .host_libc = inject->host_libc};

	if (!image)
		return err_sys(err, "cannot look into '%s'", root->image);
	if (root->program && closure_add(image, root->program, NULL, &it.program, err) < 0)
		return -1;
	/* A script, or a program of musl: there is nothing to follow. */
	if (!is_there(it.program))
		it.program = NULL;
	return decide(inject, &it, edits, err);
}
