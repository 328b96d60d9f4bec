/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/plan/compose.h"

#include "runner/doctor/doctor.h"
#include "tests/unit/tap.h"

#include <stdlib.h>
#include <sys/stat.h>

static struct err err;
static char scratch[] = "/var/tmp/firn-compose.XXXXXX";

/* The plan of `firn exec WORDS image true`, as --print-plan shows it. */
struct scene {
	struct conf *conf;
	struct request *request;
	struct composer *composer;
	char *text;
};

static void begin(struct scene *scene, const char *const *words, struct conf_list binds)
{
	static struct image image = {.kind = IMAGE_SQUASHFS, .path = (char *)"/i.sqfs", .fd = -1};
	char *argv[16] = {NULL};
	size_t size, count = 0;
	FILE *out;

	memset(scene, 0, sizeof(*scene));
	for (; words && *words; words++)
		argv[count++] = (char *)*words;
	argv[count++] = (char *)"i.sqfs";
	argv[count++] = (char *)"true";
	scene->conf = conf_new();
	scene->conf->bind = binds;
	ok(request_read(REQUEST_EXEC, (int)count, argv, &scene->request, &err) == 0 &&
		   compose_container(scene->request, scene->conf, &image, &scene->composer, &err) ==
			   0,
	   "a plan is made");
	out = open_memstream(&scene->text, &size);
	if (scene->composer)
		plan_print(composer_plan(scene->composer), out);
	(void)fclose(out);
}

static void end(struct scene *scene)
{
	scene->conf->bind = (struct conf_list){NULL, 0};
	composer_free(scene->composer);
	request_free(scene->request);
	conf_free(scene->conf);
	free(scene->text);
}

static const struct plan_step *step_at(const struct scene *scene, const char *target)
{
	const struct plan *plan = composer_plan(scene->composer);

	for (size_t i = plan->count; i-- > 0;)
		if (plan->step[i].target && strcmp(plan->step[i].target, target) == 0)
			return &plan->step[i];
	return NULL;
}

#define NO_BINDS ((struct conf_list){NULL, 0})

static void homes_of_the_images_own_stay(void)
{
	static const char *const homes[] = {"/",    "/usr",  "/bin",  "/usr/sbin",
					    "/var", "/home", "/lib/x"};
	static const char *const contain[] = {"--contain", NULL};
	struct scene scene;

	for (size_t i = 0; i < COUNT_OF(homes); i++) {
		(void)setenv("HOME", homes[i], 1);
		begin(&scene, NULL, NO_BINDS);
		ok(!step_at(&scene, homes[i]), "HOME=%s is not bound", homes[i]);
		end(&scene);
		begin(&scene, contain, NO_BINDS);
		ok(!step_at(&scene, homes[i]), "nor covered by memory");
		end(&scene);
	}
	(void)setenv("HOME", scratch, 1);
	begin(&scene, NULL, NO_BINDS);
	ok(step_at(&scene, scratch) && step_at(&scene, scratch)->flags & PLAN_IMPLICIT,
	   "another is bound, where it covers nothing unseen");
	end(&scene);
}

static void what_nobody_named_is_implicit(void)
{
	static const char *const places[] = {"/proc", "/sys", "/dev", "/tmp"};
	static const char *const words[] = {"-B", "/etc:/named", "--tmpfs", "/memory", NULL};
	struct scene scene;

	begin(&scene, words, NO_BINDS);
	for (size_t i = 0; i < COUNT_OF(places); i++)
		ok(step_at(&scene, places[i]) && step_at(&scene, places[i])->flags & PLAN_IMPLICIT,
		   "%s is", places[i]);
	ok(step_at(&scene, "/named") && !(step_at(&scene, "/named")->flags & PLAN_IMPLICIT),
	   "a bind is not");
	ok(step_at(&scene, "/memory") && !(step_at(&scene, "/memory")->flags & PLAN_IMPLICIT),
	   "nor a tmpfs");
	end(&scene);
}

static void devices_stay_devices(void)
{
	static const char *const words[] = {"--contain", "-B",		 "/dev/null:/dev/x",
					    "-B",	 "/dev/null:/x", NULL};
	struct scene scene;

	begin(&scene, words, NO_BINDS);
	ok(step_at(&scene, "/dev/x") && step_at(&scene, "/dev/x")->flags & PLAN_DEVICES,
	   "below /dev");
	ok(step_at(&scene, "/x") && !(step_at(&scene, "/x")->flags & PLAN_DEVICES),
	   "and only there");
	ok(step_at(&scene, "/dev/pts") && step_at(&scene, "/dev/pts")->kind == PLAN_DEVPTS,
	   "contained programs have terminals of their own");
	end(&scene);
}

static void a_configured_bind_that_is_missing_is_noted(void)
{
	static const char *const binds[] = {"/no/such", "/no/other:/no/other:optional",
					    "/etc:/site"};
	struct conf_list list = {(char **)binds, COUNT_OF(binds)};
	struct conf conf = {.bind = list};
	struct finding finding = {.kind = FINDING_OK};
	struct scene scene;

	begin(&scene, NULL, list);
	ok(step_at(&scene, "/no/such") && step_at(&scene, "/no/such")->flags & PLAN_MISSING,
	   "in the plan");
	ok(!step_at(&scene, "/no/other"), "unless it is optional");
	ok(step_at(&scene, "/site") && !(step_at(&scene, "/site")->flags & PLAN_MISSING),
	   "one that is there is bound");
	ok(!plan_covers(composer_plan(scene.composer), 100, "/no/such/x"), "nothing relies on it");
	end(&scene);
	doctor_binds_of(&conf, &finding);
	ok(finding.kind == FINDING_WARNING && strstr(finding.text, "'/no/such'") &&
		   !strstr(finding.text, "'/no/other'"),
	   "doctor names it");
}

static void the_working_directory_has_two_names(void)
{
	char link[64];
	struct scene scene;

	(void)snprintf(link, sizeof(link), "%s/link", scratch);
	(void)setenv("HOME", "/", 1);
	if (chdir(scratch) < 0 || mkdir("real", 0755) < 0 || symlink("real", "link") < 0 ||
	    chdir("real") < 0)
		return;
	(void)setenv("PWD", link, 1);
	begin(&scene, NULL, NO_BINDS);
	ok(step_at(&scene, link) && step_at(&scene, link)->flags & PLAN_CWD,
	   "it is shown by the user's");
	ok(composer_plan(scene.composer)->here.ino != 0, "and known by its number");
	end(&scene);
	(void)setenv("PWD", "/etc", 1);
	begin(&scene, NULL, NO_BINDS);
	ok(!step_at(&scene, "/etc"), "a PWD that lies is not believed");
	end(&scene);
	(void)!chdir("/usr");
	begin(&scene, NULL, NO_BINDS);
	ok(!step_at(&scene, "/usr"), "nothing of the image's is covered");
	end(&scene);
	(void)!(chdir(scratch) == 0 && rmdir("real") == 0 && unlink("link") == 0);
}

int main(void)
{
	if (!mkdtemp(scratch))
		return 1;
	homes_of_the_images_own_stay();
	what_nobody_named_is_implicit();
	devices_stay_devices();
	a_configured_bind_that_is_missing_is_noted();
	the_working_directory_has_two_names();
	(void)rmdir(scratch);
	return done_testing();
}
