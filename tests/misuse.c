/* A program that does one thing wrong, or unusual, as its argument says. scripts/misuse.sh looks at what it
   prints and how it ends. */
#include <cpar.h>
#include <mpi.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int rank, size;

static void wrong_type(void)
{
    double four[4] = { 0 };
    int x = 0;
    if (rank == 0) cpar_send(cpar_array(four, 4), 1 % size);
    if (rank == 1 % size) cpar_receive_into(&x, 0);
    cpar_barrier();
}

static void too_long(void)
{
    int many[5] = { 0 }, two[2];
    if (rank == 0) cpar_send(cpar_array(many, 5), 1 % size, .tag = 12);
    if (rank == 1 % size) cpar_receive_into(cpar_array(two, 2), CPAR_ANY_SOURCE, .tag = CPAR_ANY_TAG);
    cpar_barrier();
}

static void wrong_value(void)
{
    if (rank == 0) cpar_send("text", 1 % size);
    if (rank == 1 % size) {
        cpar_message *m = cpar_receive(0);
        printf("%g\n", cpar_value(m, double));
    }
    cpar_barrier();
}

static void unreceived(void)
{
    if (rank == 0) cpar_send(3.5, 1 % size, .tag = 7);
}

static void open_request(void)
{
    if (rank == 0) cpar_ireceive(1 % size, .tag = 3);
}

static void open_request_returning(void)
{
    static double data[1000000]; /* with small pieces, abandoned on both sides half way */
    cpar_on_error(CPAR_ERRORS_RETURN);
    cpar_isend(cpar_array(data, 1000000), (rank + 1) % size, .tag = 1);
    cpar_isend(cpar_array(data, 1000000), (rank + 1) % size, .tag = 3);
    cpar_ireceive(CPAR_ANY_SOURCE, .tag = 3);
    cpar_ireceive(CPAR_ANY_SOURCE, .tag = 2);
    const int code = cpar_finalize();
    printf("finalize gave %d: %s\n", code, cpar_strerror(code));
    exit(code == CPAR_ERROR_STATE ? 0 : 1);
}

static void abort_job(void)
{
    if (rank == size - 1) cpar_abort(300);
    cpar_barrier();
}

static void abort_zero(void)
{
    printf("printed before the end\n");
    cpar_abort(256);
}

static void bad_scatter(void)
{
    int a[3] = { 0 };
    size_t counts[4] = { 1, 1, 1, 1 };
    counts[0] = 5;
    cpar_scatter(cpar_array(a, 3), 0, .counts = counts);
}

static void one_skips_gather(void)
{
    if (rank != 2) cpar_free(cpar_gather(rank, 0));
    cpar_barrier();
}

static void collectives_differ(void)
{
    if (rank == 0) cpar_barrier();
    else cpar_gather(1, 0);
    cpar_receive(0); /* rank 0 finds out, and ends the job */
}

/* Leaves this process room for so many more bytes. */
static void limit_memory(size_t bytes)
{
    size_t pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%zu", &pages) != 1) abort();
    fclose(f);
    const size_t most = pages * (size_t)sysconf(_SC_PAGESIZE) + bytes;
    if (setrlimit(RLIMIT_AS, &(struct rlimit){ most, most })) abort();
}

/* Rank 1 has no memory for what comes: it is dropped, nobody hangs, and all goes on. */
static void no_memory(void)
{
    enum { BYTES = 300000000 };
    char *much = rank == 1 ? NULL : calloc(BYTES, 1);
    int sum = 0, x = 0;
    cpar_on_error(CPAR_ERRORS_RETURN);
    cpar_barrier();
    if (rank == 1) limit_memory(100000000);

    if (rank == 0) cpar_send(cpar_array(much, BYTES), 1);
    cpar_message *m = rank == 1 ? cpar_receive(0) : NULL;
    const int received = cpar_last_error();
    cpar_message *all = cpar_gather(cpar_array(much, rank == 1 ? 0 : BYTES / 2), 1);
    const int gathered = cpar_last_error();
    cpar_message *everywhere = cpar_broadcast_message(cpar_array(much, BYTES), 0);
    const int broadcast = cpar_last_error();
    cpar_allreduce(1, &sum, CPAR_SUM);
    if (rank == 0) cpar_send(42, 1);
    if (rank == 1) cpar_receive_into(&x, 0);
    printf("rank %d: %d %d %d, %d%d%d, %d %d\n", rank, received, gathered, broadcast, m != NULL, all != NULL, everywhere != NULL, sum, x);
    cpar_free(everywhere);
    free(much);
}

static void leave(void)
{
    cpar_broadcast(&rank, 0);
    exit(0);
}

static void leave_with_status(void)
{
    cpar_barrier();
    exit(5);
}

static void leave_unreceived(void)
{
    if (rank == 0) cpar_send(1.5, 1 % size, .tag = 7);
    cpar_barrier();
    exit(6);
}

/* The others finalize, as they should. */
static void leave_alone(void)
{
    if (rank == 0) exit(7);
}

static void leave_others_waiting(void)
{
    if (rank == 0) exit(8);
    cpar_receive(0);
}

static void leave_in_a_child(void)
{
    int status = -1;
    const pid_t child = fork();
    if (child == 0) exit(9);
    waitpid(child, &status, 0);
    printf("the child ended with %d\n", WEXITSTATUS(status));
    cpar_barrier();
    exit(0);
}

/* With two ranks each takes itself for the root, so the first broadcast only sends; the second finds out. */
static void roots_differ(void)
{
    int x = rank;
    cpar_broadcast(&x, rank);
    cpar_broadcast(&x, 0);
}

static void operations_differ(void)
{
    int x = rank;
    cpar_reduce(x, &x, rank ? CPAR_MAX : CPAR_SUM, 0);
    cpar_barrier();
}

static void print(void)
{
    cpar_print("rank %d\nhas two lines", rank);
    cpar_print("%s", rank == size - 1 ? "only the last\n" : "");
    cpar_print("%0*d", 70000, rank);
}

static void no_sequences_left(void)
{
    static double data[100000];
    cpar_on_error(CPAR_ERRORS_RETURN);
    const int next = (rank + 1) % size;
    cpar_request *r = cpar_isend(cpar_array(data, 100000), next), *too_many = cpar_isend(cpar_array(data, 100000), next);
    const int at_isend = cpar_last_error(), broadcast = cpar_broadcast(cpar_array(data, 100000), 0);
    cpar_free(cpar_receive(CPAR_ANY_SOURCE));
    cpar_wait(r);
    printf("rank %d: %d %d %d\n", rank, too_many == NULL, at_isend, broadcast);
}

static void print_to_full(void)
{
    if (!freopen("/dev/full", "w", stdout)) exit(9);
    cpar_print("lost");
}

static void on_handler(int code, const char *line)
{
    fprintf(stderr, "handled %d: %s\n", code, line);
}

static void handler(void)
{
    cpar_on_error(on_handler);
    const int code = cpar_send(1, 1000);
    cpar_on_error(NULL);
    printf("returned %d\n", code);
}

static void finalize_twice(void)
{
    const int first = cpar_finalize(), second = cpar_finalize();
    printf("%d %d %d\n", first, second, cpar_initialized());
}

static void init_after_end(void)
{
    cpar_finalize();
    cpar_init(NULL, NULL);
}

static void use_after_end(void)
{
    cpar_finalize();
    cpar_send(1, 0);
}

static void leave_others_in_broadcast(void)
{
    int x = 0;
    if (rank == 0) exit(9);
    cpar_broadcast(&x, 0);
}

static void group_error(void)
{
    cpar_group *g = cpar_split(rank / 2, rank);
    double x;
    if (cpar_rank(.group = g) == 0 && rank) cpar_send(1, 1, .group = g);
    if (rank == size - 1) cpar_receive_into(&x, 0, .group = g);
    cpar_group_free(g);
}

static void *send_to_oneself(void *code)
{
    *(int *)code = cpar_send(1, rank);
    return NULL;
}

static void second_thread(void)
{
    pthread_t thread;
    int theirs = 0;
    cpar_on_error(CPAR_ERRORS_RETURN);
    if (pthread_create(&thread, NULL, send_to_oneself, &theirs) || pthread_join(thread, NULL)) exit(1);
    const int ours = cpar_send(1, rank);
    cpar_free(cpar_receive(rank));
    printf("from another thread %d, from this one %d, with threads after all %d\n", theirs, ours, cpar_init(NULL, NULL, .threads = true));
}

static void split_or_gather(void)
{
    if (rank == 0) cpar_split(0, 0);
    if (rank == 1) cpar_free(cpar_gather(7, 0));
    cpar_free(cpar_receive(1 - rank));
}

static void barrier_without_one(void)
{
    int x = 0;
    cpar_on_error(CPAR_ERRORS_RETURN);
    const int code = rank == 1 ? cpar_broadcast(&x, 1) : cpar_barrier();
    printf("rank %d: %d\n", rank, code);
    fflush(stdout);
    nanosleep(&(struct timespec){ .tv_nsec = 500000000 }, NULL);
    cpar_abort(3);
}

static void use_group_after_end(void)
{
    cpar_group *g = cpar_split(0, 0);
    cpar_finalize();
    cpar_on_error(CPAR_ERRORS_RETURN);
    const int send = cpar_send(1, 0, .group = g), barrier = cpar_barrier(.group = g), end = cpar_group_free(g);
    printf("%d %d %d\n", send, barrier, end);
}

static void wait_for_another_tag(void)
{
    if (rank == 0) {
        cpar_send("4", 1, .tag = 4);
        nanosleep(&(struct timespec){ .tv_sec = 1, .tv_nsec = 700000000 }, NULL);
        cpar_send("5", 1, .tag = 5);
    } else {
        cpar_free(cpar_receive(0, .tag = 5));
        cpar_free(cpar_receive(0, .tag = 4));
    }
}

static void wait_long(void)
{
    cpar_barrier();
    if (rank == 0) {
        nanosleep(&(struct timespec){ .tv_sec = 3, .tv_nsec = 500000000 }, NULL);
        cpar_send(1, 1 % size);
    }
    if (rank == 1 % size) cpar_free(cpar_receive(CPAR_ANY_SOURCE));
    cpar_barrier();
}

static double cpu_time(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1e-6;
}

static void wait_asleep(void)
{
    cpar_barrier();
    const double before = cpu_time();
    if (rank == 0) {
        nanosleep(&(struct timespec){ .tv_sec = 2 }, NULL);
        cpar_send(1, 1);
    } else {
        cpar_free(cpar_receive(0));
        printf("2 s of waiting cost %s of the core\n", cpu_time() - before < 0.5 ? "little" : "much");
    }
}

/* ---- Maps -------------------------------------------------------------------------------------- */

static int whole_root(int x)
{
    int root = 0;
    while (root * root < x) root++;
    if (root * root != x) cpar_task_fail("%d is no square", x);
    return root;
}

static size_t length(const char *s)
{
    return strlen(s);
}

static int wait_2_s(int job)
{
    if (job == 0) nanosleep(&(struct timespec){ .tv_sec = 2 }, NULL);
    return rank;
}

CPAR_TASK(whole_root, int, int);
CPAR_TASK(length, const char *, size_t);
CPAR_TASK(wait_2_s, int, int);

static void failing_task(void)
{
    int jobs[5] = { 4, 9, 10, 16, 17 }, results[5];
    cpar_map(whole_root, jobs, 5, results, .root = size - 1);
}

static void failing_tasks_told(void)
{
    int jobs[5] = { 4, 9, 10, 16, 17 }, results[5];
    cpar_failures failures;
    const int code = cpar_map(whole_root, jobs, 5, results, .failures = &failures);
    if (rank == 0) printf("code %d, %d %d %d %d %d\n", code, results[0], results[1], results[2], results[3], results[4]);
    for (size_t i = 0; i < failures.count; i++) printf("job %zu: %s\n", failures.at[i].job, failures.at[i].why);
    cpar_failures_free(&failures);
}

static void tasks_differ(void)
{
    int jobs[3] = { 1, 4, 9 }, results[3];
    if (rank == 1) cpar_map(wait_2_s, jobs, 3, results);
    else cpar_map(whole_root, jobs, 3, results);
}

static void map_of_no_jobs(void)
{
    int *jobs = NULL, results[3];
    cpar_map(whole_root, jobs, 3, results);
}

static void map_of_null_string(void)
{
    const char *jobs[3] = { "one", "two", NULL };
    size_t results[3];
    cpar_map(length, jobs, 3, results);
}

static void map_into_null(void)
{
    int jobs[3] = { 1, 4, 9 }, results[3];
    cpar_map(whole_root, jobs, 3, rank == 1 ? (int *)NULL : results, .everywhere = true);
}

static void fail_in_no_task(void)
{
    cpar_task_fail("nothing");
}

static void map_asleep(void)
{
    int jobs[20] = { 0 }, results[20];
    for (int i = 0; i < 20; i++) jobs[i] = i;
    cpar_barrier();
    const double before = cpu_time();
    cpar_map(wait_2_s, jobs, 20, results, .everywhere = true);
    printf("2 s of waiting cost %s of the core\n", cpu_time() - before < 0.5 ? "little" : "much");
}

/* ---- Pools ------------------------------------------------------------------------------------- */

static void failed_future(void)
{
    cpar_pool *pool = cpar_pool_open(.root = size - 1);
    if (!pool) return;
    cpar_future *good = cpar_submit(pool, whole_root, 9), *bad = cpar_submit(pool, whole_root, 10);
    printf("%d, %s\n", cpar_result(good, int), cpar_why(bad));
    printf("%d\n", cpar_result(bad, int));
}

static void result_of_another_type(void)
{
    cpar_pool *pool = cpar_pool_open();
    if (pool) printf("%g\n", cpar_result(cpar_submit(pool, whole_root, 9), double));
}

static void result_of_another_form(void)
{
    cpar_pool *pool = cpar_pool_open();
    if (pool) printf("%s\n", cpar_result(cpar_submit(pool, whole_root, 9), char *));
}

static void submit_everywhere(void)
{
    cpar_pool *pool = cpar_pool_open();
    cpar_pool_close(pool);
    if (!pool) cpar_submit(pool, whole_root, 9);
    cpar_barrier();
}

static void pool_left_open(void)
{
    cpar_pool *pool = cpar_pool_open();
    if (pool && cpar_result(cpar_submit(pool, whole_root, 9), int) != 3) cpar_abort(9);
}

static void leave_pool_open(void)
{
    if (cpar_pool_open()) exit(5);
}

static void pool_asleep(void)
{
    cpar_barrier();
    const double before = cpu_time();
    cpar_pool *pool = cpar_pool_open();
    cpar_future *waiting = pool ? cpar_submit(pool, wait_2_s, 0) : NULL;
    if (waiting && cpar_result(waiting, int) == rank) cpar_abort(9);
    cpar_future_free(waiting);
    cpar_pool_close(pool);
    printf("2 s of waiting cost %s of the core\n", cpu_time() - before < 0.5 ? "little" : "much");
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
#define CASE(name) { #name, name },
    CASE(wrong_type) CASE(too_long) CASE(wrong_value) CASE(unreceived) CASE(open_request) CASE(open_request_returning)
    CASE(abort_job) CASE(abort_zero) CASE(bad_scatter) CASE(leave) CASE(leave_with_status) CASE(leave_unreceived) CASE(leave_alone) CASE(leave_others_waiting) CASE(leave_in_a_child)
    CASE(no_memory) CASE(collectives_differ) CASE(one_skips_gather) CASE(roots_differ) CASE(operations_differ) CASE(print) CASE(print_to_full) CASE(no_sequences_left) CASE(handler)
    CASE(finalize_twice) CASE(init_after_end) CASE(use_after_end) CASE(wait_long) CASE(wait_for_another_tag) CASE(wait_asleep)
    CASE(failing_task) CASE(failing_tasks_told) CASE(tasks_differ) CASE(map_of_no_jobs) CASE(map_of_null_string) CASE(map_into_null) CASE(fail_in_no_task)
    CASE(map_asleep)
    CASE(failed_future) CASE(result_of_another_type) CASE(result_of_another_form) CASE(submit_everywhere) CASE(pool_left_open) CASE(leave_pool_open) CASE(pool_asleep)
    CASE(leave_others_in_broadcast) CASE(group_error) CASE(second_thread) CASE(split_or_gather) CASE(barrier_without_one) CASE(use_group_after_end)
};

/* Without init, or with an MPI of its own. */
static int special(const char *name, int *argc, char ***argv)
{
    if (strcmp(name, "no_init") == 0) {
        cpar_send(1, 0);
    } else if (strcmp(name, "no_init_returning") == 0) {
        cpar_on_error(CPAR_ERRORS_RETURN);
        printf("%d %d %d\n", cpar_send(1, 0), cpar_rank(), cpar_size());
        return cpar_finalize();
    } else if (strcmp(name, "init_returning") == 0) {
        cpar_on_error(CPAR_ERRORS_RETURN);
        const int code = cpar_init(argc, argv);
        printf("%d %d\n", code, cpar_initialized());
        return cpar_finalize();
    } else if (strcmp(name, "abort_without_init") == 0) {
        cpar_abort(7);
    } else if (strcmp(name, "attach") == 0) {
        int runs = 0, sum = 0, x = 1;
        MPI_Init(argc, argv);
        for (int i = 0; i < 3; i++) {
            cpar_init(argc, argv);
            cpar_send(cpar_rank(), (cpar_rank() + 1) % cpar_size());
            cpar_free(cpar_receive(CPAR_ANY_SOURCE));
            cpar_finalize();
        }
        MPI_Allreduce(&x, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
        MPI_Finalized(&runs);
        printf("MPI still runs: %d, %d ranks\n", !runs, sum);
        MPI_Finalize();
        return 0;
    } else if (strcmp(name, "attach_threads") == 0) {
        MPI_Init(argc, argv);
        cpar_init(argc, argv, .threads = true);
    } else if (strcmp(name, "threads") == 0) {
        int level = 0;
        cpar_init(argc, argv, .threads = true);
        MPI_Query_thread(&level);
        printf("multiple %d\n", level == MPI_THREAD_MULTIPLE);
        return cpar_finalize();
    }
    return -1;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    const int status = special(name, &argc, &argv);
    if (status >= 0) return status;

    cpar_init(&argc, &argv);
    rank = cpar_rank();
    size = cpar_size();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (strcmp(cases[i].name, name) == 0) {
            cases[i].run();
            return cpar_finalize();
        }
    fprintf(stderr, "misuse: no case '%s'\n", name);
    return 64;
}
