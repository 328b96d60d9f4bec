/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/plan/env.h"

#include "tests/unit/tap.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

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

	struct env_late late;

	ok(env_build(&sources, &scene->env, &late, &err) == 0, "an environment is made");
	words_free(late.own);
}

#define HAS(name, value) is_str(env_get(scene.env, name), value, name " is " value)
#define LACKS(name) ok(!env_get(scene.env, name), name " does not enter")

static void the_hosts_settings_do_not_leak(void)
{
	static const char *const host[] = {
		"PATH=/host/bin",   "HOME=/old",
		"LD_PRELOAD=/x.so", "LD_LIBRARY_PATH=/l",
		"PYTHONPATH=/p",    "PERL5LIB=/p",
		"R_LIBS_USER=/r",   "GCONV_PATH=/g",
		"LOCPATH=/l",	    "BASH_FUNC_f%%=() { :; }",
		"LANG=C.UTF-8",	    "SLURM_PROCID=3",
		"PMIX_RANK=3",	    "EMPTY=",
		"TMPDIR=/tmp/job",  "TMP=/scratch/job",
		"no equals sign",   NULL,
	};
	static const char *const image[] = {"PATH=/image/bin", "LANG=C",
					    "LD_LIBRARY_PATH=/image/lib", "broken", NULL};
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
	HAS("APPTAINER_CONTAINER", "/i.sqfs");
	HAS("SINGULARITY_CONTAINER", "/i.sqfs");
	HAS("APPTAINER_NAME", "i.sqfs");
	HAS("SINGULARITY_NAME", "i.sqfs");
	end(&scene);
}

static int times(char *const *env, const char *name)
{
	size_t len = strlen(name);
	int count = 0;

	for (; *env; env++)
		count += strncmp(*env, name, len) == 0 && (*env)[len] == '=';
	return count;
}

/* A shell takes the last, getenv(3) the first: of two there must be one. */
static void a_name_that_is_there_twice_enters_once(void)
{
	static const char *const host[] = {"A=1", "A=2", "B=1", "B=2", "C=1", "C=2",
					   "HOME=/1", "HOME=/2", "D=1", "D=2", NULL};
	static const char *const image[] = {"B=image", "B=image2", NULL};
	struct request_env env[] = {{(char *)"C=mine", false}, {(char *)"D", false}};
	struct scene scene;

	begin(&scene);
	scene.request.env = env;
	scene.request.env_count = COUNT_OF(env);
	build(&scene, host, image);
	HAS("A", "1");
	HAS("B", "image2");
	HAS("C", "mine");
	HAS("D", "1");
	HAS("HOME", "/home/u");
	for (const char *const *name = (const char *const[]){"A", "B", "C", "D", "HOME", NULL};
	     *name; name++)
		ok(times(scene.env, *name) == 1, "%s is there once", *name);
	end(&scene);
}

/* With every name looked for in all others this would take half a minute. */
static void tens_of_thousands_of_names_take_no_time(void)
{
	enum { MANY = 100000 };
	auto_words host = {0};
	auto_free struct request_env *env = calloc(MANY, sizeof(*env));
	struct timespec from, to;
	struct scene scene;
	bool made = env;

	for (int i = 0; made && i < MANY; i++) {
		made = words_print(&host, "HOST_NAME_%d=x", i) == 0;
		env[i].text = made ? strndup(host.item[i], strlen(host.item[i]) - 2) : NULL;
	}
	ok(made, "a large environment");
	begin(&scene);
	scene.request.env = env;
	scene.request.env_count = MANY;
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	build(&scene, (const char *const *)host.item, (const char *const *)host.item);
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	ok(words_count(scene.env) > MANY && to.tv_sec - from.tv_sec < 10, "is made in seconds");
	for (int i = 0; i < MANY; i++)
		free(env[i].text);
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
	static const char *const host[] = {"A=host", "TERM=xterm", "SLURM_PROCID=3", "PMI_FD=6",
					   NULL};
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
	LACKS("APPTAINER_CONTAINER");
	LACKS("SINGULARITY_NAME");
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

static void secrets_stay_outside_of_what_is_contained(void)
{
	static const char *const host[] = {
		"SLURM_JWT=s",
		"SLURM_JOB_ID=3",
		"AWS_SECRET_ACCESS_KEY=s",
		"GITHUB_TOKEN=s",
		"SSH_AUTH_SOCK=/tmp/s",
		"PGPASSWORD=s",
		"X_API_KEY=s",
		"_TOKEN=s",
		"TOKEN=s",
		"TOKENS=fine",
		"MY_TOKEN_COUNT=fine",
		"A=fine",
		"PMIX_SECURITY_MODE=native",
		NULL,
	};
	struct request_env named = {(char *)"GITHUB_TOKEN", false};
	struct scene scene;

	begin(&scene);
	build(&scene, host, NULL);
	HAS("SLURM_JWT", "s");
	HAS("GITHUB_TOKEN", "s");
	end(&scene);
	for (int clean = 0; clean < 2; clean++) {
		begin(&scene);
		scene.request.contain = true;
		scene.request.clean_env = clean;
		build(&scene, host, NULL);
		LACKS("SLURM_JWT");
		LACKS("AWS_SECRET_ACCESS_KEY");
		LACKS("GITHUB_TOKEN");
		LACKS("SSH_AUTH_SOCK");
		LACKS("PGPASSWORD");
		LACKS("X_API_KEY");
		LACKS("_TOKEN");
		LACKS("TOKEN");
		HAS("SLURM_JOB_ID", "3");
		HAS("PMIX_SECURITY_MODE", "native");
		if (!clean) {
			HAS("TOKENS", "fine");
			HAS("MY_TOKEN_COUNT", "fine");
			HAS("A", "fine");
		}
		end(&scene);
	}
	begin(&scene);
	scene.request.clean_env = true;
	scene.request.env = &named;
	scene.request.env_count = 1;
	build(&scene, host, NULL);
	HAS("GITHUB_TOKEN", "s");
	LACKS("SLURM_JWT");
	end(&scene);
}

static void odd_patterns_match_what_they_say(void)
{
	static const char *const host[] = {"ABC=1", "C=1", "XBC=1", "B=1", NULL};
	char *drop[] = {(char *)"*BC", (char *)"", NULL};
	char *all[] = {(char *)"*", NULL};
	struct scene scene;

	begin(&scene);
	scene.conf->env_drop = (struct conf_list){drop, 2};
	build(&scene, host, NULL);
	LACKS("ABC");
	LACKS("XBC");
	HAS("C", "1");
	HAS("B", "1");
	scene.conf->env_drop = (struct conf_list){NULL, 0};
	end(&scene);
	begin(&scene);
	scene.conf->env_drop = (struct conf_list){all, 1};
	build(&scene, host, NULL);
	LACKS("ABC");
	LACKS("B");
	scene.conf->env_drop = (struct conf_list){NULL, 0};
	end(&scene);
}

/* An env file with @text; what is wrong with it in err. */
static int read_env_file(struct scene *scene, const char *text)
{
	char name[] = "/tmp/firn-env.XXXXXX";
	struct request_env file = {name, true};
	struct env_sources sources = {.request = &scene->request,
				      .conf = scene->conf,
				      .host = environ,
				      .image_path = "/i",
				      .home = "/h",
				      .plan = scene->plan};
	int fd = mkstemp(name), result;
	struct env_late late;

	err.text[0] = '\0';
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		return -1;
	(void)close(fd);
	scene->request.env = &file;
	scene->request.env_count = 1;
	result = env_build(&sources, &scene->env, &late, &err);
	words_free(late.own);
	(void)unlink(name);
	return result;
}

static void lines_of_env_files_may_be_anything(void)
{
	struct scene scene;

	begin(&scene);
	ok(read_env_file(&scene, "\n# no\n  A=1\nB=\r\nC==\n\n  # D=1\nE=x y \nLAST=end") == 0,
	   "a file is read");
	HAS("A", "1");
	HAS("B", "");
	HAS("C", "=");
	LACKS("D");
	HAS("E", "x y ");
	HAS("LAST", "end");
	end(&scene);
	begin(&scene);
	ok(read_env_file(&scene, "A=1\nno no\n") < 0 && strstr(err.text, "line 2"),
	   "a line that is none");
	ok(read_env_file(&scene, "=1\n") < 0 && strstr(err.text, "line 1"),
	   "a line without a name");
	ok(read_env_file(&scene, "\r") == 0, "a lonely carriage return is nothing");
	end(&scene);
}

int main(void)
{
	the_hosts_settings_do_not_leak();
	a_name_that_is_there_twice_enters_once();
	tens_of_thousands_of_names_take_no_time();
	the_command_line_wins();
	a_clean_environment_keeps_the_job();
	frozen_lets_nothing_in();
	the_site_may_change_the_list();
	a_pmix_client_is_told_what_all_know();
	secrets_stay_outside_of_what_is_contained();
	odd_patterns_match_what_they_say();
	lines_of_env_files_may_be_anything();
	return done_testing();
}
