/* What is dealt out and collected: shares and parts of every length, at every root. */
#include "harness.h"

#include <stdio.h>

/* Scatters 0..n-1 and checks this rank's share; then gathers the shares and checks the whole. */
static bool scatter_and_gather(size_t n, int root, const size_t *counts)
{
    const int rank = cpar_rank(), size = cpar_size();
    long *a = malloc(n * sizeof *a + 1);
    for (size_t i = 0; i < n; i++) a[i] = (long)i;

    cpar_message *share = cpar_scatter(cpar_array(rank == root ? a : NULL, rank == root ? n : 0), root, .counts = rank == root ? counts : NULL);
    size_t lo = cpar_balance(n, size, rank).lo, hi = cpar_balance(n, size, rank).hi;
    if (counts) {
        lo = 0;
        for (int r = 0; r < rank; r++) lo += counts[r];
        hi = lo + counts[rank];
    }
    bool right = cpar_is(share, long) && cpar_count(share) == hi - lo && cpar_source(share) == root;
    for (size_t i = 0; i < cpar_count(share) && right; i++) right = cpar_as(share, long)[i] == (long)(lo + i);

    cpar_message *whole = cpar_gather(cpar_array(cpar_as(share, long), cpar_count(share)), root);
    if (rank == root) {
        size_t count, from = 0;
        right = right && cpar_count(whole) == n && (n == 0 || memcmp(cpar_as(whole, long), a, n * sizeof *a) == 0);
        for (int r = 0; r < size; r++) {
            const long *part = cpar_part(whole, r, long, &count);
            right = right && part == cpar_as(whole, long) + from && count == (counts ? counts[r] : cpar_balance(n, size, r).hi - cpar_balance(n, size, r).lo);
            from += count;
        }
        right = right && !cpar_part(whole, size, long, &count) && cpar_last_error() == CPAR_ERROR_RANK;
    } else
        right = right && whole == NULL;
    cpar_free(whole);
    cpar_free(share);
    free(a);
    return right;
}

START_TEST(scatter_then_gather_is_the_same)
{
    for (int root = 0; root < cpar_size(); root++) {
        bool right = true;
        for (size_t n = 0; n < 20; n++) right = scatter_and_gather(n, root, NULL) && right;
        right = scatter_and_gather(1000000, root, NULL) && right;
        expect(right);
    }
}
END_TEST

START_TEST(scatter_by_counts)
{
    const int size = cpar_size();
    for (int root = 0; root < size; root++)
        for (int big = 0; big < size; big++) {
            size_t counts[64] = { 0 }, n = 0;
            for (int r = 0; r < size; r++) n += counts[r] = r == big ? 300000 : (size_t)(r % 3);
            const bool right = scatter_and_gather(n, root, counts);
            expect(right);
        }
}
END_TEST

START_TEST(gather_takes_parts_of_any_length_and_strings)
{
    const int rank = cpar_rank(), size = cpar_size();
    for (int root = 0; root < size; root++) {
        char text[64];
        snprintf(text, sizeof text, "%.*s", rank % 9 * 3, "abcdefghijklmnopqrstuvwxyz");
        cpar_message *m = cpar_gather(text, root);
        bool right = (m != NULL) == (rank == root);
        for (int r = 0; m && r < size; r++) {
            size_t count;
            const char *part = cpar_part(m, r, char, &count);
            right = right && count == (size_t)(r % 9) * 3 + 1 && strlen(part) == count - 1;
        }
        cpar_free(m);
        m = cpar_gather(rank, root);
        for (int r = 0; m && r < size; r++) right = right && cpar_as(m, int)[r] == r;
        cpar_free(m);
        expect(right);
    }
}
END_TEST

START_TEST(balance_deals_evenly)
{
    static const size_t known[4][2] = { { 0, 8 }, { 8, 15 }, { 15, 22 }, { 22, 29 } };
    for (int r = 0; r < 4; r++) expect(cpar_balance(29, 4, r).lo == known[r][0] && cpar_balance(29, 4, r).hi == known[r][1]);
    for (size_t n = 0; n < 40; n++)
        for (int size = 1; size < 12; size++) {
            size_t at = 0;
            for (int r = 0; r < size; r++) {
                const cpar_range b = cpar_balance(n, size, r);
                expect(b.lo == at && b.hi - b.lo == n / (size_t)size + ((size_t)r < n % (size_t)size));
                at = b.hi;
            }
            expect(at == n && cpar_balance(n, size, size).lo == n && cpar_balance(n, size, size + 5).hi == n);
        }
    expect(cpar_balance(SIZE_MAX, 3, 2).hi == SIZE_MAX && cpar_balance(5, 3, -1).lo == 5 && cpar_balance(5, 0, 0).hi == 5);
}
END_TEST

START_TEST(a_gather_of_unlike_types_is_an_error_at_the_root)
{
    const int rank = cpar_rank(), size = cpar_size();
    static double many[100000];
    for (int root = 0; root < size; root++)
        for (int odd = 0; odd < size; odd++) {
            cpar_message *m;
            if (rank == odd) m = cpar_gather(cpar_array(many, 100000), root);
            else m = cpar_gather(rank, root);
            const int error = cpar_last_error();
            cpar_message *null = cpar_gather(cpar_array(rank == odd ? NULL : many, 1000), root);
            const int null_error = cpar_last_error();
            cpar_message *after = cpar_gather(rank, root);
            const bool right = cpar_count(after) == (rank == root ? (size_t)size : 0);
            cpar_free(after);
            expect(right && !null && null_error == (rank == root || rank == odd ? CPAR_ERROR_ARGUMENT : 0));
            if (size == 1) cpar_free(m);
            else expect(!m && error == (rank == root ? CPAR_ERROR_TYPE : 0));
        }
}
END_TEST

/* What rank r gives to rank to: a length that differs for each pair, 0 included, and its bytes. */
static size_t part_length(size_t scale, int r, int to)
{
    return (size_t)((r * 3 + to * 5) % 7) * scale / 6;
}

static uint64_t part_seed(int r, int to)
{
    return (uint64_t)(r * 1000 + to);
}

/* Whether the message has the part of each rank that it gave to `to`, each behind the one before. */
static bool parts_are_right(const cpar_message *m, size_t scale, int to)
{
    size_t count, at = 0;
    for (int r = 0; r < cpar_size(); r++) {
        const unsigned char *part = cpar_part(m, r, unsigned char, &count);
        if (part != cpar_as(m, unsigned char) + at || count != part_length(scale, r, to) || !filled(part, count, part_seed(r, to))) return false;
        at += count;
    }
    return cpar_count(m) == at && cpar_source(m) == cpar_rank();
}

START_TEST(allgather_brings_every_part_to_every_rank)
{
    static const size_t scales[] = { 0, 1, 6, 600, 5000, 70000, 1000000 };
    const int rank = cpar_rank();
    for (size_t i = 0; i < sizeof scales / sizeof *scales; i++) {
        const size_t n = part_length(scales[i], rank, 0);
        unsigned char *a = malloc(n + 1);
        fill(a, n, part_seed(rank, 0));
        cpar_message *m = cpar_allgather(cpar_array(a, n));
        const bool right = parts_are_right(m, scales[i], 0);
        cpar_free(m);
        free(a);
        expect_of(right, "scale %zu", scales[i]);
    }
    cpar_message *ranks = cpar_allgather(rank), *text = cpar_allgather(rank % 2 ? "odd" : "");
    bool right = cpar_count(ranks) == (size_t)cpar_size();
    for (int r = 0; right && r < cpar_size(); r++)
        right = cpar_as(ranks, int)[r] == r && strcmp(cpar_part(text, r, char, NULL), r % 2 ? "odd" : "") == 0;
    cpar_free(ranks);
    cpar_free(text);
    expect(right);
}
END_TEST

START_TEST(alltoall_brings_each_part_to_its_rank)
{
    static const size_t scales[] = { 0, 1, 6, 600, 5000, 70000, 1000000 };
    const int rank = cpar_rank(), size = cpar_size();
    for (size_t i = 0; i < sizeof scales / sizeof *scales; i++) {
        cpar_view views[64];
        for (int to = 0; to < size; to++) {
            const size_t n = part_length(scales[i], rank, to);
            unsigned char *a = malloc(n + 1);
            fill(a, n, part_seed(rank, to));
            views[to] = cpar_array(a, n);
        }
        cpar_message *m = cpar_alltoall(views, size);
        const bool right = parts_are_right(m, scales[i], rank);
        cpar_free(m);
        for (int to = 0; to < size; to++) free((void *)views[to].data);
        expect_of(right, "scale %zu", scales[i]);
    }
}
END_TEST

START_TEST(an_open_receive_completes_while_its_owner_collects)
{
    /* Rank 0's send ends only when the next rank, which is in the collective by then, has received it. */
    enum { N = 300000 };
    const int rank = cpar_rank(), size = cpar_size();
    double *a = calloc(N, sizeof *a);
    cpar_view views[64];
    bool right = true;
    for (int r = 0; r < size; r++) views[r] = cpar_array(a, N / 10);
    for (int kind = 0; kind < 2; kind++) {
        cpar_request *r = cpar_ireceive(previous());
        if (rank == 0) cpar_send(cpar_array(a, N), next());
        cpar_message *m = kind ? cpar_alltoall(views, size) : cpar_allgather(cpar_array(a, N / 10));
        if (rank != 0) cpar_send(cpar_array(a, N), next());
        cpar_message *sent = cpar_wait(r);
        right = right && cpar_count(sent) == N && cpar_count(m) == (size_t)size * (N / 10);
        cpar_free(sent);
        cpar_free(m);
    }
    free(a);
    expect(right);
}
END_TEST

START_TEST(one_ranks_error_reaches_all_that_collect)
{
    const int rank = cpar_rank(), size = cpar_size();
    double x[3] = { 0 };
    int y = 0;
    for (int odd = 0; odd < size; odd++) {
        cpar_message *m = rank == odd ? cpar_allgather(cpar_array((int *)NULL, 3)) : cpar_allgather(cpar_array(x, 3));
        const int null = m ? 0 : cpar_last_error();
        m = rank == odd ? cpar_allgather(y) : cpar_allgather(cpar_array(x, 3));
        const int type = m ? 0 : cpar_last_error();
        cpar_free(m);

        cpar_view views[65];
        for (int r = 0; r < size + 1; r++) views[r] = cpar_array(x, 3);
        if (rank == odd) views[size - 1] = cpar_array(&y, 1);
        m = cpar_alltoall(views, size);
        const int unlike = m ? 0 : cpar_last_error();
        cpar_free(m);
        m = cpar_alltoall(rank == odd ? NULL : views, size);
        const int no_views = m ? 0 : cpar_last_error();
        m = cpar_alltoall(views, rank == odd ? size + 1 : size);
        const int number = m ? 0 : cpar_last_error();

        m = cpar_allgather(rank); /* and all are in step */
        const bool right = cpar_count(m) == (size_t)size && cpar_as(m, int)[size - 1] == size - 1;
        cpar_free(m);
        expect(right && null == CPAR_ERROR_ARGUMENT && no_views == CPAR_ERROR_ARGUMENT && number == CPAR_ERROR_ARGUMENT);
        expect(type == (size > 1 ? CPAR_ERROR_TYPE : 0) && unlike == (size > 1 ? CPAR_ERROR_TYPE : 0));
    }
}
END_TEST

HARNESS_MAIN("parts", scatter_then_gather_is_the_same, scatter_by_counts, gather_takes_parts_of_any_length_and_strings, balance_deals_evenly,
    a_gather_of_unlike_types_is_an_error_at_the_root, allgather_brings_every_part_to_every_rank, alltoall_brings_each_part_to_its_rank,
    an_open_receive_completes_while_its_owner_collects, one_ranks_error_reaches_all_that_collect)
