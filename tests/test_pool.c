/* Pools: every task that is submitted runs once, on a rank that is free, and its future has its result or why there is none; however the
   root waits, cancels, frees and closes, and whatever goes on meanwhile. */
#include "harness.h"

#include <stdio.h>
#include <time.h>

/* ---- Tasks ------------------------------------------------------------------------------------- */

static int runs; /* tasks that this rank has run since all_runs */

/* Those of all ranks. Collective. */
static int all_runs(void)
{
    int all = -1;
    cpar_allreduce(runs, &all, CPAR_SUM);
    runs = 0;
    return all;
}

static int square(int x)
{
    runs++;
    return x * x;
}
CPAR_TASK(square, int, int);

static int where(int x)
{
    runs++;
    (void)x;
    return cpar_rank();
}
CPAR_TASK(where, int, int);

enum { RELEASE = 1, QUESTION, ANSWER, ASIDE }; /* tags */

/* Runs until the rank, among all, lets it go: gives a number. */
static int hold(int rank)
{
    int x = 0;
    runs++;
    cpar_receive_into(&x, rank, .tag = RELEASE);
    return x;
}
CPAR_TASK(hold, int, int);

static double picky(int x)
{
    runs++;
    if (x % 3 == 1) cpar_task_fail("%d is not wanted", x);
    if (x % 3 == 1) cpar_task_fail("only the first counts");
    return x / 2.0;
}
CPAR_TASK(picky, int, double);

/* ---- At the root, and elsewhere ---------------------------------------------------------------- */

/* Opens a pool with these options, at whose root `part` is run, which closes it. The other ranks get nothing, and no error. */
#define with_pool(part, ...) run_with(cpar_pool_open(__VA_ARGS__), part, (cpar_collective){ __VA_ARGS__ })
static void run_with(cpar_pool *pool, void (*part)(cpar_pool *), cpar_collective options)
{
    check_code(cpar_last_error(), 0);
    const bool root = cpar_rank(.group = options.group) == options.root;
    expect(!pool == !root);
    if (pool) part(pool);
}

/* That a call gives this value, and this error. */
#define expect_error(call, code) (expect(!(call)), check_code(cpar_last_error(), (code)))

/* A task of a new pool for each other rank, which then all are busy. */
static void hold_all(cpar_pool *pool, cpar_future **held)
{
    for (int i = 0; i < cpar_size() - 1; i++) {
        held[i] = cpar_submit(pool, hold, cpar_rank());
        expect(held[i] && !cpar_cancel(held[i])); /* is out */
    }
}

static void release(int rank)
{
    cpar_send(1000 + rank, rank, .tag = RELEASE);
}

static void release_all(void)
{
    for (int r = 0; r < cpar_size(); r++)
        if (r != cpar_rank()) release(r);
}

static void free_all(cpar_future **futures, int n)
{
    for (int i = 0; i < n; i++) cpar_future_free(futures[i]);
}

enum { MOST = 64 }; /* ranks */

/* ---- Results ----------------------------------------------------------------------------------- */

enum { MANY = 300 };

static void get_results_in_any_order(cpar_pool *pool)
{
    cpar_future *f[MANY];
    for (int i = 0; i < MANY; i++) f[i] = cpar_submit(pool, square, i);
    for (int k = 0; k < MANY; k++) {
        const int i = (k * 7 + 150) % MANY; /* 7 and MANY have no common factor */
        expect(cpar_result(f[i], int) == i * i && cpar_last_error() == 0);
        expect(!cpar_why(f[i]) && cpar_done(f[i]) && !cpar_cancel(f[i]) && cpar_index(f[i]) == (size_t)i);
    }
    free_all(f, MANY);
    check_code(cpar_pool_close(pool), 0);
}

START_TEST(each_runs_once_and_gives_its_own_result)
{
    for (int root = 0; root < cpar_size(); root++) {
        with_pool(get_results_in_any_order, .root = root);
        expect_of(root != cpar_rank() || runs == (cpar_size() > 1 ? 0 : MANY), "the root ran %d tasks", runs);
        const int all = all_runs();
        expect_of(all == MANY, "%d tasks ran", all);
    }
}
END_TEST

static void open_and_close(cpar_pool *pool)
{
    expect(!cpar_as_completed(pool) && cpar_last_error() == 0);
    check_code(cpar_pool_close(pool), 0);
}

static void submit_one(cpar_pool *pool)
{
    cpar_future *f = cpar_submit(pool, where, 0);
    const int rank = cpar_result(f, int);
    expect(rank >= 0 && rank < cpar_size() && (rank != cpar_rank() || cpar_size() == 1) && cpar_index(f) == 0);
    cpar_future_free(f);
    check_code(cpar_pool_close(pool), 0);
}

START_TEST(one_pool_after_another)
{
    int sum = 0;
    for (int i = 0; i < 20; i++) {
        with_pool(open_and_close, .root = i % cpar_size());
        with_pool(submit_one, .root = i % cpar_size());
        expect(cpar_allreduce(i, &sum, CPAR_SUM) == 0 && sum == i * cpar_size());
    }
    expect(all_runs() == 20);
}
END_TEST

/* ---- Jobs and results of every kind ------------------------------------------------------------ */

typedef struct {
    char name[30];
    long double x;
} named;

typedef struct {
    _Alignas(64) char name[30];
    long double x;
} aligned;

static aligned align(named n)
{
    aligned a = { .x = n.x * 2 };
    memcpy(a.name, n.name, sizeof a.name);
    return a;
}
CPAR_TASK(align, named, aligned);

static aligned repeat(aligned a)
{
    a.x++;
    return a;
}
CPAR_TASK(repeat, aligned, aligned);

static bool negate(bool b)
{
    return !b;
}
CPAR_TASK(negate, bool, bool);

static double _Complex turn(double _Complex z)
{
    return z * z;
}
CPAR_TASK(turn, double _Complex, double _Complex);

typedef struct {
    char bytes[100000];
} bulky;

static bulky fill_bulky(unsigned char c)
{
    bulky b;
    fill(b.bytes, sizeof b.bytes, c);
    return b;
}
CPAR_TASK(fill_bulky, unsigned char, bulky);

static int check_bulky(bulky b)
{
    return filled(b.bytes, sizeof b.bytes, 77) ? 77 : -1;
}
CPAR_TASK(check_bulky, bulky, int);

static void pass_plain_ones(cpar_pool *pool)
{
    static bulky b;
    const named n = { "abc", 1.25L };
    const aligned a = { "xyz", 1.25L };
    fill(b.bytes, sizeof b.bytes, 77);
    cpar_future *f[] = { cpar_submit(pool, align, n), cpar_submit(pool, negate, false), cpar_submit(pool, turn, 3), cpar_submit(pool, fill_bulky, 200),
        cpar_submit(pool, check_bulky, b), cpar_submit(pool, square, 'a'), cpar_submit(pool, repeat, a) };
    expect(cpar_result(f[0], aligned).x == 2.5L && strcmp(cpar_result(f[0], aligned).name, "abc") == 0);
    expect(cpar_result(f[1], bool) && cpar_result(f[2], double _Complex) == 9);
    const bulky back = cpar_result(f[3], bulky);
    expect(filled(back.bytes, sizeof back.bytes, 200) && cpar_result(f[4], int) == 77 && cpar_result(f[5], int) == 'a' * 'a');
    expect(cpar_result(f[6], aligned).x == 2.25L && strcmp(cpar_result(f[6], aligned).name, "xyz") == 0);
    free_all(f, 7);
    check_code(cpar_pool_close(pool), 0);
}

static char *twice(const char *s)
{
    const size_t n = strlen(s);
    if (n == 3) return NULL;
    char *out = malloc(2 * n + 1);
    memcpy(out, s, n);
    memcpy(out + n, s, n + 1);
    return out;
}
CPAR_TASK(twice, const char *, char *);

static void pass_strings(cpar_pool *pool)
{
    char word[] = "ab", *much = malloc(100000);
    memset(much, 'x', 99999);
    much[99999] = 0;
    cpar_future *f[] = { cpar_submit(pool, twice, word), cpar_submit(pool, twice, ""), cpar_submit(pool, twice, "abc"), cpar_submit(pool, twice, much) };
    word[0] = 'z'; /* was copied */
    memset(much, 'y', 99999);
    const char *result = cpar_result(f[0], char *), *long_one = cpar_result(f[3], const char *);
    expect(strcmp(result, "abab") == 0 && result == cpar_result(f[0], const char *));
    expect(strcmp(cpar_result(f[1], char *), "") == 0);
    expect(!cpar_result(f[2], char *) && cpar_last_error() == 0 && !cpar_why(f[2]));
    expect(strlen(long_one) == 199998 && strspn(long_one, "x") == 199998);
    free_all(f, 4);
    free(much);
    check_code(cpar_pool_close(pool), 0);
}

/* Of ints the same ones in the other order; else NULL. */
static cpar_message *reverse(const cpar_message *m)
{
    if (!cpar_is(m, int)) return NULL;
    const size_t n = cpar_count(m);
    int *back = malloc((n + 1) * sizeof *back);
    for (size_t i = 0; i < n; i++) back[i] = cpar_as(m, int)[n - 1 - i];
    cpar_message *out = cpar_message_of(cpar_array(back, n));
    free(back);
    return out;
}
CPAR_TASK(reverse, const cpar_message *, cpar_message *);

static void pass_messages(cpar_pool *pool)
{
    enum { N = 30000 };
    int *numbers = malloc(N * sizeof *numbers);
    for (int i = 0; i < N; i++) numbers[i] = i;
    cpar_message *in[] = { cpar_message_of(cpar_array(numbers, N)), cpar_message_of(cpar_array(numbers, 0)), cpar_message_of("text"), cpar_message_of(3) };
    cpar_future *f[4];
    for (int i = 0; i < 4; i++) f[i] = cpar_submit(pool, reverse, in[i]);
    for (int i = 0; i < 4; i++) cpar_free(in[i]);
    const cpar_message *m = cpar_result(f[0], cpar_message *);
    bool right = cpar_is(m, int) && cpar_count(m) == N;
    for (int i = 0; i < N && right; i++) right = cpar_as(m, int)[i] == N - 1 - i;
    expect(right && m == cpar_result(f[0], const cpar_message *));
    expect(cpar_is(cpar_result(f[1], cpar_message *), int) && cpar_count(cpar_result(f[1], cpar_message *)) == 0);
    expect(!cpar_result(f[2], cpar_message *) && cpar_last_error() == 0);
    expect(cpar_value(cpar_result(f[3], cpar_message *), int) == 3);
    free_all(f, 4);
    free(numbers);
    check_code(cpar_pool_close(pool), 0);
}

START_TEST(jobs_and_results_of_every_kind)
{
    with_pool(pass_plain_ones, .root = 0);
    with_pool(pass_strings, .root = 0);
    with_pool(pass_messages, .root = 0);
    expect(all_runs() == 1); /* those that count */
}
END_TEST

/* ---- As they are completed --------------------------------------------------------------------- */

/* Collects n futures that end next; seen[] tells which have come. In order of submission where one rank runs them all. */
static void collect(cpar_pool *pool, int n, bool *seen)
{
    int last = -1;
    for (int k = 0; k < n; k++) {
        cpar_future *f = cpar_as_completed(pool);
        const int i = f ? (int)cpar_index(f) : -1;
        expect(f && cpar_done(f) && cpar_result(f, int) == i * i && !seen[i] && (cpar_size() > 2 || i > last));
        if (f) seen[i] = true;
        last = i;
        cpar_future_free(f);
    }
}

static void submit_as_results_arrive(cpar_pool *pool)
{
    bool seen[MANY] = { false };
    int given = 0, taken = 0;
    for (; given < 10; given++) cpar_submit(pool, square, given);
    for (cpar_future *f; (f = cpar_as_completed(pool)); taken++) {
        expect(cpar_result(f, int) == (int)(cpar_index(f) * cpar_index(f)) && !seen[cpar_index(f)]);
        seen[cpar_index(f)] = true;
        cpar_future_free(f);
        for (int i = 0; i < 2 && given < 50; i++, given++) cpar_submit(pool, square, given);
    }
    expect(given == 50 && taken == 50 && cpar_last_error() == 0);
    expect(!cpar_as_completed(pool));

    for (; given < 60; given++) cpar_submit(pool, square, given); /* and after there were none */
    collect(pool, 10, seen);
    expect(!cpar_as_completed(pool));
    check_code(cpar_pool_close(pool), 0);
}

static void take_each_once(cpar_pool *pool)
{
    bool seen[MANY] = { false };
    cpar_future *f[6];
    for (int i = 0; i < 6; i++) f[i] = cpar_submit(pool, square, i);
    expect(cpar_result(f[4], int) == 16);
    cpar_future_free(f[2]);                                          /* never comes, whatever its state */
    for (int i = 0; i < 6; i++) expect(i == 2 || cpar_result(f[i], int) == i * i); /* which does not take them */
    for (int k = 0; k < 5; k++) {
        cpar_future *g = cpar_as_completed(pool);
        const size_t i = cpar_index(g);
        expect(i < 6 && i != 2 && !seen[i] && g == f[i]);
        seen[i] = true;
    }
    expect(!cpar_as_completed(pool) && !cpar_as_completed(pool));
    for (int i = 0; i < 6; i++)
        if (i != 2) cpar_future_free(f[i]);
    check_code(cpar_pool_close(pool), 0);
}

START_TEST(as_completed_gives_each_once_while_more_are_submitted)
{
    with_pool(submit_as_results_arrive, .root = 0);
    const int all = all_runs();
    expect_of(all == 60, "%d tasks ran", all);
    with_pool(take_each_once, .root = 0);
    expect(all_runs() >= 5);
}
END_TEST

/* A task asks the rank, among all, for which it runs. */
static int ask(int rank)
{
    int answer = -1;
    runs++;
    cpar_send(rank, rank, .tag = QUESTION);
    cpar_receive_into(&answer, rank, .tag = ANSWER);
    return answer;
}
CPAR_TASK(ask, int, int);

/* A task that does not end keeps none back that was submitted after it, where there are other ranks for them. */
static void pass_by_a_long_one(cpar_pool *pool)
{
    bool seen[MANY] = { false };
    cpar_future *long_one = cpar_submit(pool, ask, cpar_rank());
    cpar_message *question = cpar_receive(CPAR_ANY_SOURCE, .tag = QUESTION); /* it runs */
    for (int i = 1; i <= 50; i++) cpar_submit(pool, square, i);
    collect(pool, 50, seen);
    expect(!cpar_done(long_one));
    cpar_send(42, cpar_source(question), .tag = ANSWER);
    cpar_free(question);
    expect(cpar_as_completed(pool) == long_one && cpar_result(long_one, int) == 42);
    cpar_future_free(long_one);
    check_code(cpar_pool_close(pool), 0);
}

START_TEST(a_long_task_holds_nobody_up)
{
    if (cpar_size() > 2) with_pool(pass_by_a_long_one, .root = 0);
    expect(all_runs() == (cpar_size() > 2 ? 51 : 0));
}
END_TEST

/* All ranks are busy at once, and end in the order in which they are let go. */
static void end_in_another_order(cpar_pool *pool)
{
    cpar_future *held[MOST];
    const int n = cpar_size() - 1;
    hold_all(pool, held);
    for (int i = n - 1; i >= 0; i--) {
        release(i + 1);
        cpar_future *f = cpar_as_completed(pool);
        expect(f == held[i] && cpar_result(f, int) == 1000 + i + 1);
    }
    free_all(held, n);
    check_code(cpar_pool_close(pool), 0);
}

START_TEST(all_ranks_work_at_once)
{
    with_pool(end_in_another_order, .root = 0);
    expect(runs == (cpar_rank() > 0));
    runs = 0;
}
END_TEST

/* All ranks but one are in tasks that go on; so a task that is submitted runs on that one, whichever it is, and waits behind no other. */
static void keep_one_free(cpar_pool *pool)
{
    cpar_future *f[MOST];
    const int n = cpar_size() - 1;
    for (int i = 0; i < 10 * n; i++) cpar_future_free(cpar_submit(pool, square, i)); /* from now on tasks are known to be short */
    for (int free_one = 1; free_one <= n; free_one++) {
        for (int i = 0; i < n; i++) f[i] = cpar_submit(pool, ask, cpar_rank());
        for (int i = 0; i < n; i++) cpar_free(cpar_receive(CPAR_ANY_SOURCE, .tag = QUESTION));
        cpar_future *another = cpar_submit(pool, where, 0);
        cpar_send(1, free_one, .tag = ANSWER);
        expect(cpar_result(another, int) == free_one);
        cpar_future_free(another);
        for (int r = 1; r <= n; r++)
            if (r != free_one) cpar_send(1, r, .tag = ANSWER);
        for (int i = 0; i < n; i++) expect(cpar_result(f[i], int) == 1);
        free_all(f, n);
    }
    check_code(cpar_pool_close(pool), 0);
}

START_TEST(what_waits_goes_to_the_next_rank_that_is_free)
{
    if (cpar_size() > 1) with_pool(keep_one_free, .root = 0);
    all_runs();
}
END_TEST

/* ---- Failures ---------------------------------------------------------------------------------- */

static int fail_at_length(int x)
{
    cpar_task_fail("%0*d", x, 7);
    return 5;
}
CPAR_TASK(fail_at_length, int, int);

static char *fail_with_text(int x)
{
    char *s = malloc(10);
    snprintf(s, 10, "%d", x);
    if (x % 2) cpar_task_fail("%s is odd", s);
    return s;
}
CPAR_TASK(fail_with_text, int, char *);

static cpar_message *fail_with_message(int x)
{
    if (x % 2) cpar_task_fail("odd");
    return cpar_message_of(x);
}
CPAR_TASK(fail_with_message, int, cpar_message *);

static void let_some_fail(cpar_pool *pool)
{
    cpar_future *f[30];
    char why[40];
    for (int i = 0; i < 30; i++) f[i] = cpar_submit(pool, picky, i);
    for (int i = 0; i < 30; i++) {
        snprintf(why, sizeof why, "%d is not wanted", i);
        if (i % 3 != 1)
            expect(!cpar_why(f[i]) && cpar_result(f[i], double) == i / 2.0 && cpar_last_error() == 0);
        else {
            expect(cpar_why(f[i]) && strcmp(cpar_why(f[i]), why) == 0 && cpar_last_error() == 0);
            expect_error(cpar_result(f[i], double), CPAR_ERROR_TASK);
            expect(cpar_done(f[i]) && !cpar_cancel(f[i]));
        }
    }
    free_all(f, 30);

    cpar_future *longest = cpar_submit(pool, fail_at_length, 5000), *empty = cpar_submit(pool, fail_at_length, 1);
    const char *said = cpar_why(longest);
    expect(said && strlen(said) > 100 && strspn(said, "0") == strlen(said) && strcmp(cpar_why(empty), "7") == 0);
    cpar_future_free(longest);
    cpar_future_free(empty);
    for (int i = 0; i < 4; i++) {
        cpar_future *text = cpar_submit(pool, fail_with_text, i), *message = cpar_submit(pool, fail_with_message, i);
        expect(i % 2 ? strstr(cpar_why(text), " is odd") && strcmp(cpar_why(message), "odd") == 0 : atoi(cpar_result(text, char *)) == i && cpar_value(cpar_result(message, cpar_message *), int) == i);
        if (i % 2) expect_error(cpar_result(text, char *), CPAR_ERROR_TASK);
        if (i % 2) expect_error(cpar_result(message, cpar_message *), CPAR_ERROR_TASK);
        cpar_future_free(text);
        cpar_future_free(message);
    }
    check_code(cpar_pool_close(pool), 0);
}

START_TEST(one_that_fails_tells_why_and_the_others_go_on)
{
    with_pool(let_some_fail, .root = 0);
    expect(all_runs() == 30);
}
END_TEST

/* ---- Cancelling and freeing -------------------------------------------------------------------- */

static void cancel_those_that_wait(cpar_pool *pool)
{
    cpar_future *held[MOST], *f[10];
    hold_all(pool, held);
    for (int i = 0; i < 10; i++) f[i] = cpar_submit(pool, square, i);
    for (int i = 8; i >= 0; i -= 2) {
        expect(cpar_cancel(f[i]) && !cpar_cancel(f[i]) && cpar_done(f[i]) && strcmp(cpar_why(f[i]), "cancelled") == 0);
        expect_error(cpar_result(f[i], int), CPAR_ERROR_TASK);
        expect(cpar_as_completed(pool) == f[i]); /* while the others run, or wait */
    }
    for (int i = 1; i < 10; i += 2) expect(cpar_size() == 1 || !cpar_done(f[i]));
    release_all();
    for (int i = 1; i < 10; i += 2) expect(cpar_result(f[i], int) == i * i);
    int rest = 0;
    while (cpar_as_completed(pool)) rest++;
    expect_of(rest == 5 + cpar_size() - 1, "%d are left", rest);
    free_all(held, cpar_size() - 1);
    free_all(f, 10);
    check_code(cpar_pool_close(pool), 0);
}

static void cancel_all(cpar_pool *pool)
{
    cpar_future *held[MOST], *f[10];
    hold_all(pool, held);
    for (int i = 0; i < 10; i++) f[i] = cpar_submit(pool, square, i);
    for (int i = 0; i < 10; i++) expect(cpar_cancel(f[i]));
    free_all(f, 5);
    release_all();
    check_code(cpar_pool_close(pool), 0);
    for (int i = 5; i < 10; i++) expect(cpar_done(f[i]) && strcmp(cpar_why(f[i]), "cancelled") == 0 && !cpar_cancel(f[i]));
    free_all(f + 5, 5);
    free_all(held, cpar_size() - 1);
}

START_TEST(what_waits_can_be_cancelled)
{
    with_pool(cancel_those_that_wait, .root = 0);
    const int some = all_runs();
    expect_of(some == 5 + cpar_size() - 1, "%d tasks ran", some);
    with_pool(cancel_all, .root = 0);
    const int none = all_runs();
    expect_of(none == cpar_size() - 1, "%d tasks ran", none);
}
END_TEST

/* Some while they wait, some while they run, some that have ended, some that were returned. */
static void free_in_every_state(cpar_pool *pool)
{
    cpar_future *held[MOST], *f[20];
    const int others = cpar_size() - 1;
    hold_all(pool, held);
    for (int i = 0; i < 20; i++) f[i] = cpar_submit(pool, square, i);
    cpar_future_free(f[19]);
    cpar_future_free(f[0]);
    cpar_future_free(f[7]);
    for (int i = 0; i < others; i += 2) cpar_future_free(held[i]);
    release_all();
    expect(cpar_result(f[18], int) == 18 * 18);
    cpar_future_free(f[18]);
    cpar_future_free(f[1]);
    for (int i = 2; i < 17; i++) expect(i == 7 || cpar_result(f[i], int) == i * i);
    cpar_future *first = cpar_as_completed(pool), *second = cpar_as_completed(pool);
    expect(first && second && first != second);
    for (int i = 1; i < others; i += 2)
        if (held[i] != first && held[i] != second) cpar_future_free(held[i]);
    for (int i = 2; i < 18; i++)
        if (i != 7 && f[i] != first && f[i] != second) cpar_future_free(f[i]);
    cpar_future_free(first);
    check_code(cpar_pool_close(pool), 0);
    cpar_future_free(second);
}

START_TEST(a_future_may_be_freed_in_any_state)
{
    with_pool(free_in_every_state, .root = 0);
    const int all = all_runs();
    expect_of(all == 17 + cpar_size() - 1, "%d tasks ran", all); /* three never */
}
END_TEST

static void free_at_once(cpar_pool *pool)
{
    char *text = malloc(10000);
    memset(text, 'a', 10000);
    text[9999] = 0;
    for (int i = 0; i < 20; i++) {
        cpar_future_free(cpar_submit(pool, square, i));
        cpar_future_free(cpar_submit(pool, twice, text));
        cpar_future_free(cpar_submit(pool, picky, i));
    }
    free(text);
    expect(!cpar_as_completed(pool)); /* but those that run still end */
    check_code(cpar_pool_close(pool), 0);
}

START_TEST(all_may_be_freed_at_once)
{
    with_pool(free_at_once, .root = 0);
    const int all = all_runs();
    expect_of(all <= 40 && all >= (cpar_size() > 1), "%d tasks ran", all);
}
END_TEST

/* ---- Closing ----------------------------------------------------------------------------------- */

static void close_with_much_to_do(cpar_pool *pool)
{
    cpar_future *held[MOST], *f[20], *text = NULL, *bad = NULL;
    hold_all(pool, held);
    for (int i = 0; i < 20; i++) f[i] = cpar_submit(pool, square, i);
    text = cpar_submit(pool, twice, "ab");
    bad = cpar_submit(pool, picky, 4);
    release_all();
    check_code(cpar_pool_close(pool), 0);

    for (int i = 0; i < 20; i++) {
        expect(cpar_done(f[i]) && !cpar_cancel(f[i]) && !cpar_why(f[i]) && cpar_result(f[i], int) == i * i && cpar_index(f[i]) == (size_t)(i + cpar_size() - 1));
        expect_error(cpar_result(f[i], double), CPAR_ERROR_TYPE);
    }
    expect(strcmp(cpar_result(text, char *), "abab") == 0 && cpar_done(bad) && strcmp(cpar_why(bad), "4 is not wanted") == 0);
    expect_error(cpar_result(bad, double), CPAR_ERROR_TASK);
    free_all(held, cpar_size() - 1);
    free_all(f, 20);
    cpar_future_free(text);
    cpar_future_free(bad);
}

START_TEST(closing_waits_for_all_and_the_futures_stay)
{
    with_pool(close_with_much_to_do, .root = 0);
    const int all = all_runs();
    expect_of(all == 21 + cpar_size() - 1, "%d tasks ran", all);
}
END_TEST

/* The result of one while others wait, which are then freed with the pool closed already. */
static void take_one_and_close(cpar_pool *pool)
{
    cpar_future *f[5], *taken = NULL;
    for (int i = 0; i < 5; i++) f[i] = cpar_submit(pool, square, i);
    taken = cpar_as_completed(pool);
    expect(taken && cpar_result(f[4], int) == 16);
    check_code(cpar_pool_close(pool), 0);
    expect(cpar_done(taken) && !cpar_cancel(taken) && !cpar_why(taken));
    free_all(f, 5); /* taken among them */
}

START_TEST(those_returned_before_the_close_stay_too)
{
    with_pool(take_one_and_close, .root = 0);
    expect(all_runs() == 5);
}
END_TEST

/* ---- Long ones --------------------------------------------------------------------------------- */

enum { LONG = 3000000 };

static cpar_message *pass_long(const cpar_message *m)
{
    const unsigned char *in = cpar_as(m, unsigned char), seed = in[0];
    if (cpar_count(m) != LONG + 1 || !filled(in + 1, LONG, seed)) cpar_task_fail("what came is not what was sent");
    unsigned char *out = malloc(LONG);
    fill(out, LONG, seed + 1000u);
    cpar_message *result = cpar_message_of(cpar_array(out, LONG));
    free(out);
    return result;
}
CPAR_TASK(pass_long, const cpar_message *, cpar_message *);

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000 }, NULL);
}

static void pass_long_ones(cpar_pool *pool)
{
    enum { N = 8 };
    cpar_future *f[N];
    unsigned char *bytes = malloc(LONG + 1);
    for (int i = 0; i < N; i++) {
        bytes[0] = (unsigned char)i;
        fill(bytes + 1, LONG, (uint64_t)i);
        cpar_message *m = cpar_message_of(cpar_array(bytes, LONG + 1));
        f[i] = cpar_submit(pool, pass_long, m);
        cpar_free(m);
        if (i % 3 == 2) pause_ms(3); /* busy with other things */
    }
    for (int i = N - 1; i >= 0; i--) {
        expect_of(!cpar_why(f[i]), "%s", cpar_why(f[i]));
        const cpar_message *m = cpar_result(f[i], cpar_message *);
        expect(cpar_count(m) == LONG && filled(cpar_as(m, unsigned char), LONG, i + 1000u));
        pause_ms(2);
    }
    free_all(f, N);
    free(bytes);
    check_code(cpar_pool_close(pool), 0);
}

START_TEST(long_jobs_and_long_results_meet)
{
    with_pool(pass_long_ones, .root = 0);
}
END_TEST

/* ---- What goes on besides ---------------------------------------------------------------------- */

static void answer_questions(cpar_pool *pool)
{
    cpar_future *f[MOST];
    const int n = cpar_size() - 1;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < n; i++) f[i] = cpar_submit(pool, ask, cpar_rank());
        for (int i = 0; i < n; i++) {
            cpar_message *m = cpar_receive(CPAR_ANY_SOURCE, .tag = QUESTION);
            cpar_send(cpar_source(m) + 50, cpar_source(m), .tag = ANSWER);
            cpar_free(m);
        }
        int sum = 0;
        for (int i = 0; i < n; i++) sum += cpar_result(f[i], int) - 50;
        expect(sum == n * (n + 1) / 2);
        free_all(f, n);
    }
    check_code(cpar_pool_close(pool), 0);
}

START_TEST(tasks_and_the_root_exchange_messages)
{
    with_pool(answer_questions, .root = 0);
    expect(all_runs() == 3 * (cpar_size() - 1));
}
END_TEST

/* A pool goes on while its root waits for something else. */
static int tell(int x)
{
    runs++;
    cpar_send(x, 0, .tag = ASIDE);
    return x;
}
CPAR_TASK(tell, int, int);

static void wait_elsewhere(cpar_pool *pool)
{
    cpar_future *f[20];
    for (int i = 0; i < 20; i++) f[i] = cpar_submit(pool, tell, i);
    bool seen[20] = { false };
    for (int i = 0; i < 20; i++) {
        int x = 0;
        cpar_receive_into(&x, CPAR_ANY_SOURCE, .tag = ASIDE);
        expect(!seen[x]);
        seen[x] = true;
    }
    for (int i = 0; i < 20; i++) expect(cpar_result(f[i], int) == i);
    free_all(f, 20);
    check_code(cpar_pool_close(pool), 0);
}

START_TEST(a_pool_goes_on_in_any_call_that_waits)
{
    if (cpar_size() > 1) with_pool(wait_elsewhere, .root = 0);
    expect(all_runs() == (cpar_size() > 1 ? 20 : 0));
}
END_TEST

/* Even ranks are a pool, of whom the highest is the root; odd ones do other things meanwhile, with each other and with that root. */
static cpar_group *half;

static void use_half(cpar_pool *pool)
{
    cpar_future *f[30];
    int sum = 0;
    for (int i = 0; i < 30; i++) f[i] = cpar_submit(pool, where, i);
    for (int r = 1; r < cpar_size(); r += 2) {
        cpar_message *m = cpar_exchange("how far are you?", r, r, .tag = ASIDE);
        sum += cpar_value(m, int);
        cpar_free(m);
    }
    expect(sum == (cpar_size() / 2) * (cpar_size() / 2) * (cpar_size() / 2));
    for (int i = 0; i < 30; i++) {
        const int rank = cpar_result(f[i], int);
        expect(rank % 2 == 0 && (rank != cpar_rank() || cpar_size(.group = half) == 1));
    }
    free_all(f, 30);
    check_code(cpar_pool_close(pool), 0);
}

START_TEST(a_group_has_a_pool_while_others_do_other_things)
{
    const int root = (cpar_size() - 1) / 2; /* of the even ones, by its number there */
    half = cpar_split(cpar_rank() % 2, cpar_rank());
    if (cpar_rank() % 2 == 0)
        for (int i = 0; i < 2; i++) with_pool(use_half, .group = half, .root = root);
    else
        for (int i = 0; i < 2; i++) {
            int sum = 0;
            cpar_allreduce(cpar_rank(), &sum, CPAR_SUM, .group = half);
            cpar_barrier(.group = half);
            cpar_message *m = cpar_exchange(sum, 2 * root, 2 * root, .tag = ASIDE);
            expect(cpar_text(m) && strcmp(cpar_text(m), "how far are you?") == 0 && sum == (cpar_size() / 2) * (cpar_size() / 2));
            cpar_free(m);
        }
    check_code(cpar_group_free(half), 0);
    expect(all_runs() == 60);
}
END_TEST

/* Rank 0 has a pool with the odd ranks, and another one with the even ones, at the same time. */
static void use_two(cpar_pool *odd, cpar_pool *even)
{
    cpar_future *f[40];
    for (int i = 0; i < 40; i++) f[i] = cpar_submit(i % 2 ? odd : even, where, i);
    for (int i = 39; i >= 0; i--) {
        const int rank = cpar_result(f[i], int);
        expect((rank == 0 && cpar_size() < (i % 2 ? 2 : 3)) || (rank > 0 && rank % 2 == i % 2));
        expect(cpar_index(f[i]) == (size_t)i / 2);
    }
    int of_odd = 0, of_even = 0;
    while (cpar_as_completed(odd)) of_odd++;
    check_code(cpar_pool_close(odd), 0);
    cpar_future *late = cpar_submit(even, square, 7);
    while (cpar_as_completed(even)) of_even++;
    expect(of_odd == 20 && of_even == 21 && cpar_result(late, int) == 49);
    cpar_future_free(late);
    free_all(f, 40);
    check_code(cpar_pool_close(even), 0);
}

START_TEST(two_pools_of_two_groups_are_open_at_once)
{
    const int rank = cpar_rank();
    cpar_group *with_odd = cpar_split(rank == 0 || rank % 2, rank), *with_even = cpar_split(rank % 2 == 0, rank);
    cpar_pool *odd = rank == 0 || rank % 2 ? cpar_pool_open(.group = with_odd) : NULL;
    cpar_pool *even = rank % 2 == 0 ? cpar_pool_open(.group = with_even) : NULL;
    expect(!odd == (rank > 0) && !even == (rank > 0) && cpar_last_error() == 0);
    if (rank == 0) use_two(odd, even);
    check_code(cpar_group_free(with_odd), 0);
    check_code(cpar_group_free(with_even), 0);
    expect(all_runs() == 41);
}
END_TEST

/* ---- Asking whether it is done ----------------------------------------------------------------- */

static void ask_until_done(cpar_pool *pool)
{
    cpar_future *f[10];
    int done = 0;
    for (int i = 0; i < 10; i++) f[i] = cpar_submit(pool, square, i);
    while (done < 10)
        for (int i = done = 0; i < 10; i++) done += cpar_done(f[i]);
    for (int i = 0; i < 10; i++) expect(cpar_result(f[i], int) == i * i);
    free_all(f, 10);
    check_code(cpar_pool_close(pool), 0);
}

/* A long one takes many turns of both sides. */
static void ask_until_a_long_one_is_done(cpar_pool *pool)
{
    unsigned char *bytes = malloc(LONG + 1);
    bytes[0] = 3;
    fill(bytes + 1, LONG, 3);
    cpar_message *m = cpar_message_of(cpar_array(bytes, LONG + 1));
    cpar_future *f = cpar_submit(pool, pass_long, m);
    while (!cpar_done(f)) continue;
    expect(!cpar_why(f) && filled(cpar_as(cpar_result(f, cpar_message *), unsigned char), LONG, 1003));
    cpar_future_free(f);
    cpar_free(m);
    free(bytes);
    check_code(cpar_pool_close(pool), 0);
}

START_TEST(asking_whether_it_is_done_gets_it_done)
{
    with_pool(ask_until_a_long_one_is_done, .root = 0);
    with_pool(ask_until_done, .root = 0);
    expect(all_runs() == 10);
}
END_TEST

/* ---- Wrong use --------------------------------------------------------------------------------- */

static const cpar_task made_by_hand = { "square", CPAR_PASSED_(int), CPAR_PASSED_(int), cpar_run_square };

static void use_wrongly(cpar_pool *pool)
{
    const char *no_text = NULL;
    const cpar_message *no_message = NULL;
    expect_error(cpar_submit(NULL, square, 3), CPAR_ERROR_ARGUMENT);
    expect_error(cpar_as_completed(NULL), CPAR_ERROR_ARGUMENT);
    expect_error(cpar_result(NULL, int), CPAR_ERROR_ARGUMENT);
    expect_error(cpar_result(NULL, char *), CPAR_ERROR_ARGUMENT);
    expect_error(cpar_why(NULL), CPAR_ERROR_ARGUMENT);
    expect_error(cpar_done(NULL), CPAR_ERROR_ARGUMENT);
    expect_error(cpar_cancel(NULL), CPAR_ERROR_ARGUMENT);
    expect(cpar_index(NULL) == 0);
    cpar_future_free(NULL);
    check_code(cpar_pool_close(NULL), 0);
    expect_error(cpar_submit(pool, twice, no_text), CPAR_ERROR_ARGUMENT);
    expect_error(cpar_submit(pool, reverse, no_message), CPAR_ERROR_ARGUMENT);

    cpar_future *f = cpar_submit(pool, square, 3), *text = cpar_submit(pool, twice, "x"), *bad = cpar_submit(pool, picky, 1);
    expect(cpar_index(f) == 0 && cpar_index(bad) == 2); /* the others do not count */
    for (int i = 0; i < 2; i++) { /* before it is there and after */
        expect_error(cpar_result(f, double), CPAR_ERROR_TYPE);
        expect_error(cpar_result(f, unsigned), CPAR_ERROR_TYPE);
        expect_error(cpar_result(f, char *), CPAR_ERROR_TYPE);
        expect_error(cpar_result(f, struct { int x; }).x, CPAR_ERROR_TYPE);
        expect_error(cpar_result(text, cpar_message *), CPAR_ERROR_TYPE);
        expect_error(cpar_result(text, uintptr_t), CPAR_ERROR_TYPE);
        expect_error(cpar_result(bad, float), CPAR_ERROR_TYPE); /* rather than TASK */
        expect(cpar_result(f, int) == 9 && cpar_last_error() == 0 && strcmp(cpar_result(text, char *), "xx") == 0);
    }
    int count = 0, x = 3;
    cpar_future *unknown = cpar_submit_at(pool, &made_by_hand, &x, (cpar_place){ 0 });
    expect(cpar_why(unknown) && strcmp(cpar_why(unknown), "this rank's program has not that task") == 0);
    cpar_future_free(unknown);
    while (cpar_as_completed(pool)) count++;
    expect(count == 3);
    cpar_future_free(f);
    cpar_future_free(text);
    cpar_future_free(bad);
    check_code(cpar_pool_close(pool), 0);
}

START_TEST(wrong_use_is_an_error_and_nothing_else)
{
    expect_error(cpar_pool_open(.root = -1), CPAR_ERROR_RANK);
    expect_error(cpar_pool_open(.root = cpar_size()), CPAR_ERROR_RANK);
    with_pool(use_wrongly, .root = cpar_size() - 1);
    expect(all_runs() == 2);
}
END_TEST

/* What a task can't do: all that belongs to pools, but for cpar_task_fail, and collectives. Tells which call was let through. */
static cpar_pool *open_pool;
static cpar_future *some_future, *own_future;

#define refused(call) (!(call) && cpar_last_error() == CPAR_ERROR_STATE)

/* All collectives of a group, of whom none may do anything now. 0, or the number of one that does. */
static int collectives_let_through(cpar_group *g)
{
    int x = 1, y = 1;
    if (cpar_barrier(.group = g) != CPAR_ERROR_STATE) return 1;
    if (cpar_broadcast(&x, 0, .group = g) != CPAR_ERROR_STATE) return 2;
    if (!refused(cpar_broadcast_message(x, 0, .group = g))) return 3;
    if (!refused(cpar_scatter(cpar_array(&x, 1), 0, .group = g))) return 4;
    if (!refused(cpar_gather(x, 0, .group = g))) return 5;
    if (!refused(cpar_allgather(x, .group = g))) return 6;
    if (!refused(cpar_alltoall(NULL, cpar_size(.group = g), .group = g))) return 7;
    if (cpar_reduce(x, &y, CPAR_SUM, 0, .group = g) != CPAR_ERROR_STATE) return 8;
    if (cpar_allreduce(x, &y, CPAR_SUM, .group = g) != CPAR_ERROR_STATE) return 9;
    if (cpar_scan(x, &y, CPAR_SUM, .group = g) != CPAR_ERROR_STATE) return 10;
    if (!refused(cpar_split(0, 0, .group = g))) return 11;
    if (g && cpar_group_free(g) != CPAR_ERROR_STATE) return 12;
    if (!g && cpar_print("in the wrong place") != CPAR_ERROR_STATE) return 13;
    if (cpar_map(square, &x, 1, &x, .group = g) != CPAR_ERROR_STATE) return 14;
    if (!refused(cpar_pool_open(.group = g))) return 15;
    return 0;
}

static int misbehave(int x)
{
    cpar_future *const f = some_future;
    runs++;
    if (!refused(cpar_submit(open_pool, square, x))) return 1;
    if (!refused(cpar_as_completed(open_pool))) return 2;
    if (!refused(cpar_result(f, int))) return 3;
    if (!refused(cpar_why(f))) return 4;
    if (!refused(cpar_done(f))) return 5;
    if (!refused(cpar_cancel(f))) return 6;
    if (open_pool && cpar_pool_close(open_pool) != CPAR_ERROR_STATE) return 7;
    cpar_future_free(own_future); /* the one that may be, in a pool of one rank */
    own_future = NULL;
    if (!refused(cpar_pool_open())) return 8;
    if (cpar_map(square, &x, 1, &x) != CPAR_ERROR_STATE) return 9;
    if (collectives_let_through(half)) return 9 + collectives_let_through(half);
    if (cpar_finalize() != CPAR_ERROR_STATE) return 30;
    return 0;
}
CPAR_TASK(misbehave, int, int);

static void have_one_free_itself(cpar_pool *pool)
{
    own_future = cpar_size() == 1 ? cpar_submit(pool, misbehave, 1) : NULL;
    check_code(cpar_pool_close(pool), 0);
}

static void have_them_misbehave(cpar_pool *pool)
{
    const int let_through = collectives_let_through(half);
    expect_of(!let_through, "while a pool is open its root could do what is number %d there", let_through);
    open_pool = pool;
    cpar_future *f[9];
    for (int i = 0; i < 9; i++) f[i] = some_future = cpar_submit(pool, misbehave, i);
    for (int i = 0; i < 9; i++) expect_of(cpar_result(f[i], int) == 0, "a task could do what is number %d there", cpar_result(f[i], int));
    check_code(cpar_task_fail("outside of a task"), CPAR_ERROR_STATE);
    expect(cpar_result(f[0], int) == 0 && !cpar_why(f[0]));
    free_all(f, 9);
    check_code(cpar_pool_close(pool), 0);
    open_pool = NULL;
    some_future = NULL;
}

START_TEST(a_task_has_no_pools)
{
    int sum = 0;
    for (int grouped = 0; grouped < 2; grouped++) {
        half = grouped ? cpar_split(cpar_rank() % 2, cpar_rank()) : NULL;
        with_pool(have_them_misbehave, .root = 0, .group = half);
        with_pool(have_one_free_itself, .root = 0, .group = half);
        check_code(cpar_task_fail("outside of a task"), CPAR_ERROR_STATE);
        check_code(cpar_allreduce(1, &sum, CPAR_SUM, .group = half), 0); /* and all are in step */
        expect(sum == cpar_size(.group = half));
        check_code(cpar_group_free(half), 0);
    }
    all_runs();
}
END_TEST

/* ---- Anything, in any order -------------------------------------------------------------------- */

static char *describe(int x)
{
    const size_t n = (size_t)(x % 7) * 1500;
    char *s = malloc(n + 20);
    runs++;
    if (x % 10 == 3) cpar_task_fail("three");
    memset(s, '-', n);
    snprintf(s + n, 20, "%d", x);
    return s;
}
CPAR_TASK(describe, int, char *);

typedef struct {
    cpar_future *future;
    int job;
    enum { SQUARE, DESCRIBE, REVERSE } task;
    bool cancelled;
} entry;

enum { ENTRIES = 40 };
static entry entries[ENTRIES];
static int submitted, least_runs, most_runs; /* a future that is freed may have waited */

static void submit_any(cpar_pool *pool, entry *e, int job)
{
    e->job = job;
    e->cancelled = false;
    e->task = job % 3;
    if (e->task == SQUARE) e->future = cpar_submit(pool, square, job);
    if (e->task == DESCRIBE) e->future = cpar_submit(pool, describe, job);
    if (e->task == REVERSE) {
        const int two[] = { job, job + 1 };
        cpar_message *m = cpar_message_of(cpar_array(two, 2));
        e->future = cpar_submit(pool, reverse, m);
        cpar_free(m);
    } else
        least_runs++, most_runs++;
    expect(cpar_index(e->future) == (size_t)submitted++);
}

static void check_any(const entry *e)
{
    cpar_future *f = e->future;
    const char *why = cpar_why(f), *expected = e->cancelled ? "cancelled" : e->task == DESCRIBE && e->job % 10 == 3 ? "three" : NULL;
    expect(why && expected ? strcmp(why, expected) == 0 : why == expected);
    expect(cpar_done(f));
    if (why) return;
    if (e->task == SQUARE) expect(cpar_result(f, int) == e->job * e->job);
    if (e->task == DESCRIBE) expect(atoi(strrchr(cpar_result(f, char *), '-') ? strrchr(cpar_result(f, char *), '-') + 1 : cpar_result(f, char *)) == e->job);
    if (e->task == REVERSE) expect(cpar_as(cpar_result(f, cpar_message *), int)[0] == e->job + 1);
}

static void free_any(entry *e, bool may_wait)
{
    if (may_wait && !e->cancelled && e->task != REVERSE) least_runs--;
    cpar_future_free(e->future);
    e->future = NULL;
}

static void do_anything(cpar_pool *pool)
{
    static uint64_t seed;
    if (!seed) seed = harness_seed(11);
    submitted = least_runs = most_runs = 0;
    for (int step = 0; step < 1500; step++) {
        entry *e = &entries[draw(&seed) % ENTRIES];
        const int what = (int)(draw(&seed) % 12);
        if (!e->future)
            submit_any(pool, e, (int)(draw(&seed) % 1000));
        else if (what < 2)
            free_any(e, true);
        else if (what < 5 && cpar_cancel(e->future)) {
            e->cancelled = true;
            if (e->task != REVERSE) least_runs--, most_runs--;
        } else if (what < 7)
            cpar_done(e->future);
        else if (what < 9 && step % 3 == 0)
            check_any(e);
        else if (what == 9) {
            cpar_future *f = cpar_as_completed(pool);
            for (int i = 0; i < ENTRIES && f; i++)
                if (entries[i].future == f) {
                    check_any(&entries[i]);
                    if (step % 2) free_any(&entries[i], false);
                    f = NULL;
                }
            expect(!f);
        }
    }
    for (int i = 0; i < ENTRIES; i += 2)
        if (entries[i].future) free_any(&entries[i], true);
    check_code(cpar_pool_close(pool), 0);
    for (int i = 0; i < ENTRIES; i++)
        if (entries[i].future) {
            check_any(&entries[i]);
            free_any(&entries[i], false);
        }
}

START_TEST(anything_in_any_order)
{
    for (int i = 0; i < 3; i++) {
        with_pool(do_anything, .root = 0);
        const int all = all_runs();
        if (cpar_rank() == 0) expect_of(all >= least_runs && all <= most_runs, "%d tasks ran, not %d to %d", all, least_runs, most_runs);
    }
}
END_TEST

HARNESS_MAIN("pool", each_runs_once_and_gives_its_own_result, one_pool_after_another, jobs_and_results_of_every_kind,
    as_completed_gives_each_once_while_more_are_submitted, a_long_task_holds_nobody_up, all_ranks_work_at_once, what_waits_goes_to_the_next_rank_that_is_free, one_that_fails_tells_why_and_the_others_go_on,
    what_waits_can_be_cancelled, a_future_may_be_freed_in_any_state, all_may_be_freed_at_once, closing_waits_for_all_and_the_futures_stay,
    those_returned_before_the_close_stay_too, long_jobs_and_long_results_meet, tasks_and_the_root_exchange_messages, a_pool_goes_on_in_any_call_that_waits,
    a_group_has_a_pool_while_others_do_other_things, two_pools_of_two_groups_are_open_at_once, asking_whether_it_is_done_gets_it_done,
    wrong_use_is_an_error_and_nothing_else, a_task_has_no_pools, anything_in_any_order)
