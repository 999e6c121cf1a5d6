/* Pools in which a rank once gets no memory, at each place where cpar asks for some, and pools whose answers are garbage: each future has
   its result or tells why not, nobody hangs, and the next pool is right. Built with a static library only:
   see refusal.h. */
#include "harness.h"
#include "refusal.h"

#include "runtime.h"
#include "wire.h"

#include <mpi.h>
#include <stdio.h>

/* ---- Tasks, who get what they ask for ---------------------------------------------------------- */

static double half(int i)
{
    if (i % 5 == 2) cpar_task_fail("%d", i);
    return i / 2.0;
}
CPAR_TASK(half, int, double);

/* 600 characters, so that there is no room for it elsewhere. */
static char *name(const char *s)
{
    char *out = __real_malloc(700);
    memset(out, '-', 600);
    snprintf(out + 600, 100, "%s", s);
    return out;
}
CPAR_TASK(name, const char *, char *);

/* As many ints, in the other order; NULL for none. */
static cpar_message *reverse(const cpar_message *m)
{
    const long kept = requests_left;
    const size_t n = cpar_count(m);
    int *back = __real_malloc((n + 1) * sizeof *back);
    for (size_t i = 0; i < n; i++) back[i] = cpar_as(m, int)[n - 1 - i];
    requests_left = -1;
    cpar_message *out = n ? cpar_message_of(cpar_array(back, n)) : NULL;
    requests_left = kept;
    free(back);
    return out;
}
CPAR_TASK(reverse, const cpar_message *, cpar_message *);

/* ---- A pool of them ---------------------------------------------------------------------------- */

enum { N = 12 };
static cpar_message *messages[N];
static const char *const words = "some text that is of no interest, but long, but long";

static void make_messages(void)
{
    static int numbers[N * 3000];
    for (int i = 0; i < N * 3000; i++) numbers[i] = i;
    for (int i = 0; i < N; i++) messages[i] = cpar_message_of(cpar_array(numbers, (size_t)i * (i % 2 ? 3000 : 30)));
}

static void free_messages(void)
{
    for (int i = 0; i < N; i++) cpar_free(messages[i]);
}

static cpar_future *submit(cpar_pool *pool, int which, int i)
{
    return which == 0 ? cpar_submit(pool, half, i) : which == 1 ? cpar_submit(pool, name, words + i) : cpar_submit(pool, reverse, messages[i]);
}

static bool is_right(cpar_future *f, int which, int i)
{
    if (which == 0) return cpar_result(f, double) == (i % 5 == 2 ? 0 : i / 2.0);
    if (which == 1) return strlen(cpar_result(f, char *)) == 600 + strlen(words + i) && strcmp(cpar_result(f, char *) + 600, words + i) == 0;
    const cpar_message *m = cpar_result(f, cpar_message *);
    const size_t n = cpar_count(messages[i]);
    return cpar_count(m) == n && (n ? cpar_is(m, int) && cpar_as(m, int)[0] == (int)n - 1 && cpar_as(m, int)[n - 1] == 0 : !m);
}

/* Whether each future has its result or tells why not. When `all`, each has its result. Returns what the pool's opening or closing gave. */
static int use_pool(int which, bool all, bool *sound)
{
    cpar_pool *pool = cpar_pool_open();
    if (!pool) return cpar_last_error();
    cpar_future *f[N];
    for (int i = 0; i < N; i++) {
        f[i] = submit(pool, which, i);
        if (!f[i]) *sound = *sound && !all && cpar_last_error() == CPAR_ERROR_MEMORY;
        if (i == 4 && f[i] && cpar_done(f[i]) && cpar_cancel(f[i])) *sound = false;
    }
    for (int k = 0; k < N; k++) {
        const int i = (k + 5) % N;
        if (!f[i]) continue;
        const char *why = cpar_why(f[i]);
        const bool meant = which == 0 && i % 5 == 2;
        *sound = *sound && (why ? meant || !all : is_right(f[i], which, i)) && (!meant || why);
        if (k % 3) cpar_future_free(f[i]), f[i] = NULL;
    }
    int rest = 0, kept = 0;
    while (cpar_as_completed(pool)) rest++;
    for (int i = 0; i < N; i++) kept += f[i] != NULL;
    *sound = *sound && rest == kept;
    const int code = cpar_pool_close(pool);
    for (int i = 0; i < N; i++) cpar_future_free(f[i]);
    return code;
}

static bool all_goes_on(int which)
{
    int sum = 0;
    bool sound = true;
    const int code = use_pool(which, true, &sound);
    return code == 0 && sound && cpar_allreduce(1, &sum, CPAR_SUM) == 0 && sum == cpar_size();
}

/* Refuses a rank's request number k. Returns false when there is none, or when something was wrong. */
static bool refuse(int which, int rank, long k)
{
    const bool unlucky = cpar_rank() == rank;
    bool sound = true;
    requests_left = unlucky ? k : -1;
    const int code = use_pool(which, false, &sound);
    int was_refused = unlucky && requests_left < 0, wrong;
    requests_left = -1;
    const bool goes_on = all_goes_on(which);
    wrong = !sound || !goes_on || (code && code != CPAR_ERROR_MEMORY);
    expect_of(!wrong, "tasks of kind %d, request %ld of rank %d refused (%d): code %d, sound %d; all goes on %d", which, k, rank, was_refused, code, sound, goes_on);
    cpar_allreduce(wrong, &wrong, CPAR_LOR);
    cpar_allreduce(was_refused, &was_refused, CPAR_LOR);
    return was_refused && !wrong;
}

START_TEST(a_rank_without_memory_for_something_fails_a_task_and_all_goes_on)
{
    make_messages();
    for (int round = 0; round < 6; round++) all_goes_on(round % 3); /* landing buffers are there from now on */
    for (int which = 0; which < 3; which++)
        for (int rank = 0; rank < cpar_size(); rank++)
            for (long k = 0; refuse(which, rank, k); k++) continue;
    free_messages();
}
END_TEST

/* ---- Garbage ----------------------------------------------------------------------------------- */

static uint64_t spoils; /* not 0: this rank's random numbers, by which it spoils what it sends in a pool, but for heads of jobs */

/* Stands for MPI's, which cpar calls where there are no lanes. */
int MPI_Isend(const void *bytes, int n, MPI_Datatype type, int to, int tag, MPI_Comm comm, MPI_Request *r)
{
    static const uint64_t odd[] = { 0, 1, 2, 7, 8, 16, 255, UINT32_MAX, (uint64_t)1 << 60, INT64_MAX, UINT64_MAX - 15, UINT64_MAX };
    const int head = CPAR__HEADER + (cpar_rank() == 0 ? 32 : 0);
    const size_t longs = n > head ? (size_t)(n - head) / 8 : 0;
    cpar__envelope e;
    if (spoils && n > head && !cpar__envelope_read(&e, bytes, (size_t)n) && e.operation == CPAR__POOL && e.type.size == 1 && !e.error && !e.sequence) {
        for (uint64_t changes = longs ? draw(&spoils) % 3 : 0; changes > 0; changes--) {
            const uint64_t value = draw(&spoils) % 2 ? draw(&spoils) >> draw(&spoils) % 64 : odd[draw(&spoils) % (sizeof odd / sizeof *odd)];
            memcpy((unsigned char *)bytes + head + draw(&spoils) % longs * 8, &value, 8);
        }
        if (draw(&spoils) % 4 == 0) { /* less, down to nothing, also with an envelope that tells so */
            n = head + (int)(draw(&spoils) % (uint64_t)(n - head));
            e.count = (uint64_t)(n - CPAR__HEADER);
            if (draw(&spoils) % 2) cpar__envelope_write(&e, (unsigned char *)bytes);
        }
    }
    return PMPI_Isend(bytes, n, type, to, tag, comm, r);
}

/* Of a sanitizer that looks for leaks, where there is one: what is spoilt leaks. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

/* Tells of results that are there, whatever they are. */
static void use_garbage(int which)
{
    cpar_pool *pool = cpar_pool_open();
    if (!pool) return;
    cpar_future *f[N];
    size_t bytes = 0;
    for (int i = 0; i < N; i++) f[i] = submit(pool, which, i);
    for (int i = 0; i < N; i++) {
        if (!cpar_why(f[i]) && which == 1 && cpar_result(f[i], char *)) bytes += strlen(cpar_result(f[i], char *));
        if (!cpar_why(f[i]) && which == 2) bytes += cpar_bytes(cpar_result(f[i], cpar_message *));
        if (!cpar_why(f[i]) && which == 0) bytes += cpar_result(f[i], double) > 0;
        cpar_future_free(f[i]);
    }
    cpar_pool_close(pool);
    expect(bytes < (size_t)1 << 40);
}

START_TEST(garbage_fails_a_task_and_the_next_pool_is_right)
{
    uint64_t state = harness_seed(13);
    bool after = true;
    if (cpar__world.has_lanes) return;
    make_messages();
    if (__lsan_disable) __lsan_disable();
    for (int i = 0; i < 150; i++) {
        const uint64_t seed = draw(&state);
        spoils = i % 3 == 0 || (int)(seed % (uint64_t)cpar_size()) == cpar_rank() ? seed + (uint64_t)cpar_rank() + 1 : 0;
        use_garbage(i % 3);
        spoils = 0;
        after = after && all_goes_on(i % 3);
    }
    if (__lsan_enable) __lsan_enable();
    free_messages();
    expect(after);
}
END_TEST

HARNESS_MAIN("poolfaults", a_rank_without_memory_for_something_fails_a_task_and_all_goes_on, garbage_fails_a_task_and_the_next_pool_is_right)
