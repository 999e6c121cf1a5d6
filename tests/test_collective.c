/* Collectives at every root, with values of every length, and what happens when ranks disagree. */
#include "harness.h"

#include <stdio.h>

static const size_t lengths[] = { 0, 1, 3, 500, 2048, 2049, 5000, 61440, 61441, 250000, 1000000 };
enum { LENGTHS = sizeof lengths / sizeof *lengths };

START_TEST(broadcast_fills_in_place)
{
    for (int root = 0; root < cpar_size(); root++)
        for (int i = 0; i < LENGTHS; i++) {
            const size_t n = lengths[i];
            unsigned char *a = calloc(n + 1, 1);
            if (cpar_rank() == root) fill(a, n, n + (size_t)root);
            const int error = cpar_broadcast(cpar_array(a, n), root);
            const bool right = filled(a, n, n + (size_t)root) && a[n] == 0;
            free(a);
            expect_of(!error && right, "%zu bytes from %d", n, root);
        }
    double x = cpar_rank() == 0 ? 2.5 : 0;
    cpar_broadcast(&x, 0);
    expect(x == 2.5);
}
END_TEST

START_TEST(broadcast_message_brings_what_only_the_root_knows)
{
    const int rank = cpar_rank();
    for (int root = 0; root < cpar_size(); root++) {
        cpar_message *m = cpar_broadcast_message(rank == root ? "from the root" : "", root);
        const bool text = m && strcmp(cpar_text(m), "from the root") == 0 && cpar_source(m) == root;
        cpar_free(m);
        expect(text);
        for (int i = 0; i < LENGTHS; i++) {
            short *a = malloc(lengths[i] * sizeof *a + 1);
            fill(a, lengths[i] * sizeof *a, (uint64_t)i);
            m = cpar_broadcast_message(cpar_array(a, rank == root ? lengths[i] : 0), root);
            const bool right = cpar_is(m, short) && cpar_count(m) == lengths[i] && filled(cpar_as(m, short), cpar_bytes(m), (uint64_t)i);
            cpar_free(m);
            free(a);
            expect(right);
        }
    }
}
END_TEST

START_TEST(a_broadcast_that_does_not_fit_one_rank_reaches_the_others)
{
    const int rank = cpar_rank(), size = cpar_size();
    for (int root = 0; root < size; root++)
        for (int i = 1; i < LENGTHS; i++)
            for (int odd = 0; odd < size; odd++) {
                const size_t n = lengths[i], mine = rank == odd && odd != root ? n - 1 : n;
                unsigned char *a = calloc(n, 1);
                if (rank == root) fill(a, n, n);
                const int length = cpar_broadcast(cpar_array(a, mine), root);
                const bool same = rank == odd && odd != root ? a[0] == 0 && a[n - 1] == 0 : filled(a, n, n);
                int type = 0;
                if (rank == odd && odd != root) type = cpar_broadcast(cpar_array((signed char *)a, n), root);
                else type = cpar_broadcast(cpar_array(a, n), root);
                free(a);
                expect(length == (rank == odd && odd != root ? CPAR_ERROR_LENGTH : 0));
                expect(type == (rank == odd && odd != root ? CPAR_ERROR_TYPE : 0));
                expect(same);
            }
}
END_TEST

START_TEST(an_error_at_the_root_reaches_all)
{
    const int rank = cpar_rank(), size = cpar_size();
    for (int root = 0; root < size; root++) {
        int a[4] = { 1, 2, 3, 4 };
        size_t counts[64] = { 5 };
        cpar_message *m = cpar_scatter(cpar_array(a, 4), root, .counts = counts);
        const int more = cpar_last_error();
        counts[0] = 3;
        cpar_message *m2 = cpar_scatter(cpar_array(a, 4), root, .counts = counts);
        const int fewer = cpar_last_error();
        cpar_message *m3 = cpar_scatter(cpar_array(rank == root ? NULL : a, 4), root);
        const int null = cpar_last_error();
        const int broadcast = cpar_broadcast(cpar_array(rank == root ? NULL : a, 4), root);
        cpar_message *m4 = cpar_broadcast_message(rank == root ? (char *)NULL : "", root);
        const int broadcast_message = cpar_last_error();
        cpar_barrier();
        expect(!m && !m2 && !m3 && !m4);
        expect(more == CPAR_ERROR_LENGTH && fewer == CPAR_ERROR_LENGTH);
        expect(null == CPAR_ERROR_ARGUMENT && broadcast == CPAR_ERROR_ARGUMENT && broadcast_message == CPAR_ERROR_ARGUMENT);
    }
}
END_TEST

START_TEST(a_bad_root_is_an_error_everywhere)
{
    int x = 1;
    const int bad[] = { -1, cpar_size(), 1000000 };
    for (int i = 0; i < 3; i++) {
        check_code(cpar_broadcast(&x, bad[i]), CPAR_ERROR_RANK);
        check_null(cpar_broadcast_message(x, bad[i]), CPAR_ERROR_RANK);
        check_null(cpar_scatter(cpar_array(&x, 1), bad[i]), CPAR_ERROR_RANK);
        check_null(cpar_gather(x, bad[i]), CPAR_ERROR_RANK);
    }
}
END_TEST

START_TEST(ranks_in_different_collectives_find_out)
{
    int x = cpar_rank(), error;
    if (cpar_rank() == 0) error = cpar_broadcast(&x, 0);
    else {
        cpar_message *m = cpar_broadcast_message(x, 0);
        error = cpar_last_error();
        cpar_free(m);
    }
    expect(error == (cpar_rank() == 0 ? 0 : CPAR_ERROR_STATE));
}
END_TEST

START_TEST(an_open_receive_completes_while_its_owner_is_in_a_collective)
{
    /* The previous rank's send is long, so it needs this rank to answer; this rank waits at the barrier. */
    const int rank = cpar_rank();
    enum { N = 1000000 };
    double *a = malloc(N * sizeof *a);
    for (int i = 0; i < N; i++) a[i] = rank;
    cpar_request *r = cpar_ireceive(previous());
    cpar_send(cpar_array(a, N), next());
    cpar_barrier();
    cpar_message *m = cpar_wait(r);
    const bool right = cpar_count(m) == N && cpar_as(m, double)[N - 1] == previous();
    cpar_free(m);

    r = cpar_ireceive(previous());
    if (rank == 0) { /* blocks until rank 1 % size, which is in the broadcast, has received */
        cpar_send(cpar_array(a, N), next());
        cpar_broadcast(cpar_array(a, N), 0);
    } else {
        cpar_broadcast(cpar_array(a, N), 0);
        cpar_send(cpar_array(a, N), next());
    }
    m = cpar_wait(r);
    const bool right_too = cpar_count(m) == N && cpar_as(m, double)[0] == 0;
    cpar_free(m);
    free(a);
    expect(right && right_too);
}
END_TEST

HARNESS_MAIN("collective", broadcast_fills_in_place, broadcast_message_brings_what_only_the_root_knows, a_broadcast_that_does_not_fit_one_rank_reaches_the_others, an_error_at_the_root_reaches_all,
    a_bad_root_is_an_error_everywhere,
    ranks_in_different_collectives_find_out, an_open_receive_completes_while_its_owner_is_in_a_collective)
