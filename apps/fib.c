/* Fibonacci numbers by plain recursion, which stands for work: rank 0 cuts the calls into pieces, deals
   these out in balanced shares, or piece by piece to whoever is free, and adds up what comes back. */
#include "app.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 93, PIECES_PER_RANK = 64 }; /* fib(94) exceeds 64 bits */

static const char help[] =
    "usage: mpirun -n RANKS fib [--dynamic] [--time] [N ...]\n"
    "\n"
    "Prints the Fibonacci numbers fib(N) as a list, in the order given; N from 1 to 93, by default\n"
    "38 37 36 35 34 33. fib(n) is 1 for n <= 2, else fib(n-1) + fib(n-2), computed just so: by plain\n"
    "recursion, which stands for work that is worth sharing.\n"
    "\n"
    "Rank 0 cuts each fib(n) into its sub-calls until the pieces are fine enough for the number\n"
    "of ranks, deals them out so that all ranks have about the same to do, and adds up the results.\n"
    "\n"
    "  --dynamic  instead, each rank takes pieces whenever it is free, for ranks of unlike speed\n"
    "  --time     tell on standard error what each rank did, and the speedup and efficiency: the sum of\n"
    "             the ranks' compute times over the time from start to result, and that per rank\n"
    "  --help     print this\n";

/* A call to make, and the number on the command line that its result is a part of. */
typedef struct {
    int n, number;
} piece;

typedef struct {
    piece *at;
    size_t count, room;
} pieces;

/* Not inlined into its caller, so that it stays the plain recursion. */
static __attribute__((noinline)) uint64_t fib(int n)
{
    return n <= 2 ? 1 : fib(n - 1) + fib(n - 2);
}

/* fib(n) makes about as many calls as its value. */
static double cost(int n)
{
    double a = 1, b = 1;
    for (int i = 2; i < n; i++) {
        const double next = a + b;
        a = b;
        b = next;
    }
    return b;
}

/* Adds fib(n) as one piece, or, where that is more than `most`, as the pieces of its two sub-calls. */
static void cut(pieces *all, int n, int number, double most)
{
    if (n > 2 && cost(n) > most) {
        cut(all, n - 1, number, most);
        cut(all, n - 2, number, most);
        return;
    }
    if (all->count == all->room) {
        all->room = all->room ? 2 * all->room : 64;
        all->at = reallocarray(all->at, all->room, sizeof *all->at);
        if (!all->at) cpar_abort(1);
    }
    all->at[all->count++] = (piece){ n, number };
}

static int larger_first(const void *a, const void *b)
{
    return ((const piece *)b)->n - ((const piece *)a)->n;
}

static pieces cut_all(const int *numbers, int count, int size)
{
    pieces all = { 0 };
    double total = 0;
    for (int i = 0; i < count; i++) total += cost(numbers[i]);
    for (int i = 0; i < count; i++) cut(&all, numbers[i], i, total / (PIECES_PER_RANK * size));
    qsort(all.at, all.count, sizeof *all.at, larger_first);
    return all;
}

/* What this rank has done. */
static struct {
    size_t pieces;
    double seconds;
} done;

static uint64_t compute(piece p)
{
    const double start = cpar_time();
    const uint64_t value = fib(p.n);
    done.seconds += cpar_time() - start;
    done.pieces++;
    return value;
}
CPAR_TASK(compute, piece, uint64_t);

/* Puts the pieces in the order of the ranks that get them, and tells how many each gets. The largest
   first, each to the rank with the least to do so far (Graham 1969: longest processing time first). */
static void deal(pieces *all, int size, size_t *counts)
{
    double *load = app_allocate((size_t)size, sizeof *load);
    int *rank = app_allocate(all->count, sizeof *rank);
    piece *dealt = app_allocate(all->count, sizeof *dealt);

    for (size_t i = 0; i < all->count; i++) {
        for (int r = 1; r < size; r++)
            if (load[r] < load[rank[i]]) rank[i] = r;
        load[rank[i]] += cost(all->at[i].n);
        counts[rank[i]]++;
    }
    size_t n = 0;
    for (int r = 0; r < size; r++)
        for (size_t i = 0; i < all->count; i++)
            if (rank[i] == r) dealt[n++] = all->at[i];

    free(load);
    free(rank);
    free(all->at);
    all->at = dealt;
}

/* The values of all pieces come to be at rank 0, in the order in which the pieces are then. */
static void compute_shares(pieces *all, uint64_t *values)
{
    const int size = cpar_size();
    size_t *counts = app_allocate((size_t)size, sizeof *counts);
    if (cpar_rank() == 0) deal(all, size, counts);
    cpar_message *share = cpar_scatter(cpar_array(all->at, all->count), 0, .counts = counts);

    const size_t n = cpar_count(share);
    uint64_t *own = app_allocate(n, sizeof *own);
    for (size_t i = 0; i < n; i++) own[i] = compute(cpar_as(share, piece)[i]);

    cpar_message *results = cpar_gather(cpar_array(own, n), 0);
    if (results) memcpy(values, cpar_as(results, uint64_t), cpar_bytes(results));
    cpar_free(results);
    cpar_free(share);
    free(own);
    free(counts);
}

/* On rank 0's standard error: what each rank did, in rank order, and how well that went. */
static void tell_times(double start)
{
    const double wall = cpar_time() - start;
    const int size = cpar_size();
    char text[512];
    snprintf(text, sizeof text, "rank %d on %s: %zu pieces, %.3f s", cpar_rank(), cpar_get_processor_name(), done.pieces, done.seconds);
    cpar_message *texts = cpar_gather(text, 0), *times = cpar_gather(done.seconds, 0);
    if (!times) return;

    double sum = 0;
    for (int r = 0; r < size; r++) {
        fprintf(stderr, "%s\n", cpar_part(texts, r, char, NULL));
        sum += *cpar_part(times, r, double, NULL);
    }
    fprintf(stderr, "%.3f s of computing in %.3f s: speedup %.3f, efficiency %.1f %%\n", sum, wall, sum / wall, 100 * sum / wall / size);
    cpar_free(texts);
    cpar_free(times);
}

static void print_sums(const pieces *all, const uint64_t *values, int count)
{
    uint64_t *sums = app_allocate((size_t)count, sizeof *sums);
    for (size_t i = 0; i < all->count; i++) sums[all->at[i].number] += values[i];
    for (int i = 0; i < count; i++) printf("%s%" PRIu64, i ? ", " : "[", sums[i]);
    puts("]");
    fflush(stdout);
    free(sums);
}

static void run(const int *numbers, int count, bool dynamic, bool tell)
{
    const double start = cpar_time();
    pieces all = { 0 };
    if (cpar_rank() == 0) all = cut_all(numbers, count, cpar_size());
    uint64_t *values = app_allocate(all.count, sizeof *values);

    if (dynamic) cpar_map(compute, all.at, all.count, values);
    else compute_shares(&all, values);
    if (cpar_rank() == 0) print_sums(&all, values, count);
    if (tell) tell_times(start);
    free(values);
    free(all.at);
}

int main(int argc, char **argv)
{
    static const struct option options[] = { { "dynamic", no_argument, NULL, 'd' }, { "time", no_argument, NULL, 't' },
        { "help", no_argument, NULL, 'h' }, { 0 } };
    static const int by_default[] = { 38, 37, 36, 35, 34, 33 };
    bool dynamic = false, tell = false;
    int status = 0, option;

    cpar_init(&argc, &argv);
    opterr = 0;
    while (!status && (option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        switch (option) {
        case 'd': dynamic = true; break;
        case 't': tell = true; break;
        case 'h':
            if (cpar_rank() == 0) fputs(help, stdout);
            return cpar_finalize();
        default: status = app_refuse_option(option, argv);
        }
    }

    const int count = argc - optind;
    int *numbers = app_allocate((size_t)count, sizeof *numbers);
    for (int i = 0; i < count && !status; i++) {
        long n;
        if (!app_number("N", argv[optind + i], 1, MOST, &n)) status = 2;
        else numbers[i] = (int)n;
    }
    if (!status && count) run(numbers, count, dynamic, tell);
    if (!status && !count) run(by_default, sizeof by_default / sizeof *by_default, dynamic, tell);
    free(numbers);
    cpar_finalize();
    return status;
}
