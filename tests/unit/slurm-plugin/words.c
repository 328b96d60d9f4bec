/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "slurm-plugin/words.h"

#include "lib/own.h"
#include "tests/unit/tap.h"

#include <stdlib.h>

static struct err err;

/* All words behind the first three, with blanks in between. */
static const char *words_of(const struct slurm_wish *wish, const struct slurm_step *step)
{
	static char text[1024];
	char **words = NULL;

	text[0] = '\0';
	if (slurm_wish_words(wish, step, &words, &err) < 0)
		return err.text;
	for (char **word = words + 3; *word; word++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
			       word == words + 3 ? "" : " ", *word);
	slurm_words_free(words);
	return text;
}

static const struct slurm_step step = {.job = 7,
				       .step = 1,
				       .node = "n1",
				       .control = 5,
				       .image = "/i.sqfs",
				       .jobs = "/run/firn",
				       .firn = "/bin/firn"};

static void options_become_words(void)
{
	struct slurm_wish wish = {0};
	struct slurm_step full = step;
	char one[] = "file:1:2 /a:b", two[] = "file:3 /f";
	char *data[] = {one, two, NULL};

	is_str(words_of(&wish, &step), "--session=slurm 7.1 n1 -- /i.sqfs", "an image alone");
	(void)slurm_wish_take(&wish, SLURM_MOUNTS, "/a:/b:ro,, /c,tmpfs:/d", &err);
	(void)slurm_wish_take(&wish, SLURM_ENV, "A, B", &err);
	(void)slurm_wish_take(&wish, SLURM_WORKDIR, "/w", &err);
	(void)slurm_wish_take(&wish, SLURM_REMAP_ROOT, NULL, &err);
	(void)slurm_wish_take(&wish, SLURM_WRITABLE, NULL, &err);
	(void)slurm_wish_take(&wish, SLURM_NO_MOUNT_HOME, NULL, &err);
	(void)slurm_wish_take(&wish, SLURM_MPI, "none", &err);
	is_str(words_of(&wish, &step),
	       "--session=slurm 7.1 n1 --bind=/a:/b:ro --bind=/c --tmpfs=/d --env=A --env=B "
	       "--cwd=/w --mpi=none --no-home --root "
	       "--writable-tmpfs -- /i.sqfs",
	       "lists are taken apart, flags are flags");
	slurm_wish_clear(&wish);
	(void)slurm_wish_take(&wish, SLURM_ENTRYPOINT, NULL, &err);
	is_str(words_of(&wish, &step),
	       "--session=slurm 7.1 n1 --entrypoint --bind=/bin/firn:/.firn/firn-entrypoint:ro -- "
	       "/i.sqfs",
	       "an entrypoint needs its program");
	slurm_wish_clear(&wish);
	full.data = data;
	(void)slurm_wish_take(&wish, SLURM_MOUNTS,
			      "/a\\:b:/c,/a\\:b:/d:ro,/a\\:b:/e:file,/a\\:b,/f:/g:sqsh,/h:/i",
			      &err);
	is_str(words_of(&wish, &full),
	       "--session=slurm 7.1 n1 --bind=/a\\:b:/c:expect=file\\:1\\:2 "
	       "--bind=/a\\:b:/d:ro,expect=file\\:1\\:2 --bind=/a\\:b:/e:file --bind=/a\\:b "
	       "--bind=/f:/g:image,expect=file\\:3 --bind=/h:/i -- /i.sqfs",
	       "data images are those that were submitted");
	full = step;
	full.identity = "file:1";
	full.spool = "/spool";
	slurm_wish_clear(&wish);
	is_str(words_of(&wish, &full),
	       "--session=slurm 7.1 n1 --expect=file:1 --bind=/spool -- /i.sqfs",
	       "what the node adds");
}

static void the_last_of_two_opposites_counts(void)
{
	struct slurm_wish wish = {0};

	(void)slurm_wish_take(&wish, SLURM_REMAP_ROOT, NULL, &err);
	(void)slurm_wish_take(&wish, SLURM_NO_REMAP_ROOT, NULL, &err);
	(void)slurm_wish_take(&wish, SLURM_WRITABLE, NULL, &err);
	(void)slurm_wish_take(&wish, SLURM_READONLY, NULL, &err);
	(void)slurm_wish_take(&wish, SLURM_NO_MOUNT_HOME, NULL, &err);
	(void)slurm_wish_take(&wish, SLURM_MOUNT_HOME, NULL, &err);
	(void)slurm_wish_take(&wish, SLURM_ENTRYPOINT, NULL, &err);
	(void)slurm_wish_take(&wish, SLURM_NO_ENTRYPOINT, NULL, &err);
	is_str(words_of(&wish, &step), "--session=slurm 7.1 n1 -- /i.sqfs", "all of them are off");
	ok(!slurm_wish_lonely(&wish), "and none stands alone");
}

static void a_named_container_is_the_jobs(void)
{
	struct slurm_wish wish = {0};
	struct slurm_step any = step;

	any.image = NULL;
	(void)slurm_wish_take(&wish, SLURM_NAME, "work-1", &err);
	is_str(words_of(&wish, &any),
	       "--session=slurm 7.1 n1 --name=work-1 --scope=slurm 7 n1 --hold-path=/run/firn/7 "
	       "--bind=/bin/firn:/.firn/firn-entrypoint:ro --",
	       "with the image that is there");
	is_str(words_of(&wish, &step),
	       "--session=slurm 7.1 n1 --name=work-1 --scope=slurm 7 n1 --hold-path=/run/firn/7 "
	       "--bind=/bin/firn:/.firn/firn-entrypoint:ro -- /i.sqfs",
	       "or made of this one");
	(void)slurm_wish_take(&wish, SLURM_REMAP_ROOT, NULL, &err);
	ok(strstr(words_of(&wish, &any), " --asked=--container-remap-root --hold-path="),
	   "and of what was asked for");
	ok(slurm_wish_take(&wish, SLURM_NAME, "../x", &err) == -1, "a name is no path");
	ok(slurm_wish_take(&wish, SLURM_NAME, "a b", &err) == -1, "nor two words");
	slurm_wish_clear(&wish);
}

static void what_is_not_there_is_refused(void)
{
	struct slurm_wish wish = {0};
	auto_free char *large = calloc(1, (64 << 10) + 2);

	ok(slurm_wish_take(&wish, SLURM_SAVE, "/x", &err) == -1 && strstr(err.text, "firn build"),
	   "--container-save, with what to use instead");
	ok(slurm_wish_take(&wish, SLURM_UNSHARE, "net", &err) == -1, "--container-unshare");
	ok(slurm_wish_take(&wish, SLURM_IMAGE, "", &err) == -1, "an empty image");
	ok(slurm_wish_take(&wish, SLURM_IMAGE, NULL, &err) == -1, "no value at all");
	ok(slurm_wish_take(&wish, (enum slurm_option)99, "x", &err) == -1, "an unknown option");
	memset(large, 'x', (64 << 10) + 1);
	ok(slurm_wish_take(&wish, SLURM_MOUNTS, large, &err) == -1, "a value that is too long");
	memset(large, ',', 64 << 10);
	for (int i = 0; i < 64 << 10; i += 2)
		large[i] = 'a';
	large[64 << 10] = '\0';
	ok(slurm_wish_take(&wish, SLURM_MOUNTS, large, &err) == 0, "one of many items");
	ok(strstr(words_of(&wish, &step), "too many options"), "is too many words");
	slurm_wish_clear(&wish);
}

static void options_are_hashed(void)
{
	struct slurm_wish one = {0}, other = {0};
	char before[2 * SHA256_SIZE + 1], after[2 * SHA256_SIZE + 1];

	slurm_wish_hash(&one, before);
	ok(strlen(before) == 2 * SHA256_SIZE, "in 64 digits");
	(void)slurm_wish_take(&one, SLURM_IMAGE, "/i", &err);
	slurm_wish_hash(&one, after);
	is_str(after, before, "without the image");
	(void)slurm_wish_take(&one, SLURM_MOUNTS, "/a", &err);
	(void)slurm_wish_take(&other, SLURM_WORKDIR, "/a", &err);
	slurm_wish_hash(&one, before);
	slurm_wish_hash(&other, after);
	ok(strcmp(before, after) != 0, "each in its place");
	slurm_wish_clear(&one);
	slurm_wish_clear(&other);
}

static const char *back(const char *text)
{
	static char out[80];

	slurm_words_back(text, out, sizeof(out));
	return out;
}

static void what_is_said_has_the_users_words(void)
{
	is_str(back("option '--root' is not allowed"),
	       "option '--container-remap-root' is not allowed", "an option by its name there");
	is_str(back("--writable-tmpfs or --overlay DIR"), "--container-writable or --overlay DIR",
	       "at the beginning; what srun does not have stays");
	is_str(back("see --bind=/a, (--env)"), "see --container-mounts=/a, (--container-env)",
	       "several");
	is_str(back("ends in --cwd"), "ends in --container-workdir", "at the end");
	is_str(back("'/a--root' '--roots' --root/x --root-x"),
	       "'/a--root' '--roots' --root/x --root-x", "what only looks so stays");
	is_str(back("--container-mpi=none"), "--container-mpi=none", "srun's own stays");
	is_str(back(""), "", "nothing");
	is_str(back("12345678901234567890123456789012345678901234567890123456789012345678901234 "
		    "--root"),
	       "12345678901234567890123456789012345678901234567890123456789012345678901234 --co",
	       "a long line is cut");
}

int main(void)
{
	options_become_words();
	what_is_said_has_the_users_words();
	the_last_of_two_opposites_counts();
	a_named_container_is_the_jobs();
	what_is_not_there_is_refused();
	options_are_hashed();
	return done_testing();
}
