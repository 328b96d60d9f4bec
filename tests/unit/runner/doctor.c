/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/doctor/doctor.h"

#include "lib/conf/conf.h"

#include "tests/unit/folder.h"
#include "tests/unit/tap.h"

static bool hides(const char *mounts, const char *wanted)
{
	const char *got = doctor_hides(mounts);

	return wanted ? got && strncmp(got, wanted, strlen(wanted)) == 0 : !got;
}

static char scratch[] = "/tmp/firn-doctor.XXXXXX";

/* What doctor finds of @text as the site's file, with "@" for the scratch folder. */
static struct finding look(const char *text,
			   void (*find)(const struct conf *conf, struct finding *finding))
{
	auto_conf *conf = conf_new();
	auto_free char *copy = NULL;
	struct finding finding = {.text = "?"};
	const char *at = strchr(text, '@');
	struct err err;

	if (at ? asprintf(&copy, "%.*s%s%s", (int)(at - text), text, scratch, at + 1) < 0
	       : !(copy = strdup(text)))
		copy = NULL;
	if (conf && copy && conf_take_text(conf, copy, "/site", true, &err) == 0)
		find(conf, &finding);
	printf("#   %s\n", finding.text);
	return finding;
}

static void registries(const struct conf *conf, struct finding *finding)
{
	doctor_registries_of(conf, "/site", finding);
}

static bool finds(const struct finding finding, enum finding_kind kind, const char *text)
{
	return finding.kind == kind && strstr(finding.text, text) &&
	       (kind == FINDING_OK || finding.remedy[0]);
}

static void write_file(const char *name, const char *text)
{
	auto_free char *path = NULL;
	auto_file *file = NULL;

	if (asprintf(&path, "%s/%s", scratch, name) < 0 || !(file = fopen(path, "we")) ||
	    fputs(text, file) < 0)
		ok(false, "the test can write its file");
}

static void what_cannot_be_used_is_told(void)
{
	write_file("pem", "-----BEGIN CERTIFICATE-----\n");
	write_file("text", "hello\n");
	ok(finds(look("[run]\nmpi = none\n", registries), FINDING_OK, "0 configured"), "none");
	ok(finds(look("[registry \"a\"]\n\nca = @/gone\n", registries), FINDING_WARNING,
		 "'/site' line 3: ca = "),
	   "certificates that are not there");
	ok(finds(look("[registry \"a\"]\nca = @/text\n", registries), FINDING_WARNING,
		 "it holds no certificate in PEM"),
	   "... or are none");
	ok(finds(look("[registry \"a\"]\nca = @\n", registries), FINDING_WARNING,
		 "it is no regular file"),
	   "... or a directory");
	ok(finds(look("[registry \"a\"]\nca = @/pem\n", registries), FINDING_OK, "1 configured"),
	   "... or are in order");
	ok(finds(look("[registry \"a\"]\nmirror = http://b/x\n", registries), FINDING_WARNING,
		 "line 2: mirror = http://b/x is never asked over plain http"),
	   "a mirror that may not be asked");
	ok(finds(look("[registry \"a\"]\nmirror = http://b/x\n[registry \"b\"]\ninsecure = yes\n",
		      registries),
		 FINDING_OK, "2 configured") &&
		   finds(look("[registry \"a\"]\nmirror = http://localhost:5/x\n", registries),
			 FINDING_OK, "1 configured"),
	   "... or may");
	ok(finds(look("[run]\nengine = squashfuse\nsquashfuse = @/gone\n", doctor_squashfuse_of),
		 FINDING_MISSING, "firn.conf says engine = squashfuse, and '"),
	   "an engine that is not there");
	ok(finds(look("[run]\nsquashfuse = @/gone\n", doctor_squashfuse_of), FINDING_WARNING,
		 "firn.conf says squashfuse = PROGRAM, and '"),
	   "... that is not in use");
	ok(finds(look("[run]\nengine = squashfuse\nsquashfuse = /bin/sh\n", doctor_squashfuse_of),
		 FINDING_OK, "/bin/sh serves images"),
	   "... that is there");
}

int main(void)
{
	if (!mkdtemp(scratch))
		return 1;
	what_cannot_be_used_is_told();
	ok(hides("proc /proc proc rw,nosuid,hidepid=invisible 0 0\n", "invisible"), "a word");
	ok(hides("sysfs /sys sysfs rw 0 0\nproc /proc proc rw,gid=5,hidepid=2 0 0", "2"),
	   "a number, without a newline");
	ok(hides("proc /proc proc rw 0 0\nx /x y hidepid=2 0 0\n", NULL), "another file system");
	ok(hides("proc /proc proc rw,hidepid=2 0 0\nproc /proc proc rw 0 0\n", NULL),
	   "the last mount counts");
	ok(hides("proc /proc proc rw,hidepid=0 0 0\n", NULL) &&
		   hides("proc /proc proc rw,hidepid=off 0 0\n", NULL),
	   "nothing is hidden");
	ok(hides("", NULL) && hides("\n\nx", NULL) && hides("proc /proc proc", NULL) &&
		   hides(NULL, NULL),
	   "odd texts");
	return folder_remove(scratch) ? done_testing() : 1;
}
