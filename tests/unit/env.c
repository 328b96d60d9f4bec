/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/env.h"

#include "tests/unit/tap.h"

#include <stdlib.h>

static struct err err;

struct scene {
	struct request request;
	struct conf *conf;
	struct plan *plan;
	char **env;
	bool wireup;
};

static void begin(struct scene *scene)
{
	memset(scene, 0, sizeof(*scene));
	scene->conf = conf_new();
	scene->plan = plan_new();
	(void)plan_add_bind(scene->plan, "/tmp", "/tmp", 0, &err);
}

static void end(struct scene *scene)
{
	for (char **item = scene->env; item && *item; item++)
		free(*item);
	free(scene->env);
	conf_free(scene->conf);
	plan_free(scene->plan);
}

static void build(struct scene *scene, const char *const *host, const char *const *image)
{
	struct env_sources sources = {
		.request = &scene->request,
		.conf = scene->conf,
		.host = (char *const *)host,
		.image = (char *const *)image,
		.image_path = "/i.sqfs",
		.home = "/home/u",
		.plan = scene->plan,
		.wireup = scene->wireup,
	};

	ok(env_build(&sources, &scene->env, &err) == 0, "an environment is made");
}

#define HAS(name, value) is_str(env_get(scene.env, name), value, name " is " value)
#define LACKS(name) ok(!env_get(scene.env, name), name " does not enter")

static void the_hosts_settings_do_not_leak(void)
{
	static const char *const host[] = {
		"PATH=/host/bin", "HOME=/old", "LD_PRELOAD=/x.so", "LD_LIBRARY_PATH=/l", "PYTHONPATH=/p",
		"PERL5LIB=/p", "R_LIBS_USER=/r", "GCONV_PATH=/g", "LOCPATH=/l", "BASH_FUNC_f%%=() { :; }",
		"LANG=C.UTF-8", "SLURM_PROCID=3", "PMIX_RANK=3", "EMPTY=", "TMPDIR=/tmp/job", "TMP=/scratch/job",
		"no equals sign", NULL,
	};
	static const char *const image[] = {"PATH=/image/bin", "LANG=C", "LD_LIBRARY_PATH=/image/lib", "broken", NULL};
	struct scene scene;

	begin(&scene);
	build(&scene, host, image);
	LACKS("LD_PRELOAD");
	LACKS("PYTHONPATH");
	LACKS("PERL5LIB");
	LACKS("R_LIBS_USER");
	LACKS("GCONV_PATH");
	LACKS("LOCPATH");
	LACKS("BASH_FUNC_f%%");
	LACKS("TMP");
	HAS("TMPDIR", "/tmp/job");
	HAS("PATH", "/image/bin");
	HAS("LANG", "C");
	HAS("LD_LIBRARY_PATH", "/image/lib");
	HAS("HOME", "/home/u");
	HAS("SLURM_PROCID", "3");
	HAS("PMIX_RANK", "3");
	HAS("EMPTY", "");
	HAS("PYTHONNOUSERSITE", "1");
	HAS("FIRN_CONTAINER", "/i.sqfs");
	end(&scene);
}

static void the_command_line_wins(void)
{
	static const char *const host[] = {"LD_PRELOAD=/x.so", "A=host", NULL};
	struct request_env env[] = {
		{(char *)"A=mine", false}, {(char *)"LD_PRELOAD", false}, {(char *)"ABSENT", false},
		{(char *)"PYTHONNOUSERSITE=", false},
	};
	struct scene scene;

	begin(&scene);
	scene.request.env = env;
	scene.request.env_count = COUNT_OF(env);
	build(&scene, host, NULL);
	HAS("A", "mine");
	HAS("LD_PRELOAD", "/x.so");
	HAS("PYTHONNOUSERSITE", "");
	LACKS("ABSENT");
	end(&scene);
}

static void a_clean_environment_keeps_the_job(void)
{
	static const char *const host[] = {"A=host", "TERM=xterm", "SLURM_PROCID=3", "PMI_FD=6", NULL};
	struct scene scene;

	begin(&scene);
	scene.request.clean_env = true;
	build(&scene, host, NULL);
	LACKS("A");
	HAS("TERM", "xterm");
	HAS("SLURM_PROCID", "3");
	HAS("PMI_FD", "6");
	end(&scene);
}

static void frozen_lets_nothing_in(void)
{
	static const char *const host[] = {"A=host", "TERM=xterm", "SLURM_PROCID=3", NULL};
	struct scene scene;

	begin(&scene);
	scene.request.frozen = scene.request.clean_env = true;
	build(&scene, host, NULL);
	LACKS("TERM");
	LACKS("SLURM_PROCID");
	LACKS("FIRN_CONTAINER");
	HAS("HOME", "/home/u");
	end(&scene);
}

static void the_site_may_change_the_list(void)
{
	static const char *const host[] = {"SITE_SECRET=1", "PYTHONPATH=/p", NULL};
	char *drop[] = {(char *)"SITE_*", NULL};
	char *keep[] = {(char *)"PYTHONPATH", NULL};
	struct conf conf = {.env_drop = {drop, 1}, .env_keep = {keep, 1}};
	struct scene scene;

	begin(&scene);
	conf_free(scene.conf);
	scene.conf = &conf;
	build(&scene, host, NULL);
	scene.conf = NULL;
	LACKS("SITE_SECRET");
	HAS("PYTHONPATH", "/p");
	end(&scene);
}

static void a_pmix_client_is_told_what_all_know(void)
{
	static const char *const host[] = {"PMIX_SECURITY_MODE=munge,native", NULL};
	static const char *const image[] = {"PMIX_MCA_psec=munge", NULL};
	struct request_env mine = {(char *)"PMIX_MCA_psec=mine", false};
	struct scene scene;

	begin(&scene);
	build(&scene, host, NULL);
	LACKS("PMIX_MCA_psec");
	end(&scene);
	begin(&scene);
	scene.wireup = true;
	build(&scene, host, NULL);
	HAS("PMIX_MCA_psec", "native");
	end(&scene);
	begin(&scene);
	scene.wireup = true;
	build(&scene, host, image);
	HAS("PMIX_MCA_psec", "munge");
	end(&scene);
	begin(&scene);
	scene.wireup = true;
	scene.request.env = &mine;
	scene.request.env_count = 1;
	build(&scene, host, NULL);
	HAS("PMIX_MCA_psec", "mine");
	end(&scene);
}

int main(void)
{
	the_hosts_settings_do_not_leak();
	the_command_line_wins();
	a_clean_environment_keeps_the_job();
	frozen_lets_nothing_in();
	the_site_may_change_the_list();
	a_pmix_client_is_told_what_all_know();
	return done_testing();
}
