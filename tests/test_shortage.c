/* Maps in which one rank once gets no memory, at each place where cpar asks for some: the map fails or it is right, nobody hangs, and
   the next one is right. Built with a static library only: see refusal.h. */
#include "harness.h"
#include "refusal.h"

#include <stdio.h>

/* ---- Tasks, who get what they ask for ---------------------------------------------------------- */

enum { N = 25 };

static double half(int i)
{
    return i / 2.0;
}

static char *name(int i)
{
    char *s = __real_malloc(600);
    memset(s, '-', 600);
    snprintf(s + 560, 40, "%d", i);
    return s;
}

static size_t length(const char *s)
{
    return strlen(s);
}

static cpar_message *more(const cpar_message *m)
{
    const long kept = requests_left;
    int a[2000];
    requests_left = -1;
    for (int i = 0; i < 2000; i++) a[i] = cpar_value(m, int) + i;
    cpar_message *out = cpar_message_of(cpar_array(a, cpar_value(m, int) * 80));
    requests_left = kept;
    return out;
}

static int picky(int i)
{
    if (i % 5 == 2) cpar_task_fail("%d", i);
    return i;
}

CPAR_TASK(half, int, double);
CPAR_TASK(name, int, char *);
CPAR_TASK(length, const char *, size_t);
CPAR_TASK(more, const cpar_message *, cpar_message *);
CPAR_TASK(picky, int, int);

/* ---- Maps: each returns its code, and whether what it gave is right ----------------------------- */

static int is[N];
static const char *texts[N];
static cpar_message *messages[N];

static int map_plain(int root, bool everywhere, bool *right)
{
    double results[N] = { 0 };
    const int code = cpar_map(half, is, N, results, .root = root, .everywhere = everywhere);
    for (int i = 0; i < N; i++) *right = *right && results[i] == i / 2.0;
    return code;
}

static int map_to_strings(int root, bool everywhere, bool *right)
{
    char *results[N] = { NULL };
    const int code = cpar_map(name, is, N, results, .root = root, .everywhere = everywhere);
    for (int i = 0; i < N; i++) {
        *right = *right && results[i] && results[i][0] == '-' && atoi(results[i] + 560) == i;
        free(results[i]);
    }
    return code;
}

static int map_strings(int root, bool everywhere, bool *right)
{
    size_t results[N] = { 0 };
    const int code = cpar_map(length, texts, N, results, .root = root, .everywhere = everywhere);
    for (int i = 0; i < N; i++) *right = *right && results[i] == strlen(texts[i]);
    return code;
}

static int map_messages(int root, bool everywhere, bool *right)
{
    cpar_message *results[N] = { NULL };
    const int code = cpar_map(more, messages, N, results, .root = root, .everywhere = everywhere);
    for (int i = 0; i < N; i++) {
        *right = *right && cpar_count(results[i]) == (size_t)i * 80 && (i == 0 || (cpar_is(results[i], int) && cpar_as(results[i], int)[i * 80 - 1] == i + i * 80 - 1));
        cpar_free(results[i]);
    }
    return code;
}

static int map_failing(int root, bool everywhere, bool *right)
{
    int results[N] = { 0 };
    cpar_failures f;
    const int code = cpar_map(picky, is, N, results, .root = root, .everywhere = everywhere, .failures = &f);
    if (cpar_rank() == root || everywhere) *right = *right && f.count == N / 5;
    for (int i = 0; i < N; i++) *right = *right && results[i] == (i % 5 == 2 ? 0 : i);
    cpar_failures_free(&f);
    return code;
}

static int (*const maps[])(int root, bool everywhere, bool *right) = { map_plain, map_to_strings, map_strings, map_messages, map_failing };

/* Whether a map goes well, everywhere. */
static bool all_goes_on(int (*map)(int root, bool everywhere, bool *right))
{
    int sum = 0;
    bool right = true;
    const int code = map(0, true, &right);
    return code == 0 && right && cpar_allreduce(1, &sum, CPAR_SUM) == 0 && sum == cpar_size();
}

/* Refuses a rank's request number k. Returns false when there is none, or when something was wrong. */
static bool refuse(int which, int rank, long k, bool everywhere)
{
    const bool unlucky = cpar_rank() == rank, mine = cpar_rank() == 0 || everywhere;
    bool right = true;
    requests_left = unlucky ? k : -1;
    const int code = maps[which](0, everywhere, &right);
    int was_refused = unlucky && requests_left < 0, wrong;
    requests_left = -1;
    const bool sound = code ? code == CPAR_ERROR_MEMORY : right || !mine;
    const bool goes_on = all_goes_on(maps[which]);
    expect_of(sound && goes_on, "map %d, everywhere %d, request %ld of rank %d refused (%d): code %d, right %d; all goes on %d", which, everywhere, k, rank, was_refused, code, right,
        goes_on);
    wrong = !sound || !goes_on;
    cpar_allreduce(wrong, &wrong, CPAR_LOR);
    cpar_allreduce(was_refused, &was_refused, CPAR_LOR);
    return was_refused && !wrong;
}

START_TEST(a_rank_without_memory_for_something_is_an_error_and_all_goes_on)
{
    for (int i = 0; i < N; i++) {
        is[i] = i;
        texts[i] = &"some text that is of no interest, but long, but long"[i];
        messages[i] = cpar_message_of(i);
    }
    for (int which = 0; which < 5; which++) all_goes_on(maps[which]); /* landing buffers are there from now on */
    for (int which = 0; which < 5; which++)
        for (int rank = 0; rank < cpar_size(); rank++)
            for (int everywhere = 0; everywhere < 2; everywhere++)
                for (long k = 0; refuse(which, rank, k, everywhere); k++) continue;
    for (int i = 0; i < N; i++) cpar_free(messages[i]);
}
END_TEST

static struct block {
    double x[1000];
} blocks[300];

static struct block same(struct block b)
{
    return b;
}
CPAR_TASK(same, struct block, struct block);

START_TEST(a_rank_without_memory_to_share_has_its_own_or_is_an_error)
{
    static struct block results[300];
    const char *share = getenv("CPAR_SHARE");
    const int tolerated = share && *share == '0' ? 0 : 1; /* the first one leads to memory of each rank's own */
    for (int i = 0; i < 300; i++) blocks[i].x[0] = blocks[i].x[999] = i;
    for (int rank = 0; rank < cpar_size() && cpar_size() > 1; rank++)
        for (int refusals = 0; refusals < 3; refusals++) {
            cpar_group *g = cpar_split(0, cpar_rank());
            int small = cpar_map(same, blocks, 3, results, .group = g, .everywhere = true);
            mmaps_left = cpar_rank() == rank && refusals ? 0 : -1;
            mmaps_refused = refusals;
            const int code = cpar_map(same, blocks, 300, results, .group = g, .everywhere = true);
            bool right = true;
            for (int i = 0; i < 300 && !code; i++) right = right && results[i].x[0] == i && results[i].x[999] == i;
            mmaps_left = -1;
            memset(results, 0, sizeof results);
            small = cpar_map(same, blocks, 3, results, .group = g, .everywhere = true) || small;
            for (int i = 0; i < 3; i++) right = right && results[i].x[0] == i;
            const int after = cpar_map(same, blocks, 300, results, .group = g, .everywhere = true);
            for (int i = 0; i < 300; i++) right = right && results[i].x[0] == i && results[i].x[999] == i;
            expect_of(right && code == (refusals > tolerated ? CPAR_ERROR_MEMORY : 0) && !small && !after, "rank %d, %d refusals: right %d, code %d, small %d, after %d", rank, refusals, right, code, small, after);
            cpar_group_free(g);
        }
}
END_TEST

HARNESS_MAIN("shortage", a_rank_without_memory_for_something_is_an_error_and_all_goes_on, a_rank_without_memory_to_share_has_its_own_or_is_an_error)
