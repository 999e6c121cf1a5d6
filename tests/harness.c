#include "harness.h"

#include <mpi.h>
#include <stdarg.h>
#include <stdio.h>

/* The number of a rank's node: from digits, each the ranks of one; the last holds for all that follow. */
static int node_of(int rank, const char *digits)
{
    int node = 0;
    for (int ranks; rank >= (ranks = *digits - '0'); rank -= ranks, node++)
        if (digits[1]) digits++;
    return node;
}

/* Stands for MPI's, which cpar calls. */
int MPI_Comm_split_type(MPI_Comm comm, int type, int key, MPI_Info info, MPI_Comm *node)
{
    const char *digits = getenv("TEST_NODES");
    int rank;
    if (!digits) return PMPI_Comm_split_type(comm, type, key, info, node);
    PMPI_Comm_rank(MPI_COMM_WORLD, &rank);
    return PMPI_Comm_split(comm, node_of(rank, digits), key, node);
}

/* The first expectation of a test that did not hold. */
static char unmet[512];

void harness_expect(bool holds, const char *file, int line, const char *format, ...)
{
    if (holds || *unmet) return;
    const int n = snprintf(unmet, sizeof unmet, "%s:%d: ", basename(file), line);
    va_list args;
    va_start(args, format);
    vsnprintf(unmet + n, sizeof unmet - (size_t)n, format, args);
    va_end(args);
}

void harness_code(int got, int expected, const char *file, int line, const char *text)
{
    harness_expect(got == expected, file, line, "%s gave %d (%s), not %d", text, got, cpar_strerror(got), expected);
}

/* After each test on several ranks. */
static void conclude(void)
{
    MPI_Barrier(MPI_COMM_WORLD);
    if (!*unmet) return;
    char text[sizeof unmet];
    memcpy(text, unmet, sizeof text);
    *unmet = 0;
    ck_abort_msg("%s", text);
}

/* Runs the suite without forking, which MPI would not survive. Returns the failures, printed as of `rank`. */
static int run(const char *name, const TTest *const *tests, size_t count, int rank, int size)
{
    Suite *suite = suite_create(name);
    for (size_t i = 0; i < count; i++) {
        TCase *t = tcase_create(tests[i]->name);
        if (size > 0) tcase_add_checked_fixture(t, NULL, conclude);
        tcase_add_test(t, tests[i]);
        suite_add_tcase(suite, t);
    }
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_SILENT);

    const int failed = srunner_ntests_failed(runner), ran = srunner_ntests_run(runner);
    TestResult **failures = srunner_failures(runner);
    for (int i = 0; i < failed; i++)
        fprintf(stderr, "[rank %d/%d] %s: %s\n", rank, size, tr_tcname(failures[i]), tr_msg(failures[i]));
    free(failures);
    srunner_free(runner);
    if (ran == (int)count) return failed;
    fprintf(stderr, "[rank %d/%d] %s: %d tests ran of %zu\n", rank, size, name, ran, count);
    return failed + 1;
}

int harness_run(int argc, char **argv, const char *name, const TTest *const *tests, size_t count)
{
    int failed, failed_all;
    cpar_init(&argc, &argv);
    cpar_on_error(CPAR_ERRORS_RETURN);
    const int rank = cpar_rank(), size = cpar_size();

    failed = run(name, tests, count, rank, size);
    MPI_Allreduce(&failed, &failed_all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    if (rank == 0) printf("%s: %zu tests on each of %d ranks, %d failures\n", name, count, size, failed_all);
    cpar_on_error(NULL);
    cpar_finalize();
    return failed_all ? EXIT_FAILURE : EXIT_SUCCESS;
}

int harness_run_plain(const char *name, const TTest *const *tests, size_t count)
{
    const int failed = run(name, tests, count, 0, 0);
    printf("%s: %zu tests, %d failures\n", name, count, failed);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static cpar_request *posted[64];
static size_t posted_count;

void harness_post(cpar_request *r)
{
    if (posted_count == sizeof posted / sizeof *posted) abort();
    posted[posted_count++] = r;
}

int all_sent(void)
{
    const size_t n = posted_count;
    posted_count = 0;
    return cpar_wait_all(posted, n);
}

uint64_t harness_seed(uint64_t otherwise)
{
    const char *text = getenv("TEST_SEED");
    const uint64_t seed = text ? strtoull(text, NULL, 0) : otherwise;
    if (!cpar_initialized() || cpar_rank() == 0) printf("TEST_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

void fill(void *memory, size_t n, uint64_t seed)
{
    unsigned char *p = memory;
    for (size_t i = 0; i < n; i++) p[i] = (unsigned char)((i * 2654435761u + seed * 40503u) >> 7);
}

bool filled(const void *memory, size_t n, uint64_t seed)
{
    const unsigned char *p = memory;
    for (size_t i = 0; i < n; i++)
        if (p[i] != (unsigned char)((i * 2654435761u + seed * 40503u) >> 7)) return false;
    return true;
}
