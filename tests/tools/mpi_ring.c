/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * mpi_ring [LARGEST]: pass messages of 0 bytes to LARGEST (64 MiB) around all ranks,
 * check every byte, and print how many ranks there are in how many user namespaces.
 * A message that takes 20 seconds ends the program by SIGALRM.
 *
 * Compiled by the tests with an MPI's own compiler.
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAME = 64 };

/* A pattern that tells sender, size and place. */
static unsigned char pattern(int rank, size_t size, size_t at)
{
	return (unsigned char)(at * 7 + at / 251 + size + (size_t)rank * 31);
}

static int pass(int rank, int count, size_t size, unsigned char *out, unsigned char *in)
{
	int from = (rank + count - 1) % count;

	for (size_t i = 0; i < size; i++)
		out[i] = pattern(rank, size, i);
	memset(in, 0, size);
	(void)alarm(20);
	MPI_Sendrecv(out, (int)size, MPI_BYTE, (rank + 1) % count, 1, in, (int)size, MPI_BYTE, from, 1,
		     MPI_COMM_WORLD, MPI_STATUS_IGNORE);
	(void)alarm(0);
	for (size_t i = 0; i < size; i++)
		if (in[i] != pattern(from, size, i))
			return 1;
	return 0;
}

static int count_names(const char *names, int count)
{
	int different = 0;

	for (int i = 0; i < count; i++) {
		int known = 0;

		for (int j = 0; j < i; j++)
			known |= strcmp(names + i * NAME, names + j * NAME) == 0;
		different += !known;
	}
	return different;
}

int main(int argc, char **argv)
{
	size_t largest = argc > 1 ? strtoul(argv[1], NULL, 10) : (size_t)64 << 20;
	unsigned char *out = malloc(largest + 1), *in = malloc(largest + 1);
	char name[NAME] = "";
	char *names;
	int rank, count, wrong = 0, all;

	(void)alarm(20);
	MPI_Init(&argc, &argv);
	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	MPI_Comm_size(MPI_COMM_WORLD, &count);
	if (readlink("/proc/self/ns/user", name, sizeof(name) - 1) < 0)
		name[0] = '\0';
	names = calloc((size_t)count, NAME);
	MPI_Gather(name, NAME, MPI_CHAR, names, NAME, MPI_CHAR, 0, MPI_COMM_WORLD);
	wrong = pass(rank, count, 0, out, in);
	for (size_t size = 1; size <= largest; size *= 4)
		wrong |= pass(rank, count, size, out, in);
	MPI_Allreduce(&wrong, &all, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
	if (rank == 0)
		printf("%d ranks, %d namespace, %s\n", count, count_names(names, count), all ? "WRONG" : "right");
	MPI_Finalize();
	return all;
}
