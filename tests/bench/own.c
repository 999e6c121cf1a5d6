/* What cpar itself costs, for 8 bytes. Prints nanoseconds, and how often each was called; callgrind counts the instructions of each of the
   functions measured_*. Run on 2 ranks:

   own         with CPAR_LANES=0. MPI's calls only hand the bytes over in memory, by way of MPI's profiling interface. Each rank is alone with itself; the
               second is silent
   own lanes   through lanes: one rank sends all before the other one receives, so neither waits */
#include <cpar.h>
#include <mpi.h>
#include <stdio.h>
#include <string.h>

enum { ROUNDS = 10000, SAMPLES = 20, IN_LANE = 2000 /* which fit one */ };

/* ---- MPI's calls, after start_faking --------------------------------------------------------- */

static bool faking;
static char on_its_way[128];
static int length;
static void *landing;
static MPI_Request handle; /* of the operation under way: any that is not MPI_REQUEST_NULL */

int MPI_Isend(const void *data, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm, MPI_Request *r)
{
    if (!faking) return PMPI_Isend(data, count, type, to, tag, comm, r);
    memcpy(on_its_way, data, (size_t)count);
    length = count;
    landing = NULL;
    *r = handle;
    return MPI_SUCCESS;
}

int MPI_Irecv(void *memory, int room, MPI_Datatype type, int from, int tag, MPI_Comm comm, MPI_Request *r)
{
    if (!faking) return PMPI_Irecv(memory, room, type, from, tag, comm, r);
    landing = memory;
    *r = handle;
    return MPI_SUCCESS;
}

int MPI_Test(MPI_Request *r, int *done, MPI_Status *status)
{
    if (!faking) return PMPI_Test(r, done, status);
    if (landing) {
        memcpy(landing, on_its_way, (size_t)length);
        status->MPI_SOURCE = 1;
        status->MPI_TAG = 0;
    }
    *r = MPI_REQUEST_NULL;
    *done = 1;
    return MPI_SUCCESS;
}

int MPI_Get_count(const MPI_Status *status, MPI_Datatype type, int *count)
{
    if (!faking) return PMPI_Get_count(status, type, count);
    *count = length;
    return MPI_SUCCESS;
}

/* ---- What is measured ------------------------------------------------------------------------ */

static double x = 1.5;

/* A header of cpar's and 8 bytes, with MPI alone: what is there without cpar. */
__attribute__((noinline)) static void measured_mpi(void)
{
    char bytes[40] = { 0 };
    MPI_Request r;
    MPI_Status status;
    int done;
    memcpy(bytes + 32, &x, sizeof x);
    MPI_Isend(bytes, sizeof bytes, MPI_BYTE, 1, 0, MPI_COMM_WORLD, &r);
    MPI_Test(&r, &done, &status);
    MPI_Irecv(bytes, sizeof bytes, MPI_BYTE, 1, 0, MPI_COMM_WORLD, &r);
    MPI_Test(&r, &done, &status);
    memcpy(&x, bytes + 32, sizeof x);
}

__attribute__((noinline)) static void measured_send(void)
{
    cpar_send(x, 1);
}

__attribute__((noinline)) static void measured_receive(void)
{
    cpar_free(cpar_receive(1));
}

__attribute__((noinline)) static void measured_receive_into(void)
{
    cpar_receive_into(&x, 1);
}

__attribute__((noinline)) static void measured_lane_send(void)
{
    cpar_send(x, 1);
}

__attribute__((noinline)) static void measured_lane_receive(void)
{
    cpar_free(cpar_receive(0));
}

__attribute__((noinline)) static void measured_lane_receive_into(void)
{
    cpar_receive_into(&x, 0);
}

/* Of one of so many calls, in seconds. */
static double time_of(void (*once)(void), int rounds)
{
    const double start = cpar_time();
    for (int i = 0; i < rounds; i++) once();
    return (cpar_time() - start) / rounds;
}

static void print(const char *what, double best, int rounds)
{
    printf("%s\t%.1f\t%d\n", what, best * 1e9, rounds * SAMPLES);
}

static void measure(const char *what, void (*once)(void))
{
    double best = 1;
    for (int sample = 0; sample < SAMPLES; sample++) {
        const double took = time_of(once, ROUNDS);
        if (took < best) best = took;
    }
    print(what, best, ROUNDS);
}

/* The MPI barriers take nothing out of lanes, as cpar's would. */
static void measure_lanes(const char *what, void (*receive)(void))
{
    double send = 1, best = 1;
    for (int sample = 0; sample < SAMPLES; sample++) {
        const double sent = cpar_rank() == 0 ? time_of(measured_lane_send, IN_LANE) : 1;
        if (sent < send) send = sent;
        MPI_Barrier(MPI_COMM_WORLD);
        const double received = cpar_rank() == 1 ? time_of(receive, IN_LANE) : 1;
        if (received < best) best = received;
        MPI_Barrier(MPI_COMM_WORLD);
    }
    if (cpar_rank() == 0 && receive == measured_lane_receive) print("lane_send", send, 2 * IN_LANE);
    if (cpar_rank() == 1) print(what, best, IN_LANE);
}

static void measure_without_mpi(void)
{
    MPI_Irecv(NULL, 0, MPI_BYTE, 0, 0, MPI_COMM_SELF, &handle);
    faking = true;
    measure("mpi", measured_mpi);
    measure("send", measured_send);
    measure("receive", measured_receive);
    measure("receive_into", measured_receive_into);
    faking = false;
    MPI_Cancel(&handle);
    MPI_Request_free(&handle);
}

int main(int argc, char **argv)
{
    cpar_init(&argc, &argv);
    if (argc > 1) {
        measure_lanes("lane_receive", measured_lane_receive);
        measure_lanes("lane_receive_into", measured_lane_receive_into);
    } else if (cpar_rank() == 0)
        measure_without_mpi();
    cpar_finalize();
}
