/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * What of a host goes into an image: a host and an image of made objects, and what is decided.
 */
#include "mpi-glue/loader/verdict.h"

#include "lib/file.h"
#include "tests/unit/folder.h"
#include "tests/unit/mpi-glue/loader/elf_make.h"
#include "tests/unit/tap.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch[] = "/tmp/firn-verdict-XXXXXX";
static struct err err;

/* Versions of three glibcs. */
#define GLIBC_OLD "GLIBC_2.2.5", "GLIBC_2.30"
#define GLIBC_MIDDLE GLIBC_OLD, "GLIBC_2.34"
#define GLIBC_NEW GLIBC_MIDDLE, "GLIBC_2.36", "GLIBC_ABI_DT_RELR"

/* The full path of @path, which begins with /host or /image; its folders are made. */
static const char *at(const char *path)
{
	static char full[PATH_MAX];

	(void)snprintf(full, sizeof(full), "%s%s", scratch, path);
	for (char *slash = full + strlen(scratch) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		(void)mkdir(full, 0755);
		*slash = '/';
	}
	return full;
}

static void write_object(const char *path, const struct elf_wish *wish)
{
	if (elf_make_file(wish, at(path)) < 0)
		abort();
}

#define OBJECT(path, ...) write_object(path, &(const struct elf_wish){__VA_ARGS__})

/* Both with nothing but a libc: the host's in the middle, the image's of @defined. */
static void begin(const struct elf_wish *libc)
{
	(void)folder_remove(scratch);
	if (mkdir(scratch, 0755) < 0)
		abort();
	OBJECT("/host/lib/libc.so.6", .soname = "libc.so.6", .defined = {GLIBC_MIDDLE});
	(void)at("/image/lib/");
	if (libc)
		write_object("/image/lib/libc.so.6", libc);
}

static const struct elf_wish old_libc = {.soname = "libc.so.6", .defined = {GLIBC_OLD}};
static const struct elf_wish middle_libc = {.soname = "libc.so.6", .defined = {GLIBC_MIDDLE}};
static const struct elf_wish new_libc = {.soname = "libc.so.6", .defined = {GLIBC_NEW}};

/* One decision, with all that it was made from. */
struct made_case {
	int root[2];
	struct closure *host, *image;
	struct verdict_table *table;
};

static void made_case_clear(struct made_case *made)
{
	verdict_free(made->table);
	closure_free(made->host);
	closure_free(made->image);
	(void)close(made->root[0]);
	(void)close(made->root[1]);
}
#define auto_case CLEANUP(made_case_clear) struct made_case

/* Decide about the words of @starts. */
static struct made_case decide(const char *starts, const struct verdict_wish *wish)
{
	struct closure_options host_options = {.libc = wish && wish->host_libc};
	struct closure_options image_options = {.libc = true};
	struct made_case made = {0};
	char words[200], *save = NULL;

	(void)snprintf(words, sizeof(words), "%s", starts);
	made.root[0] = open(at("/host"), O_PATH | O_CLOEXEC);
	made.root[1] = open(at("/image"), O_PATH | O_CLOEXEC);
	made.host = closure_new(made.root[0], &host_options);
	made.image = closure_new(made.root[1], &image_options);
	for (char *word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save))
		if (closure_add(made.host, word, NULL, NULL, &err) < 0)
			abort();
	if (verdict_make(made.host, made.image, wish, &made.table, &err) < 0)
		abort();
	return made;
}

static const char *taken(const struct made_case *made, const char *name)
{
	static const char *const takes[] = {
		[VERDICT_HOST] = "host", [VERDICT_IMAGE] = "image", [VERDICT_REFUSED] = "refused"};
	const struct verdict_line *line = verdict_find(made->table, name);

	return line ? takes[line->take] : "nobody";
}

static const char *why(const struct made_case *made, const char *name)
{
	const struct verdict_line *line = verdict_find(made->table, name);

	return line ? line->why : "";
}

static void a_library_that_fits_goes_in(void)
{
	begin(&middle_libc);
	OBJECT("/host/lib/libmpi.so.40", .soname = "libmpi.so.40",
	       .needed = {"libopen-pal.so.40", "libz.so.1", "libc.so.6"},
	       .need = {{"libc.so.6", {"GLIBC_2.2.5", "GLIBC_2.34"}}});
	OBJECT("/host/lib/libopen-pal.so.40", .soname = "libopen-pal.so.40");
	OBJECT("/host/lib/libz.so.1", .soname = "libz.so.1");
	OBJECT("/image/lib/libmpi.so.40", .soname = "libmpi.so.40");
	OBJECT("/image/lib/libopen-pal.so.40", .soname = "libopen-pal.so.40");
	{
		auto_case made = decide("libmpi.so.40", NULL);

		ok(!made.table->no && !made.table->text[0], "with its verdict");
		is_str(taken(&made, "libmpi.so.40"), "host", "the library");
		is_str(why(&made, "libmpi.so.40"), "it was asked for", "because");
		is_str(verdict_find(made.table, "libmpi.so.40")->glibc, "GLIBC_2.34", "its libc");
		is_str(taken(&made, "libopen-pal.so.40"), "host", "its helper, whatever there is");
		is_str(taken(&made, "libz.so.1"), "host", "what the image lacks");
		is_str(taken(&made, "libc.so.6"), "image", "but not the libc");
		ok(made.table->injected == 3 && made.table->refused == 0, "three in all");
	}
}

static void too_new_a_library_is_refused(void)
{
	begin(&old_libc);
	OBJECT("/host/lib/libmpi.so.40", .soname = "libmpi.so.40", .needed = {"libc.so.6"},
	       .need = {{"libc.so.6", {"GLIBC_2.4", "GLIBC_2.34", "?GLIBC_2.99"}}});
	{
		auto_case made = decide("libmpi.so.40", NULL);

		ok(made.table->no, "with a word");
		is_str(made.table->text,
		       "host libmpi.so.40 needs GLIBC_2.34, the image has 2.30: use --mpi=hybrid, "
		       "an "
		       "image with glibc 2.34 or newer, or --glibc=host",
		       "that says what to do");
		is_str(why(&made, "libmpi.so.40"), "it needs GLIBC_2.34, the image has 2.30",
		       "and a reason");
	}
}

/* A release without new functions is known from what the libc says of itself. */
static void a_libcs_own_words_tell_its_number(void)
{
	static const char words[] =
		"GNU C Library (Some GLIBC 2.31-1) stable release version 2.31.\nCopyright";
	int fd;

	begin(&old_libc);
	OBJECT("/host/lib/libmpi.so.40", .soname = "libmpi.so.40", .needed = {"libx.so.1"});
	OBJECT("/host/lib/libx.so.1", .soname = "libx.so.1", .needed = {"libc.so.6"},
	       .need = {{"libc.so.6", {"GLIBC_2.34"}}});
	fd = open(at("/image/lib/libc.so.6"), O_WRONLY | O_APPEND | O_CLOEXEC);
	ok(file_write_all(fd, words, sizeof(words)) == 0 && close(fd) == 0, "a libc");
	{
		auto_case made = decide("libmpi.so.40", NULL);

		is_str(made.table->text,
		       "host libmpi.so.40 needs GLIBC_2.34 (in libx.so.1), the image has 2.31: use "
		       "--mpi=hybrid, an image with glibc 2.34 or newer, or --glibc=host",
		       "and what was asked for is named");
		is_str(why(&made, "libmpi.so.40"), "it needs libx.so.1", "each has its reason");
	}
}

static void a_version_may_be_no_number(void)
{
	begin(&middle_libc);
	OBJECT("/host/lib/libmpi.so.40", .soname = "libmpi.so.40", .needed = {"libc.so.6"},
	       .need = {{"libc.so.6", {"GLIBC_ABI_DT_RELR"}}});
	{
		auto_case made = decide("libmpi.so.40", NULL);

		is_str(made.table->text,
		       "host libmpi.so.40 needs GLIBC_ABI_DT_RELR, the image has 2.34: use "
		       "--mpi=hybrid, an image with a newer glibc, or --glibc=host",
		       "as that of relative relocations");
	}
}

static void versions_decide_between_two(void)
{
	begin(&middle_libc);
	OBJECT("/host/lib/libmpi.so.40", .soname = "libmpi.so.40",
	       .needed = {"libnewer.so.1", "libolder.so.1", "libsame.so.1", "libother.so.1"});
	OBJECT("/host/lib/libnewer.so.1", .soname = "libnewer.so.1", .defined = {"N_1", "N_2"});
	OBJECT("/image/lib/libnewer.so.1", .soname = "libnewer.so.1", .defined = {"N_1"});
	OBJECT("/host/lib/libolder.so.1", .soname = "libolder.so.1", .defined = {"O_1"});
	OBJECT("/image/lib/libolder.so.1", .soname = "libolder.so.1", .defined = {"O_1", "O_2"});
	OBJECT("/host/lib/libsame.so.1", .soname = "libsame.so.1", .defined = {"S_1"});
	OBJECT("/image/lib/libsame.so.1", .soname = "libsame.so.1", .defined = {"S_1"});
	OBJECT("/host/lib/libother.so.1", .soname = "libother.so.1", .defined = {"T_1", "T_2"});
	OBJECT("/image/lib/libother.so.1", .soname = "libother.so.1", .defined = {"T_1", "T_3"});
	{
		auto_case made = decide("libmpi.so.40", NULL);

		is_str(taken(&made, "libnewer.so.1"), "host", "the host's that has more");
		is_str(why(&made, "libnewer.so.1"), "the host's is newer: it has N_2", "because");
		is_str(taken(&made, "libolder.so.1"), "image", "the image's that has more");
		is_str(taken(&made, "libsame.so.1"), "image", "the image's if it is the same");
		is_str(taken(&made, "libother.so.1"), "image", "and if there is no telling");
		is_str(why(&made, "libother.so.1"),
		       "neither has all versions of the other: T_2, T_3", "which is told");
	}
}

/* The image's stays, but what goes in needs more of it. */
static void what_stays_must_be_enough(void)
{
	begin(&middle_libc);
	OBJECT("/host/lib/libmpi.so.40", .soname = "libmpi.so.40",
	       .needed = {"libstdc++.so.6", "libold.so.1"},
	       .need = {{"libstdc++.so.6", {"GLIBCXX_3.4.30"}}, {"libold.so.1", {"OLD_7"}}});
	OBJECT("/host/lib/libstdc++.so.6", .soname = "libstdc++.so.6",
	       .defined = {"GLIBCXX_3.4.30"});
	OBJECT("/image/lib/libstdc++.so.6", .soname = "libstdc++.so.6",
	       .defined = {"GLIBCXX_3.4.29", "CXXABI_OWN"});
	OBJECT("/host/lib/libold.so.1", .soname = "libold.so.1");
	OBJECT("/image/lib/libold.so.1", .soname = "libold.so.1");
	{
		auto_case made = decide("libmpi.so.40", NULL);

		is_str(made.table->text,
		       "host libmpi.so.40 needs GLIBCXX_3.4.30, which the libstdc++.so.6 that it "
		       "would get lacks: use --mpi=hybrid, or a newer image",
		       "or it is refused; against one without versions nothing is");
		is_str(verdict_find(made.table, "libmpi.so.40")->glibcxx, "GLIBCXX_3.4.30",
		       "the highest is told");
	}
}

static void a_link(const char *target, const char *path)
{
	if (symlink(target, at(path)) < 0)
		abort();
}

static void file_numbers_decide_without_versions(void)
{
	begin(&middle_libc);
	OBJECT("/host/lib/libmpi.so.40", .soname = "libmpi.so.40",
	       .needed = {"libe.so.7", "libf.so.7", "libg.so.7"});
	OBJECT("/host/lib/libe.so.7.0.10", .soname = "libe.so.7");
	OBJECT("/image/lib/libe.so.7.0.9", .soname = "libe.so.7");
	OBJECT("/host/lib/libf.so.7.0.1", .soname = "libf.so.7");
	OBJECT("/image/lib/libf.so.7.1", .soname = "libf.so.7");
	OBJECT("/host/lib/libg.so.7", .soname = "libg.so.7");
	OBJECT("/image/lib/libg.so.7", .soname = "libg.so.7");
	a_link("libe.so.7.0.10", "/host/lib/libe.so.7");
	a_link("libe.so.7.0.9", "/image/lib/libe.so.7");
	a_link("libf.so.7.0.1", "/host/lib/libf.so.7");
	a_link("libf.so.7.1", "/image/lib/libf.so.7");
	{
		auto_case made = decide("libmpi.so.40", NULL);

		is_str(taken(&made, "libe.so.7"), "host", "ten is more than nine");
		is_str(why(&made, "libe.so.7"), "the host's is newer: 7.0.10, the image's is 7.0.9",
		       "which is told");
		is_str(taken(&made, "libf.so.7"), "image", "7.1 is more than 7.0.1");
		is_str(taken(&made, "libg.so.7"), "image", "and the same is the image's");
	}
	ok(verdict_compare_numbers("2.4", "2.34") < 0 &&
		   verdict_compare_numbers("2.4", "2.4") == 0 &&
		   verdict_compare_numbers("40.30.4", "40.30") > 0,
	   "numbers are compared by value");
}

static void a_missing_library_may_be_the_images(void)
{
	begin(&middle_libc);
	OBJECT("/host/lib/libmpi.so.40", .soname = "libmpi.so.40", .needed = {"liba.so.1"});
	OBJECT("/image/lib/liba.so.1", .soname = "liba.so.1");
	{
		auto_case made = decide("libmpi.so.40", NULL);

		ok(!made.table->no, "it goes in");
		is_str(why(&made, "liba.so.1"), "the host has none", "with the image's");
	}
	(void)unlink(at("/image/lib/liba.so.1"));
	{
		auto_case made = decide("libmpi.so.40", NULL);

		is_str(made.table->text,
		       "host libmpi.so.40 needs liba.so.1, which cannot be had: it is neither on "
		       "the host nor in the image",
		       "or not");
	}
	{
		auto_case made = decide("libno.so.1", NULL);

		is_str(made.table->text,
		       "host libno.so.1 cannot go into the image: it is neither on the host nor in "
		       "the image",
		       "nor what is nowhere at all");
	}
}

static void a_plugin_is_refused_alone(void)
{
	static const struct verdict_wish one = {.required = 1};

	begin(&middle_libc);
	OBJECT("/host/lib/libmpi.so.40", .soname = "libmpi.so.40");
	OBJECT("/host/plugins/good.so", .soname = "good.so", .needed = {"libmpi.so.40"});
	OBJECT("/host/plugins/bad.so", .soname = "bad.so", .needed = {"libbad.so.1"});
	OBJECT("/host/lib/libbad.so.1", .soname = "libbad.so.1", .needed = {"libc.so.6"},
	       .need = {{"libc.so.6", {"GLIBC_2.99"}}});
	{
		const char *starts = "libmpi.so.40 /host/no.so /plugins/bad.so /plugins/good.so";
		auto_case made = decide(starts, &one);

		ok(!made.table->no && made.table->refused == 3, "with what it needs");
		is_str(taken(&made, "good.so"), "host", "not the others");
		is_str(why(&made, "bad.so"), "it needs libbad.so.1", "because of");
	}
	{
		auto_case made = decide("libmpi.so.40 /plugins/bad.so", NULL);

		ok(made.table->no, "unless all must go in");
	}
}

static void the_insides_of_the_libc_are_its_own(void)
{
	begin(&middle_libc);
	OBJECT("/host/lib/libmpi.so.40", .soname = "libmpi.so.40", .needed = {"libc.so.6"},
	       .need = {{"libc.so.6", {"GLIBC_PRIVATE"}}});
	{
		auto_case made = decide("libmpi.so.40", NULL);

		is_str(why(&made, "libmpi.so.40"), "it belongs to the host's libc", "of one side");
	}
}

static void an_image_of_musl_takes_nothing(void)
{
	begin(NULL);
	OBJECT("/host/lib/libmpi.so.40", .soname = "libmpi.so.40", .needed = {"libc.so.6"});
	{
		auto_case made = decide("libmpi.so.40", NULL);

		ok(made.table->no, "nor does one without any libc");
		is_str(made.table->text,
		       "host libmpi.so.40 needs glibc, the image has none: use --mpi=hybrid",
		       "that says so");
	}
	OBJECT("/image/lib/ld-musl-x86_64.so.1", .soname = "libc.so");
	{
		auto_case made = decide("libmpi.so.40", NULL);

		is_str(made.table->text,
		       "host libmpi.so.40 needs glibc, the image has musl: use --mpi=hybrid",
		       "by name");
	}
}

static void the_hosts_libc_is_taken_as_a_whole(void)
{
	static const struct verdict_wish all = {.host_libc = true};

	begin(&old_libc);
	OBJECT("/host/lib/libmpi.so.40", .soname = "libmpi.so.40", .needed = {"libc.so.6"},
	       .need = {{"libc.so.6", {"GLIBC_2.34", "GLIBC_PRIVATE"}}});
	OBJECT("/image/lib/libm.so.6", .soname = "libm.so.6");
	{
		auto_case made = decide("libmpi.so.40", &all);

		is_str(made.table->text,
		       "the image has libm.so.6, the host has none: the libc is taken as a whole "
		       "or not at all",
		       "or not at all");
	}
	OBJECT("/host/lib/libm.so.6", .soname = "libm.so.6", .defined = {"GLIBC_PRIVATE"});
	OBJECT("/host/lib/libc.so.6", .soname = "libc.so.6",
	       .defined = {GLIBC_MIDDLE, "GLIBC_PRIVATE"});
	{
		auto_case made = decide("libmpi.so.40", &all);

		ok(!made.table->no, "with a library that is too new otherwise");
		is_str(taken(&made, "libc.so.6"), "host", "its libc");
		is_str(taken(&made, "libm.so.6"), "host", "and what nobody needs but the image");
	}
	write_object("/image/lib/libc.so.6", &new_libc);
	{
		auto_case made = decide("libmpi.so.40", &all);

		is_str(made.table->text,
		       "the image's glibc 2.36 is newer than the host's 2.34: leave out "
		       "--glibc=host",
		       "never for a newer one");
	}
}

/* The answer of verdict_abi() for libmpi.so.40 and /bin/p, if there is a @program; @line is why. */
static int abi(enum verdict_abi key, bool program, char *line)
{
	auto_case made = decide("libmpi.so.40", NULL);
	const struct closure_object *start = NULL;
	auto_closure *image = closure_new(made.root[1], NULL);

	if (program && closure_add(image, "/bin/p", NULL, &start, &err) < 0)
		abort();
	return verdict_abi(key, made.host, closure_at(made.host, 0), image, start, line, &err);
}

static void an_abi_is_kept_as_far_as_asked(void)
{
	char line[VERDICT_WHY_SIZE];

	begin(&middle_libc);
	OBJECT("/host/lib/libmpi.so.40.30.4", .soname = "libmpi.so.40",
	       .export = {"MPI_Init", "MPI_Send"}, .import = {"malloc"});
	a_link("libmpi.so.40.30.4", "/host/lib/libmpi.so.40");
	ok(abi(VERDICT_MAJOR, false, line) == VERDICT_ABI_BAD, "an image without it");
	is_str(line, "the image needs no libmpi.so.40", "needs none");
	OBJECT("/image/lib/libmpi.so.40.40.7", .soname = "libmpi.so.40",
	       .export = {"MPI_Init", "MPI_Send", "MPI_Session_init"}, .import = {"PMPI_Own"});
	a_link("libmpi.so.40.40.7", "/image/lib/libmpi.so.40");
	ok(abi(VERDICT_MAJOR, false, line) == VERDICT_ABI_GOOD && !line[0], "the same soname");
	ok(abi(VERDICT_FULL, false, line) == VERDICT_ABI_DOUBTFUL, "an older host");
	is_str(line, "host libmpi.so.40 is older (40.30.4) than the image's (40.40.7)", "is told");
	OBJECT("/image/bin/p", .interpreter = "/lib64/ld-linux-x86-64.so.2",
	       .needed = {"libmpi.so.40", "libh.so.1"}, .import = {"MPI_Init", "MPI_Send"});
	OBJECT("/image/lib/libh.so.1", .needed = {"libmpi.so.40"}, .import = {"MPI_Init"});
	ok(abi(VERDICT_SYMBOLS, true, line) == VERDICT_ABI_GOOD, "what is called is there");
	OBJECT("/image/lib/libh.so.1", .needed = {"libmpi.so.40"},
	       .import = {"MPI_Session_init", "PMPI_Wtime"});
	ok(abi(VERDICT_SYMBOLS, true, line) == VERDICT_ABI_BAD, "or not, for a library");
	is_str(line, "the program calls MPI_Session_init and 1 more, which host libmpi.so.40 lacks",
	       "which is told");
	ok(abi(VERDICT_MAJOR, true, line) == VERDICT_ABI_GOOD, "if that was asked for");
	OBJECT("/image/bin/p", .interpreter = "/lib64/ld-linux-x86-64.so.2",
	       .needed = {"libmpich.so.12"});
	ok(abi(VERDICT_MAJOR, true, line) == VERDICT_ABI_BAD, "a program of another MPI");
	is_str(line, "the program needs no libmpi.so.40", "is none");
}

int main(void)
{
	if (!mkdtemp(scratch))
		return 1;
	a_library_that_fits_goes_in();
	too_new_a_library_is_refused();
	a_libcs_own_words_tell_its_number();
	a_version_may_be_no_number();
	versions_decide_between_two();
	what_stays_must_be_enough();
	file_numbers_decide_without_versions();
	a_missing_library_may_be_the_images();
	a_plugin_is_refused_alone();
	the_insides_of_the_libc_are_its_own();
	an_image_of_musl_takes_nothing();
	the_hosts_libc_is_taken_as_a_whole();
	an_abi_is_kept_as_far_as_asked();
	ok(folder_remove(scratch), "nothing is left behind");
	return done_testing();
}
