/* Groups: numbers, messages and collectives of their own, which never mix with others'. */
#include "harness.h"

#include <cpar_mpi.h>
#include <stdio.h>

START_TEST(split_numbers_by_key)
{
    const int rank = cpar_rank(), size = cpar_size();
    cpar_group *all = cpar_split(0, -rank), *mine = cpar_split(rank, 5), *half = cpar_split(rank % 2, 0);
    const int all_rank = cpar_rank(.group = all), all_size = cpar_size(.group = all);
    const int mine_rank = cpar_rank(.group = mine), mine_size = cpar_size(.group = mine);
    const int half_rank = cpar_rank(.group = half), half_size = cpar_size(.group = half);
    cpar_group_free(mine);
    cpar_group_free(half);
    cpar_group_free(all);
    expect(all_rank == size - 1 - rank && all_size == size);
    expect(mine_rank == 0 && mine_size == 1);
    expect(half_rank == rank / 2 && half_size == (size + 1 - rank % 2) / 2);
    check_code(cpar_group_free(NULL), 0);
}
END_TEST

START_TEST(messages_do_not_mix)
{
    /* The same tag to the same rank, in the world and in two groups, short and long; received the other way round. */
    enum { N = 30000 };
    const int rank = cpar_rank(), size = cpar_size();
    cpar_group *g[3] = { NULL, cpar_split(0, rank), cpar_split(0, -rank) };
    static int data[3][N];
    bool right = true;
    for (int k = 0; k < 3; k++) {
        const int me = cpar_rank(.group = g[k]);
        for (int i = 0; i < N; i++) data[k][i] = 1000 * k + me;
        post(cpar_array(data[k], N), (me + 1) % size, .group = g[k]);
        post(100 * k + me, (me + 1) % size, .group = g[k]);
    }
    for (int k = 2; k >= 0; k--) {
        const int from = (cpar_rank(.group = g[k]) + size - 1) % size;
        cpar_message *m = cpar_receive(CPAR_ANY_SOURCE, .tag = CPAR_ANY_TAG, .group = g[k]);
        right = right && cpar_source(m) == from && cpar_count(m) == N && cpar_as(m, int)[N - 1] == 1000 * k + from;
        cpar_free(m);
        int x = 0;
        right = right && cpar_receive_into(&x, from, .group = g[k]) == 0 && x == 100 * k + from;
    }
    right = all_sent() == 0 && right;
    for (int k = 1; k < 3; k++) right = cpar_group_free(g[k]) == 0 && right;
    expect(right);
}
END_TEST

START_TEST(collectives_stay_in_the_group)
{
    const int rank = cpar_rank(), size = cpar_size();
    cpar_group *half = cpar_split(rank % 2, rank);
    const int me = cpar_rank(.group = half), n = cpar_size(.group = half), root = n - 1;
    double x = me == root ? 10 + rank % 2 : 0;
    int numbers[64];
    for (int i = 0; i < 64; i++) numbers[i] = i;

    const int broadcast = cpar_broadcast(&x, root, .group = half);
    cpar_message *share = cpar_scatter(cpar_array(numbers, 64), root, .group = half);
    const size_t mine = cpar_count(share), expected = cpar_balance(64, n, me).hi - cpar_balance(64, n, me).lo;
    cpar_message *whole = cpar_gather(cpar_array(cpar_as(share, int), mine), root, .group = half);
    bool right = mine == expected && (me == root ? cpar_count(whole) == 64 && memcmp(cpar_as(whole, int), numbers, sizeof numbers) == 0 : !whole);
    cpar_free(share);
    cpar_free(whole);
    cpar_message *text = cpar_broadcast_message(me == root ? rank % 2 ? "odd" : "even" : "", root, .group = half);
    right = right && strcmp(cpar_text(text), rank % 2 ? "odd" : "even") == 0;
    cpar_free(text);
    cpar_barrier(.group = half);

    /* A group of a group: the ranks 0 mod 4 and 2 mod 4, and so on. */
    cpar_group *quarter = cpar_split(me % 2, 0, .group = half);
    int sum = rank;
    cpar_broadcast(&sum, 0, .group = quarter);
    const int quarter_size = cpar_size(.group = quarter);
    cpar_group_free(quarter);
    cpar_group_free(half);
    expect(broadcast == 0 && x == 10 + rank % 2 && right);
    expect(sum == rank % 4 && quarter_size == (size - rank % 4 + 3) / 4);
}
END_TEST

static char told[1024];

static void note(int code, const char *line)
{
    snprintf(told, sizeof told, "%d %s", code, line);
}

START_TEST(errors_are_in_the_groups_terms)
{
    const int rank = cpar_rank(), size = cpar_size();
    cpar_group *reverse = cpar_split(0, -rank);
    char expected[512];
    cpar_on_error(note);
    const int line = __LINE__, code = cpar_send(1, size, .group = reverse);
    cpar_on_error(CPAR_ERRORS_RETURN);
    cpar_group *bad = cpar_split(rank == 0 ? -1 : 0, 0);
    const int bad_code = cpar_last_error(), bad_size = bad ? cpar_size(.group = bad) : 0;
    cpar_group_free(bad);

    cpar_request *open = cpar_ireceive(CPAR_ANY_SOURCE, .group = reverse);
    const int open_code = cpar_group_free(reverse);
    post(1, cpar_rank(.group = reverse), .group = reverse);
    cpar_free(cpar_wait(open));
    all_sent();
    const int free_code = cpar_group_free(reverse);

    snprintf(expected, sizeof expected, "3 cpar: rank %d of %d (%d of %d in all) on %s, test_group.c:%d, send to %d, tag 0: the destination is %d, accepted are 0 to %d",
        size - 1 - rank, size, rank, size, cpar_get_processor_name(), line, size, size, size - 1);
    expect(code == CPAR_ERROR_RANK);
    expect_of(strcmp(told, expected) == 0, "%s", told);
    expect(rank == 0 ? !bad && bad_code == CPAR_ERROR_ARGUMENT : bad && bad_code == 0 && bad_size == size - 1);
    expect(open_code == CPAR_ERROR_STATE && free_code == 0);
}
END_TEST

START_TEST(raw_mpi_goes_beside)
{
    /* The program's own messages, to the same ranks under the same tags, on the communicators that cpar hands out. */
    const int rank = cpar_rank();
    cpar_group *g[2] = { NULL, cpar_split(0, 0) };
    bool right = cpar_comm(NULL) == MPI_COMM_WORLD;
    for (int k = 0; k < 2; k++) {
        int raw = -1, mine = 10 + rank, x = -1;
        MPI_Request r;
        MPI_Irecv(&raw, 1, MPI_INT, MPI_ANY_SOURCE, MPI_ANY_TAG, cpar_comm(g[k]), &r);
        post(rank, next(), .group = g[k]);
        MPI_Send(&mine, 1, MPI_INT, next(), 0, cpar_comm(g[k]));
        cpar_receive_into(&x, CPAR_ANY_SOURCE, .tag = CPAR_ANY_TAG, .group = g[k]);
        MPI_Wait(&r, MPI_STATUS_IGNORE);
        all_sent();
        right = right && raw == 10 + previous() && x == previous();
    }
    cpar_group_free(g[1]);
    expect(right);
}
END_TEST

START_TEST(a_communicator_becomes_a_group)
{
    const int rank = cpar_rank(), size = cpar_size();
    MPI_Comm reversed;
    MPI_Comm_split(MPI_COMM_WORLD, 0, -rank, &reversed);
    cpar_group *g = cpar_group_from_comm(reversed);
    MPI_Comm_free(&reversed); /* the group has its own */
    int x = rank;
    cpar_broadcast(&x, 0, .group = g);
    const int me = cpar_rank(.group = g);
    cpar_group_free(g);
    expect(me == size - 1 - rank && x == size - 1);
    check_null(cpar_group_from_comm(MPI_COMM_NULL), CPAR_ERROR_ARGUMENT);
}
END_TEST

START_TEST(an_open_receive_completes_while_its_owner_splits)
{
    enum { N = 200000 };
    const int rank = cpar_rank(), size = cpar_size();
    double *a = calloc(N, sizeof *a);
    cpar_request *r = cpar_ireceive((rank + size - 1) % size);
    cpar_group *g = NULL;
    if (rank == 0) { /* first sends, which takes an answer from the next rank, who splits already */
        cpar_send(cpar_array(a, N), (rank + 1) % size);
        g = cpar_split(0, 0);
    } else {
        g = cpar_split(0, 0);
        cpar_send(cpar_array(a, N), (rank + 1) % size);
    }
    cpar_message *m = cpar_wait(r);
    const bool right = cpar_count(m) == N && cpar_size(.group = g) == size;
    cpar_free(m);
    cpar_group_free(g);
    free(a);
    expect(right);
}
END_TEST

START_TEST(groups_left_are_freed_at_the_end)
{
    cpar_group *g = cpar_split(cpar_rank() % 2, 0), *h = cpar_split(0, 0);
    expect(g && h);
}
END_TEST

START_TEST(a_message_left_in_a_group_is_told_of_when_the_group_ends)
{
    static char a[100000];
    cpar_group *whole = cpar_split(0, 0);
    cpar_send("left", cpar_rank(.group = whole), .group = whole);
    cpar_send(cpar_array(a, sizeof a), cpar_rank(.group = whole), .group = whole);
    const int code = cpar_group_free(whole);
    expect(code == CPAR_ERROR_STATE);
}
END_TEST

START_TEST(a_groups_communicator_has_the_programs_error_handler)
{
    cpar_group *whole = cpar_split(0, 0);
    MPI_Errhandler handler;
    MPI_Comm_get_errhandler(cpar_comm(whole), &handler);
    const bool fatal = handler == MPI_ERRORS_ARE_FATAL;
    MPI_Errhandler_free(&handler);
    cpar_group_free(whole);
    expect(fatal);
}
END_TEST

HARNESS_MAIN("group", split_numbers_by_key, messages_do_not_mix, collectives_stay_in_the_group, errors_are_in_the_groups_terms,
    raw_mpi_goes_beside, a_communicator_becomes_a_group, an_open_receive_completes_while_its_owner_splits,
    groups_left_are_freed_at_the_end,
    a_message_left_in_a_group_is_told_of_when_the_group_ends, a_groups_communicator_has_the_programs_error_handler)
