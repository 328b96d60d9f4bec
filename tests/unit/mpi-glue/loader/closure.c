/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The loader's rules one by one, in a root of made objects; and where a loader is here that can be
 * started in that root, it says the same.
 */
#include "mpi-glue/loader/closure.h"

#include "lib/file.h"
#include "tests/unit/folder.h"
#include "tests/unit/mpi-glue/loader/elf_make.h"
#include "tests/unit/mpi-glue/loader/loader.h"
#include "tests/unit/tap.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/firn-closure-XXXXXX";
static int root_fd;
static struct err err;

/* Make the folders of @path, which is below the root. */
static void folders_of(const char *path)
{
	char full[PATH_MAX];

	(void)snprintf(full, sizeof(full), "%s%s", root, path);
	for (char *slash = full + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		(void)mkdir(full, 0755);
		*slash = '/';
	}
}

static void write_object(const char *path, const struct elf_wish *wish)
{
	char full[PATH_MAX];

	folders_of(path);
	(void)snprintf(full, sizeof(full), "%s%s", root, path);
	if (elf_make_file(wish, full) < 0)
		abort();
}

#define OBJECT(path, ...) write_object(path, &(const struct elf_wish){__VA_ARGS__})
#define PROGRAM(path, ...) OBJECT(path, .interpreter = LOADER, __VA_ARGS__)

static void link_to(const char *target, const char *path)
{
	folders_of(path);
	if (symlinkat(target, root_fd, path + 1) < 0)
		abort();
}

/* An empty root again, with the loader of this machine in it where there is one. */
static void begin(void)
{
	char path[PATH_MAX], *loader = NULL;
	size_t size;

	if (root_fd > 0)
		(void)close(root_fd);
	(void)folder_remove(root);
	if (mkdir(root, 0755) < 0)
		abort();
	root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	folders_of(LOADER);
	(void)snprintf(path, sizeof(path), "%s" LOADER, root);
	if (file_read(AT_FDCWD, LOADER, 8 << 20, &loader, &size, &err) == 0) {
		int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);

		if (fd < 0 || file_write_all(fd, loader, size) < 0 || close(fd) < 0)
			abort();
		free(loader);
	}
}

/* The closure of @program as a text: "name=path " of each but the first, "name!" if missing. */
static const char *told(const char *program, const struct closure_options *options)
{
	static const char mark[] = {[CLOSURE_MISSING] = '!',
				    [CLOSURE_BROKEN] = '#',
				    [CLOSURE_LIBC] = '~',
				    [CLOSURE_MUSL] = '*',
				    [CLOSURE_FOUND] = '='};
	static char text[4096];
	auto_closure *closure = closure_new(root_fd, options);
	size_t used = 0;

	text[0] = '\0';
	if (closure_add(closure, program, NULL, NULL, &err) < 0)
		return err.text;
	for (size_t i = 1; i < closure_count(closure); i++) {
		const struct closure_object *object = closure_at(closure, i);
		bool path = object->state == CLOSURE_FOUND;

		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s%c%s",
					 i > 1 ? " " : "", object->name, mark[object->state],
					 path ? object->path : "");
	}
	return text;
}

/* That /bin/p has this closure, and the loader agrees. */
static void expect_with(const char *library_path, const char *wanted, const char *promise)
{
	struct closure_options options = {.library_path = library_path};
	struct loader_side side = {.root = root,
				   .fd = root_fd,
				   .way = LOADER_WITHIN,
				   .library_path = library_path};
	int differences;

	is_str(told("/bin/p", &options), wanted, promise);
	differences = loader_compare(&side, "/bin/p");
	if (differences < 0)
		ok(true, "# SKIP no loader can be asked");
	else
		ok(differences == 0, "the loader says so, too");
}

static void expect(const char *wanted, const char *promise)
{
	expect_with(NULL, wanted, promise);
}

static void objects_come_breadth_first(void)
{
	begin();
	PROGRAM("/bin/p", .needed = {"a.so", "b.so"});
	OBJECT("/lib/a.so", .needed = {"c.so", "b.so"});
	OBJECT("/lib/b.so", .needed = {"d.so", "b.so"});
	OBJECT("/usr/lib/c.so", .needed = {"a.so"});
	OBJECT("/usr/lib/d.so", .soname = "d.so");
	expect("a.so=/lib/a.so b.so=/lib/b.so c.so=/usr/lib/c.so d.so=/usr/lib/d.so",
	       "each once, also in a circle");
}

static void a_missing_library_is_told(void)
{
	begin();
	PROGRAM("/bin/p", .needed = {"a.so", "no.so", ""});
	OBJECT("/lib/a.so", .needed = {"no.so"});
	expect("a.so=/lib/a.so no.so! !", "once, with all the others");
}

static void rpaths_of_the_chain_count(void)
{
	begin();
	PROGRAM("/bin/p", .rpath = "/one:/two", .needed = {"a.so"});
	OBJECT("/one/a.so", .rpath = "/three", .needed = {"b.so", "c.so", "d.so"});
	OBJECT("/two/b.so");
	OBJECT("/three/b.so");
	OBJECT("/two/c.so");
	OBJECT("/lib/c.so");
	OBJECT("/lib/d.so");
	expect("a.so=/one/a.so b.so=/three/b.so c.so=/two/c.so d.so=/lib/d.so",
	       "its own first, then of who needs it");
	expect_with("/lib", "a.so=/one/a.so b.so=/three/b.so c.so=/two/c.so d.so=/lib/d.so",
		    "before LD_LIBRARY_PATH");
}

static void a_runpath_is_of_its_object_alone(void)
{
	begin();
	PROGRAM("/bin/p", .runpath = "/one", .needed = {"a.so", "c.so"});
	OBJECT("/one/a.so", .needed = {"b.so"});
	OBJECT("/one/b.so");
	OBJECT("/lib/b.so");
	OBJECT("/one/c.so");
	OBJECT("/two/c.so");
	expect("a.so=/one/a.so c.so=/one/c.so b.so=/lib/b.so", "not of what it needs");
	expect_with("/nowhere::/two/", "a.so=/one/a.so c.so=/two/c.so b.so=/lib/b.so",
		    "and after LD_LIBRARY_PATH");
}

static void a_runpath_shuts_out_the_rpaths_above(void)
{
	begin();
	PROGRAM("/bin/p", .rpath = "/one", .needed = {"a.so"});
	OBJECT("/one/a.so", .runpath = "/two", .rpath = "/one", .needed = {"b.so"});
	OBJECT("/one/b.so", .needed = {"c.so"});
	OBJECT("/lib/b.so", .needed = {"c.so"});
	OBJECT("/one/c.so");
	OBJECT("/two/c.so");
	expect("a.so=/one/a.so b.so=/lib/b.so c.so=/one/c.so", "for what it needs itself");
}

static void tokens_are_replaced(void)
{
	begin();
	PROGRAM("/opt/bin/p", .runpath = "$ORIGIN/../a:/x/${LIB}:/x/$PLATFORM/$NONE:/$",
		.needed = {"a.so", "b.so", "c.so", "d.so", "$ORIGIN/../e/e.so"});
	link_to("/opt/bin/p", "/bin/p");
	OBJECT("/opt/a/a.so", .runpath = "${ORIGIN}/deep", .needed = {"f.so"});
	OBJECT("/opt/a/deep/f.so");
	OBJECT("/opt/e/e.so");
	OBJECT("/x/lib/" TRIPLET "/b.so");
	OBJECT("/lib/" TRIPLET "/libc.so.6");
#if defined(__aarch64__)
	OBJECT("/x/aarch64/$NONE/c.so");
#else
	OBJECT("/x/x86_64/$NONE/c.so");
#endif
	OBJECT("/$/d.so");
	ok(strstr(told("/bin/p", NULL),
		  "a.so=/opt/bin/../a/a.so b.so=/x/lib/" TRIPLET "/b.so c.so="),
	   "of a program behind a symlink: %s", told("/bin/p", NULL));
	ok(strstr(told("/bin/p", NULL), "d.so=/$/d.so $ORIGIN/../e/e.so=/opt/bin/../e/e.so"),
	   "and in a name");
	ok(strstr(told("/bin/p", NULL), "f.so=/opt/bin/../a/deep/f.so"), "of a library");
	expect(told("/bin/p", NULL), "all of them");
}

static void one_file_is_loaded_once(void)
{
	begin();
	PROGRAM("/bin/p", .rpath = "/one", .needed = {"a.so", "/lib/a.so.1", "b.so", "c.so"});
	OBJECT("/lib/a.so.1");
	link_to("/lib/a.so.1", "/one/a.so");
	OBJECT("/lib/b.so", .soname = "c.so");
	OBJECT("/lib/c.so");
	expect("a.so=/one/a.so b.so=/lib/b.so", "whatever it is called");
}

static void another_machine_is_passed_over(void)
{
	begin();
	PROGRAM("/bin/p", .rpath = "/one:/two", .needed = {"a.so", "/one/b.so"});
	OBJECT("/one/a.so", .machine = EM_PPC64);
	OBJECT("/two/a.so");
	OBJECT("/one/b.so", .machine = EM_PPC64);
	is_str(told("/bin/p", NULL), "a.so=/two/a.so /one/b.so#", "but not where it is named");
}

static void what_is_no_object_is_told(void)
{
	auto_closure *closure = NULL;
	const struct closure_object *object;

	begin();
	OBJECT("/lib/a.so");
	link_to("/lib/a.so", "/lib/loop");
	link_to("text", "/lib/b.so");
	link_to("round", "/lib/round");
	(void)mkdirat(root_fd, "lib/folder.so", 0755);
	(void)mkfifoat(root_fd, "lib/pipe.so", 0644);
	(void)close(openat(root_fd, "lib/text", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	PROGRAM("/bin/p", .needed = {"b.so", "round", "folder.so", "pipe.so", "../lib/a.so"});
	is_str(told("/bin/p", NULL), "b.so# round! folder.so! pipe.so! ../lib/a.so!",
	       "an empty file, a symlink to itself, a folder, a pipe");
	closure = closure_new(root_fd, NULL);
	ok(closure_add(closure, "b.so", NULL, &object, &err) == 0, "a start may be one");
	is_str(object->why, "'/lib/b.so' is no ELF object", "and why is told");
}

static void the_root_is_never_left(void)
{
	begin();
	PROGRAM("/bin/p", .rpath = "/../../../one:/away", .needed = {"a.so", "b.so"});
	OBJECT("/one/a.so");
	link_to("/etc", "/away");
	link_to("../../../../../../../../bin/sh", "/lib/b.so");
	is_str(told("/bin/p", NULL), "a.so=/../../../one/a.so b.so!", "by no symlink and no '..'");
}

static void the_loaders_family_is_left_out(void)
{
	static const struct closure_options all = {.libc = true};

	begin();
	PROGRAM("/bin/p", .needed = {"libm.so.6", "libc.so.6", "libz.so.1"});
	OBJECT("/lib/libc.so.6");
	OBJECT("/lib/libm.so.6");
	OBJECT("/lib/libz.so.1", .needed = {"libc.so.6"});
	is_str(told("/bin/p", NULL), "libm.so.6~ libc.so.6~ libz.so.1=/lib/libz.so.1",
	       "unless asked for");
	is_str(told("/bin/p", &all),
	       "libm.so.6=/lib/libm.so.6 libc.so.6=/lib/libc.so.6 libz.so.1=/lib/libz.so.1",
	       "as here");
	ok(closure_is_libc("ld-linux-aarch64.so.1") && !closure_is_libc("libcuda.so.1"),
	   "by their names");
}

static void an_object_of_musl_is_not_followed(void)
{
	begin();
	OBJECT("/bin/p", .interpreter = "/lib/ld-musl-x86_64.so.1",
	       .needed = {"libz.so.1", "libc.musl-x86_64.so.1"});
	OBJECT("/lib/libz.so.1", .needed = {"libc.so"});
	OBJECT("/lib/libw.so.1", .needed = {"libz.so.1"});
	is_str(told("/bin/p", NULL), "", "a program");
	is_str(told("/lib/libw.so.1", NULL), "libz.so.1*", "nor a library");
}

static void nodefaultlib_leaves_the_system_out(void)
{
	begin();
	PROGRAM("/bin/p", .flags_1 = DF_1_NODEFLIB, .runpath = "/one", .needed = {"a.so", "b.so"});
	OBJECT("/one/a.so", .needed = {"c.so"});
	OBJECT("/lib/b.so");
	OBJECT("/lib/c.so");
	expect("a.so=/one/a.so b.so! c.so=/lib/c.so", "of its own needs");
}

static void the_systems_folders_are_of_its_kind(void)
{
	begin();
	PROGRAM("/bin/p", .needed = {"a.so", "b.so"});
	OBJECT("/lib64/libc.so.6");
	OBJECT("/usr/lib64/a.so");
	OBJECT("/lib/b.so");
	is_str(told("/bin/p", NULL), "a.so=/usr/lib64/a.so b.so!", "lib64 where libc is there");
	OBJECT("/lib/" TRIPLET "/libc.so.6");
	OBJECT("/usr/lib/" TRIPLET "/a.so");
	expect("a.so=/usr/lib/" TRIPLET "/a.so b.so=/lib/b.so", "Debian's by the machine's name");
}

/* What a processor can do that has the first level is known to its loader as well. */
static void better_copies_come_first(void)
{
	begin();
	PROGRAM("/bin/p", .rpath = "/one", .needed = {"a.so", "b.so"});
	OBJECT("/one/a.so");
	OBJECT("/one/glibc-hwcaps/x86-64-v2/a.so");
	OBJECT("/one/glibc-hwcaps/x86-64-v3/a.so");
	OBJECT("/one/glibc-hwcaps/x86-64-v4/a.so");
	OBJECT("/one/glibc-hwcaps/x86-64-v99/b.so");
	OBJECT("/lib/b.so");
	expect(told("/bin/p", NULL), "of the levels that this processor has");
}

static void a_plugin_is_searched_for_from_its_caller(void)
{
	auto_closure *closure = NULL;
	const struct closure_object *start, *plugin;

	begin();
	PROGRAM("/bin/p", .rpath = "/one", .needed = {"a.so"});
	OBJECT("/one/a.so", .needed = {"b.so"});
	OBJECT("/one/b.so", .soname = "b.so");
	OBJECT("/plugins/x.so", .needed = {"b.so", "c.so"});
	OBJECT("/one/c.so");
	closure = closure_new(root_fd, NULL);
	ok(closure_add(closure, "/bin/p", NULL, &start, &err) == 0, "with a program loaded");
	ok(closure_add(closure, "/plugins/x.so", closure_find(closure, "a.so"), &plugin, &err) == 0,
	   "it is added");
	is_str(closure_find(closure, "c.so")->path, "/one/c.so", "by the RPATHs above");
	ok(closure_find(closure, "c.so")->by == plugin && plugin->by, "and known for who needs it");
	ok(closure_count(closure) == 5 && closure_find(closure, "/one/b.so")->by != plugin,
	   "what is loaded is not loaded again");
}

static void a_file_is_opened_again(void)
{
	auto_closure *closure = NULL;
	const struct closure_object *start;
	int fd;

	begin();
	OBJECT("/lib/a.so", .soname = "a.so");
	closure = closure_new(root_fd, NULL);
	ok(closure_add(closure, "a.so", NULL, &start, &err) == 0 && start->elf,
	   "a soname is found");
	fd = closure_open(closure, start, &err);
	ok(fd >= 0 && close(fd) == 0, "its file");
	(void)unlinkat(root_fd, "lib/a.so", 0);
	(void)close(openat(root_fd, "lib/b", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	OBJECT("/lib/a.so", .soname = "a.so");
	ok(closure_open(closure, start, &err) == -1, "but not another one in its place");
}

/* Each of some objects names many folders, and needs what is in none. */
static void a_search_has_a_measure(void)
{
	static char path[16 << 10];
	static char name[WISH_MAX][WISH_MAX];
	struct elf_wish wish = {.rpath = path};
	size_t used = 0;

	begin();
	for (int i = 0; i < 1000; i++) {
		char folder[32];

		(void)snprintf(folder, sizeof(folder), "/f%d", i);
		(void)mkdirat(root_fd, folder + 1, 0755);
		used += (size_t)snprintf(path + used, sizeof(path) - used, "%s:", folder);
	}
	for (int i = 0; i < WISH_MAX - 1; i++) {
		memset(name[i], 'a', (size_t)i + 1);
		wish.needed[i] = name[i];
	}
	write_object("/lib/a.so", &wish);
	write_object("/lib/b.so", &wish);
	write_object("/lib/c.so", &wish);
	PROGRAM("/bin/p", .needed = {"a.so", "b.so", "c.so"});
	ok(strstr(told("/bin/p", NULL), "needs too many libraries to be looked for"),
	   "and an error beyond it: %s", told("/bin/p", NULL));
	memset(path, ':', sizeof(path) - 1);
	for (size_t i = 0; i + 3 < sizeof(path); i += 3)
		memcpy(path + i, "/x", 2);
	write_object("/lib/a.so", &wish);
	is_str(told("/bin/p", NULL), "a library's search path has more than 1024 folders",
	       "so has a path");
}

/* Objects of a stranger, bent by chance, with a cache that is as well. */
static void no_byte_does_harm(void)
{
	static const struct elf_wish wish = {.soname = "a.so",
					     .rpath = "$ORIGIN/x:/one:$LIB:${PLATFORM}",
					     .needed = {"b.so", "/lib/$LIB/c.so", "a.so"},
					     .need = {{"b.so", {"B_1"}}},
					     .defined = {"A_1"}};
	static const char *const places[] = {"/lib/a.so", "/one/b.so", "/one/x/c.so"};
	static struct elf_made made;

	begin();
	srand(3);
	for (size_t i = 0; i < COUNT_OF(places); i++)
		write_object(places[i], &wish);
	(void)mkdirat(root_fd, "etc", 0755);
	for (int round = 0; round < 2000; round++) {
		const char *place = places[round % (int)COUNT_OF(places)];
		auto_fd fd = openat(root_fd, place + 1, O_WRONLY | O_TRUNC | O_CLOEXEC);
		auto_fd cache =
			openat(root_fd, "etc/ld.so.cache", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

		elf_make(&wish, &made);
		for (int i = 0; i < round % 5; i++)
			made.data[(size_t)rand() % made.size] = (char)rand();
		if (file_write_all(fd, made.data, made.size) < 0 ||
		    file_write_all(cache, "glibc-ld.so.cache1.1", 20) < 0 ||
		    file_write_all(cache, made.data, made.size) < 0)
			abort();
		(void)told("/lib/a.so", NULL);
	}
	ok(true, "whatever an image has in it");
}

int main(void)
{
	if (!mkdtemp(root))
		return 1;
	objects_come_breadth_first();
	a_missing_library_is_told();
	rpaths_of_the_chain_count();
	a_runpath_is_of_its_object_alone();
	a_runpath_shuts_out_the_rpaths_above();
	tokens_are_replaced();
	one_file_is_loaded_once();
	another_machine_is_passed_over();
	what_is_no_object_is_told();
	the_root_is_never_left();
	the_loaders_family_is_left_out();
	an_object_of_musl_is_not_followed();
	nodefaultlib_leaves_the_system_out();
	the_systems_folders_are_of_its_kind();
	better_copies_come_first();
	a_plugin_is_searched_for_from_its_caller();
	a_file_is_opened_again();
	a_search_has_a_measure();
	no_byte_does_harm();
	ok(folder_remove(root), "nothing is left behind");
	return done_testing();
}
