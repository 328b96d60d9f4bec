/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/doctor/doctor.h"

#include "lib/err.h"
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
	{"squashfuse", doctor_squashfuse, false},
	{"processes", doctor_proc, false},
	{"ptrace", doctor_yama, false},
	{"terminal", doctor_terminal, false},
	{"locked memory", doctor_memlock, false},
	{"slurm", doctor_slurm, false},
	{"mpi", doctor_mpi, false},
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

static void tell(const char *name, const struct finding *finding)
{
	static const char *const kinds[] = {
		[FINDING_OK] = "ok", [FINDING_WARNING] = "warning", [FINDING_MISSING] = "missing",
	};

	printf("%-8s %s: %s\n", kinds[finding->kind], name, finding->text);
	if (finding->remedy[0])
		printf("         %s: %s\n", finding->kind == FINDING_OK ? "if wanted" : "remedy",
		       finding->remedy);
}

/* Returns how many things are missing that exec needs. */
static int check_all(bool quiet)
{
	int missing = 0;

	for (size_t i = 0; i < COUNT_OF(checks); i++) {
		struct finding finding = {.kind = FINDING_OK};

		checks[i].find(&finding);
		if (finding.kind == FINDING_MISSING && !checks[i].required)
			finding.kind = FINDING_WARNING;
		if (finding.kind == FINDING_MISSING)
			missing++;
		if (!quiet || finding.kind != FINDING_OK)
			tell(checks[i].name, &finding);
		(void)fflush(stdout); /* before a check forks */
	}
	return missing;
}

static int help(void)
{
	(void)fputs("usage: firn doctor [--quiet]\n"
		    "Show what this machine allows, and the remedy for what it does not.\n\n"
		    "  -q, --quiet    problems only\n"
		    "  -h, --help     this help\n\n"
		    "Exit status: 0 if 'firn exec' can work here, else 1.\n",
		    stdout);
	return 0;
}

int doctor_main(int argc, char **argv)
{
	bool quiet = false;
	struct err err;
	int missing;

	(void)argc; /* argv ends with NULL */
	for (; *argv; argv++) {
		if (strcmp(*argv, "--help") == 0 || strcmp(*argv, "-h") == 0)
			return help();
		if (strcmp(*argv, "--quiet") != 0 && strcmp(*argv, "-q") != 0) {
			(void)err_set(&err, "unknown option '%s'", *argv);
			log_error("%s; see 'firn doctor --help'", err.text);
			return EXIT_FIRN_FAILED;
		}
		quiet = true;
	}
	missing = check_all(quiet);
	if (missing > 0)
		printf("firn exec cannot work here: %d thing%s missing\n", missing,
		       missing > 1 ? "s are" : " is");
	else if (!quiet)
		printf("firn exec can work here\n");
	return missing > 0 ? 1 : 0;
}
