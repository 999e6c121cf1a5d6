/* How long messages take within each host, and between each two hosts. */
#include "app.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SHORT = 8,
    STEPS = 2 * 28, /* from 8 bytes to 1 GiB there are 28 sizes */
    SAMPLES = 20,   /* of each time, where there are seconds enough for that */
    FEWEST = 3      /* where there are not */
};

static const char help[] =
    "usage: mpirun -n RANKS timing [--all] [--most BYTES] [--seconds S]\n"
    "\n"
    "Measures messages between the lowest two ranks of each host, and between the lowest ranks of each two\n"
    "hosts, one pair after the other. Prints a line for each: the latency, which is half the time of a\n"
    "message there and back; how many millions of short messages go one way in a second; and the\n"
    "bandwidth of long ones, received into memory that is there, in millions of bytes a second.\n"
    "\n"
    "  --all         instead a line for each size: 8 bytes, 16, 32 and so on\n"
    "  --most BYTES  the longest messages (8 to 1073741824; 4194304 by default)\n"
    "  --seconds S   measure each time for so long (0.001 to 10; 0.1 by default)\n"
    "  --help        print this\n";

typedef struct {
    int first, second;
} pair;

/* A time to measure: of a message of so many bytes, there and back or one way. */
typedef struct {
    size_t bytes;
    bool back;
} step;

/* What a rank of a pair has at hand. The first one leads. */
typedef struct {
    int other;
    bool leads;
    unsigned char *out, *in;
} side;

static const char *host_of(const cpar_message *hosts, int rank)
{
    return cpar_part(hosts, rank, char, NULL);
}

/* The pairs within hosts, then those between hosts; hosts in the order of their lowest ranks. */
static pair *choose_pairs(const cpar_message *hosts, size_t *count)
{
    const int size = cpar_size();
    int *lowest = app_allocate((size_t)size, sizeof *lowest), *next = app_allocate((size_t)size, sizeof *next);
    size_t n = 0; /* hosts */
    for (int r = 0; r < size; r++) {
        size_t i = 0;
        while (i < n && strcmp(host_of(hosts, r), host_of(hosts, lowest[i])) != 0) i++;
        if (i == n) lowest[n++] = r;
        else if (!next[i]) next[i] = r; /* 0 is none: rank 0 is a lowest */
    }

    pair *pairs = app_allocate(n * (n + 1) / 2, sizeof *pairs);
    *count = 0;
    for (size_t i = 0; i < n; i++)
        if (next[i]) pairs[(*count)++] = (pair){ lowest[i], next[i] };
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++) pairs[(*count)++] = (pair){ lowest[i], lowest[j] };
    free(lowest);
    free(next);
    return pairs;
}

/* ---- A pair ---------------------------------------------------------------------------------- */

static void send(const side *s, size_t bytes)
{
    cpar_send(cpar_array(s->out, bytes), s->other);
}

static void receive(const side *s, size_t bytes)
{
    cpar_receive_into(cpar_array(s->in, bytes), s->other);
}

/* Makes the memory, and passes the longest message there and, as it came, back. Both sides check it. */
static side begin(pair p, int rank, size_t most)
{
    const side s = { rank == p.first ? p.second : p.first, rank == p.first, app_allocate(most, 1), app_allocate(most, 1) };
    for (size_t i = 0; i < most; i++) s.out[i] = (unsigned char)(i * 31 + i / 251);
    memset(s.in, 0xff, most); /* memory that was never written to is slow the first time */

    if (s.leads) send(&s, most);
    receive(&s, most);
    if (memcmp(s.in, s.out, most) != 0) {
        fprintf(stderr, "timing: rank %d received other bytes than rank %d sent\n", rank, s.other);
        cpar_abort(1);
    }
    if (!s.leads) cpar_send(cpar_array(s.in, most), s.other);
    return s;
}

/* There and back n times; or n times there, and a short message back at the end. */
static void repeat(const side *s, step what, long n)
{
    for (long i = 0; i < n; i++) {
        if (s->leads) send(s, what.bytes);
        if (what.back || !s->leads) receive(s, what.bytes);
        if (what.back && !s->leads) send(s, what.bytes);
    }
    if (!what.back && s->leads) receive(s, SHORT);
    if (!what.back && !s->leads) send(s, SHORT);
}

/* Seconds for n times, from when both sides know how many that is. */
static double sample(const side *s, step what, long n)
{
    cpar_send(n, s->other);
    cpar_receive_into(&n, s->other);
    const double start = cpar_time();
    repeat(s, what, n);
    return cpar_time() - start;
}

static void follow(const side *s, step what)
{
    long n;
    while (cpar_receive_into(&n, s->other) == 0 && n > 0) {
        cpar_send(n, s->other);
        repeat(s, what, n);
    }
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* One of the two may have been held up. */
static double better_sample(const side *s, step what, long n)
{
    const double one = sample(s, what, n), two = sample(s, what, n);
    return one < two ? one : two;
}

/* Finds out how many times fill a sample, which warms up too, and takes samples. Returns the median: seconds for a message one way. */
static double lead(const side *s, step what, double seconds)
{
    const double wanted = seconds / SAMPLES;
    double took[SAMPLES], better, sum = 0;
    long n = 1;
    sample(s, what, n);
    while ((better = better_sample(s, what, n)) < wanted) n *= 2;
    n = (long)((double)n * wanted / better) + 1;

    size_t count = 0;
    while (count < FEWEST || (count < SAMPLES && sum < seconds)) {
        took[count] = sample(s, what, n);
        sum += took[count++];
    }
    cpar_send(0L, s->other);
    qsort(took, count, sizeof *took, ascending);
    return took[count / 2] / (double)(what.back ? 2 * n : n);
}

/* ---- All pairs ------------------------------------------------------------------------------- */

static size_t choose_steps(bool all, size_t most, step *steps)
{
    size_t n = 0;
    steps[n++] = (step){ SHORT, true };
    steps[n++] = (step){ SHORT, false };
    if (!all) steps[n++] = (step){ most, false };
    for (size_t bytes = SHORT; all && bytes < most;) {
        bytes = 2 * bytes < most ? 2 * bytes : most;
        steps[n++] = (step){ bytes, true };
        steps[n++] = (step){ bytes, false };
    }
    return n;
}

/* "within node1" or "node1 - node2". Returns its length. */
static int name_pair(char *text, size_t room, const cpar_message *hosts, pair p)
{
    const char *a = host_of(hosts, p.first), *b = host_of(hosts, p.second);
    return strcmp(a, b) == 0 ? snprintf(text, room, "within %s", a) : snprintf(text, room, "%s - %s", a, b);
}

static void print_lines(const char *name, int width, bool all, const step *steps, size_t count, const double *took)
{
    if (!all)
        printf("%-*s  %17.3f  %15.3f  %31.1f\n", width, name, took[0] * 1e6, 1e-6 / took[1], (double)steps[2].bytes / took[2] * 1e-6);
    for (size_t i = 0; all && i < count; i += 2)
        printf("%-*s  %10zu  %12.3f  %16.1f\n", width, name, steps[i].bytes, took[i] * 1e6, (double)steps[i].bytes / took[i + 1] * 1e-6);
    fflush(stdout);
}

/* Measures one pair after the other, while the other ranks wait. */
static void run(bool all, size_t most, double seconds)
{
    const int rank = cpar_rank();
    cpar_message *hosts = cpar_allgather(cpar_get_processor_name());
    size_t pair_count;
    pair *pairs = choose_pairs(hosts, &pair_count);
    step steps[STEPS];
    const size_t step_count = choose_steps(all, most, steps), of = pair_count * step_count;

    char text[1024];
    int width = 4;
    for (size_t i = 0; i < pair_count; i++) {
        const int length = name_pair(text, sizeof text, hosts, pairs[i]);
        if (length > width) width = length;
    }
    snprintf(text, sizeof text, "bandwidth (MB/s, %zu B)", most);
    if (rank == 0 && all) printf("%-*s  %10s  latency (us)  bandwidth (MB/s)\n", width, "pair", "bytes");
    if (rank == 0 && !all) printf("%-*s  latency (us, 8 B)  rate (M/s, 8 B)  %31s\n", width, "pair", text);

    for (size_t i = 0; i < pair_count; i++) {
        const pair p = pairs[i];
        double took[STEPS] = { 0 };
        side s = { 0 };
        if (rank == p.first || rank == p.second) s = begin(p, rank, most);
        for (size_t j = 0; j < step_count; j++) {
            if (rank == 0) cpar_progress(i * step_count + j, of);
            if (rank == p.first) took[j] = lead(&s, steps[j], seconds);
            if (rank == p.second) follow(&s, steps[j]);
            cpar_broadcast(&took[j], p.first);
        }
        free(s.out);
        free(s.in);
        name_pair(text, sizeof text, hosts, p);
        if (rank == 0) print_lines(text, width, all, steps, step_count, took);
    }
    if (rank == 0) cpar_progress(of, of);
    free(pairs);
    cpar_free(hosts);
}

int main(int argc, char **argv)
{
    static const struct option options[] = { { "all", no_argument, NULL, 'a' }, { "most", required_argument, NULL, 'm' },
        { "seconds", required_argument, NULL, 's' }, { "help", no_argument, NULL, 'h' }, { 0 } };
    bool all = false;
    long most = 4194304;
    double seconds = 0.1;
    int status = 0, option;

    cpar_init(&argc, &argv);
    opterr = 0;
    while (!status && (option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        switch (option) {
        case 'a': all = true; break;
        case 'm': status = app_number("--most", optarg, SHORT, 1L << 30, &most) ? 0 : 2; break;
        case 's': status = app_decimal("--seconds", optarg, 0.001, 10, &seconds) ? 0 : 2; break;
        case 'h':
            if (cpar_rank() == 0) fputs(help, stdout);
            return cpar_finalize();
        default: status = app_refuse_option(option, argv);
        }
    }
    if (!status && optind < argc) status = app_refuse("%s: no such argument; --help tells all", argv[optind]);
    if (!status && cpar_size() < 2) status = app_refuse("needs at least 2 ranks, there is %d", cpar_size());
    if (!status) run(all, (size_t)most, seconds);
    cpar_finalize();
    return status;
}
