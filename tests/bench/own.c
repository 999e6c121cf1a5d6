/* What cpar itself costs: 8 bytes are sent and received while MPI's calls only hand them over in memory, by way of MPI's profiling
   interface. Run on 2 ranks, of which each is alone with itself; the second is silent. Prints nanoseconds, and how often each was called; callgrind counts
   the instructions of each of the functions measured_*. */
#include <cpar.h>
#include <mpi.h>
#include <stdio.h>
#include <string.h>

enum { ROUNDS = 10000, SAMPLES = 20 };

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

static void measure(const char *what, void (*once)(void))
{
    double best = 1;
    for (int sample = 0; sample < SAMPLES; sample++) {
        const double start = cpar_time();
        for (int i = 0; i < ROUNDS; i++) once();
        const double took = cpar_time() - start;
        if (took < best) best = took;
    }
    printf("%s\t%.1f\t%d\n", what, best / ROUNDS * 1e9, ROUNDS * SAMPLES);
}

int main(int argc, char **argv)
{
    cpar_init(&argc, &argv);
    if (cpar_rank() == 0) {
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
    cpar_finalize();
}
