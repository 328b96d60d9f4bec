/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "slurm-plugin/submit/submit.h"

#include "lib/image/identity.h"
#include "slurm-plugin/pin.h"
#include "slurm-plugin/submit/data_images.h"
#include "slurm-plugin/submit/named.h"
#include "slurm-plugin/submit/variables.h"
#include "slurm-plugin/submit/visible.h"

/*
 * Slurm's own: an option of ours that was given to salloc or sbatch reaches the node by the first,
 * and whatever is submitted from there by the second.
 */
#define OPTION_PREFIX "_SLURM_SPANK_OPTION_firn_"
#define DEFAULT_PREFIX "SLURM_SPANK_" OPTION_PREFIX

/* A relative name begins where it was typed. */
static char *make_absolute(const char *name)
{
	auto_free char *here = NULL;
	char *path = NULL;

	if (name[0] == '/')
		return strdup(name);
	here = getcwd(NULL, 0);
	return here && asprintf(&path, "%s/%s", here, name) >= 0 ? path : NULL;
}

static void unset_all(const char *prefix)
{
	for (char **at = environ; at && *at;) {
		auto_free char *name = NULL;

		if (strncmp(*at, prefix, strlen(prefix)) == 0)
			name = strndup(*at, strcspn(*at, "="));
		if (name && unsetenv(name) == 0)
			at = environ;
		else
			at++;
	}
}

static char *copy_variable(const char *name)
{
	const char *value = getenv(name);

	return value ? strdup(value) : NULL;
}

static void unset_ours(void)
{
	(void)unsetenv(SUBMIT_CONTAINER);
	(void)unsetenv(SUBMIT_OPTIONS);
	(void)unsetenv(SUBMIT_PIN);
	(void)unsetenv(SUBMIT_JOB);
	unset_all(SUBMIT_HET);
}

void submit_begin(struct submission *at, bool is_step)
{
	const char *options = getenv(SUBMIT_OPTIONS);
	struct err err;

	at->is_step = is_step;
	if (is_step && options && slurm_wish_parse(options, &at->inherited, &err) < 0)
		(void)!asprintf(&at->why, "%s (" SUBMIT_OPTIONS ")", err.text);
	if (is_step && !at->inherited.container && !at->inherited.image)
		at->inherited.container = copy_variable(SUBMIT_CONTAINER);
	if (is_step)
		at->pin = copy_variable(SUBMIT_PIN);
	if (variables_take(&at->variables, &err) < 0 && !at->why)
		at->why = strdup(err.text);
	unset_ours();
	unset_all(OPTION_PREFIX);
	unset_all(DEFAULT_PREFIX);
	unset_all(SUBMIT_AGAIN SUBMIT_OPTIONS);
	unset_all(SUBMIT_AGAIN SUBMIT_PIN);
}

static int replace(char **text, char *value, struct err *err)
{
	if (!value)
		return err_sys(err, "cannot pin the image");
	free(*text);
	*text = value;
	return 0;
}

static bool is_named(const char *image)
{
	struct err ignored;

	return image && visible_is_no_reference(image, &ignored) < 0;
}

/* What names the image beside Slurm's own option: ours, or a variable where neither is given. */
static char **image_of(struct submission *at, struct slurm_wish *wish)
{
	return wish->image || getenv(SUBMIT_CONTAINER) ? &wish->image : &at->variables.image;
}

bool submit_is_named(struct submission *at, struct slurm_wish *wish)
{
	return !at->why && (is_named(getenv(SUBMIT_CONTAINER)) || is_named(*image_of(at, wish)));
}

int submit_name(struct submission *at, struct slurm_wish *wish, const char *firn, struct err *err)
{
	char **image = image_of(at, wish);
	auto_free char *path = NULL, *container = NULL;

	if (is_named(*image)) {
		if (named_get(firn, *image, &path, err) < 0)
			return -1;
		free(*image);
		*image = take_ptr(&path);
	}
	if (!is_named(getenv(SUBMIT_CONTAINER)))
		return 0;
	if (named_get(firn, getenv(SUBMIT_CONTAINER), &container, err) < 0)
		return -1;
	return setenv(SUBMIT_CONTAINER, container, 1) < 0
		       ? err_sys(err, "cannot note the container's image")
		       : 0;
}

/* What only tells how a container is to be says nothing where there is none. */
static int take_variables(const struct submission *at, struct slurm_wish *wish, struct err *err)
{
	const struct slurm_wish *const all[] = {wish, &at->variables, &at->inherited};

	for (size_t i = 0; i < COUNT_OF(all); i++)
		if (all[i]->container || all[i]->image || all[i]->name)
			return slurm_wish_inherit(wish, &at->variables, err);
	return 0;
}

int submit_take(struct submission *at, struct slurm_wish *wish, struct err *err)
{
	const char *container = getenv(SUBMIT_CONTAINER);

	/* A script's variable that is not set must not lead to the host. */
	if (container && !*container)
		return err_set(err, "--container names no image");
	if (container && replace(&wish->container, make_absolute(container), err) < 0)
		return -1;
	if (at->why)
		return err_set(err, "%s", at->why);
	if (take_variables(at, wish, err) < 0)
		return -1;
	if ((container && visible_is_no_reference(container, err) < 0) ||
	    (wish->image && visible_is_no_reference(wish->image, err) < 0))
		return -1;
	if (wish->image && replace(&wish->image, make_absolute(wish->image), err) < 0)
		return -1;
	if (container && wish->image && strcmp(wish->container, wish->image) != 0)
		return err_set(err,
			       "--container and --container-image name two images, '%s' and '%s'",
			       wish->container, wish->image);
	if (slurm_wish_inherit(wish, &at->inherited, err) < 0)
		return -1;
	if (wish->container && !*wish->container)
		return err_set(err, "--container names no image");
	if (wish->container && replace(&wish->container, make_absolute(wish->container), err) < 0)
		return -1;
	return slurm_wish_is_any(wish);
}

/*
 * A step of a job takes the identities that the job's submission saw, of the same files. Only of
 * one's own pins: the variable is the user's. Without a pin that can be read @out is empty.
 */
static void open_jobs_pin(const struct submission *at, const struct settings *settings,
			  struct pin *out)
{
	struct err ignored;

	*out = (struct pin){0};
	if (!at->is_step || !at->pin || !getenv("SLURM_JOB_ID"))
		return;
	(void)(pin_is_sealed(at->pin) ? pin_open(at->pin, settings->munge, geteuid(), out, &ignored)
				      : pin_parse(at->pin, strlen(at->pin), out, &ignored));
}

/*
 * Returns 1 and the identity in words; 0 when there is none to be had here (a file that only the
 * nodes have, a directory), with @err saying why; -1 for what is no image on any node. @out may be
 * NULL.
 */
static int look(const char *path, bool require_cage, char **out, struct err *err)
{
	auto_image *image = NULL;
	struct identity identity;
	char text[IDENTITY_TEXT_SIZE];

	err->code = 0;
	if (image_open(path, require_cage, &image, err) < 0)
		return visible_path(path) == VISIBLE_UNKNOWN ||
				       (err->code == ENOENT && getenv("FIRN_CONTAINER"))
			       ? 0
			       : -1;
	if (image_check_whole(image, err) < 0)
		return -1;
	if (!out)
		return 1;
	if (identity_of(image, &identity, err) < 0)
		return image->kind == IMAGE_DIRECTORY ? 0 : -1;
	identity_print(&identity, text);
	*out = strdup(text);
	return *out ? 1 : err_sys(err, "cannot pin '%s'", path);
}

/* Where munged does not answer, sites that only try send the text as it is. */
static int seal(const struct pin *pin, const struct settings *settings,
		void (*warn)(const struct err *err), char **out, struct err *err)
{
	auto_free char *text = NULL;
	auto_free char *value = NULL;

	if (pin_print(pin, &text, err) < 0)
		return -1;
	if (settings->pin != PIN_OFF && pin_seal(text, settings->munge, &value, err) < 0) {
		if (settings->pin == PIN_REQUIRE)
			return err_aim(err, "cannot pin '%s', as this site requires", pin->image);
		(void)err_aim(err, "'%s' is pinned without a seal", pin->image);
		warn(err);
	}
	*out = value ? take_ptr(&value) : take_ptr(&text);
	return 0;
}

static int pin_image(const struct submission *at, const struct slurm_wish *wish,
		     const struct settings *settings, void (*warn)(const struct err *err),
		     char **out, struct err *err)
{
	const char *image = wish->image ? wish->image : wish->container;
	auto_pin pin = {.image = strdup(image), .word = strdup(image)};
	auto_pin job = {0};

	if (!pin.image || !pin.word)
		return err_sys(err, "cannot pin '%s'", image);
	slurm_wish_hash(wish, pin.options);
	open_jobs_pin(at, settings, &job);
	if (job.image && strcmp(job.image, pin.image) == 0)
		pin.identity = take_ptr(&job.identity);
	if (!pin.identity) {
		int seen = look(pin.image, settings->require_cage,
				settings->pin == PIN_OFF ? NULL : &pin.identity, err);

		if (seen < 0)
			return -1;
		if (seen == 0 && settings->pin == PIN_REQUIRE)
			return err_aim(err, "cannot pin the image, as this site requires");
		if (seen == 0 && visible_path(pin.image) == VISIBLE_UNKNOWN) {
			(void)err_aim(err, "the nodes must have it");
			warn(err);
		}
	}
	if (settings->pin != PIN_OFF &&
	    data_images_look(wish->mounts, job.data, settings->pin == PIN_REQUIRE, &pin.data, err) <
		    0)
		return -1;
	return seal(&pin, settings, warn, out, err);
}

int submit_pin(struct submission *at, const struct slurm_wish *wish,
	       const struct settings *settings, void (*warn)(const struct err *err),
	       struct submitted *out, struct err *err)
{
	const char *lonely = slurm_wish_lonely(wish);
	auto_free char *options = NULL;

	if (!wish->image && !wish->container && !wish->name)
		return err_set(err, "--%s says nothing without an image: --container=IMAGE",
			       lonely);
	if (slurm_wish_print(wish, &options, err) < 0 ||
	    visible_mounts(wish->mounts, warn, err) < 0)
		return -1;
	if (wish->workdir && !wish->name &&
	    visible_workdir(wish->workdir, wish->image ? wish->image : wish->container,
			    wish->mounts, settings->firn, err) < 0)
		return -1;
	if ((wish->image || wish->container) &&
	    pin_image(at, wish, settings, warn, &out->pin, err) < 0)
		return -1;
	out->options = take_ptr(&options);
	return 0;
}

static int set_numbered(const char *prefix, int number, const char *value, struct err *err)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "%s%d", prefix, number);
	return setenv(name, value, 1) < 0 ? err_sys(err, "cannot set '%s'", name) : 0;
}

static int set_flat(const struct submitted *made, struct err *err)
{
	if ((made->options && setenv(SUBMIT_OPTIONS, made->options, 1) < 0) ||
	    (made->pin && setenv(SUBMIT_PIN, made->pin, 1) < 0))
		return err_sys(err, "cannot note the container's options");
	return 0;
}

/* Each component has an image or none, and one's own options: the node looks for its number. */
static int set_components(const struct submission *at, struct err *err)
{
	bool any = false, known = true;

	for (size_t i = 0; i < at->count; i++) {
		any = any || at->component[i].options;
		known = known && at->component[i].number >= 0;
	}
	if (!any)
		return 0;
	if (!known)
		return err_set(
			err,
			"this srun does not tell the components of a heterogeneous step apart: "
			"give a container to steps of one component");
	for (size_t i = 0; i < at->count; i++) {
		const struct submitted *one = &at->component[i];

		if (set_numbered(SUBMIT_HET_OPTIONS, one->number, one->options ? one->options : "",
				 err) < 0 ||
		    (one->pin && set_numbered(SUBMIT_HET_PIN, one->number, one->pin, err) < 0))
			return -1;
	}
	return setenv(SUBMIT_HET, "1", 1) < 0 ? err_sys(err, "cannot set " SUBMIT_HET) : 0;
}

/* What sbatch and salloc say is the script's and all steps'; Slurm has one environment for these.
 */
static int check_alike(const struct submission *at, struct err *err)
{
	const char *first = at->component[0].options, *last = at->component[at->count - 1].options;

	/* As with Slurm's own option, one that says nothing is as the first. */
	if (!last || strcmp(first ? first : "", last) == 0)
		return 0;
	return err_set(err, "a heterogeneous job has one script and one environment: give its "
			    "first component the "
			    "container, or each its own by srun");
}

int submit_publish(struct submission *at, int number, struct submitted *made, struct err *err)
{
	if (at->count == SUBMIT_COMPONENTS_MAX)
		return err_set(err, "too many components");
	made->number = number;
	at->component[at->count++] = *made;
	*made = (struct submitted){0};
	unset_ours();
	if (at->count == 1)
		return set_flat(&at->component[0], err);
	if (at->is_step)
		return set_components(at, err);
	return check_alike(at, err) < 0 ? -1 : set_flat(&at->component[0], err);
}

void submit_clear(struct submission *at)
{
	for (size_t i = 0; i < at->count; i++) {
		free(at->component[i].options);
		free(at->component[i].pin);
	}
	slurm_wish_clear(&at->inherited);
	slurm_wish_clear(&at->variables);
	free(at->pin);
	free(at->why);
	*at = (struct submission){0};
}
