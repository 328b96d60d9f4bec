/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * line.h - what the two processes of a build say to each other.
 *
 * In the cage (ask.c) documents, archives and layers are taken apart; outside (answer.c) are the
 * network, the cache, the host's files and the terminal. Who is inside asks, one question at a
 * time on each of some sockets (unix(7), SOCK_SEQPACKET), and is answered, with a descriptor
 * where there is something to read. Questions may come from a stranger who has taken over
 * the process: outside, all in them is checked. Answers come from us.
 */
#ifndef FIRN_BUILDER_ACROSS_LINE_H
#define FIRN_BUILDER_ACROSS_LINE_H

#include "builder/digest.h"

/* The first socket is for all but blobs; each reader of layers has one of the others. */
enum { LINE_READERS = 6, LINE_SOCKETS = 1 + LINE_READERS, LINE_TEXT_SIZE = 192 };

enum line_question {
	LINE_TOP, /* the document that was asked for: a file of @size bytes, digest, media type */
	LINE_DOCUMENT, /* @digest, of @size bytes; @flag: a manifest. A file of @size bytes */
	LINE_NAME,     /* the top is understood; @flag: an index; @size: of all layers. Nothing */
	LINE_MEMBER,   /* @text: a file's path in an OCI layout. The file, its size */
	LINE_READER, /* to the first: the socket @flag is about to be used. Nothing, or it cannot be
		      */
	LINE_BLOB,   /* @digest, of @size bytes, called @text. A file with it, or (@flag) a pipe */
	LINE_BLOB_END,	 /* the pipe has ended: whether the blob has, and is right. Nothing, or why
			    not */
	LINE_BLOB_CLOSE, /* no more of it; @flag: enum line_verdict. @flag: ask for it once more */
	LINE_STOP, /* to the first: there will be no blobs any more; @flag: none is read. Nothing */
};

enum line_verdict {
	LINE_WRONG, /* it could not be read to its end, or a sum was wrong */
	LINE_RIGHT, /* both its sums were right */
	LINE_LEFT,  /* it was not read to its end, for a reason that is none of its own */
};

struct line_ask {
	uint32_t what; /* enum line_question */
	uint32_t flag;
	uint64_t size;
	struct digest digest;
	char text[LINE_TEXT_SIZE];
};

struct line_answer {
	int32_t result; /* 0, or -1 with err */
	uint32_t flag;
	uint64_t size;
	struct digest digest;
	char media_type[256];
	struct err err;
};

#endif
