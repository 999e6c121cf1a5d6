/* How fast cpar_map and pools hand out work, how well they balance it, and what waiting costs. Prints a line for each figure. */
#include <cpar.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int square(int x)
{
    return x * x;
}
CPAR_TASK(square, int, int);

/* Computes for so many seconds. */
static int spin(double seconds)
{
    const double end = cpar_time() + seconds;
    while (cpar_time() < end) continue;
    return cpar_rank();
}
CPAR_TASK(spin, double, int);

static double cpu_seconds(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec * 1e-9;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Millions of empty tasks a second: the median of 9 maps. */
static double rate(const int *jobs, int *results, size_t n, size_t chunk)
{
    double took[9];
    for (int i = 0; i < 9; i++) {
        cpar_barrier();
        const double start = cpar_time();
        cpar_map(square, jobs, n, results, .chunk = chunk);
        took[i] = cpar_time() - start;
    }
    qsort(took, 9, sizeof *took, ascending);
    return (double)n / took[4] * 1e-6;
}

static void rates(size_t n)
{
    int *jobs = malloc(n * sizeof *jobs), *results = malloc(n * sizeof *results);
    if (!jobs || !results) cpar_abort(1);
    for (size_t i = 0; i < n; i++) jobs[i] = (int)i % 1000;
    const double automatic = rate(jobs, results, n, 0), single = rate(jobs, results, n, 1), few = rate(jobs, results, 10, 0);
    if (cpar_rank() == 0) {
        printf("empty tasks: %.1f million a second, %.2f in chunks of 1\n", automatic, single);
        printf("a map of 10 empty tasks: %.1f us\n", 10 / few);
    }
    free(jobs);
    free(results);
}

static void pool_rate(int n)
{
    cpar_pool *pool = cpar_pool_open();
    if (!pool) return;
    const double start = cpar_time();
    for (int i = 0; i < n; i++) cpar_submit(pool, square, i % 1000);
    for (cpar_future *f; (f = cpar_as_completed(pool)); cpar_future_free(f)) (void)cpar_result(f, int);
    printf("a pool: %.2f million futures a second\n", n / (cpar_time() - start) * 1e-6);
    cpar_pool_close(pool);
}

/* A job of 1 s beside a thousand of 1 ms. */
static void balance(void)
{
    enum { JOBS = 1001 };
    double jobs[JOBS];
    int ranks[JOBS];
    for (int i = 0; i < JOBS; i++) jobs[i] = i ? 1e-3 : 1;
    cpar_barrier();
    const double start = cpar_time();
    cpar_map(spin, jobs, JOBS, ranks);
    if (cpar_rank() == 0) printf("a job of 1 s beside 1000 of 1 ms: %.3f s, the long one on rank %d\n", cpar_time() - start, ranks[0]);
}

/* One job for all: what the other ranks do meanwhile. */
static void idle(void)
{
    double job = 3;
    int rank;
    cpar_barrier();
    double before = cpu_seconds();
    cpar_map(spin, &job, 1, &rank);
    cpar_barrier();
    double used = cpu_seconds() - before, sum;
    cpar_reduce(used, &sum, CPAR_SUM, 0);
    if (cpar_rank() == 0) printf("one task of 3 s: all ranks together use %.2f s of CPU\n", sum);
}

int main(int argc, char **argv)
{
    cpar_init(&argc, &argv);
    rates(1000000);
    pool_rate(100000);
    balance();
    idle();
    cpar_finalize();
}
