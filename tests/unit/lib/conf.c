/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/conf/conf.h"
#include "lib/conf/expand.h"
#include "lib/conf/trust.h"

#include "tests/unit/tap.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch[] = "/tmp/firn-conf.XXXXXX";
static char file[PATH_MAX];
static struct err err;

static void write_file(const char *text, size_t size, mode_t mode)
{
	auto_fd fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, text, size) != (ssize_t)size || fchmod(fd, mode) < 0)
		ok(false, "the test can write its file");
}

/* A conf with @text read as a user's file; NULL when it is refused. */
static struct conf *read_text(const char *text)
{
	auto_conf *conf = conf_new();

	err.text[0] = '\0';
	write_file(text, strlen(text), 0644);
	if (!conf || conf_read_file(conf, file, false, &err) < 0)
		return NULL;
	return take_ptr(&conf);
}

static bool refused(const char *text, const char *reason)
{
	auto_conf *conf = read_text(text);

	if (!conf && strstr(err.text, reason))
		return true;
	printf("#   got '%s'\n", err.text);
	return false;
}

static void an_empty_file_leaves_the_defaults(void)
{
	auto_conf *conf = read_text("\n# nothing\n  \t\n");

	ok(conf != NULL, "comments and blank lines are fine");
	ok(conf && conf->engine == ENGINE_FIRN, "the engine is firn");
	ok(conf && conf->mpi == MPI_HYBRID, "launchers start the image's MPI");
	ok(conf && conf->cache_size == 12u << 20, "the cache is 12 MiB");
	ok(conf && conf->env_always_count > 20, "the loader's variables are dropped");
	ok(conf && conf_allows(conf, "root"), "nothing is denied");
}

static void values_are_taken(void)
{
	auto_conf *conf = read_text("[run]\n"
				    "bind = /scratch dir:/data:ro\n"
				    "  bind=/projects\r\n"
				    "engine = squashfuse\n"
				    "mpi = none\n"
				    "[server]\n"
				    "cache = 64M\nmetadata = 1g\nthreads = 3\n"
				    "[env]\n"
				    "keep = LD_PRELOAD  PYTHONPATH\n");

	ok(conf != NULL, "a full file is read");
	if (!conf)
		return;
	ok(conf->bind.count == 2, "a key that takes a list may be repeated");
	is_str(conf->bind.item[0], "/scratch dir:/data:ro", "a bind may hold a blank");
	is_str(conf->bind.item[1], "/projects", "blanks and a carriage return around are not part");
	ok(conf->engine == ENGINE_SQUASHFUSE, "the engine");
	ok(conf->mpi == MPI_NONE, "nothing for MPI");
	ok(conf->cache_size == 64u << 20 && conf->metadata_size == 1u << 30, "sizes with units");
	ok(conf->threads == 3, "a number");
	ok(conf->env_keep.count == 2, "a list on one line");
	ok(conf->env_keep.item[2] == NULL, "ends with NULL");
}

static void mistakes_name_the_line(void)
{
	ok(refused("[run]\nengin = firn\n", "line 2: there is no key 'engin'"), "an unknown key");
	ok(refused("engine = firn\n", "line 1"), "a key without a section");
	ok(refused("[server]\nengine = firn\n", "line 2"), "a key of another section");
	ok(refused("[nowhere]\n", "line 1: there is no section 'nowhere'"), "an unknown section");
	ok(refused("[run\n", "line 1 is no section"), "an open bracket");
	ok(refused("[\n", "line 1 is no section"), "a lonely bracket");
	ok(refused("[run]\n\nhello\n", "line 3 is not of the form"), "a line without '='");
	ok(refused("[run]\nengine = fuse\n", "'engine' cannot be 'fuse'"), "an unknown engine");
	ok(refused("[run]\nmpi = host\n", "'mpi' cannot be 'host'"), "an unknown way of MPI");
	ok(refused("[run]\nsquashfuse =\n", "cannot be ''"), "an empty text");
	ok(refused("[server]\ncache = 4K\n", "cannot be '4K'"), "a cache too small to work");
	ok(refused("[server]\ncache = 12345678901234567890\n", "cannot be"), "a huge number");
	ok(refused("[server]\ncache = 42949672959G\n", "cannot be"), "a size beyond 64 bits");
	ok(refused("[server]\ncache = 64MB\n", "cannot be"), "an unknown unit");
	ok(refused("[server]\nthreads = -1\n", "cannot be"), "a negative number");
}

static void a_user_may_not_set_what_is_the_sites(void)
{
	auto_conf *conf = conf_new();
	const char text[] = "[users]\ndeny = overlay engine\n";

	ok(refused("[users]\ndeny = root\n", "only the site may set 'deny'"), "deny");
	ok(refused("[session]\nlinger = 5\n", "only the site may set 'linger'"), "linger");
	ok(refused("[slurm]\npin = off\n", "only the site may set 'pin'"), "pin");

	write_file(text, strlen(text), 0644);
	ok(conf_read_file(conf, file, true, &err) == 0, "the site denies options");
	ok(!conf_allows(conf, "engine") && conf_allows(conf, "bind"), "they are denied");
	write_file("[run]\nengine = squashfuse\n", 26, 0644);
	ok(conf_read_file(conf, file, false, &err) < 0 &&
		   strstr(err.text, "only the site may set 'engine'"),
	   "a denied option does not come in by --config");
}

/* Of an install below one's home; only root can make what others own. */
static void an_install_of_ones_own_is_ones_own(void)
{
	auto_conf *conf = conf_new();
	const char text[] = "[server]\ncage = require\n[session]\nlinger = 5\n";

	write_file(text, strlen(text), 0644);
	ok(conf_read_file(conf, file, true, &err) == 0 && conf->linger == 5,
	   "the caller's file in his own directory is the site's");
	write_file("[server]\ncage = try\n", 20, 0644);
	ok(conf_read_file(conf, file, false, &err) == 0 && conf->require_cage,
	   "whose word a file named with --config does not take back");
	if (geteuid() != 0)
		return;
	(void)chmod(scratch, 0755);
	(void)!chown(file, 12345, 0);
	ok(conf_read_file(conf, file, true, &err) < 0 && strstr(err.text, "another user (12345)"),
	   "another user's is not");
	(void)!seteuid(12345);
	ok(conf_read_file(conf, file, true, &err) < 0 &&
		   strstr(err.text, "belongs to you, its directory to another user (0)"),
	   "nor the caller's where the directory is root's");
	ok(conf_read_file(conf, file, false, &err) == 0, "as one of his own it is");
	(void)!seteuid(0);
	(void)!chown(file, 0, 0);
	(void)!chown(scratch, 12345, 0);
	ok(conf_read_file(conf, file, true, &err) == 0, "root's counts wherever it is");
	(void)!chown(scratch, 0, 0);
}

static void an_untrusted_file_is_not_read(void)
{
	auto_conf *conf = conf_new();

	write_file("", 0, 0664);
	ok(conf_read_file(conf, file, false, &err) < 0 && strstr(err.text, "mode 0664"),
	   "one that the group can write to");
	write_file("", 0, 0646);
	ok(conf_read_file(conf, file, false, &err) < 0 && strstr(err.text, "mode 0646"),
	   "one that everybody can write to");
	write_file("[run]\0x", 7, 0644);
	ok(conf_read_file(conf, file, false, &err) < 0 && strstr(err.text, "NUL"),
	   "one that hides text behind a NUL");
	ok(conf_read_file(conf, scratch, false, &err) < 0, "a directory");
	ok(conf_read_file(conf, "/dev/null", false, &err) < 0, "a device");
	(void)unlink(file);
	ok(conf_read_file(conf, file, false, &err) < 0 && strstr(err.text, "No such file"),
	   "a file named but missing is an error");
	ok(mkfifo(file, 0600) == 0 && conf_read_file(conf, file, false, &err) < 0,
	   "a FIFO does not hang");
	(void)unlink(file);
}

/* What is wrong with @text of the site's. */
static bool site_refused(const char *text, const char *reason)
{
	auto_conf *conf = conf_new();
	auto_free char *copy = strdup(text);

	if (conf_take_text(conf, copy, "site", true, &err) < 0 && strstr(err.text, reason))
		return true;
	printf("#   got '%s'\n", err.text);
	return false;
}

static bool site_denies(const char *text, const char *word)
{
	auto_conf *conf = conf_new();
	auto_free char *copy = strdup(text);
	const char *given[] = {word, NULL};

	return conf_take_text(conf, copy, "site", true, &err) == 0 && !conf_allows(conf, word) &&
	       conf_check(conf, given, &err) < 0;
}

static void a_denied_word_is_denied(void)
{
	ok(site_denies("[users]\ndeny = root\n", "root"), "a name");
	is_str(err.text, "option '--root' is not allowed on this machine",
	       "... which the message tells");
	ok(site_denies("[users]\ndeny = --root\n", "root"), "with its dashes");
	ok(site_denies("[users]\ndeny = bind, root\n", "bind"), "a list by commas: the first");
	ok(site_denies("[users]\ndeny = bind,root\n", "root"), "... and the last");
	ok(site_denies("[users]\ndeny = bind --root\n", "root"), "a list by blanks");
	ok(site_denies("[users]\ndeny = bind\ndeny = root\n", "bind"), "two lines");
	ok(site_denies("[users]\ndeny = no-cache\n", "no-cache"), "an option of the builder");
	ok(site_denies("[users]\ndeny = pull\n", "pull"), "a verb");
	is_str(err.text, "'firn pull' is not allowed on this machine",
	       "... which the message tells");
	ok(!site_denies("[users]\ndeny = root\n", "bind"), "and nothing else");
	ok(site_refused("[users]\n\ndeny = root nosuch\n",
			"'site' line 3: 'deny' cannot be 'root nosuch': "
			"there is no option '--nosuch'"),
	   "an unknown word is a mistake");
	ok(site_refused("[users]\ndeny = -B\n", "line 2"), "a letter");
	ok(site_refused("[users]\ndeny = root # why\n", "line 2"), "a comment behind it");
	ok(site_refused("[users]\ndeny = help\n", "line 2"), "what cannot be denied");
	ok(site_refused("[users]\ndeny =\n", "line 2") &&
		   site_refused("[users]\ndeny = ,\n", "line 2"),
	   "nothing");
}

static void mistakes_name_what_is_right(void)
{
	auto_conf *conf = NULL;

	ok(refused("[run]\nengine = fuse\n", "it is firn or squashfuse"), "an engine");
	ok(refused("[run]\nmpi = on\n", "it is hybrid or none"), "a way of MPI");
	ok(refused("[run]\ntopology = maybe\n", "it is yes or no"), "a flag");
	ok(site_refused("[slurm]\npin = yes\n", "it is off, try or require"), "a pin");
	ok(refused("[server]\ncache = 1K\n", "from 1M to 16G"), "a size");
	ok(refused("[server]\nthreads = 1000\n", "from 0 to 8"), "a number of threads");
	ok(refused("[build]\ncache = rel\n", "an absolute path"), "a directory");
	ok(refused("[run]\nbind = \"/scratch\"\n", "without quotes"), "a bind");
	ok(refused("[run]\nsquashfuse = \"x\"\n", "line 2: 'squashfuse' cannot be '\"x\"': values "
						  "are written without quotes") &&
		   refused("[env]\ndrop = 'A'\n", "without quotes"),
	   "quotes about any value");
	ok(refused("[run]\nbind = /scratch # why\n", "line 2: 'bind' cannot be '/scratch # why': a "
						     "comment has a line of its own") &&
		   refused("[server]\nthreads = 3\t#\n", "of its own"),
	   "a comment behind a value");
	ok(refused("[run]\nbind = /a:/b:foo\n", "line 2: 'bind' cannot be '/a:/b:foo'") &&
		   refused("[run]\nbind = /a:/b:ro:x\n", "line 2") &&
		   refused("[run]\nbind = /a:/b:\n", "line 2") &&
		   refused("[run]\nbind = /a:/b:ro,\n", "line 2"),
	   "an unknown way to bind");
	ok(refused("[run]\nbind = /a:/b:ro,rw\n", "line 2: 'bind' cannot be '/a:/b:ro,rw'") &&
		   refused("[run]\nbind = /a:/b:rw,optional,ro\n", "line 2"),
	   "two ways at once");
	ok(refused("[run]\nbind = /a:optional\n",
		   "line 2: 'bind' cannot be '/a:optional': it is an "
		   "absolute path") &&
		   refused("[run]\nbind = /a::ro\n", "line 2") &&
		   refused("[run]\nbind = /a:$USER:ro\n", "line 2") &&
		   refused("[run]\nbind = /a:~bob:ro\n", "'~bob' is not known"),
	   "a target that is no absolute path");
	ok(refused("[run]\nbind = /a:/b/..:ro\n", "by way of '..'") &&
		   refused("[run]\nbind = /a/../b\n", "by way of '..'") &&
		   refused("[run]\nbind = /a:/./:ro\n", "nothing can be mounted on '/'") &&
		   refused("[run]\nbind = /\n", "nothing can be mounted on '/'"),
	   "a target that is none");
	conf = read_text("[run]\nbind = /a/../b:/..c:ro\nbind = ~:~/..:optional\n");
	ok(!conf, "one by one");
	conf_freep(&conf);
	conf = read_text(
		"[run]\nbind = /a/../b:/..c:ro\nbind = ~\nbind = $HOME/d:~/e:rw,optional\n");
	ok(conf && conf->bind.count == 3, "sources and names that only look so");
	conf_freep(&conf);
	conf = read_text("[run]\nbind = /a\\:b:/c#d:ro,optional\nbind = /a:/b:rw\n");
	ok(conf && conf->bind.count == 2, "the right ones");
	ok(refused("[run]\nbind = /scratch/$HOST\n",
		   "line 2: 'bind' cannot be '/scratch/$HOST': '$HOST' is not known here, only "
		   "$USER, $HOME, $UID and ~"),
	   "an unknown variable");
	ok(refused("[build]\ncache = ~bob/firn\n", "'~bob' is not known"), "another's home");
	ok(refused("[build]\ncache = /a/${USER}\n", "'${USER}' is not known"), "braces");
	ok(refused("[build]\ncache = /a/$USERS\n", "'$USERS' is not known"), "a longer name");
	ok(refused("[build]\ncache = /a/$\n", "'$' is not known"), "a lonely $");
	ok(refused("[build]\ncache = $USER/a\n", "an absolute path"), "a relative one");
	ok(refused("[registry \"a\"]\nca = /a/$USER\n", "without variables"), "a file for all");
	ok(refused("bind = /x\n", "line 1: 'bind' stands before any [section]"), "no section");
	ok(refused("[Run]\nbind = /x\n", "there is no section 'Run'"), "an unknown section");
	ok(refused("[registry localhost]\ninsecure = yes\n", "[registry \"HOST\"]"),
	   "a host without quotes");
	ok(refused("[run]\nengine = firn\nengine = squashfuse\n",
		   "line 3: 'engine' is there twice, first in line 2"),
	   "two values for one key");
	ok(refused("[registry \"a\"]\nmirror = http://x\n[run]\nmpi = none\n[registry "
		   "\"a\"]\nmirror = http://y",
		   "line 6: 'mirror' is there twice, first in line 2"),
	   "of a registry, in two sections of it");
	ok(refused("[Run]\n", "line 1: there is no section 'Run'"), "an empty section, too");
	ok(refused("[registry localhost]\n", "line 1: the host of section"), "... of a registry");
}

static void registries_are_hosts_and_urls(void)
{
	auto_conf *conf = read_text("[registry \"Reg.example.org:5000\"]\n"
				    "mirror = https://cache.example.org:1/hub/\n"
				    "token-server = login.example.com\nca = /x.pem\n");

	ok(conf && conf_registry(conf, "reg.example.org:5000"), "a host is one in any case");
	ok(conf && conf_registry_line(&conf->registry[0], "ca") == 4 &&
		   conf_registry_line(&conf->registry[0], "insecure") == 0,
	   "... whose lines are known");
	ok(refused("[registry \"a\"]\nmirror = ftp://b/c\n",
		   "line 2: 'mirror' cannot be 'ftp://b/c': it is a URL: https://HOST[:PORT]"),
	   "a mirror that is asked otherwise");
	ok(refused("[registry \"a\"]\nmirror = b.org/hub\n", "it is a URL") &&
		   refused("[registry \"a\"]\nmirror = https://\n", "it is a URL") &&
		   refused("[registry \"a\"]\nmirror = https:///x\n", "it is a URL") &&
		   refused("[registry \"a\"]\nmirror = https://u:p@b/x\n", "it is a URL") &&
		   refused("[registry \"a\"]\nmirror = https://b/x?y=z\n", "it is a URL") &&
		   refused("[registry \"a\"]\nmirror = https://b:port/x\n", "it is a URL") &&
		   refused("[registry \"a\"]\nmirror = https://b /x\n", "it is a URL"),
	   "no URL, or more than one");
	ok(refused("[registry \"a\"]\ntoken-server = https://b\n",
		   "line 2: 'token-server' cannot be 'https://b': it is HOST[:PORT], without") &&
		   refused("[registry \"a\"]\ntoken-server = b/token\n", "HOST[:PORT]") &&
		   refused("[registry \"a\"]\ntoken-server = b:0\n", "HOST[:PORT]"),
	   "a token server that is no host");
	ok(site_refused("[pull]\ndefault = http://b\n",
			"line 2: 'default' cannot be 'http://b': it is HOST[:PORT], without") &&
		   site_refused("[pull]\ndefault = b/group\n", "HOST[:PORT]") &&
		   site_refused("[pull]\ndefault = a b\n", "HOST[:PORT]"),
	   "nor a default");
	ok(refused("[registry \"https://a\"]\n", "line 1: section 'registry \"https://a\"' names "
						 "no host: [registry \"HOST[:PORT]\"]") &&
		   refused("[registry \"\"]\n", "names no host") &&
		   refused("[registry \"a/b\"]\n", "names no host"),
	   "nor a section");
}

static void variables_are_names(void)
{
	auto_conf *conf = read_text("[env]\ndrop = A,B, C\tD_*\nkeep = *_E\n");

	ok(conf && conf->env_drop.count == 4 && strcmp(conf->env_drop.item[1], "B") == 0 &&
		   strcmp(conf->env_drop.item[3], "D_*") == 0,
	   "apart by commas and blanks");
	ok(refused("[env]\ndrop = A=1\n", "line 2: 'drop' cannot be 'A=1': 'A=1' is no variable's "
					  "name"),
	   "a value is no name");
	ok(refused("[env]\ndrop = A $B\n", "'$B' is no variable's name") &&
		   refused("[env]\nkeep = A*B\n", "'A*B' is no variable's name") &&
		   refused("[env]\nkeep = *A*\n", "'*A*' is no variable's name") &&
		   refused("[env]\nkeep = A:B\n", "'A:B' is no variable's name"),
	   "what would match nothing");
	ok(refused("[env]\ndrop =\n", "a list of variables' names") &&
		   refused("[env]\ndrop = ,\n", "a list of variables' names"),
	   "nor is nothing");
}

/* What numbers may be is said where they may not, and in firn.conf(5). */
static void numbers_have_bounds(void)
{
	ok(site_refused("[session]\nlinger = 86401\n", "seconds from 0 to 86400") &&
		   refused("[pull]\nstall = 1m\n", "seconds from 0 to 86400"),
	   "seconds");
	ok(refused("[build]\nmax-entries = 0\n", "from 1 to 1048576T") &&
		   refused("[build]\nmax-size = 1048577T\n", "from 1 to 1048576T") &&
		   refused("[build]\nmax-ratio = 1.5\n", "from 1 to 1048576T") &&
		   refused("[build]\nmax-memory = 1GB\n", "from 1 to 1048576T"),
	   "limits");
	ok(refused("[server]\nmetadata = 17G\n", "from 1M to 16G"), "sizes");
}

static bool expands(const char *text, const char *wanted)
{
	auto_free char *got = NULL;

	if (expand_path(text, &got, &err) < 0)
		printf("#   got '%s'\n", err.text);
	return got && strcmp(got, wanted) == 0;
}

static bool expands_not(const char *text, const char *reason)
{
	auto_free char *got = NULL;

	return expand_path(text, &got, &err) < 0 && strstr(err.text, reason);
}

static void a_path_is_each_users_own(void)
{
	auto_conf *conf = read_text("[build]\ncache = /scratch/$USER/firn\n"
				    "[run]\nbind = ~/x:/y\nbind = $HOME/a:/b:optional\n");
	char uid[32];

	ok(conf && conf->bind.count == 2, "variables are read as they are");
	(void)setenv("USER", "alice", 1);
	(void)setenv("HOME", "/home/al", 1);
	ok(conf && expands(conf->cache, "/scratch/alice/firn"), "$USER");
	ok(expands("~/x", "/home/al/x") && expands("~", "/home/al"), "~ at the beginning");
	ok(expands("/a/~/b~", "/a/~/b~"), "~ elsewhere is a name");
	ok(expands("$HOME/$USER-$USER", "/home/al/alice-alice"), "several");
	(void)snprintf(uid, sizeof(uid), "/u/%u.x", (unsigned)geteuid());
	ok(expands("/u/$UID.x", uid), "$UID");
	ok(expands("/plain", "/plain") && expands("", ""), "none");
	(void)setenv("USER", "../bob", 1);
	ok(expands_not("/s/$USER", "USER is '../bob', which is no name"), "USER with a slash");
	(void)setenv("USER", "..", 1);
	ok(expands_not("/s/$USER", "which is no name"), "USER that leads up");
	(void)unsetenv("USER");
	ok(expands_not("/s/$USER", "'/s/$USER': USER is not set"), "no USER");
	(void)setenv("HOME", "rel", 1);
	ok(expands_not("~/x", "HOME is 'rel', which is no absolute path"), "a relative HOME");
}

static void an_owner_without_a_number_is_known(void)
{
	ok(trust_maps_uid("         0          0 4294967295\n", 65534),
	   "the whole range holds 65534");
	ok(!trust_maps_uid("         0       1000          1\n", 65534), "one user does not");
	ok(!trust_maps_uid("", 65534), "no map does not");
	ok(trust_maps_uid("0 1000 1\n1 100000 65536\n", 65534), "a second range may");
	ok(!trust_maps_uid("0 1000 1\n1 100000 65533\n", 65534), "if it is long enough");
	ok(trust_maps_uid("65534 1000 1", 65534), "a range of one, without a newline");
	ok(!trust_maps_uid("odd\n\n-\n", 65534), "odd lines hold nothing");
}

int main(void)
{
	if (!mkdtemp(scratch))
		return 1;
	(void)snprintf(file, sizeof(file), "%s/firn.conf", scratch);
	an_empty_file_leaves_the_defaults();
	values_are_taken();
	mistakes_name_the_line();
	a_user_may_not_set_what_is_the_sites();
	an_install_of_ones_own_is_ones_own();
	an_untrusted_file_is_not_read();
	a_denied_word_is_denied();
	mistakes_name_what_is_right();
	registries_are_hosts_and_urls();
	variables_are_names();
	numbers_have_bounds();
	a_path_is_each_users_own();
	an_owner_without_a_number_is_known();
	(void)unlink(file);
	(void)rmdir(scratch);
	return done_testing();
}
