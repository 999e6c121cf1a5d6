/* Times what a program does with cpar, and with MPI alone as a careful C programmer would, turn by turn in one run. Writes a
   line for each sample: case, bytes, who, microseconds. bench.sh runs it in several ways, and report.awk makes tables. */
#include <cpar.h>
#include <getopt.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

typedef enum { RAW, CPAR, INTO, WAYS } way; /* CPAR: with owned messages where one is received; INTO: into own memory */
static const char *const way_names[WAYS] = { "raw", "cpar", "into" };

static int rank, size;
static char *out, *in; /* memory of both kinds: separate, so that neither is in the cache for the other */

#define WORLD MPI_COMM_WORLD

/* ---- Point-to-point: between the first rank and the last ------------------------------------- */

static void receive(way w, size_t bytes, int from)
{
    if (w == RAW)
        MPI_Recv(in, (int)bytes, MPI_CHAR, from, 0, WORLD, MPI_STATUS_IGNORE);
    else if (w == CPAR)
        cpar_free(cpar_receive(from));
    else
        cpar_receive_into(cpar_array(in, bytes), from);
}

static void send(way w, size_t bytes, int to)
{
    if (w == RAW)
        MPI_Send(out, (int)bytes, MPI_CHAR, to, 0, WORLD);
    else
        cpar_send(cpar_array(out, bytes), to);
}

static void pingpong(way w, size_t bytes, int n)
{
    const int last = size - 1;
    for (int i = 0; i < n; i++) {
        if (rank == 0) {
            send(w, bytes, last);
            receive(w, bytes, last);
        } else if (rank == last) {
            receive(w, bytes, 0);
            send(w, bytes, 0);
        }
    }
}

/* Messages one way, as fast as they go, and one back at the end. */
static void stream(way w, size_t bytes, int n)
{
    const int last = size - 1;
    if (rank == 0) {
        for (int i = 0; i < n; i++) send(w, bytes, last);
        receive(w, bytes, last);
    } else if (rank == last) {
        for (int i = 0; i < n; i++) receive(w, bytes, 0);
        send(w, bytes, 0);
    }
}

/* Both ways at once: a receive and a send are open at the same time. */
static void both_ways(way w, size_t bytes, int n)
{
    if (rank != 0 && rank != size - 1) return;
    const int other = size - 1 - rank;
    for (int i = 0; i < n; i++) {
        if (w == RAW) {
            MPI_Request r[2];
            MPI_Irecv(in, (int)bytes, MPI_CHAR, other, 0, WORLD, &r[0]);
            MPI_Isend(out, (int)bytes, MPI_CHAR, other, 0, WORLD, &r[1]);
            MPI_Waitall(2, r, MPI_STATUSES_IGNORE);
        } else {
            cpar_request *r = cpar_ireceive(other), *s = cpar_isend(cpar_array(out, bytes), other);
            cpar_free(cpar_wait(r));
            cpar_wait(s);
        }
    }
}

/* ---- Collectives: `bytes` from or to each rank ------------------------------------------------ */

static void broadcast(way w, size_t bytes, int n)
{
    for (int i = 0; i < n; i++) {
        if (w == RAW)
            MPI_Bcast(out, (int)bytes, MPI_CHAR, i % size, WORLD);
        else
            cpar_broadcast(cpar_array(out, bytes), i % size);
    }
}

static void scatter(way w, size_t bytes, int n)
{
    for (int i = 0; i < n; i++) {
        if (w == RAW)
            MPI_Scatter(out, (int)bytes, MPI_CHAR, in, (int)bytes, MPI_CHAR, 0, WORLD);
        else
            cpar_free(cpar_scatter(cpar_array(out, bytes * (size_t)size), 0));
    }
}

static void gather(way w, size_t bytes, int n)
{
    for (int i = 0; i < n; i++) {
        if (w == RAW)
            MPI_Gather(out, (int)bytes, MPI_CHAR, in, (int)bytes, MPI_CHAR, 0, WORLD);
        else
            cpar_free(cpar_gather(cpar_array(out, bytes), 0));
    }
}

static void allgather(way w, size_t bytes, int n)
{
    for (int i = 0; i < n; i++) {
        if (w == RAW)
            MPI_Allgather(out, (int)bytes, MPI_CHAR, in, (int)bytes, MPI_CHAR, WORLD);
        else
            cpar_free(cpar_allgather(cpar_array(out, bytes)));
    }
}

static void allreduce(way w, size_t bytes, int n)
{
    const size_t count = bytes / sizeof(double);
    for (int i = 0; i < n; i++) {
        if (w == RAW)
            MPI_Allreduce(out, in, (int)count, MPI_DOUBLE, MPI_SUM, WORLD);
        else
            cpar_allreduce(cpar_array((double *)(void *)out, count), cpar_array((double *)(void *)in, count), CPAR_SUM);
    }
}

enum { RANKS_MOST = 64 };

static void alltoall(way w, size_t bytes, int n)
{
    cpar_view views[RANKS_MOST];
    for (int r = 0; r < size; r++) views[r] = cpar_array(out + bytes * (size_t)r, bytes);
    for (int i = 0; i < n; i++) {
        if (w == RAW)
            MPI_Alltoall(out, (int)bytes, MPI_CHAR, in, (int)bytes, MPI_CHAR, WORLD);
        else
            cpar_free(cpar_alltoall(views, size));
    }
}

/* Ragged: the even ranks give half as much as the odd ones, and no rank knows what another gives. MPI alone exchanges
   counts first, makes memory, and then calls the variant for unlike lengths. */
static size_t ragged(size_t bytes, int r)
{
    return r % 2 ? bytes : bytes / 2;
}

static int lay_out(const int *counts, int *starts)
{
    int total = 0;
    for (int r = 0; r < size; r++) {
        starts[r] = total;
        total += counts[r];
    }
    return total;
}

static void ragged_gather(way w, size_t bytes, int n)
{
    const int mine = (int)ragged(bytes, rank);
    int counts[RANKS_MOST], starts[RANKS_MOST];
    for (int i = 0; i < n; i++) {
        if (w != RAW) {
            cpar_free(cpar_gather(cpar_array(out, (size_t)mine), 0));
            continue;
        }
        MPI_Gather(&mine, 1, MPI_INT, counts, 1, MPI_INT, 0, WORLD);
        char *all = rank ? NULL : malloc((size_t)lay_out(counts, starts) + 1);
        MPI_Gatherv(out, mine, MPI_CHAR, all, counts, starts, MPI_CHAR, 0, WORLD);
        free(all);
    }
}

static void ragged_allgather(way w, size_t bytes, int n)
{
    const int mine = (int)ragged(bytes, rank);
    int counts[RANKS_MOST], starts[RANKS_MOST];
    for (int i = 0; i < n; i++) {
        if (w != RAW) {
            cpar_free(cpar_allgather(cpar_array(out, (size_t)mine)));
            continue;
        }
        MPI_Allgather(&mine, 1, MPI_INT, counts, 1, MPI_INT, WORLD);
        char *all = malloc((size_t)lay_out(counts, starts) + 1);
        MPI_Allgatherv(out, mine, MPI_CHAR, all, counts, starts, MPI_CHAR, WORLD);
        free(all);
    }
}

static void ragged_alltoall(way w, size_t bytes, int n)
{
    int gives[RANKS_MOST], from[RANKS_MOST], counts[RANKS_MOST], starts[RANKS_MOST];
    cpar_view views[RANKS_MOST];
    for (int r = 0; r < size; r++) {
        gives[r] = (int)ragged(bytes, rank + r);
        from[r] = (int)bytes * r;
        views[r] = cpar_array(out + from[r], (size_t)gives[r]);
    }
    for (int i = 0; i < n; i++) {
        if (w != RAW) {
            cpar_free(cpar_alltoall(views, size));
            continue;
        }
        MPI_Alltoall(gives, 1, MPI_INT, counts, 1, MPI_INT, WORLD);
        char *all = malloc((size_t)lay_out(counts, starts) + 1);
        MPI_Alltoallv(out, gives, from, MPI_CHAR, all, counts, starts, MPI_CHAR, WORLD);
        free(all);
    }
}

/* ---- Measuring -------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    void (*run)(way w, size_t bytes, int n);
    size_t least, most; /* bytes */
    int parts;          /* by which to divide the time */
    bool into;          /* has this way too */
} cases[] = {
    { "pingpong", pingpong, 8, 64 << 20, 2, true },
    { "stream", stream, 8, 4096, 1, true },
    { "both_ways", both_ways, 8, 1 << 20, 1, false },
    { "broadcast", broadcast, 8, 1 << 20, 1, false },
    { "scatter", scatter, 8, 1 << 20, 1, false },
    { "gather", gather, 8, 1 << 20, 1, false },
    { "allgather", allgather, 8, 1 << 20, 1, false },
    { "allreduce", allreduce, 8, 1 << 20, 1, false },
    { "alltoall", alltoall, 8, 1 << 20, 1, false },
    { "ragged_gather", ragged_gather, 8, 1 << 20, 1, false },
    { "ragged_allgather", ragged_allgather, 8, 1 << 20, 1, false },
    { "ragged_alltoall", ragged_alltoall, 8, 1 << 20, 1, false },
};
enum { CASES = sizeof cases / sizeof *cases };

/* Microseconds for n runs: of the rank that took longest. One run before brings this way's memory into the cache. */
static double sample(int c, way w, size_t bytes, int n)
{
    double took, longest;
    cases[c].run(w, bytes, 1);
    MPI_Barrier(WORLD);
    const double start = cpar_time();
    cases[c].run(w, bytes, n);
    took = cpar_time() - start;
    MPI_Allreduce(&took, &longest, 1, MPI_DOUBLE, MPI_MAX, WORLD);
    return longest * 1e6;
}

static void measure(int c, size_t bytes, int samples, bool raw_only)
{
    const int ways = raw_only ? 1 : cases[c].into ? WAYS : INTO;
    int n = 1;
    while (sample(c, RAW, bytes, n) < 2000) n *= 2; /* for samples of 2 ms at the least */
    for (int w = 0; w < ways; w++) sample(c, (way)w, bytes, n);
    for (int i = 0; i < samples; i++)
        for (int k = 0; k < ways; k++) {
            const way w = (way)((k + i) % ways);
            const double us = sample(c, w, bytes, n) / n / cases[c].parts;
            if (rank == 0) printf("%s\t%zu\t%s\t%.4f\n", cases[c].name, bytes, way_names[w], us);
        }
    if (rank == 0) fflush(stdout);
}

/* The most memory that this rank has had at once, in KiB, on standard error. */
static void tell_peak(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    if (rank == 0) fprintf(stderr, "peak\t%ld\n", used.ru_maxrss);
}

static bool wanted(const char *name, char **names)
{
    if (!*names) return true;
    for (; *names; names++)
        if (strcmp(*names, name) == 0) return true;
    return false;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        { "raw-only", no_argument, NULL, 'r' },
        { "peak", no_argument, NULL, 'p' },
        { "samples", required_argument, NULL, 's' },
        { "least", required_argument, NULL, 'l' },
        { "most", required_argument, NULL, 'm' },
        { NULL, 0, NULL, 0 },
    };
    bool raw_only = false, peak = false;
    int samples = 15, option;
    size_t least = 0, most = 64 << 20;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'r')
            raw_only = true;
        else if (option == 'p')
            peak = true;
        else if (option == 's')
            samples = atoi(optarg);
        else if (option == 'l')
            least = (size_t)atoll(optarg);
        else if (option == 'm')
            most = (size_t)atoll(optarg);
        else
            return 2;
    }
    if (raw_only)
        MPI_Init(&argc, &argv);
    else
        cpar_init(&argc, &argv);
    MPI_Comm_rank(WORLD, &rank);
    MPI_Comm_size(WORLD, &size);
    const size_t of_each = most < 1 << 20 ? most : 1 << 20, room = of_each * (size_t)size + most + 4096; /* for any case */
    out = aligned_alloc(4096, room);
    in = aligned_alloc(4096, room);
    if (size > RANKS_MOST || !out || !in) MPI_Abort(WORLD, 1);
    memset(out, 0, room);
    memset(in, 0, room);

    for (int c = 0; c < CASES; c++)
        for (size_t bytes = cases[c].least; bytes <= cases[c].most && bytes <= most && wanted(cases[c].name, argv + optind);
             bytes *= bytes < 1 << 20 && cases[c].run == pingpong ? 2 : 4)
            if (bytes >= least) measure(c, bytes, samples, raw_only);

    if (peak) tell_peak();
    free(out);
    free(in);
    if (raw_only)
        MPI_Finalize();
    else
        cpar_finalize();
}
