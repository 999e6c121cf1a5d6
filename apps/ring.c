/* A message goes round the ring of ranks; with --laps or --bytes, a timed token after it. */
#include "app.h"

#include <stdio.h>
#include <stdlib.h>

static const char help[] =
    "usage: mpirun -n RANKS ring [--laps N] [--bytes N]\n"
    "\n"
    "A message goes from rank to rank, round and back to rank 0; each rank appends its name.\n"
    "\n"
    "  --laps N   then pass a token N times round (1 to 1000000000; 1 with --bytes alone)\n"
    "  --bytes N  of N bytes (1 to 1099511627776; 8 with --laps alone),\n"
    "             check it, and print the time that a hop took\n"
    "  --help     print this\n";

/* "P0", to which every rank appends "P<rank>". */
static void pass_names(int rank, int size)
{
    const int next = (rank + 1) % size, previous = (rank + size - 1) % size;

    if (rank == 0) cpar_send("P0", next);
    cpar_message *m = cpar_receive(previous);
    if (rank == 0)
        printf("Processor 0 received message \"%s\" from rank %d\n", cpar_text(m), cpar_source(m));
    else {
        char *longer;
        if (asprintf(&longer, "%sP%d", cpar_text(m), rank) < 0) cpar_abort(1);
        cpar_send(longer, next);
        free(longer);
    }
    cpar_free(m);
}

/* The byte that a token has at i. */
static unsigned char pattern(size_t i)
{
    return (unsigned char)(i * 31 + i / 251);
}

static void check_token(const cpar_message *m, size_t bytes)
{
    const unsigned char *token = cpar_as(m, unsigned char);
    size_t i = 0;
    while (i < cpar_count(m) && token[i] == pattern(i)) i++;
    if (cpar_count(m) == bytes && i == bytes) return;
    fprintf(stderr, "ring: rank %d received a broken token: %zu of %zu bytes, wrong from byte %zu\n", cpar_rank(),
        cpar_count(m), bytes, i);
    cpar_abort(1);
}

/* Passes on what comes, laps times; rank 0 starts and ends it. Each rank checks the token it saw last. */
static void pass_token(int rank, int size, long laps, size_t bytes)
{
    const int next = (rank + 1) % size, previous = (rank + size - 1) % size;
    unsigned char *first = NULL;
    if (rank == 0) {
        first = malloc(bytes);
        if (!first) {
            fprintf(stderr, "ring: no memory for a token of %zu bytes\n", bytes);
            cpar_abort(1);
        }
        for (size_t i = 0; i < bytes; i++) first[i] = pattern(i);
    }

    cpar_barrier();
    const double start = cpar_time();
    if (rank == 0) cpar_send(cpar_array(first, bytes), next);
    free(first);
    cpar_message *m = NULL;
    for (long lap = 0; lap < laps; lap++) {
        cpar_free(m);
        m = cpar_receive(previous);
        if (rank > 0 || lap + 1 < laps) cpar_send(cpar_array(cpar_as(m, unsigned char), cpar_count(m)), next);
    }
    const double hop = (cpar_time() - start) / ((double)laps * size);

    check_token(m, bytes);
    cpar_free(m);
    cpar_barrier();
    if (rank == 0) printf("%ld laps of %zu bytes: %.3f us a hop, all bytes right on every rank\n", laps, bytes, hop * 1e6);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        { "laps", required_argument, NULL, 'l' }, { "bytes", required_argument, NULL, 'b' }, { "help", no_argument, NULL, 'h' }, { 0 }
    };
    long laps = 0, bytes = 0;
    int status = 0, option;

    cpar_init(&argc, &argv);
    const int rank = cpar_rank(), size = cpar_size();

    opterr = 0;
    while (!status && (option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        switch (option) {
        case 'l': status = app_number("--laps", optarg, 1, 1000000000, &laps) ? 0 : 2; break;
        case 'b': status = app_number("--bytes", optarg, 1, 1L << 40, &bytes) ? 0 : 2; break;
        case 'h':
            if (rank == 0) fputs(help, stdout);
            return cpar_finalize();
        default: status = app_refuse_option(option, argv);
        }
    }
    if (!status && optind < argc) status = app_refuse("%s: no such argument; --help tells all", argv[optind]);

    if (!status) {
        cpar_print("I am rank %d of %d on node %s", rank, size, cpar_get_processor_name());
        pass_names(rank, size);
        if (laps || bytes) pass_token(rank, size, laps ? laps : 1, bytes ? (size_t)bytes : 8);
    }
    cpar_finalize();
    return status;
}
