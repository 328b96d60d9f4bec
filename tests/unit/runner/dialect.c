/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/dialect/dialect.h"

#include "runner/ask/request.h"
#include "runner/dialect/private.h"
#include "tests/unit/tap.h"

#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 24 };

/* What `apptainer exec --help` of 1.4 lists, hidden ones and those of older versions included: a
 * '=' behind a name has a value. */
static const char *const actions[] = {
	"add-caps=", "allow-setuid", "app=", "apply-cgroups=", "authfile=", "bind=",
	"blkio-weight=", "blkio-weight-device=", "cleanenv", "compat", "contain", "containall",
	"containlibs=", "cpu-shares=", "cpus=", "cpuset-cpus=", "cpuset-mems=", "cwd=",
	"disable-cache", "dmtcp-launch=", "dmtcp-restart=", "dns=", "docker-host=",
	"docker-login", "docker-password=", "docker-username=", "drop-caps=", "env=", "env-file=",
	"fakeroot", "fusemount=", "home=", "hostname=", "ignore-fakeroot-command",
	"ignore-subuid", "ignore-userns", "ipc", "keep-privs", "memory=", "memory-reservation=",
	"memory-swap=", "mount=", "net", "netns-path=", "network=", "network-args=", "no-eval",
	"no-home", "no-https", "no-init", "no-mount=", "no-nv", "no-privs", "no-rocm", "no-umask",
	"nohttps", "nv", "nvccli", "oom-kill-disable", "overlay=", "passphrase", "pem-path=",
	"pid", "pids-limit=", "pwd=", "rocm", "scratch=", "security=", "sharens", "tmpdir=",
	"underlay", "unsquash", "userns", "uts", "vm", "vm-cpu=", "vm-err", "vm-ip=", "vm-ram=",
	"workdir=", "writable", "writable-tmpfs",
};
static const char *const pulls[] = {
	"allow-unauthenticated", "allow-unsigned", "arch=", "arch-variant=", "authfile=", "dir=",
	"disable-cache", "docker-host=", "docker-login", "docker-password=", "docker-username=",
	"force", "library=", "name=", "no-cleanup", "no-https", "nohttps", "sandbox", "tmpdir=",
};
static const char *const builds[] = {
	"arch=", "arch-variant=", "authfile=", "bind=", "build-arg=", "build-arg-file=",
	"disable-cache", "docker-host=", "docker-login", "docker-password=", "docker-username=",
	"encrypt", "fakeroot", "fix-perms", "force", "ignore-fakeroot-command", "ignore-subuid",
	"ignore-userns", "json", "library=", "mksquashfs-args=", "mount=", "no-cleanup",
	"no-https", "nohttps", "notest", "nv", "nvccli", "passphrase", "pem-path=", "remote",
	"rocm", "sandbox", "section=", "tmpdir=", "update", "userns", "warn-unused-build-args",
	"writable-tmpfs",
};
static const char *const inspects[] = {
	"all", "app=", "deffile", "environment", "helpfile", "json", "labels", "list-apps",
	"runscript", "startscript", "test",
};
static const char *const verifies[] = {
	"all", "certificate=", "certificate-intermediates=", "certificate-roots=", "group-id=",
	"groupid=", "id=", "json", "key=", "legacy-insecure", "local", "ocsp-verify", "sif-id=",
	"url=",
};
static const char *const caches[] = {
	"all", "days=", "dry-run", "force", "type=", "verbose",
};

static const struct cli_option *find(enum dialect_verb verb, const char *name, size_t len)
{
	const struct cli *cli = dialect_cli(verb);

	for (size_t i = 0; i < cli->count; i++)
		if (cli->option[i].verbs & cli->bit && strlen(cli->option[i].name) == len &&
		    strncmp(cli->option[i].name, name, len) == 0)
			return &cli->option[i];
	return NULL;
}

static void knows(enum dialect_verb verb, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t len = strcspn(names[i], "=");
		const struct cli_option *row = find(verb, names[i], len);

		ok(row && !row->value == !names[i][len], "%s --%s", dialect_cli(verb)->verb,
		   names[i]);
	}
}

static void every_word_is_known(void)
{
	for (enum dialect_verb verb = DIALECT_EXEC; verb <= DIALECT_TEST; verb++)
		knows(verb, actions, COUNT_OF(actions));
	ok(find(DIALECT_SHELL, "shell", 5) && find(DIALECT_SHELL, "syos", 4), "shell's own");
	knows(DIALECT_PULL, pulls, COUNT_OF(pulls));
	knows(DIALECT_BUILD, builds, COUNT_OF(builds));
	knows(DIALECT_INSPECT, inspects, COUNT_OF(inspects));
	knows(DIALECT_VERIFY, verifies, COUNT_OF(verifies));
	knows(DIALECT_CACHE, caches, COUNT_OF(caches));
}

/* A table is read from its beginning: what comes twice is never reached. */
static void no_word_or_letter_is_there_twice(void)
{
	for (enum dialect_verb verb = DIALECT_EXEC; verb < DIALECT_VERBS; verb++) {
		const struct cli *cli = dialect_cli(verb);
		const struct cli_option *twice = NULL;

		for (size_t i = 0; i < cli->count; i++)
			for (size_t j = 0; j < i; j++)
				if (cli->option[i].verbs & cli->option[j].verbs & cli->bit &&
				    (strcmp(cli->option[i].name, cli->option[j].name) == 0 ||
				     (cli->option[i].letter &&
				      cli->option[i].letter == cli->option[j].letter)))
					twice = &cli->option[i];
		is_str(twice ? twice->name : "none", "none", cli->verb);
	}
}

static void what_becomes_of_a_word_is_in_its_help(void)
{
	for (enum dialect_verb verb = DIALECT_EXEC; verb < DIALECT_VERBS; verb++) {
		const struct cli *cli = dialect_cli(verb);
		const char *wrong = "none";

		for (size_t i = 0; i < cli->count; i++) {
			const struct cli_option *row = &cli->option[i];

			if ((strncmp(row->help, "not offered: ", 13) == 0) !=
				    (row->take == dialect_refuse) ||
			    (strncmp(row->help, "no effect: ", 11) == 0) !=
				    (row->take == dialect_no_effect))
				wrong = row->name;
		}
		is_str(wrong, "none", cli->verb);
	}
}

static struct err err;

/* @line of words that stand apart by blanks, in an environment of such; joined again, or what is
 * wrong behind a '!'. */
static const char *say_in(const char *environment, const char *line)
{
	static char out[1024];
	char text[512], around[512], *argv[WORDS_MAX + 1], *env[WORDS_MAX + 1];
	auto_dialect dialect = {0};
	int argc = 0, envc = 0;

	(void)snprintf(text, sizeof(text), "%s", line);
	(void)snprintf(around, sizeof(around), "%s", environment);
	for (char *word = strtok(text, " "); word && argc < WORDS_MAX; word = strtok(NULL, " "))
		argv[argc++] = word;
	for (char *word = strtok(around, " "); word && envc < WORDS_MAX; word = strtok(NULL, " "))
		env[envc++] = word;
	argv[argc] = env[envc] = NULL;
	out[0] = '\0';
	if (dialect_read(argv, env, &dialect, &err) < 0) {
		(void)snprintf(out, sizeof(out), "!%s", err.text);
		return out;
	}
	for (size_t i = 1; i < dialect.words.count; i++)
		(void)snprintf(out + strlen(out), sizeof(out) - strlen(out), "%s%s",
			       i > 1 ? " " : "", dialect.words.item[i]);
	for (size_t i = 0; i < dialect.folders.count; i++)
		(void)snprintf(out + strlen(out), sizeof(out) - strlen(out), " +%s",
			       dialect.folders.item[i]);
	for (size_t i = 0; i < dialect.set.count; i++)
		(void)snprintf(out + strlen(out), sizeof(out) - strlen(out), " %s",
			       dialect.set.item[i]);
	return out;
}

static const char *say(const char *line)
{
	return say_in("", line);
}

struct spoken {
	const char *env, *theirs, *firns;
};

// clang-format off
static const struct spoken lines[] = {
	{"", "apptainer exec i.sif cmd -e", "exec -- i.sif cmd -e"},
	{"", "/usr/bin/singularity -q exec i.sif a", "exec --quiet -- i.sif a"},
	{"", "apptainer -d run i.sif", "run --verbose --verbose -- i.sif"},
	{"", "singularity --quiet --silent exec --home /w i.sif sh",
	 "exec --home /w --quiet -- i.sif sh"},
	{"", "apptainer exec -e -c i a", "exec --clean-env --contain -- i a"},
	{"", "apptainer exec -ec i a", "exec --clean-env --contain -- i a"},
	{"", "apptainer exec --contain=true --no-home=false i a", "exec --contain -- i a"},
	{"APPTAINER_CONTAIN=1", "apptainer exec --contain=false i a", "exec -- i a"},
	{"", "apptainer exec --contain=maybe i a", "!option '--contain' takes no value"},
	{"APPTAINER_DOCKER_USERNAME=me", "apptainer exec i a", "exec -- i a"},
	{"APPTAINER_MOUNT=type=tmpfs,dst=/a\ntype=tmpfs,dst=/b", "apptainer exec i a",
	 "exec --mount type=tmpfs,dst=/a --mount type=tmpfs,dst=/b -- i a"},
	{"APPTAINER_DOCKER_USERNAME=me", "apptainer pull docker://x",
	 "!'APPTAINER_DOCKER_USERNAME' means option '--docker-username', which is not offered: log "
	 "in with docker, podman or skopeo, whose credentials are read"},
	{"", "apptainer exec -C i a", "exec --contain --clean-env -- i a"},
	{"", "apptainer exec -B /a,/b:/c:ro,/d i a",
	 "exec --bind /a --bind /b:/c:ro --bind /d -- i a"},
	{"", "apptainer exec -B /a:/b:ro,image-src=/x,/c i a",
	 "exec --bind /a:/b:ro,image-src=/x --bind /c -- i a"},
	{"", "apptainer exec -B /a\\,b:/c i a", "exec --bind /a\\,b:/c -- i a"},
	{"", "apptainer exec --bind=/a:/b,ro i a", "exec --bind /a:/b --bind ro -- i a"},
	{"", "apptainer exec --mount type=bind,source=/a,destination=/b i a",
	 "exec --mount type=bind,source=/a,destination=/b -- i a"},
	{"", "apptainer exec --env A=1,B=2 i a", "exec --env A=1 --env B=2 -- i a"},
	{"", "apptainer exec --env A=x,y i a", "exec --env A=x,y -- i a"},
	{"", "apptainer exec --env A=\"x,y\",B=2 i a", "exec --env A=x,y --env B=2 -- i a"},
	{"", "apptainer exec --env A i a", "!'A' is not of the form NAME=VALUE"},
	{"", "apptainer exec --env A=1,B,C=2 i a", "!'B' is not of the form NAME=VALUE"},
	{"", "apptainer exec --env A=1 --env-file f i a", "exec --env-file f --env A=1 -- i a"},
	{"", "apptainer exec --pwd /x --cwd /y i a", "exec --cwd /x --cwd /y -- i a"},
	{"", "apptainer exec -S /a,/b i a", "exec --tmpfs /a --tmpfs /b -- i a"},
	{"", "apptainer exec -S /a/b -W /w i a",
	 "exec --bind /w/scratch/b:/a/b -- i a +/w/scratch +/w/scratch/b"},
	{"", "apptainer exec -c -W /w i a",
	 "exec --contain --bind /w/tmp:/tmp --bind /w/var_tmp:/var/tmp -- i a +/w/tmp +/w/var_tmp"},
	{"", "apptainer exec -W /w i a", "exec -- i a"},
	{"", "apptainer exec --overlay d i a", "exec --overlay d -- i a"},
	{"", "apptainer exec -o d -o e i a", "!a second --overlay is not offered: 'e' beside 'd'"},
	{"", "apptainer exec --no-mount home,hostfs i a", "exec --no-home -- i a"},
	{"", "apptainer exec --no-mount proc i a",
	 "!--no-mount 'proc' is not offered: home can be left out"},
	{"", "apptainer shell -s /bin/zsh i -c x", "shell --shell /bin/zsh -- i -c x"},
	{"", "apptainer shell i", "shell -- i"},
	{"", "apptainer test i a", "exec -- i /.singularity.d/test a"},
	{"", "apptainer exec -f --writable-tmpfs i a", "exec --root --writable-tmpfs -- i a"},
	{"", "apptainer exec --no-eval --userns --pid --ipc i a", "exec -- i a"},
	{"", "apptainer exec --add-caps CAP_X i a",
	 "!option '--add-caps' is not offered: no program "
	 "in a container has capabilities of the host's"},
	{"", "apptainer exec", "!no image named; see 'apptainer exec --help'"},
	{"", "apptainer exec --nosuch i",
	 "!unknown option '--nosuch'; see 'apptainer exec --help'"},
	{"", "apptainer exec instance://a b",
	 "!'instance://a' is not offered: instances are not in this version"},
	{"", "apptainer -x", "!unknown option '-x'; see 'apptainer --help'"},
	{"", "apptainer", "!no verb given; see 'apptainer --help'"},
	{"", "apptainer sign x", "!'sign' is not offered: images have no signatures by keys"},
	{"", "apptainer exce x", "!unknown verb 'exce'; did you mean 'exec'?"},

	{"APPTAINER_BIND=/a,/b", "apptainer exec -B /c i a",
	 "exec --bind /c --bind /a --bind /b -- i a"},
	{"SINGULARITY_BIND=/a SINGULARITY_BINDPATH=/b", "apptainer exec i a",
	 "exec --bind /a --bind /b -- i a"},
	{"APPTAINER_BIND=/a SINGULARITY_BIND=/b", "apptainer exec i a", "exec --bind /a -- i a"},
	{"APPTAINER_CONTAIN=1 APPTAINER_CLEANENV=false", "apptainer exec i a",
	 "exec --contain -- i a"},
	{"APPTAINER_CONTAIN=yes", "apptainer exec i a",
	 "!'APPTAINER_CONTAIN' is 'yes', neither true nor false"},
	{"APPTAINER_CONTAIN=", "apptainer exec i a", "exec -- i a"},
	{"APPTAINER_PWD=/x", "apptainer exec --pwd /y i a", "exec --cwd /y -- i a"},
	{"APPTAINER_QUIET=1", "apptainer exec i a", "exec --quiet -- i a"},
	{"APPTAINER_SHELL=/bin/zsh", "apptainer exec i a", "exec -- i a"},
	{"APPTAINER_NV=1", "apptainer inspect i", "inspect --labels -- i"},
	{"APPTAINERENV_A=1 SINGULARITYENV_A=2 SINGULARITYENV_B=3", "apptainer exec --env A=4 i a",
	 "exec --env A=2 --env B=3 --env A=1 --env A=4 -- i a"},
	{"APPTAINERENV_PREPEND_PATH=/x SINGULARITYENV_APPEND_PATH=/y", "apptainer exec i a",
	 "exec --append-path /y --prepend-path /x -- i a"},
	{"APPTAINERENV_A=1", "apptainer pull docker://x", "pull -- docker://x x_latest.sif"},

	{"", "apptainer pull docker://h:5/g/n:1.2", "pull -- docker://h:5/g/n:1.2 n_1.2.sif"},
	{"", "apptainer pull docker://h/n@sha256:ab",
	 "pull -- docker://h/n@sha256:ab n_sha256.ab.sif"},
	{"", "apptainer pull -F a.sif docker://n", "pull --force -- docker://n a.sif"},
	{"", "apptainer pull --name a.simg docker://n", "pull -- docker://n a.simg"},
	{"", "apptainer pull --dir d docker://n", "pull -- docker://n d/n_latest.sif"},
	{"", "apptainer pull --arch arm --arch-variant v7 docker://n",
	 "pull --platform linux/arm/v7 -- docker://n n_latest.sif"},
	{"", "apptainer pull a.sif oci-archive:x.tar", "build -- a.sif oci-archive:x.tar"},
	{"", "singularity build a.sif docker-archive://x.tar",
	 "build -- a.sif docker-archive:x.tar"},
	{"", "singularity build a.sif docker-archive:///x.tar",
	 "build -- a.sif docker-archive:/x.tar"},
	{"", "singularity build a.sif docker://x", "build -- a.sif docker://x"},
	{"", "apptainer pull docker://n --force", "pull --force -- docker://n n_latest.sif"},
	{"APPTAINER_CACHEDIR=/c APPTAINER_TMPDIR=/t", "apptainer pull docker://n",
	 "pull -- docker://n n_latest.sif TMPDIR=/t FIRN_CACHE=/c/firn"},
	{"APPTAINER_CACHEDIR=/c FIRN_CACHE=/d", "apptainer pull docker://n",
	 "pull -- docker://n n_latest.sif"},
	{"", "apptainer build --fakeroot a.sif docker://n", "build -- a.sif docker://n"},
	{"", "apptainer build --sandbox d docker://n",
	 "!option '--sandbox' is not offered: an image is "
	 "one file that stays as it is; --overlay keeps changes"},
	{"", "apptainer inspect i", "inspect --labels -- i"},
	{"", "apptainer inspect -r -H i", "inspect --runscript --helpfile -- i"},
	{"", "apptainer inspect --all i", "inspect --json -- i"},
	{"", "apptainer run-help i", "inspect --helpfile -- i"},
	{"", "apptainer cache list", "cache -- list"},
	{"", "apptainer cache clean -f", "cache --keep 0 -- gc"},
	{"", "apptainer cache clean -n", "cache -- list"},
	{"", "apptainer verify -l i", "verify -- i"},
};
// clang-format on

static void lines_become_firns(void)
{
	for (size_t i = 0; i < COUNT_OF(lines); i++)
		is_str(say_in(lines[i].env, lines[i].theirs), lines[i].firns, lines[i].theirs);
	is_str(say("apptainer cache"), "!cache needs more words; see 'apptainer cache --help'",
	       "a verb alone");
}

/* Whatever the dialect says, firn's own reader takes: both are tables that can change. */
static void firn_takes_what_is_said(void)
{
	auto_dialect dialect = {0};
	auto_request *request = NULL;
	char line[] = "apptainer exec -c -e -B /a,/b:/c:ro --mount type=bind,src=/d,dst=/e -H /h "
		      "-S /s --cwd /w --env A=1,PREPEND_PATH=/p -f --writable-tmpfs i a";
	char *argv[WORDS_MAX + 1], *env[] = {NULL};
	int argc = 0;

	for (char *word = strtok(line, " "); word && argc < WORDS_MAX; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	if (dialect_read(argv, env, &dialect, &err) == 0)
		(void)request_read(REQUEST_EXEC, (int)dialect.words.count - 2,
				   dialect.words.item + 2, &request, &err);
	ok(request && request->contain && request->clean_env && request->root &&
		   request->writable_tmpfs && request->mount_count == 4 && request->env_count == 1,
	   "flags, mounts and variables");
	is_str(request ? request->path_first : err.text, "/p", "PATH's beginning");
	is_str(request ? request->image : NULL, "i", "the image");
}

int main(void)
{
	every_word_is_known();
	no_word_or_letter_is_there_twice();
	what_becomes_of_a_word_is_in_its_help();
	lines_become_firns();
	firn_takes_what_is_said();
	return done_testing();
}
