/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/doctor/doctor.h"

#include "lib/cli/options.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/own.h"

#include <stdarg.h>
#include <string.h>

// clang-format off
static const struct check {
	const char *name;
	doctor_check *find;
	bool required; /* exec cannot work without it */
} checks[] = {
	{"kernel", doctor_kernel, true},
	{"root directory", doctor_root, true},
	{"namespace limits", doctor_limits, true},
	{"user namespaces", doctor_namespaces, true},
	{"system calls", doctor_calls, false},
	{"fuse", doctor_fuse, true},
	{"cage", doctor_cage, false},
	{"overlay", doctor_overlay, false},
	{"configuration", doctor_conf, true},
	{"binds", doctor_binds, false},
	{"cache", doctor_cache, false},
	{"store", doctor_store, false},
	{"registries", doctor_registries, false},
	{"squashfuse", doctor_squashfuse, true}, /* where firn.conf says engine = squashfuse */
	{"processes", doctor_proc, false},
	{"ptrace", doctor_yama, false},
	{"terminal", doctor_terminal, false},
	{"locked memory", doctor_memlock, false},
	{"slurm", doctor_slurm, false},
	{"mpi", doctor_mpi, false},
	{"mpi profiles", doctor_profiles, false},
	{"run-singularity", doctor_run_singularity, false},
	{"binfmt", doctor_binfmt, false},
};
// clang-format on

void finding_set(struct finding *finding, enum finding_kind kind, const char *format, ...)
{
	va_list args;

	finding->kind = kind;
	va_start(args, format);
	(void)vsnprintf(finding->text, sizeof(finding->text), format, args);
	va_end(args);
}

void finding_remedy(struct finding *finding, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(finding->remedy, sizeof(finding->remedy), format, args);
	va_end(args);
}

// clang-format off
static const char *const kinds[] = {
	[FINDING_OK] = "ok", [FINDING_WARNING] = "warning", [FINDING_MISSING] = "missing",
};
// clang-format on

static void tell(const char *name, const struct finding *finding)
{
	printf("%-8s %s: %s\n", kinds[finding->kind], name, finding->text);
	if (finding->remedy[0])
		printf("         %s: %s\n", finding->kind == FINDING_OK ? "if wanted" : "remedy",
		       finding->remedy);
}

/* One of the "items" of doc/json.md. */
static void tell_json(const char *name, const struct finding *finding, bool first)
{
	printf("%s\n    {\"name\": ", first ? "" : ",");
	json_write_string(stdout, name);
	printf(", \"state\": \"%s\", \"text\": ", kinds[finding->kind]);
	json_write_string(stdout, finding->text);
	printf(", \"remedy\": ");
	if (finding->remedy[0])
		json_write_string(stdout, finding->remedy);
	else
		printf("null");
	printf("}");
}

/* Fill @finding, one for each check. Returns how many things are missing that exec needs. */
static int check_all(struct finding finding[], bool tell_at_once, bool quiet)
{
	int missing = 0;

	for (size_t i = 0; i < COUNT_OF(checks); i++) {
		finding[i] = (struct finding){.kind = FINDING_OK};
		checks[i].find(&finding[i]);
		if (finding[i].kind == FINDING_MISSING && !checks[i].required)
			finding[i].kind = FINDING_WARNING;
		missing += finding[i].kind == FINDING_MISSING;
		if (tell_at_once && (!quiet || finding[i].kind != FINDING_OK))
			tell(checks[i].name, &finding[i]);
		(void)fflush(stdout); /* before a check forks */
	}
	return missing;
}

static void print_json(const struct finding finding[], int missing, bool quiet)
{
	bool first = true;

	printf("{\n  \"status\": \"%s\",\n  \"items\": [", missing > 0 ? "missing" : "ok");
	for (size_t i = 0; i < COUNT_OF(checks); i++) {
		if (quiet && finding[i].kind == FINDING_OK)
			continue;
		tell_json(checks[i].name, &finding[i], first);
		first = false;
	}
	printf("%s]\n}\n", first ? "" : "\n  ");
}

struct doctor_asked {
	bool quiet, json;
};

static const struct cli_option options[] = {
	{"quiet", 'q', NULL, 1, CLI_FLAG(struct doctor_asked, quiet), "problems only"},
	{"json", 0, NULL, 1, CLI_FLAG(struct doctor_asked, json), "as one JSON object"},
	{"help", 'h', NULL, 1, NULL, 0, "this help"},
};

static const struct cli verb = {
	.verb = "doctor",
	.usage = "[OPTION...]",
	.about = "Show what this machine allows, and the remedy for what it does not.",
	.example = {"firn doctor", "firn doctor --quiet",
		    "srun --ntasks-per-node=1 firn doctor --quiet"},
	.option = options,
	.count = COUNT_OF(options),
	.bit = 1,
};

static int help(void)
{
	cli_help(&verb, stdout);
	(void)fputs(
		"\nExit status: 0 if 'firn exec' can work here, 1 if something that it needs is\n"
		"missing, 125 for an error of firn's own.\n",
		stdout);
	return EXIT_SUCCESS;
}

/* Returns the exit status. */
static int look(const struct doctor_asked *asked)
{
	struct finding finding[COUNT_OF(checks)];
	int missing = check_all(finding, !asked->json, asked->quiet);

	if (asked->json)
		print_json(finding, missing, asked->quiet);
	else if (missing > 0)
		printf("firn exec cannot work here: %d thing%s missing\n", missing,
		       missing > 1 ? "s are" : " is");
	else if (!asked->quiet)
		printf("firn exec can work here\n");
	return missing > 0 ? 1 : 0;
}

int doctor_main(int argc, char **argv)
{
	struct doctor_asked asked = {0};
	struct err err;
	int result = cli_read(&verb, argv, &asked, &argv, &err);

	(void)argc; /* argv ends with NULL */
	if (result == CLI_HELP)
		return help();
	if (result == 0 && *argv)
		result = err_set(&err,
				 "doctor takes options alone, not '%s'; see 'firn doctor --help'",
				 *argv);
	if (result < 0) {
		log_error("%s", err.text);
		return EXIT_FIRN_FAILED;
	}
	return look(&asked);
}
