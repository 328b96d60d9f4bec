/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* Scripts of an image's environment: what is understood has the effect it has in /bin/sh. */
#include "runner/plan/shell_env.h"

#include "tests/unit/tap.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const start[] = {"HOME=/home/u",	  "EMPTY=", "SPACE=a b", "STAR=*",
				    "PATH=/bin:/usr/bin", NULL};

/* What is left in the variables R and S after a script: "R|S", "-" for one that is not exported. */
struct left {
	char r[1024], s[1024];
};

static int look(void *arg, const char *name, const char *value)
{
	struct left *left = arg;

	if (strcmp(name, "R") == 0)
		(void)snprintf(left->r, sizeof(left->r), "%s", value);
	if (strcmp(name, "S") == 0)
		(void)snprintf(left->s, sizeof(left->s), "%s", value);
	return 0;
}

typedef int evaluator(struct shell_env *env, const char *text, size_t size, unsigned *line);

static const char *result_of(evaluator *evaluate, const char *script)
{
	static char out[4096];
	auto_shell_env *env = shell_env_new((char *const *)start);
	struct left left = {"-", "-"};
	unsigned line = 0;

	if (evaluate(env, script, strlen(script), &line) == 0) {
		(void)snprintf(out, sizeof(out), "shell:%u", line);
		return out;
	}
	(void)shell_env_each(env, look, &left);
	(void)snprintf(out, sizeof(out), "%s|%s", left.r, left.s);
	return out;
}

static const char *result(const char *script)
{
	return result_of(shell_env_eval, script);
}

/* The same of a real shell: "dash", or "bash" as POSIX has it. */
static const char *real(const char *shell, const char *script)
{
	static char out[4096], program[8192];
	const char *const argv[] = {shell, "-c", program, NULL};
	const char *const posix[] = {shell, "--posix", "-c", program, NULL};
	bool is_bash = strstr(shell, "bash");
	int pipes[2], status;
	size_t used = 0;
	ssize_t got;
	pid_t pid;

	(void)snprintf(program, sizeof(program),
		       "f() {\n%s\n}\nf\nexec env -i R=\"${R--}\" S=\"${S--}\" "
		       "sh -c 'printf \"%%s|%%s\" \"$R\" \"$S\"'",
		       script);
	if (pipe(pipes) < 0)
		return "";
	pid = fork();
	if (pid == 0) {
		(void)dup2(pipes[1], 1);
		(void)execve(shell, (char *const *)(is_bash ? posix : argv), (char *const *)start);
		_exit(127);
	}
	(void)close(pipes[1]);
	while ((got = read(pipes[0], out + used, sizeof(out) - 1 - used)) > 0)
		used += (size_t)got;
	out[used] = '\0';
	(void)close(pipes[0]);
	(void)waitpid(pid, &status, 0);
	return out;
}

/* Exported alike: all scripts export what they set, so that the shell can be asked by value. */
static const char *const alike[] = {
	"export R=a S=b",
	"export R",
	"R=1; export R; S=2\nexport S",
	"export R=\"x y\" # what it is\n# export R=z",
	"export R='a\"b$HOME'",
	"export R=\"$HOME/bin:${PATH}\"",
	"export R=$HOME/x",
	"export R=${NONE:-one} S=${NONE-two}",
	"export R=${EMPTY:-one} S=${EMPTY-two}",
	"export R=${HOME:+one} S=${NONE:+two}",
	"export R=${EMPTY+one} S=${EMPTY:+two}",
	"export R=\"${NONE:-\"quoted word\"}\"",
	"export R=\"${NONE:-${HOME:-x}/y}\"",
	"export R=\"${NONE:=set}\" S=$NONE",
	"export R=a\\ b S=c\\\nd",
	"export R=\"a\\$b\\\"c\\\\d\\e\"",
	"export R=a'b'\"c\"d",
	"export R='line one\nline two'",
	"export R=\"a\nb\"",
	"R=1 S=$R\nexport R S",
	"unset HOME; export R=\"${HOME-none}\"",
	"export R=1; unset R; export R=2; unset S; S=3; export S",
	"R=1; unset R; export R; export S=${R-none}",
	"if [ -z \"$NONE\" ]; then export R=yes; else export R=no; fi",
	"if [ -n \"$NONE\" ]; then\n export R=yes\nelse\n export R=no\nfi",
	"if test -n \"${NONE:-}\"; then\n export R=$(date)\n if [ -d /x ]; then :; fi\nfi; export "
	"S=end",
	"if [ \"$HOME\" = /home/u ]; then export R=1; elif [ -z \"$R\" ]; then export R=2; fi",
	"if [ \"$HOME\" != /home/u ]; then export R=1; elif [ -z \"$R\" ]; then export R=2; fi",
	"if [ -n \"$NONE\" ]; then for x in a b; do if [ $x ]; then R=$x; fi; done; else export "
	"R=ok; fi",
	"if [ -n \"$NONE\" ]; then\n while true; do break; done >/dev/null 2>&1\nfi\nexport R=on",
	"if [ -n \"$NONE\" ]; then\n g() {\n echo; }\n g | cat\nfi\nexport R=on",
	"if ! [ -n \"$NONE\" ]; then export R=not; fi",
	"[ -z \"$NONE\" ] && export R=1 || export R=2",
	"[ -n \"$NONE\" ] && export R=1 || export R=2",
	"[ -n \"$NONE\" ] || export R=1 && export S=2",
	"[ $NONE ] || export R=empty",
	"[ ! -z \"$HOME\" ] && export R=bang",
	"export R=1; return; export R=2",
	"if true; then export R=1; return; fi; export R=2",
	": ${R:=a}; export R",
	"true; export R=\"$SPACE\" S=\"$STAR\"",
	"export R=\"a;b&c|d<e>f(g)h\" S='#no comment'",
	"export R=a#b S=#",
	"export R=$ S=\"$\"",
	"export R=\"~\" S=a~b",
	"export R=${NONE:-'a b'} S=${NONE-\\ x}",
	"export R=\"${NONE:-'a b'}\" S=${NONE-\"q'r\"}",
	"export R=${HOME+'$HOME'} S=${NONE-${NONE-'\\'}}",
	"export R=${NONE:='a'}$NONE S=${EMPTY:-\\$x\\}y}",
	"if [ -z ${NONE-} ]; then export R=none; fi",
	"if if :; then [ a = b ]; fi; then export R=1; else export R=2; fi",
	"if true; then :; fi && export R=1 || export R=2",
	"if [ a = b ]; then :; fi || export R=1; export S=2",
	"if ! if [ a = b ]; then :; fi; then export R=1; else export R=2; fi",
	"if [ a = b ]; then :; else [ c = d ]; fi || export R=1",
	"export R=a:b=c",
	"PS1=x; export R=$PS1",
	"  export   R=1  ;  export\tS=2 ;",
};

static const char *const beyond[] = {
	"export R=$(date)",
	"export R=`date`",
	"echo hello",
	". /etc/profile",
	"R=1 cmd",
	"for i in 1 2; do R=$i; done",
	"case $HOME in *) R=1;; esac",
	"f() { R=1; }",
	"export R=~/x",
	"R=a:~/b",
	"export R=1 >/dev/null",
	"export R=1 | cat",
	"[ -d /tmp ] && export R=1",
	"[ $SPACE ]",
	"[ $STAR = x ]",
	"export R=$?",
	"export R=$1",
	"export R=\"$@\"",
	"R=${HOME#/}",
	"R=${#HOME}",
	"export R=\"open",
	"export R='open",
	"if [ -z \"$NONE\" ]; then R=1",
	"fi",
	"then",
	"if [ -z \"$N\" ]; then cat <<E\nE\nfi",
	"exit 3",
	"export 1R=2",
	"export -n R",
	"R+=1",
	"readonly R=1",
	"set -e",
	"eval R=1",
	"export R=${NONE:?no}",
	"export {R,S}=1",
	"R=$((1+1))",
	"if [ -n \"$NONE\" ]; then case x in x) ;; esac; fi",
	"export R=1 & export S=2",
	"( export R=1 )",
	"export R=/tmp/job-$UID",
	"[ -n \"$BASH_VERSION\" ] && export R=1",
	"export R=$PWD",
	"export R=${PPID:-1}",
	"IFS=:",
	"export R=$OPTIND",
	"export R=${HOSTNAME-x}",
	"UID=3",
	"export R=$PS1",
	"export R=\"${RANDOM}\"",
	"export R=1;; export S=2",
	"; export R=1",
	"export R=$'a'",
	"export R=$\"a\"",
	"{ export R=1; }",
	"[ -n ${NONE-\"\"} ]",
	"export R=${NONE-~/x}",
	"export R=$HO\\\nME",
	"export R=$\\\n{HOME}",
	"if [ -n \"$NONE\" ]; then i\\\nf true; then :; fi; fi",
	};

/* A script's name in the report. */
static const char *title(const char *script)
{
	static char text[1024];

	(void)snprintf(text, sizeof(text), "%.900s", script);
	for (char *c = text; (c = strpbrk(c, "\n#"));)
		*c = ' ';
	return text;
}

static void as_in(const char *shell)
{
	if (access(shell, X_OK) < 0)
		return;
	for (size_t i = 0; i < COUNT_OF(alike); i++) {
		const char *wanted = real(shell, alike[i]);

		if (strcmp(result(alike[i]), wanted) != 0)
			printf("# firn has '%s', %s '%s'\n", result(alike[i]), shell, wanted);
		ok(strcmp(result(alike[i]), wanted) == 0, "as %s: %s", shell, title(alike[i]));
	}
}

int main(void)
{
	static const char said[] =
		"export PWD='/x'\nexport R=$'a\\nb\\x41\\''\nexport OLDPWD\nexport S=\"\\$x\"\n";

	as_in("/bin/sh");
	as_in("/bin/dash");
	as_in("/bin/bash");
	for (size_t i = 0; i < COUNT_OF(beyond); i++)
		ok(strncmp(result(beyond[i]), "shell:", 6) == 0, "a shell's: %s", title(beyond[i]));
	ok(strcmp(result("export R=1\n\necho\n"), "shell:3") == 0, "the line is told");
	is_str(result_of(shell_env_hear, said), "a\nbA'|$x", "a shell says its own variables");
	is_str(result(said), "shell:1", "... which a script's assignments are not");
	return done_testing();
}
