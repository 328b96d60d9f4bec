/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "slurm-plugin/submit.h"

#include "lib/identity.h"
#include "slurm-plugin/pin.h"

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

/*
 * A step of a job takes the identity that the job's submission saw, if it is for the same
 * image. Only of one's own pins: the variable is the user's.
 */
static char *inherit(const struct settings *settings, const char *image)
{
	const char *value = getenv(SUBMIT_PIN);
	auto_pin pin = {0};
	struct err ignored;
	int result;

	if (!value || !getenv("SLURM_JOB_ID"))
		return NULL;
	result = pin_is_sealed(value) ? pin_open(value, settings->munge, geteuid(), &pin, &ignored)
				      : pin_parse(value, strlen(value), &pin, &ignored);
	return result == 0 && strcmp(pin.image, image) == 0 ? take_ptr(&pin.identity) : NULL;
}

/*
 * Returns 1 and the identity in words; 0 when there is none to be had here (a file that only the
 * nodes have, a directory), with @err saying why; -1 for what is no image on any node.
 */
static int look(const char *path, char **out, struct err *err)
{
	auto_image *image = NULL;
	struct identity identity;
	char text[IDENTITY_TEXT_SIZE];

	err->code = 0;
	if (image_open(path, &image, err) < 0)
		return err->code == ENOENT ? 0 : -1;
	if (identity_of(image, &identity, err) < 0)
		return image->kind == IMAGE_DIRECTORY ? 0 : -1;
	identity_print(&identity, text);
	*out = strdup(text);
	return *out ? 1 : err_sys(err, "cannot pin '%s'", path);
}

/* Where munged does not answer, sites that only try send the text as it is. */
static int publish(const struct pin *pin, const struct settings *settings,
		   void (*warn)(const struct err *err), struct err *err)
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
	return setenv(SUBMIT_PIN, value ? value : text, 1) < 0
		       ? err_sys(err, "cannot pin '%s'", pin->image)
		       : 0;
}

static int pin_image(const struct slurm_wish *wish, const char *word,
		     const struct settings *settings, bool is_step,
		     void (*warn)(const struct err *err), struct err *err)
{
	auto_pin pin = {.image = make_absolute(word)};

	/* Slurm's own variable is made absolute, as for a later srun in another directory. */
	pin.word = strdup(wish->image ? wish->image : pin.image ? pin.image : "");
	if (!pin.image || !pin.word)
		return err_sys(err, "cannot pin '%s'", word);
	if (!wish->image && setenv(SUBMIT_CONTAINER, pin.image, 1) < 0)
		return err_sys(err, "cannot pin '%s'", word);
	slurm_wish_hash(wish, pin.options);
	if (is_step)
		pin.identity = inherit(settings, pin.image);
	if (!pin.identity && settings->pin != PIN_OFF) {
		int seen = look(pin.image, &pin.identity, err);

		if (seen < 0)
			return -1;
		if (seen == 0 && settings->pin == PIN_REQUIRE)
			return err_aim(err, "cannot pin the image, as this site requires");
	}
	return publish(&pin, settings, warn, err);
}

bool submit_is_asked(const struct slurm_wish *wish)
{
	if (wish->image || wish->name || slurm_wish_lonely(wish) || getenv(SUBMIT_CONTAINER))
		return true;
	(void)unsetenv(SUBMIT_PIN);
	return false;
}

int submit(const struct slurm_wish *wish, const struct settings *settings, bool is_step,
	   void (*warn)(const struct err *err), struct err *err)
{
	const char *word = wish->image ? wish->image : getenv(SUBMIT_CONTAINER);
	const char *lonely = slurm_wish_lonely(wish);

	/* A script's variable that is not set must not lead to the host. */
	if (word && !*word)
		return err_set(err, "--container names no image");
	if (word)
		return pin_image(wish, word, settings, is_step, warn, err);
	(void)unsetenv(SUBMIT_PIN);
	if (lonely && !wish->name)
		return err_set(err,
			       "--container-%s says nothing without an image: --container=IMAGE",
			       lonely);
	return 0;
}
