/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/ask/image_name.h"

#include "lib/own.h"
#include "tests/unit/tap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char *const names[] = {
	"debian:12",
	"library/debian:12-slim",
	"docker://debian",
	"docker://quay.io/fedora/fedora:41",
	"quay.io/fedora/fedora:41",
	"nvcr.io#nvidia/cuda:12.4.1-base",
	"docker://nvcr.io#nvidia/cuda:12",
	"localhost/tool:1",
	"localhost:5000/group/tool:1",
	"127.0.0.1:5000/tool:1",
	"Registry.Example.org/tool:V1.0",
	"debian@sha256:" HEX,
	"debian:12@sha256:" HEX,
	"quay.io/a/b@sha512:" HEX HEX,
	"a.b_c-d/e:_x",
};

static const char *const paths[] = {
	"",
	"debian",
	"debian.sqfs",
	"images/debian.sqfs",
	"quay.io/fedora/fedora",
	"./debian:12",
	"../debian:12",
	"/debian:12",
	"~/debian:12",
	".debian:12",
	"Debian:12",
	"/data:/data",
	"data:/data",
	"debian:",
	":12",
	"debian:1 2",
	"debian:12:13",
	"debian@sha256:0123",
	"debian@12",
	"a//b:1",
	"a/:1",
	"/:1",
	"a/b:1/",
	"oci:layout",
	"oci-archive:file",
	"docker-archive:file",
	"docker-daemon:name",
	"podman:name",
	"instance://x",
	"https://host/x:1",
	"oras://host/x:1",
	"docker://",
	"host#",
	"#x:1",
	"-x:1",
	"a\nb:1",
};

static void words_are_told_apart(void)
{
	for (size_t i = 0; i < COUNT_OF(names); i++)
		ok(image_name_reads(names[i]), "a name: %s", names[i]);
	for (size_t i = 0; i < COUNT_OF(paths); i++)
		ok(!image_name_reads(paths[i]), "none: %zu", i);
}

static void what_is_there_is_a_file(void)
{
	char scratch[] = "/tmp/firn-image-name.XXXXXX";

	if (!mkdtemp(scratch) || chdir(scratch) < 0)
		exit(2);
	ok(image_name_is("debian:12"), "a name, where there is no such file");
	(void)close(open("debian:12", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	ok(!image_name_is("debian:12"), "a file, where there is");
	(void)unlink("debian:12");
	(void)mkdir("debian:12", 0700);
	ok(!image_name_is("debian:12"), "a directory");
	(void)rmdir("debian:12");
	(void)!symlink("nowhere", "debian:12");
	ok(!image_name_is("debian:12"), "a link, though to nowhere");
	(void)unlink("debian:12");
	(void)!chdir("/");
	(void)rmdir(scratch);
}

int main(void)
{
	words_are_told_apart();
	what_is_there_is_a_file();
	return done_testing();
}
