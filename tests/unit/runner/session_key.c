/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/session/key.h"

#include "tests/unit/tap.h"

#include <stdlib.h>

static struct err err;

static void a_process_is_told_from_its_stat_line(void)
{
	static const char rest[] = " S 17 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 4711 19 20";
	char text[256], name[16];
	unsigned long long start;
	int parent;

	(void)snprintf(text, sizeof(text), "4 (mpiexec)%s", rest);
	ok(session_stat_parse(text, name, &parent, &start) && strcmp(name, "mpiexec") == 0 &&
		   parent == 17 && start == 4711,
	   "name, parent and start");
	(void)snprintf(text, sizeof(text), "4 (a) R 9 (b)%s", rest);
	ok(session_stat_parse(text, name, &parent, &start) && strcmp(name, "a) R 9 (b") == 0 &&
		   parent == 17,
	   "brackets in the name do not mislead");
	(void)snprintf(text, sizeof(text), "4 (sixteen bytes in all)%s", rest);
	ok(!session_stat_parse(text, name, &parent, &start), "a name that is too long");
	ok(!session_stat_parse("4 (a", name, &parent, &start), "a line that ends early");
	ok(!session_stat_parse("", name, &parent, &start), "nothing at all");
	ok(!session_stat_parse("4 )a( S 1", name, &parent, &start), "brackets the wrong way round");
}

static const char *launcher(const char *one, const char *other)
{
	static char text[SESSION_LAUNCHER_SIZE];

	(void)clearenv();
	if (one)
		(void)putenv((char *)(unsigned long)one);
	if (other)
		(void)putenv((char *)(unsigned long)other);
	return session_launcher(text) ? text : "none";
}

static void a_launch_has_a_name(void)
{
	char first[SESSION_LAUNCHER_SIZE];

	is_str(launcher(NULL, NULL), "none", "nobody");
	is_str(launcher("SLURM_JOB_ID=1", NULL), "none", "a batch script is no launch");
	is_str(launcher("SLURM_JOB_ID=1", "SLURM_STEP_ID=2"), "slurm 1 2", "a step of Slurm is");
	(void)putenv((char *)(unsigned long)"SLURMD_NODENAME=n1");
	ok(session_launcher(first) && strcmp(first, "slurm 1 2 n1") == 0, "on each node its own");
	is_str(launcher("PMIX_NAMESPACE=abc", "PMIX_RANK=0"), "pmix abc", "a PMIx namespace");
	is_str(launcher("PMIX_NAMESPACE=", "PMIX_RANK=0"), "none", "not an empty one");
	is_str(launcher("FLUX_JOB_ID=f1", "FLUX_TASK_RANK=3"), "flux f1",
	       "a job of Flux, for all ranks");
	ok(strncmp(launcher("PMI_FD=5", NULL), "hydra ", 6) == 0, "Hydra by its daemon");
	(void)snprintf(first, sizeof(first), "%s", launcher("PMI_RANK=0", NULL));
	is_str(launcher("PMI_RANK=1", NULL), first, "which all ranks have in common");
}

static void a_session_has_a_name(void)
{
	struct image image = {.kind = IMAGE_SQUASHFS,
			      .stat = {.st_dev = 1, .st_ino = 2, .st_size = 3}};
	auto_plan *plan = plan_new();
	char one[SESSION_NAME_SIZE], other[SESSION_NAME_SIZE];

	ok(session_name(&image, plan, "a", one, &err) == 0 && strlen(one) == 37 &&
		   strncmp(one, "firn-", 5) == 0,
	   "firn- and 32 digits");
	(void)session_name(&image, plan, "a", other, &err);
	is_str(other, one, "the same for the same");
	(void)session_name(&image, plan, "b", other, &err);
	ok(strcmp(one, other) != 0, "another for another launch");
	(void)session_name(&image, plan, "a", one, &err);
	image.stat.st_ctim.tv_nsec = 1;
	(void)session_name(&image, plan, "a", other, &err);
	is_str(other, one, "the same for an image that got another mode or a second name");
	image.stat.st_mtim.tv_nsec = 1;
	(void)session_name(&image, plan, "a", other, &err);
	ok(strcmp(one, other) != 0, "another for a changed image");
	image.kind = IMAGE_DIRECTORY;
	(void)session_name(&image, plan, "a", one, &err);
	image.stat.st_mtim.tv_nsec = 2;
	(void)session_name(&image, plan, "a", other, &err);
	is_str(other, one, "the same for a directory that changed");
}

static void data_images_are_part_of_the_name(void)
{
	struct image root = {.kind = IMAGE_SQUASHFS};
	struct image *data = calloc(1, sizeof(*data));
	auto_plan *plan = plan_new();
	char one[SESSION_NAME_SIZE], other[SESSION_NAME_SIZE];

	data->path = strdup("/data");
	data->fd = -1;
	data->stat.st_ino = 1;
	(void)session_name(&root, plan, "a", one, &err);
	ok(plan_add_image(plan, data, "/d", NULL, 0, &err) == 0, "a data image");
	(void)session_name(&root, plan, "a", other, &err);
	ok(strcmp(one, other) != 0, "makes another container");
	data->stat.st_ino = 2;
	(void)session_name(&root, plan, "a", one, &err);
	ok(strcmp(one, other) != 0, "and so does another file of its name");
	(void)session_name_container(&root, plan, one, &err);
	data->stat.st_mtim.tv_sec = 1;
	(void)session_name_container(&root, plan, other, &err);
	ok(strcmp(one, other) != 0, "or one that was written to");
}

static void a_named_session_goes_by_its_name(void)
{
	struct image image = {.kind = IMAGE_SQUASHFS,
			      .stat = {.st_dev = 1, .st_ino = 2, .st_size = 3}};
	auto_plan *here = plan_new();
	auto_plan *there = plan_new();
	char one[SESSION_NAME_SIZE], other[SESSION_NAME_SIZE];

	ok(session_name_named(NULL, "a", one, &err) == 0 &&
		   session_name_named(NULL, "a", other, &err) == 0 && strcmp(one, other) == 0 &&
		   strlen(one) == 37,
	   "the same for the same");
	(void)session_name_named(NULL, "b", other, &err);
	ok(strcmp(one, other) != 0, "another for another name");
	(void)session_name_named("job 1", "a", other, &err);
	ok(strcmp(one, other) != 0, "another in another scope");
	(void)plan_add_bind(here, "/here", "/here", PLAN_CWD, &err);
	(void)session_name_container(&image, here, one, &err);
	(void)session_name_container(&image, there, other, &err);
	is_str(other, one, "its container is the same from everywhere");
	(void)session_name_image(&image, one, &err);
	image.stat.st_ino = 3;
	(void)session_name_image(&image, other, &err);
	ok(strcmp(one, other) != 0, "an image has one, too");
	(void)session_name_container(&image, here, one, &err);
	(void)session_name_container(&image, there, other, &err);
	image.stat.st_ino = 2;
	(void)session_name_container(&image, there, one, &err);
	ok(strcmp(one, other) != 0, "but not of another image");
}

int main(void)
{
	a_process_is_told_from_its_stat_line();
	a_launch_has_a_name();
	a_session_has_a_name();
	data_images_are_part_of_the_name();
	a_named_session_goes_by_its_name();
	return done_testing();
}
