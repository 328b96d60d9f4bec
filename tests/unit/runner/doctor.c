/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/doctor/doctor.h"

#include "tests/unit/tap.h"

static bool hides(const char *mounts, const char *wanted)
{
	const char *got = doctor_hides(mounts);

	return wanted ? got && strncmp(got, wanted, strlen(wanted)) == 0 : !got;
}

int main(void)
{
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
	return done_testing();
}
