/* More under way than the memory holds that ranks of a node share: nothing is lost, mixed up or overtaken, and nobody hangs. */
#include "harness.h"

#include <mpi.h>

enum { MANY = 600, MOST = 40000, TAGS = 5 };

/* Of the i-th message: often short, now and then about the limits of what goes inline, or beyond. */
static size_t draw_size(uint64_t *state)
{
    const uint64_t kind = draw(state) % 8;
    if (kind < 4) return draw(state) % 100;
    if (kind < 6) return draw(state) % 5000;
    if (kind < 7) return 32768 - 100 + draw(state) % 200;
    return draw(state) % MOST;
}

/* The sizes of what a rank sends in a test, which all know. */
static void draw_sizes(size_t *sizes, int rank, uint64_t test)
{
    uint64_t state = test * 1000 + (uint64_t)rank + 1;
    for (int i = 0; i < MANY; i++) sizes[i] = draw_size(&state);
}

static uint64_t content(int rank, int i)
{
    return (uint64_t)rank * MANY + (uint64_t)i;
}

/* Starts to send all of them, in turn to each of the ranks, or to just one. */
static void send_all(const size_t *sizes, int only, cpar_request **sends, unsigned char **data)
{
    for (int i = 0; i < MANY; i++) {
        data[i] = malloc(sizes[i] + 1);
        fill(data[i], sizes[i], content(cpar_rank(), i));
        sends[i] = cpar_isend(cpar_array(data[i], sizes[i]), only >= 0 ? only : i % cpar_size(), .tag = i % TAGS);
    }
}

static void wait_for_all(cpar_request **sends, unsigned char **data)
{
    check_code(cpar_wait_all(sends, MANY), 0);
    for (int i = 0; i < MANY; i++) free(data[i]);
}

/* Whether the message is the i-th of that rank. */
static bool is(const cpar_message *m, int from, int i, const size_t *sizes)
{
    return cpar_source(m) == from && cpar_tag(m) == i % TAGS && cpar_count(m) == sizes[i] && filled(cpar_as(m, unsigned char), sizes[i], content(from, i));
}

START_TEST(all_come_in_their_order_though_nobody_receives_at_first)
{
    static size_t out[MANY], in[MANY];
    cpar_request *sends[MANY];
    unsigned char *data[MANY];
    bool right = true;
    draw_sizes(out, cpar_rank(), 1);
    draw_sizes(in, previous(), 1);
    send_all(out, next(), sends, data);
    for (int i = 0; i < MANY; i++) {
        cpar_message *m = cpar_receive(previous(), .tag = CPAR_ANY_TAG);
        right = right && is(m, previous(), i, in);
        cpar_free(m);
    }
    wait_for_all(sends, data);
    expect(right);
}
END_TEST

START_TEST(what_is_asked_for_last_may_have_come_first)
{
    static size_t out[MANY], in[MANY];
    cpar_request *sends[MANY];
    unsigned char *data[MANY];
    bool right = true;
    draw_sizes(out, cpar_rank(), 2);
    draw_sizes(in, previous(), 2);
    send_all(out, next(), sends, data);
    for (int tag = TAGS - 1; tag >= 0; tag--)
        for (int i = tag; i < MANY; i += TAGS) {
            cpar_message *m = cpar_receive(previous(), .tag = tag);
            right = right && is(m, previous(), i, in);
            cpar_free(m);
        }
    wait_for_all(sends, data);
    expect(right);
}
END_TEST

START_TEST(each_keeps_its_order_where_all_send_to_all)
{
    static size_t out[MANY];
    const int size = cpar_size();
    size_t (*in)[MANY] = malloc((size_t)size * sizeof *in);
    int *seen = calloc((size_t)size, sizeof *seen);
    cpar_request *sends[MANY];
    unsigned char *data[MANY];
    bool right = true;
    draw_sizes(out, cpar_rank(), 3);
    for (int r = 0; r < size; r++) {
        draw_sizes(in[r], r, 3);
        seen[r] = cpar_rank(); /* of each, the first for this rank */
    }
    send_all(out, -1, sends, data);
    int left = 0;
    for (int i = cpar_rank(); i < MANY; i += size) left += size;
    for (; left > 0; left--) {
        cpar_message *m = cpar_receive(CPAR_ANY_SOURCE, .tag = CPAR_ANY_TAG);
        const int from = cpar_source(m);
        right = right && is(m, from, seen[from], in[from]);
        seen[from] += size;
        cpar_free(m);
    }
    wait_for_all(sends, data);
    free(in);
    free(seen);
    expect(right);
}
END_TEST

/* Into own memory, which all of it fits, and of a size that ends anywhere in the lanes. */
START_TEST(each_size_goes_round)
{
    static unsigned char out[1300], in[1300];
    bool right = true;
    fill(out, sizeof out, 7);
    for (size_t n = 0; n <= sizeof out; n++) {
        cpar_status status;
        cpar_request *sent = cpar_isend(cpar_array(out, n), next());
        memset(in, 0, sizeof in);
        right = right && cpar_receive_into(cpar_array(in, sizeof in), previous(), .status = &status) == 0 && status.count == n && memcmp(in, out, n) == 0;
        right = right && (n == sizeof in || in[n] == 0);
        cpar_wait(sent);
    }
    expect(right);
}
END_TEST

/* A long message of MPI's own needs both sides: one of them is in MPI, the other one waits in cpar. */
START_TEST(what_mpi_has_to_do_goes_on_while_cpar_waits)
{
    enum { BYTES = 1 << 20 };
    char *bytes = calloc(BYTES, 1);
    int x = 0;
    if (cpar_rank() == 0 && cpar_size() > 1) {
        MPI_Request r;
        MPI_Irecv(bytes, BYTES, MPI_BYTE, 1, 0, MPI_COMM_WORLD, &r);
        cpar_receive_into(&x, 1);
        MPI_Wait(&r, MPI_STATUS_IGNORE);
        expect(x == 3 && bytes[BYTES - 1] == 5);
    }
    if (cpar_rank() == 1) {
        bytes[BYTES - 1] = 5;
        MPI_Send(bytes, BYTES, MPI_BYTE, 0, 0, MPI_COMM_WORLD);
        cpar_send(3, 0);
    }
    free(bytes);
}
END_TEST

HARNESS_MAIN("lane", all_come_in_their_order_though_nobody_receives_at_first, what_is_asked_for_last_may_have_come_first,
    each_keeps_its_order_where_all_send_to_all, each_size_goes_round, what_mpi_has_to_do_goes_on_while_cpar_waits)
