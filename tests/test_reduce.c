/* Reductions: every operation on every type it is defined for, order where it matters, and ranks that disagree. */
#include "harness.h"

#include <complex.h>
#include <stdio.h>

/* What rank r gives at place i, as a number of few bits, so that sums and products are exact in every type. */
static int number(int r, size_t i)
{
    return (int)((size_t)r * 7 + i * 3) % 3 + 1;
}

enum { PLACES = 5 };

/* One operation on one type: all three reductions against a loop over the ranks, in which x is folded into y. */
#define CHECK_OP(T, op, fold)                                                                      \
    do {                                                                                           \
        T in[PLACES], all[PLACES], up_to[PLACES], out[PLACES];                                     \
        bool right = true;                                                                         \
        for (size_t i = 0; i < PLACES; i++) {                                                      \
            in[i] = (T)number(rank, i);                                                            \
            for (int r = 0; r < size; r++) {                                                       \
                const T x = (T)number(r, i), y = all[i];                                           \
                all[i] = r ? (T)(fold) : x;                                                        \
                if (r == rank) up_to[i] = all[i];                                                  \
            }                                                                                      \
        }                                                                                          \
        for (int root = 0; root < size; root++) {                                                  \
            memset(out, 0, sizeof out);                                                            \
            cpar_reduce(cpar_array(in, PLACES), cpar_array(out, PLACES), op, root);                \
            for (size_t i = 0; i < PLACES; i++) right = right && out[i] == (rank == root ? all[i] : (T)0); \
        }                                                                                          \
        cpar_allreduce(cpar_array(in, PLACES), cpar_array(out, PLACES), op);                       \
        for (size_t i = 0; i < PLACES; i++) right = right && out[i] == all[i];                     \
        cpar_scan(cpar_array(in, PLACES), cpar_array(out, PLACES), op);                            \
        for (size_t i = 0; i < PLACES; i++) right = right && out[i] == up_to[i];                   \
        expect_of(right, "%s of %s", #op, #T);                                                     \
    } while (0)

#define CHECK_NUMBER(T)  CHECK_OP(T, CPAR_SUM, y + x); CHECK_OP(T, CPAR_PROD, y * x);
#define CHECK_ORDERED(T) CHECK_OP(T, CPAR_MIN, x < y ? x : y); CHECK_OP(T, CPAR_MAX, x > y ? x : y);
#define CHECK_LOGICAL(T) CHECK_OP(T, CPAR_LAND, y && x); CHECK_OP(T, CPAR_LOR, y || x);
#define CHECK_BITS(T)    CHECK_OP(T, CPAR_BAND, y & x); CHECK_OP(T, CPAR_BOR, y | x); CHECK_OP(T, CPAR_BXOR, y ^ x);
#define CHECK_WHOLE(T)   CHECK_NUMBER(T) CHECK_ORDERED(T) CHECK_LOGICAL(T) CHECK_BITS(T)
#define CHECK_REAL(T)    CHECK_NUMBER(T) CHECK_ORDERED(T)

START_TEST(every_operation_on_whole_numbers)
{
    const int rank = cpar_rank(), size = cpar_size();
    CHECK_WHOLE(signed char) CHECK_WHOLE(unsigned char) CHECK_WHOLE(short) CHECK_WHOLE(unsigned short) CHECK_WHOLE(int)
    CHECK_WHOLE(unsigned) CHECK_WHOLE(long) CHECK_WHOLE(unsigned long) CHECK_WHOLE(long long) CHECK_WHOLE(unsigned long long)
}
END_TEST

START_TEST(every_operation_on_real_and_complex_numbers)
{
    const int rank = cpar_rank(), size = cpar_size();
    CHECK_REAL(float) CHECK_REAL(double) CHECK_REAL(long double)
    CHECK_NUMBER(float _Complex) CHECK_NUMBER(double _Complex) CHECK_NUMBER(long double _Complex)
}
END_TEST

START_TEST(logic_on_truth_values)
{
    /* Each of both values for each of the first ranks: the bits of `pattern`. */
    const int rank = cpar_rank(), size = cpar_size(), first = size < 6 ? size : 6;
    for (int pattern = 0; pattern < 1 << first; pattern++) {
        const bool mine = pattern >> rank & 1;
        const int whole = mine * 4; /* any other than 0 is true */
        bool and, or, xor;
        int odd;
        cpar_allreduce(mine, &and, CPAR_LAND);
        cpar_allreduce(mine, &or, CPAR_LOR);
        cpar_allreduce(mine, &xor, CPAR_LXOR);
        cpar_allreduce(whole, &odd, CPAR_LXOR);
        const bool parity = __builtin_parity((unsigned)pattern);
        expect(and == (pattern == (1 << size) - 1) && or == (pattern != 0) && xor == parity);
        expect(size == 1 || odd == parity);
    }
}
END_TEST

START_TEST(locations_of_least_and_greatest)
{
    const int rank = cpar_rank(), size = cpar_size();
    /* Distinct values; then equal ones, of which the lowest index wins; each rank is the winner once. */
    for (int winner = 0; winner < size; winner++) {
        const cpar_loc mine[2] = { { rank == winner ? -1.5 : rank, rank }, { rank >= winner ? 7 : 8 - 1e-9 * rank, size - rank } };
        cpar_loc least[2] = { { 0 } }, greatest = { 0, 0 };
        cpar_allreduce(cpar_array(mine, 2), cpar_array(least, 2), CPAR_MINLOC);
        cpar_reduce(cpar_struct(mine[0]), &greatest, CPAR_MAXLOC, 0);
        expect(least[0].value == -1.5 && least[0].index == winner);
        expect(least[1].value == 7 && least[1].index == 1);
        const int last = size == 1 ? 0 : winner == size - 1 ? size - 2 : size - 1;
        expect(rank != 0 || (greatest.index == last && greatest.value == (size == 1 ? -1.5 : last)));
    }
}
END_TEST

/* Maps x -> a x + b over the numbers modulo a prime: their composition is associative, and does not commute. */
typedef struct {
    uint64_t a, b;
} affine;

enum { PRIME = 1000003 };

static void compose(const void *in, void *inout, size_t n)
{
    const affine *f = in;
    affine *g = inout;
    for (size_t i = 0; i < n; i++) g[i] = (affine){ f[i].a * g[i].a % PRIME, (f[i].a * g[i].b + f[i].b) % PRIME };
}

static affine map_of(int rank, size_t i)
{
    return (affine){ (uint64_t)rank * 17 + i + 2, (uint64_t)rank * rank + 3 * i + 1 };
}

START_TEST(order_is_kept_where_the_operation_does_not_commute)
{
    const size_t counts[] = { 0, 1, 50, 5000, 60000 };
    const int rank = cpar_rank(), size = cpar_size();
    const cpar_op op = { .combine = compose };
    for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
        const size_t n = counts[k];
        affine *in = malloc((n + 1) * sizeof *in), *out = malloc((n + 1) * sizeof *out), *all = malloc((n + 1) * sizeof *all),
               *up_to = malloc((n + 1) * sizeof *up_to), *theirs = malloc((n + 1) * sizeof *theirs);
        for (int r = size - 1; r >= 0; r--) {
            for (size_t i = 0; i < n; i++) theirs[i] = map_of(r, i);
            if (r == size - 1) memcpy(all, theirs, n * sizeof *all);
            else compose(theirs, all, n);
            if (r == rank) memcpy(in, theirs, n * sizeof *in);
            if (r == rank) memcpy(up_to, theirs, n * sizeof *up_to);
            else if (r < rank) compose(theirs, up_to, n);
        }
        bool right = true;
        for (int root = 0; root < size; root++) {
            memset(out, 0, n * sizeof *out);
            cpar_reduce(cpar_array(in, n), cpar_array(out, n), op, root);
            right = right && (rank != root || memcmp(out, all, n * sizeof *out) == 0);
        }
        cpar_allreduce(cpar_array(in, n), cpar_array(out, n), op);
        right = right && memcmp(out, all, n * sizeof *out) == 0;
        cpar_scan(cpar_array(in, n), cpar_array(out, n), op);
        right = right && memcmp(out, up_to, n * sizeof *out) == 0;
        free(in), free(out), free(all), free(up_to), free(theirs);
        expect_of(right, "%zu maps", n);
    }
}
END_TEST

typedef struct {
    _Alignas(64) float low, high;
} range;

static bool misaligned;

static void widest(const void *in, void *inout, size_t n)
{
    const range *a = in;
    range *b = inout;
    if ((uintptr_t)a % _Alignof(range) || (uintptr_t)b % _Alignof(range)) misaligned = true;
    for (size_t i = 0; i < n; i++) {
        if (a[i].low < b[i].low) b[i].low = a[i].low;
        if (a[i].high > b[i].high) b[i].high = a[i].high;
    }
}

START_TEST(an_operation_of_ones_own_on_aligned_structs)
{
    const int rank = cpar_rank(), size = cpar_size();
    const cpar_op op = { .combine = widest, .commutes = true };
    range mine = { (float)rank, (float)-rank }, all, up_to;
    for (int root = 0; root < size; root++) {
        all = mine;
        cpar_reduce(cpar_struct(mine), &all, op, root);
        expect(all.low == (rank == root ? 0 : mine.low) && all.high == (rank == root ? 0 : mine.high));
    }
    cpar_scan(cpar_struct(mine), &up_to, op);
    expect(up_to.low == 0 && up_to.high == 0 && !misaligned);
}
END_TEST

START_TEST(in_and_out_may_be_the_same_memory)
{
    static const size_t counts[] = { 1, 255, 256, 8000, 200000 };
    const int rank = cpar_rank(), size = cpar_size();
    for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
        const size_t n = counts[k];
        long *a = malloc(n * sizeof *a);
        bool right = true;
        for (int kind = 0; kind < 3; kind++) {
            for (size_t i = 0; i < n; i++) a[i] = (long)i + rank;
            if (kind == 0) cpar_allreduce(cpar_array(a, n), cpar_array(a, n), CPAR_SUM);
            if (kind == 1) cpar_scan(cpar_array(a, n), cpar_array(a, n), CPAR_SUM);
            if (kind == 2) cpar_reduce(cpar_array(a, n), cpar_array(a, n), CPAR_SUM, size - 1);
            const long ranks = kind == 1 ? rank + 1 : kind == 2 && rank != size - 1 ? 0 : size;
            for (size_t i = 0; i < n; i++)
                right = right && a[i] == (ranks ? ranks * (long)i + ranks * (ranks - 1) / 2 : (long)i + rank);
        }
        free(a);
        expect_of(right, "%zu elements", n);
    }
    double x = rank;
    cpar_allreduce(x, &x, CPAR_MAX);
    expect(x == size - 1);
}
END_TEST

START_TEST(results_are_the_same_to_the_bit_everywhere)
{
    /* Sums whose value depends on the order in which they are made. */
    uint64_t state = harness_seed(3) + (uint64_t)cpar_rank();
    enum { N = 1000 };
    double in[N], out[N];
    for (int i = 0; i < N; i++) in[i] = (double)(int64_t)draw(&state) * (i % 2 ? 1e-30 : 1e10);
    cpar_allreduce(cpar_array(in, N), cpar_array(out, N), CPAR_SUM);
    cpar_message *all = cpar_allgather(cpar_array(out, N));
    bool same = cpar_count(all) == (size_t)cpar_size() * N;
    for (int r = 0; same && r < cpar_size(); r++) same = memcmp(cpar_part(all, r, double, NULL), out, sizeof out) == 0;
    cpar_free(all);
    expect(same);
}
END_TEST

START_TEST(groups_reduce_among_themselves)
{
    const int rank = cpar_rank(), size = cpar_size();
    cpar_group *half = cpar_split(rank % 2, -rank);
    int sum = 0, before = 0, at_root = 0, expected = 0, expected_before = 0;
    for (int r = rank % 2; r < size; r += 2) {
        expected += r;
        if (r >= rank) expected_before += r;
    }
    cpar_allreduce(rank, &sum, CPAR_SUM, .group = half);
    cpar_scan(rank, &before, CPAR_SUM, .group = half);
    cpar_reduce(rank, &at_root, CPAR_SUM, cpar_size(.group = half) - 1, .group = half);
    const bool root = cpar_rank(.group = half) == cpar_size(.group = half) - 1;
    cpar_group_free(half);
    expect(sum == expected && before == expected_before && at_root == (root ? expected : 0));
}
END_TEST

START_TEST(an_operation_is_refused_where_it_is_not_defined)
{
    const struct {
        int index;
        double value;
    } index_first = { 0 }; /* as large as a cpar_loc */
    const struct {
        cpar_op op;
        cpar_view in;
        bool defined;
    } cases[] = {
        { CPAR_SUM, CPAR_VALUE((char)1), false }, { CPAR_SUM, CPAR_VALUE((bool)1), false }, { CPAR_MAX, CPAR_VALUE((bool)1), false },
        { CPAR_MIN, CPAR_VALUE(1.0 + 0 * I), false }, { CPAR_LAND, CPAR_VALUE(1.0), false }, { CPAR_BXOR, CPAR_VALUE(1.0f), false },
        { CPAR_BAND, CPAR_VALUE((bool)1), false }, { CPAR_MAXLOC, CPAR_VALUE(1.0), false }, { CPAR_MINLOC, cpar_struct(index_first), false }, { CPAR_SUM, cpar_struct(((cpar_loc){ 1, 1 })), false },
        { CPAR_MINLOC, cpar_struct(((range){ 0 })), false }, { { .built_in = 0 }, CPAR_VALUE(1), false }, { { .built_in = 13 }, CPAR_VALUE(1), false },
        { { .built_in = -1 }, CPAR_VALUE(1), false }, { CPAR_LXOR, CPAR_VALUE((bool)1), true }, { CPAR_MINLOC, cpar_struct(((cpar_loc){ 1, 1 })), true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        range room;
        cpar_view out = cases[i].in;
        out.data = &room;
        out.scalar = out.constant = false;
        const int expected = cases[i].defined ? 0 : CPAR_ERROR_OP;
        const cpar_collective c = { .at = { __FILE__, __LINE__ } };
        const int reduced = cpar_reduce_at(cases[i].in, out, cases[i].op, &c), all = cpar_allreduce_at(cases[i].in, out, cases[i].op, &c),
                  scanned = cpar_scan_at(cases[i].in, out, cases[i].op, &c);
        expect_of(reduced == expected && all == expected && scanned == expected, "case %zu gave %d %d %d", i, reduced, all, scanned);
    }
}
END_TEST

START_TEST(wrong_arguments)
{
    int x = 1, two[2] = { 5, 6 };
    double d = 2;
    const int constant = 3;
    for (int again = 0; again < 2; again++) { /* all ranks see it, and all go on */
        check_code(cpar_reduce(x, &d, CPAR_SUM, 0), CPAR_ERROR_TYPE);
        check_code(cpar_allreduce(x, &d, CPAR_SUM), CPAR_ERROR_TYPE);
        check_code(cpar_scan(x, &d, CPAR_SUM), CPAR_ERROR_TYPE);
        check_code(cpar_reduce(x, &x, CPAR_SUM, -1), CPAR_ERROR_RANK);
        check_code(cpar_allreduce(x, cpar_array(two, 2), CPAR_SUM), CPAR_ERROR_LENGTH);
        check_code(cpar_scan(cpar_array(two, 2), &x, CPAR_SUM), CPAR_ERROR_LENGTH);
        check_code(cpar_allreduce(x, cpar_array(&constant, 1), CPAR_SUM), CPAR_ERROR_ARGUMENT);
        check_code(cpar_allreduce(cpar_array((int *)NULL, 1), &x, CPAR_SUM), CPAR_ERROR_ARGUMENT);
        check_code(cpar_scan(x, (int *)NULL, CPAR_SUM), CPAR_ERROR_ARGUMENT);
    }
    check_code(cpar_reduce(x, (int *)(cpar_rank() ? NULL : &x), CPAR_MAX, 0), 0); /* out is the root's */
    expect(x == 1 && d == 2 && two[0] == 5 && two[1] == 6);
}
END_TEST

START_TEST(one_ranks_error_reaches_the_others)
{
    const int rank = cpar_rank(), size = cpar_size();
    static double many[30000], out[30000];
    static int64_t other[30000];
    for (size_t n = 2; n <= 30000; n += 29998)
        for (int odd = 0; odd < size; odd++) {
            const size_t mine = rank == odd ? n - 1 : n;
            int length = cpar_allreduce(cpar_array(many, mine), cpar_array(out, mine), CPAR_SUM);
            int type = rank == odd ? cpar_allreduce(cpar_array(other, n), cpar_array(other, n), CPAR_SUM)
                                   : cpar_allreduce(cpar_array(many, n), cpar_array(out, n), CPAR_SUM);
            int null = cpar_allreduce(cpar_array(rank == odd ? NULL : many, n), cpar_array(out, n), CPAR_SUM);
            expect(length == (size > 1 ? CPAR_ERROR_LENGTH : 0));
            expect(type == (size > 1 ? CPAR_ERROR_TYPE : 0));
            expect(null == CPAR_ERROR_ARGUMENT);

            for (int root = 0; root < size; root++) {
                length = cpar_reduce(cpar_array(many, mine), cpar_array(out, mine), CPAR_MAX, root);
                null = cpar_reduce(cpar_array(rank == odd ? NULL : many, n), cpar_array(out, n), CPAR_MAX, root);
                int own = cpar_reduce(cpar_array(many, n), cpar_array(out, rank == odd ? n - 1 : n), CPAR_MAX, root);
                expect(rank != root || length == (size > 1 ? CPAR_ERROR_LENGTH : 0));
                expect((rank != root && rank != odd) || null == CPAR_ERROR_ARGUMENT);
                expect(own == (rank == root && odd == root ? CPAR_ERROR_LENGTH : 0));
            }
            null = cpar_scan(cpar_array(rank == odd ? NULL : many, n), cpar_array(out, n), CPAR_MAX);
            expect(rank < odd || null == CPAR_ERROR_ARGUMENT);
        }
    int sum = 0; /* and all are in step */
    cpar_allreduce(1, &sum, CPAR_SUM);
    expect(sum == size);
}
END_TEST

static char told[1024];

static void note(int code, const char *line)
{
    snprintf(told, sizeof told, "%d %s", code, line);
}

START_TEST(the_error_names_the_two_ranks)
{
    const int rank = cpar_rank(), size = cpar_size(), last = size - 1;
    char expected[512];
    int three[3] = { 0 };
    cpar_on_error(note);
    const int code = cpar_allreduce(cpar_array(three, rank == last ? 3 : 2), cpar_array(three, rank == last ? 3 : 2), CPAR_SUM), line = __LINE__;
    char first[sizeof told], origin[80];
    memcpy(first, told, sizeof told);
    cpar_allreduce(cpar_array(rank == last ? NULL : three, 2), cpar_array(three, 2), CPAR_SUM);
    cpar_on_error(CPAR_ERRORS_RETURN);
    snprintf(origin, sizeof origin, "allreduce by SUM: the view of 2 int is at NULL");
    if (rank != last) snprintf(origin, sizeof origin, "allreduce by SUM: rank %d: the view of 2 int is at NULL", last);
    expect_of(strstr(told, origin), "%s", told); /* however many ranks passed it on */
    memcpy(told, first, sizeof told);
    const bool met = size < 3 || rank >= size - 2; /* the last rank's first partner, and itself */
    const int partner = rank == last ? size - 2 : last;
    snprintf(expected, sizeof expected, "2 cpar: rank %d of %d on %s, test_reduce.c:%d, allreduce by SUM: rank %d gave %d int, rank %d gave %d int", rank, size,
        cpar_get_processor_name(), line, partner, partner == last ? 3 : 2, rank, rank == last ? 3 : 2);
    expect(code == (size > 1 ? CPAR_ERROR_LENGTH : 0));
    if (size > 1 && size != 3 && met) expect_of(strcmp(told, expected) == 0, "%s, not %s", told, expected);
    if (size > 1) expect_of(strstr(told, " gave 3 int") && strstr(told, " gave 2 int"), "%s", told);
}
END_TEST

START_TEST(ranks_with_other_operations_find_out)
{
    const int rank = cpar_rank(), size = cpar_size();
    int x = rank, out = 0;
    cpar_on_error(note);
    *told = 0;
    const int code = cpar_allreduce(x, &out, rank == 0 ? CPAR_MAX : CPAR_SUM);
    cpar_on_error(CPAR_ERRORS_RETURN);
    expect(code == (size > 1 ? CPAR_ERROR_STATE : 0));
    if (size == 2)
        expect_of(strstr(told, rank ? "rank 0 called allreduce by MAX instead" : "rank 1 called allreduce by SUM instead"), "%s", told);
    check_code(cpar_allreduce(x, &out, CPAR_MAX), 0);
    expect(out == size - 1);
}
END_TEST

START_TEST(an_open_receive_completes_while_its_owner_reduces)
{
    /* Rank 0's send ends only when the next rank, which is in the collective by then, has received it. */
    enum { N = 300000 };
    const int rank = cpar_rank();
    double *a = calloc(N, sizeof *a), x = rank, y;
    bool right = true;
    for (int kind = 0; kind < 3; kind++) {
        cpar_request *r = cpar_ireceive(previous());
        if (rank == 0) cpar_send(cpar_array(a, N), next());
        if (kind == 0) cpar_allreduce(x, &y, CPAR_SUM);
        if (kind == 1) cpar_reduce(x, &y, CPAR_SUM, 1 % cpar_size());
        if (kind == 2) cpar_scan(x, &y, CPAR_SUM);
        if (rank != 0) cpar_send(cpar_array(a, N), next());
        cpar_message *m = cpar_wait(r);
        right = right && cpar_count(m) == N;
        cpar_free(m);
    }
    free(a);
    expect(right);
}
END_TEST

START_TEST(all_ranks_get_the_same_bits_whatever_comes_together)
{
    /* Where a op b is not b op a to the bit, though the operation commutes. */
    const int rank = cpar_rank(), size = cpar_size();
    const double odd[] = { NAN, -0.0, 0.0, -NAN };
    struct {
        double min, max, sum, least;
        size_t where; /* no padding in all this */
    } mine = { 0 };
    bool same = true;
    for (int special = 0; special < size; special++)
        for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
            const double x = rank == special ? odd[i] : rank == (special + 1) % size ? odd[(i + 1) % 4] : 0.0;
            const cpar_loc at = { x, rank };
            cpar_loc least = { 0 };
            cpar_allreduce(x, &mine.min, CPAR_MIN);
            cpar_allreduce(x, &mine.max, CPAR_MAX);
            cpar_allreduce(x, &mine.sum, CPAR_SUM);
            cpar_allreduce(cpar_struct(at), &least, CPAR_MINLOC);
            mine.least = least.value;
            mine.where = (size_t)least.index;
            cpar_message *all = cpar_allgather(cpar_array((char *)&mine, sizeof mine));
            for (int k = 0; k < size; k++) same = same && memcmp(cpar_part(all, k, char, NULL), &mine, sizeof mine) == 0;
            cpar_free(all);
        }
    expect(same);
}
END_TEST

START_TEST(one_rank_without_an_operation_leaves_nobody_waiting)
{
    const int rank = cpar_rank(), size = cpar_size();
    bool right = true;
    for (int root = 0; root < size; root++)
        for (int bad = 0; bad < size; bad++) {
            int sum = 0;
            const int code = cpar_reduce(1, &sum, rank == bad ? (cpar_op){ 0 } : CPAR_SUM, root);
            if (rank == bad) right = right && code == CPAR_ERROR_OP;
            if (rank == root) right = right && code && sum == 0;
        }
    cpar_barrier();
    expect(right);
}
END_TEST

HARNESS_MAIN("reduce", every_operation_on_whole_numbers, every_operation_on_real_and_complex_numbers, logic_on_truth_values,
    locations_of_least_and_greatest, order_is_kept_where_the_operation_does_not_commute, an_operation_of_ones_own_on_aligned_structs,
    in_and_out_may_be_the_same_memory, results_are_the_same_to_the_bit_everywhere, groups_reduce_among_themselves,
    an_operation_is_refused_where_it_is_not_defined, wrong_arguments, one_ranks_error_reaches_the_others, the_error_names_the_two_ranks,
    ranks_with_other_operations_find_out, an_open_receive_completes_while_its_owner_reduces,
    all_ranks_get_the_same_bits_whatever_comes_together, one_rank_without_an_operation_leaves_nobody_waiting)
