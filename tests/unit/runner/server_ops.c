/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * What the mount server answers. A socket stands for the device: the server is given one
 * request as the kernel would send it, then the end, and what it wrote is read.
 */
#include "runner/server/fuse.h"
#include "runner/server/node.h"
#include "tests/unit/squashfs_make.h"
#include "tests/unit/tap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { FILE_SIZE = 200000, REPLY_SIZE = 128 << 10, ROOM = 4096, UNIQUE = 77 };

/* Two servers, of a good image and of a damaged one. They live as long as the process. */
static struct served {
	struct opened opened;
	struct server_options options;
	struct server_table table;
	struct crew *crew;
} good, damaged;
static struct crew *crew; /* whom ask() asks */
static bool have_xattrs;

/* The last answer: the number of bytes and errors as the kernel would see them. */
static struct {
	struct fuse_out_header head;
	union {
		char data[REPLY_SIZE];
		struct fuse_entry_out entry;
		struct fuse_attr_out attr;
		struct fuse_init_out init;
		struct fuse_getxattr_out xattr;
		struct fuse_statfs_out statfs;
	};
} reply;

/* Send these bytes. Returns the data's size, minus the error's number, or INT32_MIN for no answer.
 */
static int send_raw(const void *bytes, size_t size)
{
	int pair[2];
	int big = 2 * REPLY_SIZE;
	ssize_t got;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0 ||
	    setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &big, sizeof(big)) < 0 ||
	    write(pair[0], bytes, size) != (ssize_t)size || shutdown(pair[0], SHUT_WR) < 0)
		bail("cannot ask");
	if (server_serve(crew, pair[1]) != 0)
		bail("the server failed");
	(void)close(pair[1]);
	memset(&reply, 0, sizeof(reply));
	got = read(pair[0], &reply, sizeof(reply));
	(void)close(pair[0]);
	if (got == 0)
		return INT32_MIN;
	if (got < (ssize_t)sizeof(reply.head) || reply.head.len != got ||
	    reply.head.unique != UNIQUE)
		bail("the answer is none");
	return reply.head.error ? reply.head.error : (int)(got - (ssize_t)sizeof(reply.head));
}

static int ask(uint32_t opcode, uint64_t node, const void *arg, size_t size)
{
	struct {
		struct fuse_in_header head;
		char arg[1024];
	} request = {.head = {.len = (uint32_t)(sizeof(request.head) + size),
			      .opcode = opcode,
			      .unique = UNIQUE,
			      .nodeid = node}};

	if (size > 0)
		memcpy(request.arg, arg, size);
	return send_raw(&request, request.head.len);
}

static uint64_t lookup(uint64_t parent, const char *name)
{
	int got = ask(FUSE_LOOKUP, parent, name, strlen(name) + 1);

	return got == sizeof(reply.entry) ? reply.entry.nodeid : UINT64_MAX;
}

static int read_at(uint64_t node, uint64_t offset, uint32_t size)
{
	const struct fuse_read_in in = {.offset = offset, .size = size};

	return ask(FUSE_READ, node, &in, sizeof(in));
}

static void serve(struct served *served, const char *path)
{
	static const struct show shows[] = {{SHOW_DIR, "/mnt/new", NULL, 0, 0},
					    {SHOW_PREFIX, "/dir/text", "before ", 7, 0}};
	struct err err;

	if (opened_begin(&served->opened, path, 0, 0, &err) < 0)
		bail("%s", err.text);
	served->options =
		(struct server_options){.image_fd = served->opened.fd,
					.size = (uint64_t)lseek(served->opened.fd, 0, SEEK_END),
					.image_name = path,
					.shows = shows,
					.show_count = COUNT_OF(shows),
					.uid = 12,
					.gid = 34,
					.threads = 1,
					.table = &served->table,
					.say = -1,
					.device = -1};
	served->crew = server_begin(&served->options, &err);
	if (!served->crew)
		bail("%s", err.text);
	crew = served->crew;
}

static void make_input(void)
{
	make_dir("tree");
	make_dir("tree/dir");
	make_dir("tree/mnt");
	make_file("tree/file", CONTENT_MIXED, FILE_SIZE, 1);
	make_file("tree/dir/text", CONTENT_TEXT, 100, 2);
	make_file("tree/marked", CONTENT_TEXT, 10, 3);
	have_xattrs = setxattr("tree/marked", "user.mark", "value", 5, 0) == 0;
	if (symlink("dir/text", "tree/link") < 0)
		bail("cannot make a link");
	make_image("tree", "image.sqfs", "-comp zstd");
	serve(&good, "image.sqfs");
}

static void it_agrees_on_a_protocol(void)
{
	struct fuse_init_in in = {.major = FUSE_KERNEL_VERSION,
				  .minor = 31,
				  .max_readahead = 131072,
				  .flags =
					  FUSE_ASYNC_READ | FUSE_POSIX_LOCKS | FUSE_DO_READDIRPLUS};

	ok(ask(FUSE_INIT, 0, &in, sizeof(in)) == sizeof(reply.init),
	   "the kernel's hello is answered");
	ok(reply.init.major == FUSE_KERNEL_VERSION, "with the version");
	ok((reply.init.flags & (FUSE_ASYNC_READ | FUSE_DO_READDIRPLUS)) ==
		   (FUSE_ASYNC_READ | FUSE_DO_READDIRPLUS),
	   "what both can do is done");
	ok(!(reply.init.flags & ~in.flags), "nothing is taken that was not offered");
	ok((uint64_t)reply.init.max_pages * 4096 <= SQUASHFS_READ_MAX, "a READ fits one answer");
	in.major = 6;
	ok(ask(FUSE_INIT, 0, &in, sizeof(in)) == -EPROTO, "an older protocol is none");
}

static void names_are_found(void)
{
	char name[300];
	uint64_t file = lookup(NODE_ROOT, "file");

	ok(file != UINT64_MAX && file > NODE_ROOT, "a file of the image");
	ok(S_ISREG(reply.entry.attr.mode) && reply.entry.attr.size == FILE_SIZE, "is what it is");
	ok(reply.entry.attr.uid == 12 && reply.entry.attr.gid == 34, "and belongs to who was said");
	ok(reply.entry.entry_valid == UINT64_MAX && reply.entry.attr_valid == UINT64_MAX,
	   "for ever");
	ok(lookup(NODE_ROOT, "nosuch") == 0 && reply.entry.entry_valid == UINT64_MAX,
	   "a name that is missing is missing for ever");
	ok(node_is_shown(lookup(lookup(NODE_ROOT, "mnt"), "new")) && S_ISDIR(reply.entry.attr.mode),
	   "a mount point that the image lacks");
	ok(lookup(lookup(lookup(NODE_ROOT, "mnt"), "new"), "x") == 0, "which is empty");
	ok(ask(FUSE_LOOKUP, file, "x", 2) == -ENOTDIR, "nothing is below a file");
	memset(name, 'n', sizeof(name));
	name[255] = '\0';
	ok(lookup(NODE_ROOT, name) == 0, "a name of 255 bytes may be missing");
	name[255] = 'n';
	name[256] = '\0';
	ok(ask(FUSE_LOOKUP, NODE_ROOT, name, 257) == -ENAMETOOLONG, "one of 256 is too long");
	ok(lookup(NODE_ROOT, "") == 0, "no name is none");
}

static void attributes_are_told(void)
{
	const struct fuse_getattr_in in = {0};
	uint64_t shown = lookup(lookup(NODE_ROOT, "dir"), "text");

	ok(ask(FUSE_GETATTR, NODE_ROOT, &in, sizeof(in)) == sizeof(reply.attr) &&
		   S_ISDIR(reply.attr.attr.mode),
	   "of the root");
	ok(ask(FUSE_GETATTR, shown, &in, sizeof(in)) == sizeof(reply.attr) &&
		   reply.attr.attr.size == 107,
	   "of a file with more before it");
	ok(ask(FUSE_GETATTR, NODE_SHOWN | 99, &in, sizeof(in)) == -ESTALE,
	   "of a number that was never given: stale");
	ok(ask(FUSE_GETATTR, 0, &in, sizeof(in)) < 0, "of node 0: an error");
	ok(ask(FUSE_GETATTR, 0x123456789abcdull, &in, sizeof(in)) < 0,
	   "of a place without an inode: an error");
	ok(ask(FUSE_STATFS, NODE_ROOT, NULL, 0) == sizeof(reply.statfs) &&
		   reply.statfs.st.namelen == 255 && reply.statfs.st.bavail == 0,
	   "of the file system, which is full");
}

static void links_are_read(void)
{
	ok(ask(FUSE_READLINK, lookup(NODE_ROOT, "link"), NULL, 0) == 8 &&
		   memcmp(reply.data, "dir/text", 8) == 0,
	   "a link's target, without an end");
	ok(ask(FUSE_READLINK, lookup(NODE_ROOT, "file"), NULL, 0) == -EINVAL, "a file has none");
	ok(ask(FUSE_READLINK, lookup(lookup(NODE_ROOT, "dir"), "text"), NULL, 0) == -EINVAL,
	   "nor has what is shown");
}

static void files_are_read(void)
{
	static char wanted[FILE_SIZE];
	uint64_t file = lookup(NODE_ROOT, "file");
	auto_fd fd = open("tree/file", O_RDONLY | O_CLOEXEC);
	bool same = read(fd, wanted, sizeof(wanted)) == FILE_SIZE;

	for (uint32_t at = 0; same && at < FILE_SIZE; at += 65536) {
		int left = FILE_SIZE - (int)at;
		int size = left < 65536 ? left : 65536;

		same = read_at(file, at, 65536) == size &&
		       memcmp(reply.data, wanted + at, (size_t)size) == 0;
	}
	ok(same, "piece by piece it is the file");
	ok(read_at(file, FILE_SIZE - 1, ROOM) == 1 && reply.data[0] == wanted[FILE_SIZE - 1],
	   "its last byte");
	ok(read_at(file, FILE_SIZE, ROOM) == 0, "its end");
	ok(read_at(file, UINT64_MAX - 1, ROOM) == 0, "far beyond it");
	ok(read_at(file, 131071, 2) == 2 && memcmp(reply.data, wanted + 131071, 2) == 0,
	   "over the edge of a block");
	ok(read_at(file, 0, 0) == 0, "nothing, if nothing is asked for");
	ok(read_at(NODE_ROOT, 0, ROOM) < 0, "a directory is not read so");
	ok(read_at(NODE_SHOWN | 99, 0, ROOM) == -ESTALE, "nor what was never given");
}

static void a_prefix_is_read_before_the_file(void)
{
	char wanted[108] = "before ";
	uint64_t text = lookup(lookup(NODE_ROOT, "dir"), "text");
	auto_fd fd = open("tree/dir/text", O_RDONLY | O_CLOEXEC);

	ok(read(fd, wanted + 7, 100) == 100 && read_at(text, 0, ROOM) == 107 &&
		   memcmp(reply.data, wanted, 107) == 0,
	   "both, one after the other");
	ok(read_at(text, 6, 2) == 2 && memcmp(reply.data, wanted + 6, 2) == 0,
	   "over the edge between them");
	ok(read_at(text, 7, ROOM) == 100 && memcmp(reply.data, wanted + 7, 100) == 0,
	   "the file alone");
	ok(read_at(text, 0, 7) == 7 && memcmp(reply.data, "before ", 7) == 0, "the prefix alone");
	ok(read_at(text, 107, ROOM) == 0 && read_at(text, UINT64_MAX, ROOM) == 0, "and its end");
	ok(read_at(lookup(lookup(NODE_ROOT, "mnt"), "new"), 0, ROOM) == -EISDIR,
	   "a shown directory is none");
}

/* All names of @node with answers of @room bytes, each behind a blank; "?" for what is wrong. */
static const char *names_of(uint64_t node, uint32_t room, bool plus)
{
	static char names[256];
	size_t used = 0;
	struct fuse_read_in in = {.size = room};

	names[0] = '\0';
	for (int rounds = 0; rounds < 20; rounds++) {
		int size = ask(plus ? FUSE_READDIRPLUS : FUSE_READDIR, node, &in, sizeof(in));

		if (size <= 0)
			return size < 0 ? "?" : names;
		for (int at = 0; at < size;) {
			const char *from =
				reply.data + at + (plus ? sizeof(struct fuse_entry_out) : 0);
			struct fuse_dirent entry;

			memcpy(&entry, from, sizeof(entry));
			if (entry.namelen > 255 || used + entry.namelen + 2 > sizeof(names))
				return "?";
			used += (size_t)snprintf(names + used, sizeof(names) - used, " %.*s",
						 (int)entry.namelen, from + FUSE_NAME_OFFSET);
			in.offset = entry.off;
			at += plus ? (int)FUSE_DIRENTPLUS_SIZE(
					     (struct fuse_direntplus *)(void *)(reply.data + at))
				   : (int)FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + entry.namelen);
		}
	}
	return "?";
}

static void directories_are_listed(void)
{
	const char *all = " . .. dir file link marked mnt";

	is_str(names_of(NODE_ROOT, ROOM, false), all, "all names");
	is_str(names_of(NODE_ROOT, ROOM, true), all, "all names with what they are");
	is_str(names_of(NODE_ROOT, 64, false), all, "in little room one after another");
	is_str(names_of(NODE_ROOT, 200, true), all, "with what they are, too");
	is_str(names_of(lookup(NODE_ROOT, "mnt"), ROOM, true), " . .. new",
	       "what is shown as well");
	is_str(names_of(lookup(lookup(NODE_ROOT, "mnt"), "new"), ROOM, false), " . ..",
	       "in which there is nothing");
	is_str(names_of(lookup(NODE_ROOT, "file"), ROOM, false), "?", "a file is no directory");
}

static int get_xattr(uint64_t node, const char *name, uint32_t room)
{
	struct {
		struct fuse_getxattr_in in;
		char name[64];
	} in = {.in = {.size = room}};

	if (!name)
		return ask(FUSE_LISTXATTR, node, &in.in, sizeof(in.in));
	(void)snprintf(in.name, sizeof(in.name), "%s", name);
	return ask(FUSE_GETXATTR, node, &in, sizeof(in.in) + strlen(name) + 1);
}

static void attributes_of_the_users(void)
{
	uint64_t marked = lookup(NODE_ROOT, "marked");

	if (!have_xattrs) {
		ok(get_xattr(marked, "user.mark", 0) == -ENOSYS,
		   "an image without any says so, once");
		return;
	}
	ok(get_xattr(marked, "user.mark", 0) == sizeof(reply.xattr) && reply.xattr.size == 5,
	   "how long one is");
	ok(get_xattr(marked, "user.mark", 5) == 5 && memcmp(reply.data, "value", 5) == 0,
	   "what it is");
	ok(get_xattr(marked, "user.mark", 4) == -ERANGE, "if there is room");
	ok(get_xattr(marked, "user.mark", UINT32_MAX) == 5, "or more than can be");
	ok(get_xattr(marked, "user.other", 5) == -ENODATA, "another is not there");
	ok(get_xattr(marked, NULL, 64) == 10 && memcmp(reply.data, "user.mark", 10) == 0,
	   "which there are");
	ok(get_xattr(lookup(NODE_ROOT, "file"), NULL, 64) == 0, "a file without any has none");
	ok(get_xattr(lookup(lookup(NODE_ROOT, "mnt"), "new"), "user.mark", 5) == -ENODATA,
	   "what is shown has none");
	ok(get_xattr(lookup(lookup(NODE_ROOT, "mnt"), "new"), NULL, 0) == sizeof(reply.xattr) &&
		   reply.xattr.size == 0,
	   "at all");
}

static void nothing_is_written(void)
{
	static const uint32_t writes[] = {FUSE_SETATTR, FUSE_SYMLINK,  FUSE_MKNOD,
					  FUSE_MKDIR,	FUSE_UNLINK,   FUSE_RMDIR,
					  FUSE_RENAME,	FUSE_RENAME2,  FUSE_LINK,
					  FUSE_WRITE,	FUSE_SETXATTR, FUSE_REMOVEXATTR,
					  FUSE_CREATE};
	static const uint32_t unknown[] = {FUSE_OPEN,  FUSE_OPENDIR, FUSE_ACCESS, FUSE_FLUSH,
					   FUSE_FSYNC, FUSE_LSEEK,   0,		  OPCODES - 1,
					   OPCODES,    UINT32_MAX};
	size_t right = 0;

	for (size_t i = 0; i < COUNT_OF(writes); i++)
		right += ask(writes[i], NODE_ROOT, "", 1) == -EROFS;
	ok(right == COUNT_OF(writes), "whatever would write is refused");
	right = 0;
	for (size_t i = 0; i < COUNT_OF(unknown); i++)
		right += ask(unknown[i], NODE_ROOT, "", 1) == -ENOSYS;
	ok(right == COUNT_OF(unknown), "what is not there is told to be missing");
	ok(ask(FUSE_IOCTL, NODE_ROOT, "", 1) == -ENOTTY, "there is nothing to control");
	ok(ask(FUSE_FORGET, NODE_ROOT, "12345678", 8) == INT32_MIN, "forgetting wants no answer");
}

static void requests_that_are_none(void)
{
	struct fuse_in_header head = {.len = sizeof(head),
				      .opcode = FUSE_GETATTR,
				      .unique = UNIQUE};

	ok(send_raw(&head, sizeof(head) - 1) == INT32_MIN, "half a header has no answer");
	head.len = sizeof(head) + 8;
	ok(send_raw(&head, sizeof(head)) == -ENOSYS, "one that lies about its length is refused");
	ok(ask(FUSE_READ, NODE_ROOT, "", 1) == -EIO, "so is one that is too short");
	ok(ask(FUSE_LOOKUP, NODE_ROOT, "name", 4) == -EIO, "or has a name without an end");
	ok(ask(FUSE_LOOKUP, NODE_ROOT, NULL, 0) == -EIO, "or none");
	ok(ask(FUSE_GETXATTR, NODE_ROOT, "12345678", 8) == -EIO, "or none behind its numbers");
}

static void damage_is_an_error_and_told(void)
{
	char noise[4096];
	auto_fd fd = -1;
	uint64_t file;

	make_image("tree", "damaged.sqfs", "-comp zstd");
	fd = open("damaged.sqfs", O_WRONLY | O_CLOEXEC);
	memset(noise, 0xa5, sizeof(noise));
	/* The first data lies behind the super block. */
	if (pwrite(fd, noise, sizeof(noise), 96) != sizeof(noise))
		bail("cannot damage the image");
	serve(&damaged, "damaged.sqfs");
	file = lookup(NODE_ROOT, "file");
	ok(file != UINT64_MAX && atomic_load(&damaged.table.report.state) == 0,
	   "what is whole is served");
	ok(read_at(file, 0, ROOM) == -EIO, "what is not is an error");
	ok(atomic_load(&damaged.table.report.state) == 1 &&
		   strstr(damaged.table.report.text, "damaged") != NULL,
	   "which is reported");
	ok(read_at(file, 131072, ROOM) == ROOM, "and no reason to serve nothing else");
	opened_end(&damaged.opened);
}

int main(void)
{
	if (!have_mksquashfs()) {
		printf("1..0 # SKIP there is no mksquashfs\n");
		return 0;
	}
	scratch_begin();
	make_input();
	it_agrees_on_a_protocol();
	names_are_found();
	attributes_are_told();
	links_are_read();
	files_are_read();
	a_prefix_is_read_before_the_file();
	directories_are_listed();
	attributes_of_the_users();
	nothing_is_written();
	requests_that_are_none();
	opened_end(&good.opened);
	damage_is_an_error_and_told();
	scratch_end();
	return done_testing();
}
