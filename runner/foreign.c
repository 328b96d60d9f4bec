/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/foreign.h"

#include "lib/cli/advice.h"
#include "lib/own.h"

#include <ctype.h>
#include <string.h>

#define USE_BIND "-B SRC:DST shows a directory or file of the host"
#define USE_ROOT "--root appears as root (one user is mapped)"
#define USE_CONTAIN "--contain gives a private /tmp, home and /dev"
#define USE_CWD "--cwd DIR says where to start"
#define USE_WRITABLE "--overlay DIR keeps writes, --writable-tmpfs forgets them"
#define USE_PULL FOREIGN_USE_PULL
#define USE_CONTAINALL "write --contain --clean-env, or stricter --frozen"
#define HOST_NETWORK "the host's network is that of the container: leave it out"
#define USE_SESSION                                                                                \
	"'firn exec --session NAME IMAGE COMMAND &' is a container that others enter by its name"
#define USE_LOGIN "log in with docker, podman or skopeo; firn pull reads their credentials"
#define NOT_YET "that is not in this version"
#define SHOWS_ALL "--json shows all that an image says of itself"
#define USE_IMAGES "an image is a file; firn images tends those of registries' names"
#define FILES "an image is a file: ls, cp and rm do it"

// clang-format off
static const struct advice verbs[] = {
	{"apps", "firn inspect shows what an image says of itself"},
	{"attach", USE_SESSION},
	{"completion", "the completion is installed with firn"},
	{"config", "firn.conf(5) is the configuration"},
	{"convert", "firn build OUT SOURCE reads any image"},
	{"cp", "'firn exec IMAGE cp FILE DIR' copies out of an image"},
	{"create", "an image file is run as it is: firn exec, firn run"},
	{"export", FILES},
	{"import", "firn build OUT SOURCE reads any image"},
	{"info", "firn doctor tells of this machine, firn inspect of an image"},
	{"instance", USE_SESSION},
	{"key", NOT_YET},
	{"kill", "a container ends with its processes: kill(1)"},
	{"list", USE_IMAGES},
	{"load", "firn build OUT docker-archive:FILE"},
	{"login", USE_LOGIN},
	{"logs", "output goes to the caller's own streams"},
	{"overlay", "an overlay is a directory: firn exec --overlay DIR"},
	{"ps", "containers are the caller's own processes: ps(1)"},
	{"push", NOT_YET},
	{"registry", USE_LOGIN},
	{"remote", USE_LOGIN},
	{"remove", FILES},
	{"rm", FILES},
	{"rmi", USE_IMAGES},
	{"run-help", "firn inspect --helpfile IMAGE shows it"},
	{"save", FILES},
	{"search", "registries' own pages search"},
	{"sif", "firn inspect shows what a SIF file holds"},
	{"sign", NOT_YET},
	{"start", "firn run IMAGE runs what the image says"},
	{"stop", "a container ends with its processes: kill(1)"},
	{"test", NOT_YET},
};

static const struct advice options[] = {
	/* Apptainer */
	{"W", USE_CONTAIN},
	{"workdir", "as a place to start: " USE_CWD "; for scratch files: --tmpfs DIR"},
	{"H", "--home SRC[:DST] is another home"},
	{"S", "--tmpfs DIR is an empty directory in memory"},
	{"scratch", "--tmpfs DIR is an empty directory in memory"},
	{"C", USE_CONTAINALL},
	{"containall", USE_CONTAINALL},
	{"compat", USE_CONTAINALL},
	{"cleanenv", "--clean-env (-c) passes none of the host's variables"},
	{"pwd", USE_CWD}, {"cd", USE_CWD},
	{"f", USE_ROOT}, {"fakeroot", USE_ROOT},
	{"w", USE_WRITABLE "; " USE_CWD},
	{"writable", USE_WRITABLE},
	{"rw", USE_WRITABLE},
	{"write-fake", USE_WRITABLE},
	{"write", USE_WRITABLE},
	{"read-only", "an image always is, unless --overlay or --writable-tmpfs is given"},
	{"no-mount", "--contain and --no-home leave the host's directories out"},
	{"no-init", "there is no init process"},
	{"no-umask", "the caller's is kept"},
	{"no-eval", "nothing is evaluated but the image's environment scripts"},
	{"p", "the host's processes and ports are those of the container: leave it out"},
	{"pid", "the host's processes are those of the container: leave it out"},
	{"i", "standard input, terminal and IPC are the caller's anyway: leave it out"},
	{"ipc", "the host's IPC is that of the container: leave it out"},
	{"n", HOST_NETWORK},
	{"net", HOST_NETWORK},
	{"network", HOST_NETWORK},
	{"network-args", HOST_NETWORK},
	{"uts", "the host's name is that of the container: leave it out"},
	{"hostname", "the host's name is that of the container: leave it out"},
	{"dns", "the host's /etc/resolv.conf is that of the container: leave it out"},
	{"u", "it runs as you, in a user namespace"},
	{"userns", "it always runs in a user namespace"},
	{"app", NOT_YET},
	{"security", NOT_YET},
	{"apply-cgroups", NOT_YET},
	{"passphrase", NOT_YET},
	{"pem-path", NOT_YET},
	{"add-caps", "no capabilities are given"},
	{"drop-caps", "all are dropped"},
	{"no-privs", "it always is so"},
	{"keep-privs", "no capabilities are given"},
	{"allow-setuid", "setuid programs gain nothing in a container"},
	{"unsquash", "nothing is unpacked"}, {"disable-cache", "running needs no cache"},
	/* Docker, Podman */
	{"it", "terminal and standard input are the caller's anyway: leave it out"},
	{"t", "the terminal is the caller's anyway: leave it out"},
	{"interactive", "standard input is the caller's anyway: leave it out"},
	{"tty", "the terminal is the caller's anyway: leave it out"},
	{"rm", "nothing is left behind anyway: leave it out"},
	{"d", "'firn exec ... &' runs it in the background"},
	{"detach", "'firn exec ... &' runs it in the background"},
	{"name", "--session NAME is a container that others enter by its name"},
	{"volume", USE_BIND},
	{"user", "it runs as you; " USE_ROOT},
	{"publish", "the host's ports are those of the container: leave it out"},
	{"entrypoint", "'firn exec IMAGE COMMAND' runs a command without the image's entrypoint"},
	{"gpus", NOT_YET}, {"device", "/dev is the host's; with --contain: -B /dev/NAME"},
	{"privileged", "no capabilities are given"},
	{"cap-add", "no capabilities are given"},
	{"cap-drop", "all are dropped"},
	{"shm-size", "/dev/shm is the host's"},
	{"memory", NOT_YET},
	{"cpus", NOT_YET},
	{"ulimit", "limits are the caller's: ulimit"},
	{"platform", "firn pull --platform OS/ARCH fetches another one"}, {"pull", USE_PULL},
	/* Charliecloud, Enroot */
	{"b", USE_BIND},
	{"m", USE_BIND},
	{"set-env", "-e NAME=VALUE and --env-file FILE set variables"},
	{"unset-env", "--clean-env passes none of the host's variables"},
	{"join", "ranks of one launcher share a container by themselves"},
	{"no-passwd", "'firn exec --root' leaves /etc/passwd as it is"},
	{"private-tmp", USE_CONTAIN},
	{"gid", "it runs as you"}, {"uid", "it runs as you"}, {"conf", NOT_YET}, {"rc", NOT_YET},
};

/* All that Apptainer's inspect has options for is shown at once. */
static const struct advice inspect_options[] = {
	{"a", SHOWS_ALL}, {"all", SHOWS_ALL},
	{"j", "--json prints one JSON object"},
	{"list-apps", SHOWS_ALL}, {"app", SHOWS_ALL},
};

/* What begins a name that is no file. */
static const struct advice images[] = {
	{"oras://", NOT_YET},
	{"library://", NOT_YET},
	{"shub://", NOT_YET},
	{"instance://", USE_SESSION},
	{"https://", "fetch the file first"},
	{"http://", "fetch the file first"},
	{"oci:", "firn build OUT SOURCE makes a file of it, which is run"},
	{"oci-archive:", "firn build OUT SOURCE makes a file of it, which is run"},
	{"docker-archive:", "firn build OUT SOURCE makes a file of it, which is run"},
	{"docker-daemon:", "firn build OUT SOURCE makes a file of it, which is run"},
	{"podman:", "firn build OUT SOURCE makes a file of it, which is run"},
};
// clang-format on

const char *foreign_verb(const char *word)
{
	return advice_find(verbs, COUNT_OF(verbs), word, strlen(word));
}

const char *foreign_option(const char *name, size_t len)
{
	return advice_find(options, COUNT_OF(options), name, len);
}

const char *foreign_inspect_option(const char *name, size_t len)
{
	return advice_find(inspect_options, COUNT_OF(inspect_options), name, len);
}

bool foreign_reference(const char *word)
{
	const char *slash = strchr(word, '/'), *last = strrchr(word, '/');
	const char *name = last ? last + 1 : word;
	size_t host = slash ? (size_t)(slash - word) : 0;

	if (strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:@") !=
		    strlen(word) ||
	    !isalnum((unsigned char)*word) || !*name || name[strlen(name) - 1] == ':')
		return false;
	if (strpbrk(name, ":@"))
		return name[0] != ':' && name[0] != '@';
	return slash ? memchr(word, '.', host) || memchr(word, ':', host) : !strchr(word, '.');
}

const char *foreign_image(const char *word)
{
	for (size_t i = 0; i < COUNT_OF(images); i++)
		if (strncmp(word, images[i].word, strlen(images[i].word)) == 0)
			return images[i].advice;
	/* "-v /data:/data": firn's -v takes no value. */
	if (word[0] == '/' && strstr(word, ":/"))
		return USE_BIND;
	return NULL;
}
