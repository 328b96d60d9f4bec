/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/ask/request.h"

#include "tests/unit/tap.h"

#include <stdlib.h>

static struct err err;

enum { WORDS_MAX = 16 };

/* The request of words that stand apart by blanks; NULL when it is refused. */
static struct request *read_verb(enum request_verb verb, const char *line)
{
	/* A request points into its words: a few of them live at once. */
	static char texts[4][512];
	static char *argvs[4][WORDS_MAX + 1];
	static unsigned turn;
	char *text = texts[++turn % 4], **argv = argvs[turn % 4];
	struct request *request = NULL;
	int argc = 0;

	(void)snprintf(text, sizeof(texts[0]), "%s", line);
	for (char *word = strtok(text, " "); word && argc < WORDS_MAX; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	return request_read(verb, argc, argv, &request, &err) < 0 ? NULL : request;
}

static bool refused(const char *line, const char *reason)
{
	auto_request *request = read_verb(REQUEST_EXEC, line);

	if (!request && strstr(err.text, reason))
		return true;
	printf("#   got '%s'\n", request ? "a request" : err.text);
	return false;
}

static void options_end_at_the_image(void)
{
	auto_request *request = read_verb(REQUEST_EXEC, "--root -vv i.sqfs cmd --root -v");
	auto_request *dashes = read_verb(REQUEST_EXEC, "-- --odd.sqfs cmd");
	auto_request *run = read_verb(REQUEST_RUN, "i.sqfs");
	auto_request *loud = read_verb(REQUEST_RUN, "-qv i.sqfs -q");

	ok(request && request->root && request->level == LOG_DEBUG, "options before it are taken");
	is_str(request ? request->image : NULL, "i.sqfs",
	       "the first word that is none is the image");
	is_str(request ? request->command[1] : NULL, "--root", "what follows is the command's");
	is_str(dashes ? dashes->image : NULL, "--odd.sqfs", "-- ends them");
	ok(loud && loud->level == LOG_VERBOSE, "of -q and -v the last one counts");
	ok(run && !run->command[0], "run needs no command");
	ok(refused("i.sqfs", "no command"), "exec does");
	ok(refused("--root", "no image"), "an image is always needed");
}

static void values_come_in_every_spelling(void)
{
	auto_request *request =
		read_verb(REQUEST_EXEC, "--cwd=/a --engine firn -B /x -B/y:/z:ro -e A=b i c");

	ok(request != NULL, "they are read");
	if (!request)
		return;
	is_str(request->cwd, "/a", "--option=value");
	is_str(request->engine, "firn", "--option value");
	is_str(request->mount[0].source, "/x", "-o value");
	is_str(request->mount[1].target, "/z", "-ovalue");
	ok(request->mount[1].readonly && !request->mount[0].readonly, ":ro is read-only");
	is_str(request->given[0], "exec", "which verb was given is kept");
	is_str(request->given[1], "cwd", "... and which options");
}

static void mistakes_are_named(void)
{
	ok(refused("--nonsense i c", "'--nonsense'"), "an unknown option");
	ok(refused("-Z i c", "'-Z'"), "an unknown letter");
	ok(refused("--root=yes i c", "'--root' takes no value"), "a value too much");
	ok(refused("--cwd", "'--cwd' needs a value"), "a value too few");
	ok(refused("-B", "'-B' needs a value"), "the same by letter");
	ok(refused("-e =x i c", "NAME=VALUE"), "a variable without a name");
	ok(refused("-e A=b -e C=d -e =x i c", "NAME=VALUE"), "also behind others");
	ok(refused("--overlay d --writable-tmpfs i c", "exclude"),
	   "options that exclude each other");
	ok(refused("--home d --no-home i c", "exclude"), "two homes");
}

static void frozen_implies_the_rest(void)
{
	auto_request *request = read_verb(REQUEST_EXEC, "--frozen i c");

	ok(request && request->contain && request->clean_env, "--contain and --clean-env");
}

static bool bind_is(const char *text, const char *source, const char *target, bool readonly)
{
	struct request_mount mount;
	bool same;

	if (request_bind_parse(text, &mount, &err) < 0)
		return false;
	same = strcmp(mount.source, source) == 0 && mount.readonly == readonly &&
	       (target ? mount.target && strcmp(mount.target, target) == 0 : !mount.target);
	free(mount.source);
	free(mount.target);
	return same;
}

static void binds_may_hold_any_name(void)
{
	struct request_mount mount;

	ok(bind_is("/a", "/a", NULL, false), "a source alone");
	ok(bind_is("/a b:/c\n:ro", "/a b", "/c\n", true), "blanks and newlines");
	ok(bind_is("/a\\:b\\\\:/c", "/a:b\\", "/c", false), "colons and backslashes");
	ok(bind_is("/a:/b:rw", "/a", "/b", false), ":rw");
	ok(request_bind_parse("", &mount, &err) < 0, "nothing is no source");
	ok(request_bind_parse("/a:", &mount, &err) < 0, "an empty target");
	ok(request_bind_parse("/a:/b:x", &mount, &err) < 0 && strstr(err.text, "':ro'"),
	   "an unknown mode");
	ok(request_bind_parse("/a:/b:ro:", &mount, &err) < 0, "a field too much");
	ok(request_bind_parse("/a:/b:ro,", &mount, &err) < 0, "no mode behind a comma");
	ok(request_bind_parse("/a:/b:ro,rw", &mount, &err) < 0 &&
		   request_bind_parse("/a:/b:rw,optional,ro", &mount, &err) < 0,
	   "two that exclude each other");
	ok(request_home_parse("/a:/b:ro", &mount, &err) < 0 && strstr(err.text, "SRC[:DST]") &&
		   request_home_parse("/a:/b:optional", &mount, &err) < 0,
	   "a mode of a home");
	ok(request_bind_parse("/a:/b:ro,optional", &mount, &err) == 0 && mount.readonly &&
		   mount.optional,
	   "two modes");
	request_mount_clear(&mount);
}

static bool image_is(const char *text, enum request_as as, const char *sub)
{
	struct request_mount mount;
	bool same;

	if (request_bind_parse(text, &mount, &err) < 0)
		return false;
	same = mount.as == as && (sub ? mount.sub && strcmp(mount.sub, sub) == 0 : !mount.sub);
	request_mount_clear(&mount);
	return same;
}

static void binds_may_be_of_images(void)
{
	struct request_mount mount;

	ok(image_is("/a:/b", REQUEST_AS_FITS, NULL) && image_is("/a:/b:ro", REQUEST_AS_FITS, NULL),
	   "what is in the file tells");
	ok(image_is("/a:/b:file", REQUEST_AS_FILE, NULL), "unless it is to be a file");
	ok(image_is("/a:/b:image,ro", REQUEST_AS_IMAGE, NULL), "or an image");
	ok(image_is("/a:/b:image-src=/c\\:d\\,e", REQUEST_AS_IMAGE, "/c:d,e"),
	   "a directory of one, with a colon and a comma");
	ok(request_bind_parse("/a:/b:image-src=c", &mount, &err) < 0 &&
		   request_bind_parse("/a:/b:image-src=", &mount, &err) < 0 &&
		   request_bind_parse("/a:/b:image-src=/c:ro", &mount, &err) < 0,
	   "not one of a relative name, none, or with a field behind it");
	ok(request_bind_parse("/a:/b:file,image", &mount, &err) < 0 &&
		   request_bind_parse("/a:/b:image-src=/c,file", &mount, &err) < 0 &&
		   request_bind_parse("/a:/b:file,expect=x", &mount, &err) < 0,
	   "a file is no image");
	ok(request_bind_parse("/a:/b:image,rw", &mount, &err) < 0 && strstr(err.text, "read-only"),
	   "nothing is written to an image");
	ok(request_home_parse("/a:/b:image", &mount, &err) < 0, "a home is none");
	ok(request_mount_parse("type=image,src=/a,dst=/b,image-src=/c", &mount, &err) == 0 &&
		   mount.as == REQUEST_AS_IMAGE && strcmp(mount.sub, "/c") == 0,
	   "the same of --mount");
	request_mount_clear(&mount);
	ok(request_mount_parse("type=bind,src=/a,dst=/b", &mount, &err) == 0 &&
		   mount.as == REQUEST_AS_FILE,
	   "whose binds are of files");
	request_mount_clear(&mount);
	ok(request_mount_parse("type=image,src=/a", &mount, &err) < 0 &&
		   request_mount_parse("type=image,dst=/a", &mount, &err) < 0 &&
		   request_mount_parse("type=image,src=/a,dst=/b,size=1", &mount, &err) < 0 &&
		   request_mount_parse("type=image,src=/a,dst=/b,rw", &mount, &err) < 0 &&
		   request_mount_parse("type=image,src=/a,dst=/b,image-src=c", &mount, &err) < 0 &&
		   request_mount_parse("type=bind,src=/a,dst=/b,image-src=/c", &mount, &err) < 0,
	   "and what makes no sense is refused");
}

static bool mount_is(const char *text, const char *source, const char *target, uint64_t size)
{
	struct request_mount mount;
	bool same;

	if (request_mount_parse(text, &mount, &err) < 0)
		return false;
	same = (source ? mount.source && strcmp(mount.source, source) == 0 : !mount.source) &&
	       mount.target && strcmp(mount.target, target) == 0 && mount.size == size;
	free(mount.source);
	free(mount.target);
	return same;
}

static void mounts_are_read_in_words(void)
{
	struct request_mount mount;

	ok(mount_is("type=bind,src=/a,dst=/b", "/a", "/b", 0), "a bind");
	ok(request_mount_parse("src=/a,dst=/b,ro,rw", &mount, &err) < 0 &&
		   strstr(err.text, "'ro' and 'rw' exclude each other") &&
		   request_mount_parse("rw,src=/a,dst=/b,readonly", &mount, &err) < 0,
	   "two modes that exclude each other");
	ok(mount_is("type=bind,src=\"/a,b\",target=/c", "/a,b", "/c", 0), "commas in quotes");
	ok(mount_is("src=/a=b,dst=/c", "/a=b", "/c", 0), "an equals sign in a name");
	ok(mount_is("type=tmpfs,dst=/t,size=64M", NULL, "/t", 64u << 20), "a tmpfs with a size");
	ok(request_mount_parse("type=tmpfs,dst=/t,size=5 ", &mount, &err) < 0,
	   "a blank is no unit");
	ok(request_mount_parse("type=tmpfs,dst=/t,size=99999999T", &mount, &err) < 0,
	   "a size beyond 64 bits");
	ok(request_mount_parse("type=proc,dst=/p", &mount, &err) < 0 && strstr(err.text, "'proc'"),
	   "another type");
	ok(request_mount_parse("type=bind,dst=/p", &mount, &err) < 0, "a bind without a source");
	ok(request_mount_parse("type=tmpfs,src=/a,dst=/p", &mount, &err) < 0, "a tmpfs with one");
	ok(request_mount_parse("src=/a,dst=/b,exec", &mount, &err) < 0 &&
		   strstr(err.text, "'exec'"),
	   "an unknown word");
	ok(request_tmpfs_parse("t", &mount, &err) < 0, "--tmpfs needs an absolute path");
	ok(request_tmpfs_parse("/t:mode=7", &mount, &err) < 0, "and knows size= only");
}

static void what_is_not_in_this_version_is_said(void)
{
	auto_request *none = read_verb(REQUEST_EXEC, "--mpi=none i c");
	auto_request *hybrid = read_verb(REQUEST_RUN, "--mpi hybrid i");
	auto_request *host = read_verb(REQUEST_EXEC, "--mpi host i c");
	auto_request *cray = read_verb(REQUEST_EXEC, "--mpi=host:cray --glibc=host i c");

	is_str(none ? none->mpi : NULL, "none", "--mpi none");
	is_str(hybrid ? hybrid->mpi : NULL, "hybrid", "--mpi hybrid");
	is_str(host ? host->mpi : NULL, "host", "--mpi host");
	ok(host && !host->mpi_profile && !host->host_glibc, "... is all");
	is_str(cray ? cray->mpi : NULL, "host", "--mpi host with a profile");
	is_str(cray ? cray->mpi_profile : NULL, "cray", "... of a name");
	ok(cray && cray->host_glibc, "... and the libc with it");
	ok(refused("--mpi hosts i c", "host or host:PROFILE, not 'hosts'"),
	   "other words are mistakes");
	ok(refused("--mpi host: i c", "not 'host:'"), "so is a profile without a name");
	ok(refused("--glibc musl i c", "image or host, not 'musl'"), "and another libc");
	ok(refused("--gpu i c", "'--gpu' is not in this version: devices in /dev are visible"),
	   "nor drivers of GPUs");
	ok(refused("--gpu=all i c", "'--gpu' is not"), "with a value");
	ok(refused("--nv i c", "'--nv' is not"), "by another runner's name");
	ok(refused("--gpux i c", "unknown option '--gpux'"), "other words are mistakes");
}

static void words_of_others_are_answered(void)
{
	ok(refused("--pwd /x i c", "firn exec has no option '--pwd'; --cwd DIR"),
	   "Apptainer's --pwd");
	ok(refused("-w i c", "--overlay"), "a letter");
	ok(refused("-it i c", "option '-i'"), "letters together");
	ok(refused("--containall i c", "--contain --clean-env"), "two options for one");
	ok(refused("--bindings i c", "unknown option '--bindings'"),
	   "what begins like one is unknown");
	ok(refused("--zzz i c", "see 'firn exec --help'"), "and so is what nobody has");
	ok(!refused("docker://alpine true", ""), "a registry's name in the image's place");
	ok(refused("-v /data:/data i c", "-B SRC:DST"), "Docker's -v");
	ok(refused("-e app.sif env", "no name of a variable"),
	   "Apptainer's -e does not eat the image");
}

int main(void)
{
	options_end_at_the_image();
	values_come_in_every_spelling();
	mistakes_are_named();
	frozen_implies_the_rest();
	binds_may_hold_any_name();
	binds_may_be_of_images();
	mounts_are_read_in_words();
	what_is_not_in_this_version_is_said();
	words_of_others_are_answered();
	return done_testing();
}
