/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * mpi_ring [LARGEST]: pass messages of 0, 1, 8, 64, ... bytes up to LARGEST (64 MiB)
 * around all ranks and check every byte. Rank 0 prints
 *
 *	ranks=8 nodes=2 namespaces=2 right
 *
 * (or "WRONG", and the exit status is 1). Nodes are told by SLURMD_NODENAME where it
 * is set, for a test's nodes may be one machine; namespaces are the users'.
 *
 * mpi_ring pingpong: between the first two ranks. Rank 0 prints for each size
 *
 *	SIZE MICROSECONDS MEGABYTES-PER-SECOND
 *
 * one way. Of many short batches the time that a tenth of them undercut: the others
 * tell more about what else the machine does.
 *
 * mpi_ring maps NAME: rank 0 prints device and inode, as /proc/self/maps does, of the files in
 * each rank's memory whose path has NAME in it.
 *
 * A message that takes 20 seconds ends the program by SIGALRM. Compiled by the tests
 * with an MPI's own compiler.
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAME = 256, PATIENCE = 20, BATCHES = 200 };

static int rank, count;

/* A pattern that tells sender, size and place. */
static unsigned char pattern(int from, size_t size, size_t at)
{
	return (unsigned char)(at * 7 + at / 251 + size + (size_t)from * 31);
}

static int pass(size_t size, unsigned char *out, unsigned char *in)
{
	int from = (rank + count - 1) % count;

	for (size_t i = 0; i < size; i++)
		out[i] = pattern(rank, size, i);
	memset(in, 0, size);
	(void)alarm(PATIENCE);
	MPI_Sendrecv(out, (int)size, MPI_BYTE, (rank + 1) % count, 1, in, (int)size, MPI_BYTE, from,
		     1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
	(void)alarm(PATIENCE);
	for (size_t i = 0; i < size; i++)
		if (in[i] != pattern(from, size, i))
			return 1;
	return 0;
}

/* How many different names the ranks have; known to rank 0 only. */
static int count_names(const char *mine)
{
	char name[NAME] = "";
	char *names = calloc((size_t)count, NAME);
	int different = 0;

	(void)strncpy(name, mine, NAME - 1);
	MPI_Gather(name, NAME, MPI_CHAR, names, NAME, MPI_CHAR, 0, MPI_COMM_WORLD);
	for (int i = 0; i < count; i++) {
		int known = 0;

		for (int j = 0; j < i; j++)
			known |= strcmp(names + i * NAME, names + j * NAME) == 0;
		different += !known;
	}
	free(names);
	return different;
}

static int ring(size_t largest, unsigned char *out, unsigned char *in)
{
	char namespace[NAME] = "", machine[MPI_MAX_PROCESSOR_NAME] = "";
	const char *node = getenv("SLURMD_NODENAME");
	int wrong = pass(0, out, in);
	int nodes, namespaces, all, length;

	for (size_t size = 1; size < largest; size *= 8)
		wrong |= pass(size, out, in);
	wrong |= pass(largest, out, in);
	MPI_Get_processor_name(machine, &length);
	if (readlink("/proc/self/ns/user", namespace, sizeof(namespace) - 1) < 0)
		wrong = 1;
	nodes = count_names(node ? node : machine);
	namespaces = count_names(namespace);
	MPI_Allreduce(&wrong, &all, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
	if (rank == 0)
		printf("ranks=%d nodes=%d namespaces=%d %s\n", count, nodes, namespaces,
		       all ? "WRONG" : "right");
	return all;
}

/* Seconds that @rounds messages there and back take. */
static double bounce(unsigned char *buffer, int size, int rounds)
{
	double begin = MPI_Wtime();

	(void)alarm(PATIENCE);
	for (int i = 0; i < rounds; i++) {
		if (rank == 0) {
			MPI_Send(buffer, size, MPI_BYTE, 1, 2, MPI_COMM_WORLD);
			MPI_Recv(buffer, size, MPI_BYTE, 1, 2, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
		} else {
			MPI_Recv(buffer, size, MPI_BYTE, 0, 2, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
			MPI_Send(buffer, size, MPI_BYTE, 0, 2, MPI_COMM_WORLD);
		}
	}
	return MPI_Wtime() - begin;
}

static int compare(const void *one, const void *other)
{
	double a = *(const double *)one, b = *(const double *)other;

	return (a > b) - (a < b);
}

static int pingpong(unsigned char *buffer)
{
	static const struct {
		int size, rounds;
	} sizes[] = {{8, 1000}, {64 << 10, 25}, {1 << 20, 4}, {4 << 20, 1}};

	if (count < 2)
		return 1;
	for (size_t i = 0; rank < 2 && i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		double taken[BATCHES], one_way;

		memset(buffer, 1, (size_t)sizes[i].size);
		(void)bounce(buffer, sizes[i].size, sizes[i].rounds);
		for (int j = 0; j < BATCHES; j++)
			taken[j] = bounce(buffer, sizes[i].size, sizes[i].rounds);
		qsort(taken, BATCHES, sizeof(taken[0]), compare);
		one_way = taken[BATCHES / 10] / sizes[i].rounds / 2;
		if (rank == 0)
			printf("%d %.4f %.2f\n", sizes[i].size, one_way * 1e6,
			       sizes[i].size / one_way / 1e6);
	}
	return 0;
}

static int maps(const char *name)
{
	FILE *file = fopen("/proc/self/maps", "r");
	char line[4096], device[32], last[NAME] = "", found[NAME], text[NAME] = "";
	char *texts = calloc((size_t)count, NAME);
	unsigned long inode;
	size_t len = 0;
	int missing;

	while (file && fgets(line, sizeof(line), file)) {
		if (!strstr(line, name) ||
		    sscanf(line, "%*s %*s %*s %31s %lu", device, &inode) != 2)
			continue;
		snprintf(found, sizeof(found), "%s %lu\n", device, inode);
		if (strcmp(found, last) == 0 || len + strlen(found) >= NAME)
			continue;
		memcpy(last, found, sizeof(last));
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s", found);
	}
	if (file)
		fclose(file);
	missing = !*text;
	MPI_Gather(text, NAME, MPI_CHAR, texts, NAME, MPI_CHAR, 0, MPI_COMM_WORLD);
	for (int i = 0; rank == 0 && i < count; i++)
		fputs(texts + i * NAME, stdout);
	free(texts);
	return missing;
}

int main(int argc, char **argv)
{
	int measure = argc > 1 && strcmp(argv[1], "pingpong") == 0;
	int look = argc > 2 && strcmp(argv[1], "maps") == 0;
	size_t largest = argc > 1 && !measure && !look ? strtoul(argv[1], NULL, 10)
						       : (size_t)64 << 20;
	unsigned char *out = malloc(largest + 1), *in = malloc(largest + 1);
	int result;

	(void)alarm(PATIENCE);
	MPI_Init(&argc, &argv);
	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	MPI_Comm_size(MPI_COMM_WORLD, &count);
	if (!out || !in)
		MPI_Abort(MPI_COMM_WORLD, 1);
	result = look ? maps(argv[2]) : measure ? pingpong(out) : ring(largest, out, in);
	(void)alarm(PATIENCE);
	MPI_Finalize();
	return result;
}
