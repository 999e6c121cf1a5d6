/* Maps: every job is done once, by some rank, and its result is where it belongs; of every type, at every root, from any number of
   jobs; with failures, errors, groups, and whatever else goes on meanwhile. */
#include "harness.h"

#include <mpi.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

/* Whether all ranks share memory. */
static bool all_share(void)
{
    const char *share = getenv("CPAR_SHARE");
    cpar_message *names = cpar_allgather(cpar_get_processor_name());
    bool same = !getenv("TEST_NODES") && !(share && *share == '0');
    for (int r = 0; r < cpar_size(); r++) same = same && strcmp(cpar_part(names, r, char, NULL), cpar_part(names, 0, char, NULL)) == 0;
    cpar_free(names);
    return same;
}

/* A string of that length. */
static char *make_string(size_t n, size_t seed)
{
    char *s = malloc(n + 1);
    for (size_t i = 0; i < n; i++) s[i] = (char)('a' + (i * 7 + seed) % 26);
    s[n] = 0;
    return s;
}

/* ---- Each job once ----------------------------------------------------------------------------- */

enum { MOST = 20000 };

/* How often this rank has done each job. */
static unsigned ran[MOST];

static unsigned total_of(size_t n)
{
    unsigned total = 0;
    for (size_t i = 0; i < n; i++) total += ran[i];
    return total;
}

/* Whether all ranks together have done each of n jobs once, since this was called last. Collective. */
static bool each_once(size_t n)
{
    static unsigned all[MOST];
    bool once = cpar_allreduce(cpar_array(ran, n), cpar_array(all, n), CPAR_SUM) == 0;
    for (size_t i = 0; i < n; i++) once = once && all[i] == 1;
    for (size_t i = n; i < MOST; i++) once = once && ran[i] == 0;
    memset(ran, 0, sizeof ran);
    return once;
}

static void rest(long us)
{
    nanosleep(&(struct timespec){ .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 }, NULL);
}

static long number(int i)
{
    ran[i]++;
    return i * 1000003L + 7;
}
CPAR_TASK(number, int, long);

static const char pattern = 0x5a;

/* Maps n jobs, and checks all there is to check. */
static bool numbers_are_right(int root, size_t n, size_t chunk, bool everywhere, bool root_works, cpar_group *g)
{
    const int me = cpar_rank(.group = g), size = cpar_size(.group = g);
    int *jobs = malloc(n * sizeof *jobs + 1);
    long *results = malloc(n * sizeof *results + 1), untouched;
    for (size_t i = 0; i < n; i++) jobs[i] = me == root ? (int)i : -1;
    memset(results, pattern, n * sizeof *results);
    memset(&untouched, pattern, sizeof untouched);

    const int code = cpar_map(number, jobs, me == root ? n : 12345, results, .root = root, .chunk = me == root ? chunk : 99, .everywhere = everywhere,
        .root_works = root_works, .group = g);
    bool right = code == 0 && cpar_last_error() == 0;
    for (size_t i = 0; i < n; i++) right = right && results[i] == (me == root || everywhere ? (long)i * 1000003L + 7 : untouched);
    if (me == root && size > 1 && !root_works) right = right && total_of(n) == 0;
    free(jobs);
    free(results);
    return right;
}

START_TEST(each_job_is_done_once_at_every_root_with_every_option)
{
    const int size = cpar_size();
    for (int root = 0; root < size; root++)
        for (size_t n = 0; n < 14; n++)
            for (int options = 0; options < 4; options++) {
                const bool right = numbers_are_right(root, n, n % 4, options & 1, options & 2, NULL), once = each_once(n);
                expect_of(right && once, "root %d, %zu jobs, options %d: right %d, once %d", root, n, options, right, once);
            }
    static const size_t numbers[] = { 100, 1000, 3001 }, chunks[] = { 0, 1, 7, 1000, 5000, SIZE_MAX };
    for (size_t k = 0; k < 18; k++) {
        const size_t n = numbers[k / 6], chunk = chunks[k % 6];
        const bool right = numbers_are_right((int)k % size, n, chunk, k % 2, k % 5, NULL), once = each_once(n);
        expect_of(right && once, "%zu jobs, chunk %zu: right %d, once %d", n, chunk, right, once);
    }
}
END_TEST

START_TEST(maps_follow_each_other_without_a_barrier)
{
    bool right = true;
    for (int i = 0; i < 300; i++) {
        const size_t n = (size_t)(i * 7 % 11);
        right = numbers_are_right(i * 5 % cpar_size(), n, 0, i % 3 == 0, i % 4, NULL) && right;
        memset(ran, 0, sizeof ran);
    }
    right = numbers_are_right(0, 0, 0, true, true, NULL) && right;
    expect(right && each_once(0));
}
END_TEST

START_TEST(many_short_jobs_are_all_done)
{
    for (int i = 0; i < 2; i++) {
        const bool right = numbers_are_right(i % cpar_size(), MOST, 0, i, true, NULL), once = each_once(MOST);
        expect_of(right && once, "run %d: right %d, once %d", i, right, once);
    }
}
END_TEST

/* Jobs that last from nothing to a millisecond, so that ranks run out of them at any time. */
static long uneven(int i)
{
    uint64_t state = (uint64_t)i;
    const uint64_t long_one = draw(&state);
    if (long_one % 32 == 0) rest((long)(long_one / 32 % 500));
    return number(i);
}
CPAR_TASK(uneven, int, long);

START_TEST(maps_at_random)
{
    uint64_t state = harness_seed(3);
    enum { N = 400 };
    static int jobs[N];
    static long results[N];
    for (int i = 0; i < N; i++) jobs[i] = i;
    for (int k = 0; k < 40; k++) {
        const size_t n = (size_t)(draw(&state) % (draw(&state) % 3 ? 30 : N)), chunk = (size_t)(draw(&state) % 3 ? 0 : draw(&state) % 20);
        const int root = (int)(draw(&state) % (uint64_t)cpar_size());
        const uint64_t options = draw(&state);
        memset(results, 0, sizeof results);
        bool right = cpar_map(uneven, jobs, n, results, .root = root, .chunk = chunk, .everywhere = options & 1, .root_works = options & 6) == 0;
        for (size_t i = 0; i < n && (cpar_rank() == root || options & 1); i++) right = right && results[i] == (long)i * 1000003L + 7;
        const bool once = each_once(n);
        expect_of(right && once, "map %d, of %zu jobs in chunks of %zu: right %d, once %d", k, n, chunk, right, once);
    }
}
END_TEST

START_TEST(the_root_does_nothing_if_so_told_and_all_if_alone)
{
    const int size = cpar_size(), me = cpar_rank();
    for (int root = 0; root < size; root++) {
        const bool right = numbers_are_right(root, 50, 0, false, false, NULL);
        const unsigned mine = total_of(50);
        const bool once = each_once(50);
        expect(right && once && (me != root || mine == (size == 1 ? 50 : 0)));
    }
}
END_TEST

/* ---- Who does what ----------------------------------------------------------------------------- */

struct who {
    int rank, turn, others;
};
static int turns, long_one, quick_count; /* long_one: a job; -1: the first that rank 1 does */
static atomic_int *quick_ones; /* done by all ranks, in memory that these tests share */

/* The long job lasts until all others are done, which it sees, or for 10 s. */
static struct who who(int i)
{
    struct who w = { .rank = cpar_rank(), .turn = turns++ };
    ran[i]++;
    if (long_one < 0 ? w.rank == 1 && w.turn == 0 : i == long_one) {
        for (int ms = 0; ms < 10000 && atomic_load(quick_ones) < quick_count; ms++) rest(1000);
        w.others = atomic_load(quick_ones);
    } else {
        if (i % 2) rest(1000);
        atomic_fetch_add(quick_ones, 1);
    }
    return w;
}
CPAR_TASK(who, int, struct who);

/* All but one of n jobs end while that one lasts, and so others do them, but those that its rank did before. */
static bool all_others_end(size_t n, int long_job, size_t chunk, int root)
{
    enum { N = 400 };
    int jobs[N];
    struct who w[N];
    for (int i = 0; i < N; i++) jobs[i] = i;
    long_one = long_job;
    quick_count = (int)n - 1;
    turns = 0;
    cpar_barrier();
    if (cpar_rank() == 0) atomic_store(quick_ones, 0);
    cpar_barrier();
    bool right = cpar_map(who, jobs, n, w, .chunk = chunk, .root = root, .everywhere = true) == 0 && w[long_job].others == quick_count;
    for (int i = 0; i < (int)n; i++) right = right && (i == long_job || w[i].rank != w[long_job].rank || w[i].turn < w[long_job].turn);
    return each_once(n) && right;
}

/* The memory that these tests share. */
static MPI_Win share_counter(void)
{
    MPI_Win window;
    MPI_Win_allocate_shared(cpar_rank() == 0 ? sizeof *quick_ones : 0, sizeof *quick_ones, MPI_INFO_NULL, MPI_COMM_WORLD, &quick_ones, &window);
    MPI_Win_shared_query(window, 0, &(MPI_Aint){ 0 }, &(int){ 0 }, &quick_ones);
    return window;
}

START_TEST(a_long_job_holds_up_no_other_on_one_node)
{
    static const struct {
        size_t jobs;
        int long_job;
        size_t chunk;
    } cases[] = { { 301, 0, 0 }, { 301, 150, 0 }, { 301, 299, 0 }, { 301, 0, 20 }, { 201, 7, 15 }, { 3, 0, 0 }, { 2, 1, 9 } }; /* 20: what it heads is taken from behind it */
    int right = true;
    if (cpar_size() == 1 || !all_share()) return;
    MPI_Win window = share_counter();
    for (size_t k = 0; k < sizeof cases / sizeof *cases && right; k++) {
        right = all_others_end(cases[k].jobs, cases[k].long_job, cases[k].chunk, (int)k % cpar_size());
        expect_of(right, "job %d of %zu, chunks of %zu", cases[k].long_job, cases[k].jobs, cases[k].chunk);
        cpar_allreduce(right, &right, CPAR_LAND);
    }
    MPI_Win_free(&window);
}
END_TEST

/* Whether it is on one machine, and as the environment says, that not all share memory. */
static bool nodes_are(const char *digits)
{
    const char *nodes = getenv("TEST_NODES"), *share = getenv("CPAR_SHARE");
    return share && *share == '0' ? strcmp(digits, "1") == 0 : nodes && strcmp(nodes, digits) == 0;
}

/* With a root that is free, rank 1 stays in the first job that it gets, until all others but so many have ended. */
static bool others_end(size_t chunk, int but)
{
    enum { JOBS = 240 };
    static int jobs[JOBS];
    static struct who w[JOBS];
    for (int i = 0; i < JOBS; i++) jobs[i] = i;
    long_one = -1;
    quick_count = JOBS - 1 - but;
    turns = 0;
    MPI_Win window = share_counter();
    cpar_barrier();
    if (cpar_rank() == 0) atomic_store(quick_ones, 0);
    cpar_barrier();
    bool right = cpar_map(who, jobs, JOBS, w, .chunk = chunk, .root_works = false, .everywhere = true) == 0;
    for (int i = 0; i < JOBS; i++) right = right && (w[i].rank != 1 || w[i].turn || w[i].others >= quick_count);
    MPI_Win_free(&window);
    return each_once(JOBS) && right;
}

START_TEST(what_a_rank_in_a_long_job_has_not_begun_goes_to_other_nodes_too)
{
    if (cpar_size() != 3 || !nodes_are("21")) return; /* of more ranks, one would ask rank 1 */
    expect(others_end(10, 0)); /* what rank 1 has taken goes to rank 2 through the root */
}
END_TEST

START_TEST(a_rank_of_another_node_has_at_most_half_its_share)
{
    if (cpar_size() < 3 || !nodes_are("1")) return;
    expect(others_end(SIZE_MAX, 240 / (2 * cpar_size())));
}
END_TEST

static atomic_int *done_elsewhere;

/* Takes its time only while no other node has done anything. */
static int wait_for_others(const char *s)
{
    if (cpar_rank()) atomic_fetch_add(done_elsewhere, 1);
    for (int ms = 0; cpar_rank() == 0 && ms < 4 && !atomic_load(done_elsewhere); ms++) rest(1000);
    return *s && cpar_rank() == 0 ? atomic_load(done_elsewhere) : 0;
}
CPAR_TASK(wait_for_others, const char *, int);

START_TEST(other_nodes_get_long_jobs_while_the_root_works)
{
    enum { JOBS = 400 };
    static const char *jobs[JOBS];
    static int seen[JOBS];
    if (cpar_size() < 2 || !nodes_are("1")) return;
    char *text = make_string(20000, 0);
    MPI_Win window = share_counter();
    done_elsewhere = quick_ones;
    cpar_barrier();
    if (cpar_rank() == 0) atomic_store(done_elsewhere, 0);
    cpar_barrier();
    for (int i = 0; i < JOBS; i++) jobs[i] = text;
    bool right = cpar_map(wait_for_others, jobs, JOBS, seen) == 0, any = cpar_rank() > 0;
    for (int i = 0; i < JOBS && !cpar_rank(); i++) any = any || seen[i];
    MPI_Win_free(&window);
    free(text);
    expect(right && any);
}
END_TEST

/* ---- Types ------------------------------------------------------------------------------------- */

#define TYPES(X)                                                                                   \
    X(bool, bool) X(char, char) X(schar, signed char) X(uchar, unsigned char) X(short, short) X(ushort, unsigned short) X(int, int)            \
    X(uint, unsigned) X(long, long) X(ulong, unsigned long) X(llong, long long) X(ullong, unsigned long long) X(float, float)                 \
    X(double, double) X(ldouble, long double) X(cfloat, float _Complex) X(cdouble, double _Complex) X(cldouble, long double _Complex)

#define ECHO(name, T)                                                                              \
    static T echo_##name(T x)                                                                      \
    {                                                                                              \
        return x;                                                                                  \
    }                                                                                              \
    CPAR_TASK(echo_##name, T, T);
TYPES(ECHO)

#define ECHOES(name, T)                                                                            \
    {                                                                                              \
        T jobs[40], results[40] = { 0 };                                                           \
        for (int i = 0; i < 40; i++) jobs[i] = (T)(i * 37 % 101);                                  \
        bool right = cpar_map(echo_##name, jobs, 40, results, .everywhere = true) == 0;            \
        for (int i = 0; i < 40; i++) right = right && results[i] == (T)(i * 37 % 101);             \
        expect_of(right, "%s", #T);                                                                \
    }

START_TEST(every_scalar_is_a_job_and_a_result)
{
    TYPES(ECHOES)
}
END_TEST

struct odd {
    char c[7];
};
struct block {
    double x[120];
};

static struct odd turn_round(struct odd o)
{
    struct odd out;
    for (int i = 0; i < 7; i++) out.c[i] = o.c[6 - i];
    return out;
}
static struct block halve(struct block b)
{
    ran[(int)b.x[0]]++;
    for (int i = 0; i < 120; i++) b.x[i] /= 2;
    return b;
}
static struct odd first_of(struct block b)
{
    struct odd o = { { 0 } };
    o.c[0] = (char)b.x[0];
    return o;
}
static cpar_loc locate(double x)
{
    return (cpar_loc){ .value = x, .index = (int)x };
}
CPAR_TASK(turn_round, struct odd, struct odd);
CPAR_TASK(halve, struct block, struct block);
CPAR_TASK(first_of, struct block, struct odd);
CPAR_TASK(locate, double, cpar_loc);

START_TEST(structs_are_jobs_and_results)
{
    enum { N = 100 };
    struct odd odds[N], turned[N];
    struct block *blocks = malloc(N * sizeof *blocks), *halves = malloc(N * sizeof *blocks);
    double xs[N];
    cpar_loc locs[N];
    const int root = cpar_size() - 1;
    for (int i = 0; i < N; i++) {
        xs[i] = i;
        fill(&odds[i], sizeof *odds, (uint64_t)i);
        for (int k = 0; k < 120; k++) blocks[i].x[k] = i + k;
    }
    bool right = cpar_map(turn_round, odds, N, turned, .root = root, .everywhere = true) == 0;
    for (int i = 0; i < N * 7; i++) right = right && turned[i / 7].c[i % 7] == odds[i / 7].c[6 - i % 7];
    const bool odd = right;

    right = cpar_map(halve, blocks, N, halves, .root = root, .everywhere = true) == 0;
    for (int i = 0; i < N * 120; i++) right = right && halves[i / 120].x[i % 120] == (i / 120 + i % 120) / 2.0;
    right = each_once(N) && right;
    const bool block = right;

    right = cpar_map(first_of, blocks, N, turned, .root = root, .everywhere = true) == 0;
    for (int i = 0; i < N; i++) right = right && turned[i].c[0] == (char)i && turned[i].c[6] == 0;
    right = cpar_map(locate, xs, N, locs, .root = root, .everywhere = true) == 0 && right;
    for (int i = 0; i < N; i++) right = right && locs[i].value == i && locs[i].index == i;
    free(blocks);
    free(halves);
    expect(odd);
    expect(block);
    expect(right);
}
END_TEST

static double as_double(int i)
{
    if (i >= 0 && i < MOST) ran[i]++; /* else it was written over */
    return i + 0.5;
}
static short as_short(double x)
{
    ran[(int)x]++;
    return (short)(x * 2);
}
CPAR_TASK(as_double, int, double);
CPAR_TASK(as_short, double, short);

START_TEST(results_may_take_the_place_of_the_jobs)
{
    enum { N = 500 };
    static union {
        int ints[N];
        long longs[N];
        double doubles[N];
        short shorts[N];
    } u;
    bool same = true, longer = true, shorter = true;
    for (int everywhere = 0; everywhere < 2; everywhere++) {
        static struct block blocks[20];
        const bool mine = cpar_rank() == 0 || everywhere;
        for (int i = 0; i < 20; i++) blocks[i].x[0] = blocks[i].x[119] = i;
        same = cpar_map(halve, blocks, 20, blocks, .everywhere = everywhere) == 0 && same;
        for (int i = 0; i < 20 && mine; i++) same = same && blocks[i].x[0] == i / 2.0 && blocks[i].x[119] == i / 2.0;
        same = each_once(20) && same;

        for (int i = 0; i < N; i++) u.ints[i] = i;
        longer = cpar_map(as_double, u.ints, N, u.doubles, .everywhere = everywhere) == 0 && longer;
        for (int i = 0; i < N && mine; i++) longer = longer && u.doubles[i] == i + 0.5;
        longer = each_once(N) && longer;

        for (int i = 0; i < N; i++) u.doubles[i] = i;
        shorter = cpar_map(as_short, u.doubles, N, u.shorts, .everywhere = everywhere) == 0 && shorter;
        for (int i = 0; i < N && mine; i++) shorter = shorter && u.shorts[i] == 2 * i;
        shorter = each_once(N) && shorter;
    }
    expect(same);
    expect(longer);
    expect(shorter);
}
END_TEST

START_TEST(the_shared_memory_grows_and_is_used_again)
{
    static const size_t numbers[] = { 10, 3000, 20, 9000, 9000, 1, 20000 }; /* up to 40 MB */
    for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++) {
        const size_t n = numbers[k] / 10;
        const int root = (int)k % cpar_size();
        struct block *blocks = malloc((n + 1) * sizeof *blocks);
        memset(blocks, 0, (n + 1) * sizeof *blocks);
        for (size_t i = 0; i < n; i++) blocks[i].x[0] = blocks[i].x[119] = (double)i;
        bool right = cpar_map(halve, blocks, n, blocks, .root = root, .everywhere = true) == 0;
        for (size_t i = 0; i < n; i++) right = right && blocks[i].x[0] == (double)i / 2 && blocks[i].x[119] == (double)i / 2;
        right = each_once(n) && right;
        free(blocks);
        expect_of(right, "%zu blocks", n);
    }
}
END_TEST

/* ---- Strings ----------------------------------------------------------------------------------- */

/* The string backwards; NULL for one that starts with a minus. */
static char *backwards(const char *s)
{
    const size_t n = strlen(s);
    char *out = *s == '-' ? NULL : malloc(n + 1);
    for (size_t i = 0; out && i < n; i++) out[i] = s[n - 1 - i];
    if (out) out[n] = 0;
    return out;
}
static size_t length(const char *s)
{
    return strlen(s);
}
static char *spell(int i)
{
    char *s = malloc(32);
    ran[i]++;
    snprintf(s, 32, "%.*s%d", i % 20, "--------------------", i);
    return s;
}
CPAR_TASK(backwards, const char *, char *);
CPAR_TASK(length, const char *, size_t);
CPAR_TASK(spell, int, char *);


START_TEST(strings_are_jobs_and_results)
{
    static const size_t lengths[] = { 0, 1, 2, 14, 15, 16, 17, 31, 32, 100, 5000, 70000, 1 << 20, 0, 3 };
    enum { N = 15 };
    const char *jobs[2 * N];
    char *results[2 * N], *numbers[300];
    size_t found[2 * N];
    int is[300];
    const int root = cpar_size() - 1;
    for (size_t i = 0; i < N; i++) {
        jobs[i] = make_string(lengths[i], i);
        jobs[N + i] = i % 2 ? "-none" : "";
    }
    for (int everywhere = 0; everywhere < 2; everywhere++) {
        const bool mine = cpar_rank() == root || everywhere;
        const char *none[2 * N] = { NULL };
        bool right = cpar_map(backwards, cpar_rank() == root ? jobs : none, 2 * N, results, .root = root, .everywhere = everywhere) == 0;
        for (size_t i = 0; i < 2 * N && mine; i++) {
            const size_t n = strlen(jobs[i]);
            right = right && !results[i] == (jobs[i][0] == '-');
            if (!results[i]) continue;
            right = right && strlen(results[i]) == n;
            for (size_t k = 0; k < n && right; k++) right = results[i][k] == jobs[i][n - 1 - k];
            free(results[i]);
        }
        right = cpar_map(length, jobs, 2 * N, found, .root = root, .everywhere = everywhere, .chunk = 3) == 0 && right;
        for (size_t i = 0; i < 2 * N && mine; i++) right = right && found[i] == strlen(jobs[i]);
        expect(right);

        for (int i = 0; i < 300; i++) is[i] = i;
        right = cpar_map(spell, is, 300, numbers, .root = root, .everywhere = everywhere) == 0;
        for (int i = 0; i < 300 && mine; i++) {
            char expected[32];
            snprintf(expected, sizeof expected, "%.*s%d", i % 20, "--------------------", i);
            right = right && strcmp(numbers[i], expected) == 0;
            free(numbers[i]);
        }
        expect(right && each_once(300));
    }
    for (size_t i = 0; i < N; i++) free((char *)jobs[i]);
}
END_TEST

START_TEST(a_string_may_be_given_as_any_pointer_to_it_and_replaced)
{
    char a[] = "once", b[] = "";
    char *jobs[2] = { a, b }, *const fixed[2] = { a, b };
    size_t lengths[2];
    bool right = cpar_map(length, fixed, 2, lengths, .everywhere = true) == 0 && lengths[0] == 4 && lengths[1] == 0;
    right = cpar_map(backwards, jobs, 2, jobs, .everywhere = true) == 0 && right;
    right = right && jobs[0] != a && strcmp(jobs[0], "ecno") == 0 && jobs[1] != b && strcmp(jobs[1], "") == 0;
    free(jobs[0]);
    free(jobs[1]);
    expect(right);
}
END_TEST

/* ---- Messages ---------------------------------------------------------------------------------- */

/* Of ints those doubled, of text that with a mark, of blocks the number of them; of none none. */
static cpar_message *answer_to(const cpar_message *m)
{
    if (cpar_is(m, struct block)) return cpar_message_of(cpar_count(m));
    if (cpar_is(m, char)) {
        char *text = malloc(cpar_count(m) + 2);
        sprintf(text, "%s!", cpar_text(m));
        cpar_message *out = cpar_message_of(text);
        free(text);
        return out;
    }
    if (cpar_count(m) == 0) return cpar_is(m, double) ? NULL : cpar_message_of(cpar_array((float *)NULL, 0));
    int *a = malloc(cpar_bytes(m));
    for (size_t i = 0; i < cpar_count(m); i++) a[i] = 2 * cpar_as(m, int)[i];
    cpar_message *out = cpar_message_of(cpar_array(a, cpar_count(m)));
    free(a);
    return out;
}
static size_t bytes_of(const cpar_message *m)
{
    return cpar_bytes(m);
}
static cpar_message *some(int n)
{
    short a[100] = { 0 };
    for (int i = 0; i < n; i++) a[i] = (short)(n + i);
    return cpar_message_of(cpar_array(a, n));
}
CPAR_TASK(answer_to, const cpar_message *, cpar_message *);
CPAR_TASK(bytes_of, const cpar_message *, size_t);
CPAR_TASK(some, int, cpar_message *);

static bool answers(size_t i, const cpar_message *m)
{
    const size_t count = i * i * 30;
    bool right = true;
    switch (i % 5) {
    case 0: return cpar_is(m, size_t) && cpar_value(m, size_t) == i % 3;
    case 1: return cpar_is(m, char) && cpar_count(m) == 5 + i && cpar_text(m)[2] == 'x' && cpar_text(m)[3 + i] == '!';
    case 2: return m == NULL;
    case 3: return cpar_is(m, float) && cpar_count(m) == 0;
    default:
        right = cpar_is(m, int) && cpar_count(m) == count;
        for (size_t k = 0; k < count && right; k++) right = cpar_as(m, int)[k] == 2 * (int)(i + k);
        return right;
    }
}

START_TEST(messages_are_jobs_and_results)
{
    enum { N = 30 };
    static struct block blocks[2];
    cpar_message *jobs[N], *results[N], *numbers[100];
    size_t bytes[N];
    int is[100];
    for (size_t i = 0; i < N; i++) {
        const size_t count = i * i * 30;
        int *a = malloc(count * sizeof *a + 1);
        char text[64];
        for (size_t k = 0; k < count; k++) a[k] = (int)(i + k);
        snprintf(text, sizeof text, "%.*s.", (int)i + 2, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
        switch (i % 5) {
        case 0: jobs[i] = cpar_message_of(cpar_array(blocks, i % 3)); break;
        case 1: jobs[i] = cpar_message_of(text); break;
        case 2: jobs[i] = cpar_message_of(cpar_array((double *)NULL, 0)); break;
        case 3: jobs[i] = cpar_message_of(cpar_array(a, 0)); break;
        default: jobs[i] = cpar_message_of(cpar_array(a, count)); break;
        }
        free(a);
    }
    for (int everywhere = 0; everywhere < 2; everywhere++)
        for (int root = 0; root < cpar_size(); root++) {
            const bool mine = cpar_rank() == root || everywhere;
            bool right = cpar_map(answer_to, jobs, N, results, .root = root, .everywhere = everywhere) == 0;
            for (size_t i = 0; i < N && mine; i++) {
                right = right && answers(i, results[i]);
                cpar_free(results[i]);
            }
            right = cpar_map(bytes_of, jobs, N, bytes, .root = root, .everywhere = everywhere) == 0 && right;
            for (size_t i = 0; i < N && mine; i++) right = right && bytes[i] == cpar_bytes(jobs[i]);

            for (int i = 0; i < 100; i++) is[i] = i;
            right = cpar_map(some, is, 100, numbers, .root = root, .everywhere = everywhere) == 0 && right;
            for (int i = 0; i < 100 && mine; i++) {
                right = right && cpar_is(numbers[i], short) && cpar_count(numbers[i]) == (size_t)i && (i == 0 || cpar_as(numbers[i], short)[i - 1] == 2 * i - 1);
                cpar_free(numbers[i]);
            }
            expect_of(right, "root %d, everywhere %d", root, everywhere);
        }
    for (int i = 0; i < N; i++) cpar_free(jobs[i]);
}
END_TEST

static cpar_message *who_does(int i)
{
    ran[i]++;
    return cpar_message_of(cpar_rank());
}
CPAR_TASK(who_does, int, cpar_message *);

START_TEST(a_message_among_the_results_tells_who_made_it)
{
    cpar_group *g = cpar_split(0, -cpar_rank());
    const int size = cpar_size();
    int jobs[50];
    cpar_message *results[50];
    for (int i = 0; i < 50; i++) jobs[i] = i;
    for (int reversed = 0; reversed < 2; reversed++) {
        bool right = cpar_map(who_does, jobs, 50, results, .everywhere = true, .group = reversed ? g : NULL) == 0;
        for (int i = 0; i < 50; i++) {
            const int rank = right ? cpar_value(results[i], int) : 0;
            right = right && cpar_source(results[i]) == (reversed ? size - 1 - rank : rank);
            cpar_free(results[i]);
        }
        expect(each_once(50) && right);
    }
    cpar_group_free(g);
}
END_TEST

/* ---- Failures ---------------------------------------------------------------------------------- */

static bool is_bad(int i)
{
    return i % 7 == 3;
}
static int picky(int i)
{
    ran[i]++;
    if (is_bad(i)) {
        cpar_task_fail("%d is %s", i, "bad");
        cpar_task_fail("not told");
    }
    return i + 1;
}
static char *picky_text(int i)
{
    if (is_bad(i)) {
        cpar_task_fail("%d is bad", i);
        return NULL;
    }
    return spell(i);
}
static cpar_message *picky_message(int i)
{
    if (is_bad(i)) cpar_task_fail("%d is bad", i);
    return is_bad(i) ? NULL : cpar_message_of(i);
}
static struct odd long_reason(int i)
{
    char text[400];
    memset(text, 'x', sizeof text);
    if (i) cpar_task_fail("%.*s", i, text);
    return (struct odd){ "result" };
}
CPAR_TASK(picky, int, int);
CPAR_TASK(picky_text, int, char *);
CPAR_TASK(picky_message, int, cpar_message *);
CPAR_TASK(long_reason, int, struct odd);

/* That just the bad ones of n jobs have failed, in order, for their reasons. */
static bool bad_ones_failed(const cpar_failures *f, int n)
{
    size_t k = 0;
    for (int i = 0; i < n; i++) {
        char why[32];
        if (!is_bad(i)) continue;
        snprintf(why, sizeof why, "%d is bad", i);
        if (k >= f->count || f->at[k].job != (size_t)i || strcmp(f->at[k].why, why)) return false;
        k++;
    }
    return f->count == k;
}

START_TEST(jobs_that_fail_are_told_of_in_order)
{
    enum { N = 100 };
    int jobs[N], results[N];
    char *texts[N];
    cpar_message *messages[N];
    struct odd odds[3];
    for (int i = 0; i < N; i++) jobs[i] = i;
    for (int everywhere = 0; everywhere < 2; everywhere++)
        for (int root = 0; root < cpar_size(); root++) {
            const bool mine = cpar_rank() == root || everywhere;
            const int n = mine ? N : 0;
            cpar_failures f = { .count = 77 };
            memset(results, pattern, sizeof results);
            bool right = cpar_map(picky, jobs, N, results, .root = root, .failures = &f, .everywhere = everywhere) == 0 && bad_ones_failed(&f, n);
            for (int i = 0; i < n; i++) right = right && results[i] == (is_bad(i) ? 0 : i + 1);
            right = each_once(N) && right;
            cpar_failures_free(&f);
            right = right && f.count == 0 && f.at == NULL;
            cpar_failures_free(&f); /* nothing is left to free */

            right = cpar_map(picky_text, jobs, N, texts, .root = root, .failures = &f, .everywhere = everywhere) == 0 && bad_ones_failed(&f, n) && right;
            memset(ran, 0, sizeof ran);
            for (int i = 0; i < n; i++) {
                right = right && !texts[i] == is_bad(i);
                free(texts[i]);
            }
            cpar_failures_free(&f);
            right = cpar_map(picky_message, jobs, N, messages, .root = root, .failures = &f, .everywhere = everywhere) == 0 && bad_ones_failed(&f, n) && right;
            for (int i = 0; i < n; i++) {
                right = right && !messages[i] == is_bad(i) && (is_bad(i) || cpar_value(messages[i], int) == i);
                cpar_free(messages[i]);
            }
            cpar_failures_free(&f);

            right = cpar_map(long_reason, ((int[]){ 0, 1, 390 }), 3, odds, .root = root, .failures = &f, .everywhere = everywhere) == 0 && right;
            right = right && f.count == (mine ? 2 : 0);
            if (mine) right = right && strcmp(odds[0].c, "result") == 0 && odds[2].c[0] == 0 && odds[2].c[5] == 0 && strlen(f.at[0].why) == 1 && strlen(f.at[1].why) > 200;
            cpar_failures_free(&f);
            expect_of(right, "root %d, everywhere %d", root, everywhere);
        }
}
END_TEST

static char told_line[1024];
static int told_times;

static void note(int code, const char *line)
{
    told_times++;
    snprintf(told_line, sizeof told_line, "%d %s", code, line);
}

START_TEST(without_a_list_the_first_failure_is_an_error)
{
    enum { N = 100 };
    int jobs[N], results[N];
    for (int i = 0; i < N; i++) jobs[i] = i;
    cpar_on_error(note);
    for (int everywhere = 0; everywhere < 2; everywhere++)
        for (int root = 0; root < cpar_size(); root++) {
            const bool mine = cpar_rank() == root || everywhere;
            char expected[1024] = "";
            told_times = 0;
            *told_line = 0;
            const int line = __LINE__, code = cpar_map(picky, jobs, N, results, .root = root, .everywhere = everywhere);
            if (mine)
                snprintf(expected, sizeof expected, "11 cpar: rank %d of %d on %s, test_map.c:%d, map, root %d: picky of job 3 of 100 failed: 3 is bad; others too", cpar_rank(),
                    cpar_size(), cpar_get_processor_name(), line, root);
            bool right = code == (mine ? CPAR_ERROR_TASK : 0) && told_times == mine;
            right = right && strcmp(told_line, expected) == 0;
            for (int i = 0; i < N && mine; i++) right = right && results[i] == (is_bad(i) ? 0 : i + 1);
            right = each_once(N) && right;
            const int one = cpar_map(picky, &jobs[3], 1, results, .root = root, .everywhere = everywhere);
            right = right && one == (mine ? CPAR_ERROR_TASK : 0) && (!mine || !strstr(told_line, "others too"));
            memset(ran, 0, sizeof ran);
            expect_of(right, "root %d, everywhere %d: %s, not %s", root, everywhere, told_line, expected);
        }
    cpar_on_error(CPAR_ERRORS_RETURN);
    check_code(cpar_task_fail("in no task"), CPAR_ERROR_STATE);
    check_code(cpar_map(picky, jobs, 3, results), 0); /* and no failure is left over */
    expect(each_once(3));
}
END_TEST

/* ---- Errors ------------------------------------------------------------------------------------ */

/* A map, a barrier and a reduction: all that an error could have left out of step. */
static bool all_goes_on(void)
{
    int sum = 0;
    memset(ran, 0, sizeof ran);
    const bool right = numbers_are_right(cpar_size() - 1, 20, 0, true, true, NULL), once = each_once(20);
    return cpar_barrier() == 0 && cpar_allreduce(1, &sum, CPAR_SUM) == 0 && sum == cpar_size() && right && once;
}

static int no_results(void)
{
    return cpar_map(number, ((int[]){ 1 }), 1, (long *)NULL, .root = 0);
}

static int no_results_elsewhere(void)
{
    long result;
    return cpar_map(number, ((int[]){ 1 }), 1, cpar_rank() == cpar_size() - 1 ? (long *)NULL : &result, .everywhere = true);
}

static int no_jobs(void)
{
    long result;
    return cpar_map(number, (int *)NULL, 1, &result, .root = cpar_size() - 1);
}

static int null_string(void)
{
    const char *jobs[3] = { "one", NULL, "three" };
    size_t results[3];
    return cpar_map(length, jobs, 3, results);
}

static int null_message(void)
{
    cpar_message *jobs[3] = { cpar_message_of(1), cpar_message_of("two"), NULL };
    size_t results[3];
    const int code = cpar_map(bytes_of, jobs, 3, results, .root = cpar_size() - 1, .everywhere = true);
    cpar_free(jobs[0]);
    cpar_free(jobs[1]);
    return code;
}

static int too_many_jobs(void)
{
    int job = 1;
    long result;
    return cpar_map(number, &job, (size_t)UINT32_MAX + 1, &result);
}

static int root_beyond(void)
{
    int job = 1;
    long result;
    return cpar_map(number, &job, 1, &result, .root = cpar_size());
}

static int root_before(void)
{
    int job = 1;
    long result;
    return cpar_map(number, &job, 1, &result, .root = -1);
}

static int another_task(void)
{
    int jobs[10] = { 0 };
    long results[10];
    if (cpar_size() == 1) return CPAR_ERROR_TYPE;
    return cpar_rank() == cpar_size() - 1 ? cpar_map(uneven, jobs, 10, results) : cpar_map(number, jobs, 10, results);
}

static int another_result(void)
{
    int jobs[10] = { 0 };
    long longs[10];
    double doubles[10];
    if (cpar_size() == 1) return CPAR_ERROR_TYPE;
    return cpar_rank() == 0 ? cpar_map(number, jobs, 10, longs, .everywhere = true) : cpar_map(as_double, jobs, 10, doubles, .everywhere = true);
}

static int a_failure(void)
{
    int jobs[10] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 }, results[10];
    const int code = cpar_map(picky, jobs, 10, results, .everywhere = true);
    memset(ran, 0, sizeof ran);
    return code;
}

START_TEST(after_each_error_all_goes_on)
{
    const struct {
        int (*make)(void);
        int code;
    } errors[] = { { no_results, CPAR_ERROR_ARGUMENT }, { no_results_elsewhere, CPAR_ERROR_ARGUMENT }, { no_jobs, CPAR_ERROR_ARGUMENT },
        { null_string, CPAR_ERROR_ARGUMENT }, { null_message, CPAR_ERROR_ARGUMENT }, { too_many_jobs, CPAR_ERROR_ARGUMENT }, { root_beyond, CPAR_ERROR_RANK },
        { root_before, CPAR_ERROR_RANK }, { another_task, CPAR_ERROR_TYPE }, { another_result, CPAR_ERROR_TYPE }, { a_failure, CPAR_ERROR_TASK } };
    for (int again = 0; again < 2; again++)
        for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
            const int code = errors[i].make();
            const bool nothing_ran = total_of(MOST) == 0, right = all_goes_on();
            expect_of(code == errors[i].code && nothing_ran && right, "error %zu: code %d, not %d; nothing ran: %d; all goes on after it: %d", i, code, errors[i].code, nothing_ran,
                right);
        }
}
END_TEST

/* Codes of calls that a task may not make. */
static int calls_map(int i)
{
    long result;
    return cpar_map(number, &i, 1, &result, .root = cpar_rank());
}
static int opens_pool(int i)
{
    cpar_pool *pool = cpar_pool_open();
    return pool ? i : cpar_last_error();
}
CPAR_TASK(calls_map, int, int);
CPAR_TASK(opens_pool, int, int);

START_TEST(a_map_in_a_task_is_an_error_and_all_goes_on)
{
    int jobs[7] = { 0, 1, 2, 3, 4, 5, 6 }, results[7] = { 0 };
    bool right = cpar_map(calls_map, jobs, 7, results, .everywhere = true) == 0;
    for (int i = 0; i < 7; i++) right = right && results[i] == CPAR_ERROR_STATE;
    const int last_error = cpar_last_error();
    const bool goes_on = all_goes_on();
    expect(right && last_error == 0);
    expect(goes_on);
    right = cpar_map(opens_pool, jobs, 7, results, .everywhere = true) == 0;
    for (int i = 0; i < 7; i++) right = right && results[i] == CPAR_ERROR_STATE;
    expect(right && all_goes_on());
}
END_TEST

static int meets_error(int i)
{
    return cpar_send(i, -1);
}
CPAR_TASK(meets_error, int, int);

START_TEST(an_error_that_a_task_has_seen_is_not_the_maps)
{
    int jobs[20] = { 0 }, results[20];
    check_code(cpar_map(meets_error, jobs, 20, results, .everywhere = true), 0);
    expect(cpar_last_error() == 0);
    for (int i = 0; i < 20; i++) expect(results[i] == CPAR_ERROR_RANK);
}
END_TEST

/* ---- Groups ------------------------------------------------------------------------------------ */

START_TEST(groups_map_at_the_same_time)
{
    const int rank = cpar_rank();
    cpar_group *half = cpar_split(rank % 2, -rank), *mine = cpar_split(rank, 0);
    const int n = cpar_size(.group = half);
    bool right = true;
    for (int i = 0; i < 20; i++) {
        const int color = rank % 2;
        right = numbers_are_right((i + color) % n, (size_t)(i * (13 + color * 20)), 0, i % 2, i % 3, half) && right;
        memset(ran, 0, sizeof ran);
        if (i % 4 == color) right = numbers_are_right(0, (size_t)i, 0, i % 2, i % 3, mine) && total_of(MOST) == (unsigned)i && right;
        memset(ran, 0, sizeof ran);
    }
    /* with jobs that a group alone does: every one of its ranks, and none of the others */
    int jobs[40], results[40] = { 0 }, sum = 0;
    for (int i = 0; i < 40; i++) jobs[i] = i;
    right = cpar_map(picky, jobs, 3, results, .group = half, .root = n - 1, .everywhere = true) == 0 && results[2] == 3 && right;
    cpar_allreduce((int)total_of(3), &sum, CPAR_SUM, .group = half);
    right = right && sum == 3;
    memset(ran, 0, sizeof ran);
    const int code = cpar_map(picky, jobs, 40, results, .group = half, .everywhere = true);
    memset(ran, 0, sizeof ran);
    const bool world = all_goes_on();
    right = cpar_group_free(half) == 0 && cpar_group_free(mine) == 0 && right;
    expect(right);
    expect(code == CPAR_ERROR_TASK && world);
}
END_TEST

/* ---- Tasks that communicate, and what else is under way ---------------------------------------- */

enum { TALKING = 60 };

static int sends(int i)
{
    ran[i]++;
    post(i, i % cpar_size(), .tag = 40);
    return cpar_rank();
}
CPAR_TASK(sends, int, int);

START_TEST(tasks_may_send)
{
    const int rank = cpar_rank(), size = cpar_size();
    int jobs[TALKING], results[TALKING], expected = 0, got = 0;
    for (int i = 0; i < TALKING; i++) jobs[i] = i;
    bool right = cpar_map(sends, jobs, TALKING, results, .everywhere = true) == 0;
    for (int i = rank; i < TALKING && right; i += size) {
        cpar_message *m = cpar_receive(CPAR_ANY_SOURCE, .tag = 40);
        const int job = cpar_value(m, int);
        right = right && results[job] == cpar_source(m);
        got += job;
        expected += i;
        cpar_free(m);
    }
    right = all_sent() == 0 && right && got == expected;
    expect(right && each_once(TALKING));
}
END_TEST

/* Each even job waits for what the job after it sends to the other of two ranks, which does that, for jobs start in their order where
   they are taken one by one. */
static int pairs_up(int i)
{
    int got = -1;
    ran[i]++;
    if (i % 2) {
        cpar_send(i, 1 - cpar_rank(), .tag = i - 1);
        return cpar_rank();
    }
    return cpar_receive_into(&got, CPAR_ANY_SOURCE, .tag = i) == 0 && got == i + 1 ? cpar_rank() : -1;
}
CPAR_TASK(pairs_up, int, int);

START_TEST(tasks_may_talk_to_each_other)
{
    int jobs[20], results[20];
    if (cpar_size() != 2 || !all_share()) return; /* else nobody hands out the other job while one waits */
    for (int i = 0; i < 20; i++) jobs[i] = i;
    bool right = cpar_map(pairs_up, jobs, 20, results, .everywhere = true, .chunk = 1) == 0;
    for (int i = 0; i < 20; i += 2) right = right && results[i] >= 0 && results[i] + results[i + 1] == 1;
    expect(right && each_once(20));
}
END_TEST

enum { LONG = 40000 };
static double longs[LONG];

/* Job 0 sends what is too long to go ahead of its receive, to all ranks. */
static int sends_long(int i)
{
    ran[i]++;
    for (int r = 0; i == 0 && r < cpar_size(); r++)
        if (cpar_send(cpar_array(longs, LONG), r, .tag = 41)) return -1;
    return i;
}
CPAR_TASK(sends_long, int, int);

START_TEST(open_receives_complete_while_their_owner_is_in_a_map)
{
    const int rank = cpar_rank(), size = cpar_size();
    int jobs[20], results[20];
    for (int i = 0; i < LONG; i++) longs[i] = i;
    for (int i = 0; i < 20; i++) jobs[i] = i;
    for (int root = 0; root < size; root++) {
        /* from a task */
        cpar_request *r = cpar_ireceive(CPAR_ANY_SOURCE, .tag = 41);
        bool right = cpar_map(sends_long, jobs, 20, results, .root = root, .everywhere = true) == 0;
        for (int i = 0; i < 20; i++) right = right && results[i] == i;
        right = each_once(20) && right;
        cpar_message *m = cpar_wait(r);
        right = right && cpar_count(m) == LONG && cpar_as(m, double)[LONG - 1] == LONG - 1;
        cpar_free(m);

        /* from a rank that comes to the map only when it is received */
        r = cpar_ireceive(previous(), .tag = 42);
        if (rank != root) cpar_send(cpar_array(longs, LONG), next(), .tag = 42);
        right = numbers_are_right(root, 20, 0, true, true, NULL) && right;
        if (rank == root) cpar_send(cpar_array(longs, LONG), next(), .tag = 42);
        right = each_once(20) && right;
        m = cpar_wait(r);
        right = right && cpar_count(m) == LONG;
        cpar_free(m);
        expect_of(right, "root %d", root);
    }
}
END_TEST

HARNESS_MAIN("map", each_job_is_done_once_at_every_root_with_every_option, maps_follow_each_other_without_a_barrier, many_short_jobs_are_all_done,
    maps_at_random, the_root_does_nothing_if_so_told_and_all_if_alone, a_long_job_holds_up_no_other_on_one_node,
    what_a_rank_in_a_long_job_has_not_begun_goes_to_other_nodes_too, a_rank_of_another_node_has_at_most_half_its_share,
    other_nodes_get_long_jobs_while_the_root_works, every_scalar_is_a_job_and_a_result,
    structs_are_jobs_and_results, results_may_take_the_place_of_the_jobs, the_shared_memory_grows_and_is_used_again, strings_are_jobs_and_results,
    a_string_may_be_given_as_any_pointer_to_it_and_replaced, messages_are_jobs_and_results, a_message_among_the_results_tells_who_made_it, jobs_that_fail_are_told_of_in_order,
    without_a_list_the_first_failure_is_an_error, after_each_error_all_goes_on,
    an_error_that_a_task_has_seen_is_not_the_maps, groups_map_at_the_same_time, tasks_may_send, tasks_may_talk_to_each_other,
    open_receives_complete_while_their_owner_is_in_a_map, a_map_in_a_task_is_an_error_and_all_goes_on)
