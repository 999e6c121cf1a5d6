/* A short payload goes along with its header: how short, follows the kind of peer. On one node all ranks are near. */
#include "harness.h"

#include <mpi.h>
#include <stdlib.h>

enum { NEAR = 1000, FAR = 3000 };

__attribute__((constructor)) static void set_limits(void)
{
    setenv("CPAR_INLINE_NEAR", "1000", 1);
    setenv("CPAR_INLINE_FAR", "3000", 1);
}

/* In place of MPI's, for the library too: payloads that go by themselves. */
static int alone;

int MPI_Issend(const void *data, int count, MPI_Datatype type, int rank, int tag, MPI_Comm comm, MPI_Request *request)
{
    alone++;
    return PMPI_Issend(data, count, type, rank, tag, comm, request);
}

START_TEST(the_limit_follows_the_kind_of_peer)
{
    static const size_t sizes[] = { 1, NEAR, NEAR + 1, FAR, FAR + 1 };
    const int rank = cpar_rank(), size = cpar_size();
    cpar_message *hosts = cpar_allgather(cpar_get_processor_name());
    const char *own = cpar_part(hosts, rank, char, NULL);
    bool right = true;
    char a[FAR + 1] = { 0 };
    for (int from = 0; from < size; from++)
        for (int to = 0; to < size; to++)
            for (size_t i = 0; from != to && i < sizeof sizes / sizeof *sizes; i++) {
                if (rank == from) {
                    const bool near = strcmp(cpar_part(hosts, to, char, NULL), own) == 0;
                    alone = 0;
                    cpar_send(cpar_array(a, sizes[i]), to);
                    right = right && alone == (sizes[i] > (near ? NEAR : FAR));
                }
                if (rank == to) cpar_free(cpar_receive(from));
            }
    cpar_free(hosts);
    expect(right);
}
END_TEST

HARNESS_MAIN("inline", the_limit_follows_the_kind_of_peer)
