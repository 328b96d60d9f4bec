/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/plan/visible.h"

#include "tests/unit/tap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static struct err err;

/* A container that shows /tmp and nothing else. */
static bool is_missing(const char *text)
{
	auto_plan *plan = plan_new();

	(void)plan_add_bind(plan, "/tmp", "/tmp", 0, &err);
	return visible_is_missing(plan, text, strcspn(text, "="), "/run/user/7");
}

#define MISSING(text) ok(is_missing(text), text " is dropped")
#define PASSED(text) ok(!is_missing(text), text " is passed")

static void variables_are_dropped_that_name_what_is_not_there(void)
{
	PASSED("TMPDIR=/tmp/job");
	MISSING("TMPDIR=/scratch/job");
	MISSING("TMPDIR=/tmp/../scratch");
	PASSED("TMPDIR=here");
	PASSED("TMPDIR=");
	MISSING("XDG_RUNTIME_DIR=/run/user/7");
	MISSING("XDG_CACHE_HOME=/scratch/me");
	PASSED("OTHER=/scratch/me");
	PASSED("TMPDIRS=/scratch");
	PASSED("XAUTHORITY=/tmp/x");
	MISSING("XAUTHORITY=/run/user/7/x");
}

static void each_in_its_own_language(void)
{
	MISSING("DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/7/bus");
	MISSING("DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/7/bus,guid=12;tcp:host=h");
	PASSED("DBUS_SESSION_BUS_ADDRESS=unix:path=/tmp/dbus-x,guid=12");
	PASSED("DBUS_SESSION_BUS_ADDRESS=unix:abstract=/tmp/dbus-x");
	PASSED("DBUS_SESSION_BUS_ADDRESS=");
	MISSING("PULSE_SERVER=unix:/run/user/7/pulse/native");
	MISSING("PULSE_SERVER={machine}unix:/run/user/7/pulse/native");
	PASSED("PULSE_SERVER=host.example.org");
	MISSING("DOCKER_HOST=unix:///run/user/7/docker.sock");
	PASSED("DOCKER_HOST=tcp://h:1");
	MISSING("GPG_AGENT_INFO=/run/user/7/agent:1:1");
	PASSED("TMUX=/tmp/tmux-7/default,1,0");
	MISSING("WAYLAND_DISPLAY=wayland-0");
	MISSING("WAYLAND_DISPLAY=/run/user/7/wayland-0");
	PASSED("WAYLAND_DISPLAY=");
	MISSING("KRB5CCNAME=FILE:/run/user/7/krb5cc");
	MISSING("KRB5CCNAME=DIR:/run/user/7/krb5cc");
	PASSED("KRB5CCNAME=FILE:/tmp/krb5cc_7");
	PASSED("KRB5CCNAME=KEYRING:persistent:7");
	PASSED("KRB5CCNAME=KCM:");
}

static void single_files_are_shown(void)
{
	char name[] = "/var/tmp/firn-visible.XXXXXX";
	auto_fd fd = mkstemp(name);
	auto_free char *x = NULL, *k = NULL;
	auto_plan *plan = plan_new();

	if (fd < 0 || asprintf(&x, "XAUTHORITY=%s", name) < 0 ||
	    asprintf(&k, "KRB5CCNAME=FILE:%s", name) < 0)
		return;
	char *const env[] = {x,
			     k,
			     (char *)"SSH_AUTH_SOCK=/none",
			     (char *)"ICEAUTHORITY=/etc/passwd",
			     (char *)"XAUTHORITY",
			     (char *)"TMPDIR=/var/tmp",
			     NULL};

	ok(visible_add(plan, env, &err) == 0 && plan->count == 1, "one file is shown once");
	is_str(plan->count ? plan->step[0].target : NULL, name, "at its own path");
	ok(plan->count && plan->step[0].flags & PLAN_PERSONAL, "and is no matter of others");
	ok(visible_add(plan, env, &err) == 0 && plan->count == 1,
	   "nothing is added to what is shown");
	(void)unlink(name);
}

int main(void)
{
	variables_are_dropped_that_name_what_is_not_there();
	each_in_its_own_language();
	single_files_are_shown();
	return done_testing();
}
