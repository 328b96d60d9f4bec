/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "slurm-plugin/wish.h"

#include "lib/own.h"
#include "slurm-plugin/mounts.h"
#include "tests/unit/tap.h"

#include <stdlib.h>

static struct err err;

/* All words of a list, with blanks in between; or what is wrong with it. */
static const char *mounts_of(const char *list)
{
	static char text[1024];
	int result = 1;

	text[0] = '\0';
	while (result > 0) {
		auto_free char *word = NULL;

		result = mounts_next(&list, &word, &err);
		if (result > 0)
			(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
				       *text ? " " : "", word);
	}
	return result < 0 ? err.text : text;
}

static void mounts_become_words(void)
{
	static const char *const good[][2] = {
		{"/a", "--bind=/a"},
		{"/a:/b", "--bind=/a:/b"},
		{"/a:/b:ro", "--bind=/a:/b:ro"},
		{"/a:/b:rw", "--bind=/a:/b"},
		{"/a:/b:ro+rprivate", "--bind=/a:/b:ro"},
		{"/a:/b:bind+ro", "--bind=/a:/b:ro"},
		{"/a:/b:rw+rslave,/c:/d:rbind", "--bind=/a:/b --bind=/c:/d"},
		{"/a:/b:x-create=dir+nosuid", "--bind=/a:/b"},
		{"/a:/b, /c:/d,\t/e", "--bind=/a:/b --bind=/c:/d --bind=/e"},
		{",,/a,", "--bind=/a"},
		{"", ""},
		{"/a\\,b:/c", "--bind=/a,b:/c"},
		{"/a\\:b:/c", "--bind=/a\\:b:/c"},
		{"/a\\\\,/b", "--bind=/a\\\\ --bind=/b"},
		{"/a\\\\\\,b", "--bind=/a\\\\,b"},
		{"/a\\", "--bind=/a\\"},
		{"rel:/b", "--bind=rel:/b"},
		{"tmpfs:/x", "--tmpfs=/x"},
		{"./tmpfs:/x", "--bind=./tmpfs:/x"},
		{"tmpfs", "--bind=tmpfs"},
		{"/a:/b:sqsh", "--bind=/a:/b:image"},
		{"/a:/b:sqsh+ro+nodev", "--bind=/a:/b:ro,image"},
		{"/a:/b:image-src=/c", "--bind=/a:/b:image-src=/c"},
		{"/a:/b:ro+image-src=/c\\:d+sqsh,/e", "--bind=/a:/b:ro,image-src=/c\\:d --bind=/e"},
		{"/a:/b:ro+file", "--bind=/a:/b:file,ro"},
	};
	static const char *const bad[][2] = {
		{"/a:/b:sync", "flag 'sync'"},
		{"/a:/b:rshared", "flag 'rshared'"},
		{"/a:/b:ro+", "flag ''"},
		{"/a:/b:", "flag ''"},
		{"/a:/b:r", "flag 'r'"},
		{"/a:/b:ro+rw", "exclude each other"},
		{"/a:ro", "'ro' is not an absolute path"},
		{"/a::ro", "'' is not an absolute path"},
		{":/b", "no source"},
		{"/a:/b:ro:x", "a colon too many"},
		{"tmpfs:/x:ro", "of no use"},
		{"tmpfs:/x:sqsh", "no image"},
		{"/a:/b:sqsh+rw", "not written to"},
		{"/a:/b:file+image-src=/c", "no 'file'"},
		{"/a:/b:image-src=c", "flag 'image-src=c'"},
		{"/a,/b:c", "'/b:c'"},
	};

	for (size_t i = 0; i < COUNT_OF(good); i++)
		is_str(mounts_of(good[i][0]), good[i][1], good[i][0]);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		ok(strstr(mounts_of(bad[i][0]), bad[i][1]) &&
			   strncmp(err.text, "--container-mounts: '", 21) == 0,
		   "'%s': %s", bad[i][0], err.text);
}

static void lists_add_up(void)
{
	struct slurm_wish wish = {0};
	auto_free char *large = malloc(40 << 10);

	(void)slurm_wish_take(&wish, SLURM_MOUNTS, "/a:/b", &err);
	(void)slurm_wish_take(&wish, SLURM_MOUNTS, "/c", &err);
	(void)slurm_wish_take(&wish, SLURM_ENV, "A", &err);
	(void)slurm_wish_take(&wish, SLURM_ENV, "B", &err);
	(void)slurm_wish_take(&wish, SLURM_WORKDIR, "/1", &err);
	(void)slurm_wish_take(&wish, SLURM_WORKDIR, "/2", &err);
	is_str(wish.mounts, "/a:/b,/c", "mounts");
	(void)slurm_wish_take(&wish, SLURM_MOUNTS, "/d\\", &err);
	(void)slurm_wish_take(&wish, SLURM_MOUNTS, "/e\\\\", &err);
	(void)slurm_wish_take(&wish, SLURM_MOUNTS, "/f", &err);
	is_str(mounts_of(wish.mounts),
	       "--bind=/a:/b --bind=/c --bind=/d\\\\ --bind=/e\\\\ --bind=/f",
	       "each for itself, whatever it ends in");
	is_str(wish.env, "A,B", "and variables");
	is_str(wish.workdir, "/2", "but one directory");
	memset(large, 'x', (40 << 10) - 1);
	large[(40 << 10) - 1] = '\0';
	ok(slurm_wish_take(&wish, SLURM_ENV, large, &err) == 0 &&
		   slurm_wish_take(&wish, SLURM_ENV, large, &err) == -1 &&
		   strstr(err.text, "--container-env"),
	   "up to a limit");
	slurm_wish_clear(&wish);
}

static void what_cannot_be_meant_is_refused(void)
{
	static const struct {
		enum slurm_option option;
		const char *value, *says;
	} cases[] = {
		{SLURM_MOUNTS, "", "--container-mounts is empty"},
		{SLURM_IMAGE, "a\nb", "--container-image has a newline"},
		{SLURM_WORKDIR, "here", "--container-workdir 'here' is not an absolute path"},
		{SLURM_MPI, "all", "--container-mpi takes hybrid or none, not 'all'"},
		{SLURM_NAME, "a/b", "--container-name is of"},
		{SLURM_NAME, ":create", "--container-name is of"},
		{SLURM_NAME, "n:", "not ':'"},
		{SLURM_NAME, "n:create:exec", "not ':create:exec'"},
		{SLURM_NAME, "n:no_exec", "':no_exec' is not there"},
		{SLURM_SAVE, "/x", "--container-save is not there"},
		{SLURM_UNSHARE, "net", "--container-unshare is not there"},
	};
	struct slurm_wish wish = {0};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		ok(slurm_wish_take(&wish, cases[i].option, cases[i].value, &err) == -1 &&
			   strstr(err.text, cases[i].says),
		   "%s", err.text);
	ok(!slurm_wish_is_any(&wish) && !wish.given, "and nothing is taken");
}

static void a_wish_is_read_as_it_was_written(void)
{
	struct slurm_wish wish = {.container = strdup("/a b=c.sqfs")}, back = {0};
	char one[2 * SHA256_SIZE + 1], other[2 * SHA256_SIZE + 1];
	auto_free char *text = NULL;
	auto_free char *again = NULL;

	(void)slurm_wish_take(&wish, SLURM_MOUNTS, "/a=b:/c", &err);
	(void)slurm_wish_take(&wish, SLURM_NAME, "n:create", &err);
	(void)slurm_wish_take(&wish, SLURM_REMAP_ROOT, NULL, &err);
	(void)slurm_wish_take(&wish, SLURM_READONLY, NULL, &err);
	ok(slurm_wish_print(&wish, &text, &err) == 0, "written");
	is_str(text,
	       "container=/a "
	       "b=c.sqfs\ncontainer-mounts=/a=b:/c\ncontainer-name=n:create\n"
	       "container-remap-root\n"
	       "container-readonly\n",
	       "in lines");
	ok(slurm_wish_parse(text, &back, &err) == 0 && slurm_wish_print(&back, &again, &err) == 0,
	   "read");
	is_str(again, text, "the same");
	ok(back.given == wish.given && back.root && !back.writable, "with what was given");
	slurm_wish_hash(&wish, one);
	slurm_wish_hash(&back, other);
	is_str(other, one, "and of the same hash");
	slurm_wish_clear(&wish);
	slurm_wish_clear(&back);
}

static void other_texts_are_refused(void)
{
	static const char *const texts[] = {
		"container=",
		"container",
		"container=/a\ncontainer=/b",
		"container-image",
		"container-image=",
		"container-remap-root=1",
		"container-nosuch",
		"container-save=/x",
		"=",
		"x",
		"container-mounts=/a:/b:sync",
	};
	struct slurm_wish back = {0};
	auto_free char *large = malloc(SLURM_WISH_MAX + 2);

	for (size_t i = 0; i < COUNT_OF(texts); i++)
		ok(slurm_wish_parse(texts[i], &back, &err) == -1 && !slurm_wish_is_any(&back), "%s",
		   err.text);
	memset(large, '\n', SLURM_WISH_MAX + 1);
	large[SLURM_WISH_MAX + 1] = '\0';
	ok(slurm_wish_parse(large, &back, &err) == -1, "and one that is too long");
	ok(slurm_wish_parse("", &back, &err) == 0 && !slurm_wish_is_any(&back),
	   "an empty one is no wish");
}

static void a_name_says_how_it_is_used(void)
{
	static const char *const words[][3] = {{"n", "n", NULL},
					       {"n:auto", "n", NULL},
					       {"n:create", "n", "create"},
					       {"n:exec", "n", "exec"}};
	struct slurm_wish wish = {0}, step = {0};

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		(void)slurm_wish_take(&wish, SLURM_NAME, words[i][0], &err);
		ok(strcmp(wish.name, words[i][1]) == 0 &&
			   strcmp(wish.use ? wish.use : "", words[i][2] ? words[i][2] : "") == 0,
		   "%s", words[i][0]);
	}
	ok(slurm_wish_inherit(&step, &wish, &err) == 0 && strcmp(step.name, "n") == 0 && !step.use,
	   "for one step");
	slurm_wish_clear(&wish);
	slurm_wish_clear(&step);
}

static void a_step_inherits_what_it_does_not_say(void)
{
	struct slurm_wish job = {.container = strdup("/job")}, plain = {0}, step = {0},
			  image = {.container = strdup("/own")};

	(void)slurm_wish_take(&job, SLURM_MOUNTS, "/a", &err);
	(void)slurm_wish_take(&job, SLURM_REMAP_ROOT, NULL, &err);
	(void)slurm_wish_take(&job, SLURM_WRITABLE, NULL, &err);
	ok(slurm_wish_inherit(&plain, &job, &err) == 0, "all of it");
	is_str(plain.container, "/job", "the image");
	ok(plain.root && plain.writable && plain.given == job.given, "and the options");
	(void)slurm_wish_take(&step, SLURM_MOUNTS, "/b", &err);
	(void)slurm_wish_take(&step, SLURM_NO_REMAP_ROOT, NULL, &err);
	(void)slurm_wish_take(&step, SLURM_IMAGE, "/other", &err);
	(void)slurm_wish_inherit(&step, &job, &err);
	is_str(step.mounts, "/b", "but its own mounts");
	ok(!step.root && step.writable, "or no root");
	ok(!step.container && strcmp(step.image, "/other") == 0,
	   "and its own image, by one option");
	slurm_wish_clear(&job);
	(void)slurm_wish_take(&job, SLURM_IMAGE, "/job", &err);
	(void)slurm_wish_inherit(&image, &job, &err);
	ok(!image.image && strcmp(image.container, "/own") == 0, "or by the other");
	slurm_wish_clear(&job);
	slurm_wish_clear(&plain);
	slurm_wish_clear(&step);
	slurm_wish_clear(&image);
}

static void what_a_container_is_made_of_is_told(void)
{
	struct slurm_wish wish = {0};
	auto_free char *none = NULL;
	auto_free char *some = NULL;

	(void)slurm_wish_take(&wish, SLURM_WORKDIR, "/w", &err);
	(void)slurm_wish_take(&wish, SLURM_ENV, "A", &err);
	(void)slurm_wish_take(&wish, SLURM_ENTRYPOINT, NULL, &err);
	(void)slurm_wish_take(&wish, SLURM_NAME, "n", &err);
	ok(slurm_wish_made_of(&wish, &none, &err) == 0, "told");
	is_str(none, "", "of nothing that is a task's");
	(void)slurm_wish_take(&wish, SLURM_MOUNTS, "/a", &err);
	(void)slurm_wish_take(&wish, SLURM_READONLY, NULL, &err);
	(void)slurm_wish_take(&wish, SLURM_NO_MOUNT_HOME, NULL, &err);
	(void)slurm_wish_made_of(&wish, &some, &err);
	is_str(some, "--container-mounts, --no-container-mount-home, --container-readonly",
	       "but of what is its own");
	slurm_wish_clear(&wish);
}

int main(void)
{
	mounts_become_words();
	lists_add_up();
	what_cannot_be_meant_is_refused();
	a_wish_is_read_as_it_was_written();
	other_texts_are_refused();
	a_name_says_how_it_is_used();
	a_step_inherits_what_it_does_not_say();
	what_a_container_is_made_of_is_told();
	return done_testing();
}
