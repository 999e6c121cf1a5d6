/* Bytes that no cpar would send arrive where its messages do: an error, and nothing else. Looks into the
   library, so it is built with a static one only. */
#include "harness.h"

#include "runtime.h"
#include "wire.h"

#include <mpi.h>

/* Every rank puts the bytes on the wire for the next, and receives what comes. Returns the code. */
static int goes_round(const unsigned char *bytes, int n, MPI_Comm comm, int (*receive)(void))
{
    MPI_Request r;
    MPI_Isend(bytes, n, MPI_BYTE, next(), 0, comm, &r);
    const int code = receive();
    MPI_Wait(&r, MPI_STATUS_IGNORE);
    return code;
}

static int receive_message(void)
{
    cpar_message *m = cpar_receive(previous());
    const int code = cpar_last_error();
    if (!m == !code) return -1;
    cpar_free(m);
    return code;
}

static int receive_into(void)
{
    double x[2] = { 1, 2 };
    const int code = cpar_receive_into(cpar_array(x, 2), previous());
    return code && (x[0] != 1 || x[1] != 2) ? -1 : code;
}

START_TEST(garbage_is_a_wire_error_and_the_next_message_is_right)
{
    uint64_t state = harness_seed(7);
    bool refused = true, after = true;
    for (int i = 0; i < 3000; i++) {
        unsigned char bytes[200];
        for (size_t k = 0; k < sizeof bytes; k++) bytes[k] = (unsigned char)draw(&state);
        const int n = (int)(draw(&state) % sizeof bytes);
        if (i % 2) cpar__envelope_write(&(cpar__envelope){ .type = { CPAR_FLOAT, 8 }, .count = draw(&state) }, bytes);
        const int code = goes_round(bytes, n, cpar__world.messages, i % 4 < 2 ? receive_message : receive_into);
        refused = refused && code == CPAR_ERROR_WIRE;
        cpar_message *m = cpar_exchange(i, next(), previous());
        after = after && cpar_value(m, int) == i;
        cpar_free(m);
    }
    expect(refused);
    expect(after);
}
END_TEST

static int gather_at_next(void)
{
    cpar_message *m = cpar_gather(1, 0);
    const int code = cpar_last_error();
    cpar_free(m);
    return code;
}

START_TEST(garbage_in_a_collective_is_a_wire_error)
{
    unsigned char bytes[64] = "not an envelope";
    int code = 0;
    if (cpar_rank() == 1) { /* instead of taking part */
        MPI_Send(bytes, 64, MPI_BYTE, 0, 0, cpar__world.internal);
        cpar__world.turns++;
    } else
        code = gather_at_next();
    MPI_Barrier(MPI_COMM_WORLD);
    cpar_message *m = cpar_gather(cpar_rank(), 0);
    const bool right = cpar_count(m) == (cpar_rank() ? 0 : (size_t)cpar_size());
    cpar_free(m);
    expect(right && code == (cpar_rank() == 0 && cpar_size() > 1 ? CPAR_ERROR_WIRE : 0));
}
END_TEST

HARNESS_MAIN("hostile", garbage_is_a_wire_error_and_the_next_message_is_right, garbage_in_a_collective_is_a_wire_error)
