/* cpar beside raw MPI. The only header of cpar that includes <mpi.h>; link MPI too. */
#ifndef CPAR_MPI_H
#define CPAR_MPI_H

#include <cpar.h>
#include <mpi.h>

#ifdef __cplusplus
extern "C" {
#endif

/** cpar_comm(g): a communicator of the group's ranks, in their order, for the program to use as it likes; cpar never
    sends on it. For NULL, all ranks, it is MPI_COMM_WORLD. The group's: not to be freed, and gone with it.
    MPI_COMM_NULL on error. Errors: STATE when cpar does not run. */
CPAR_API MPI_Comm cpar_comm_at(const cpar_group *g, cpar_place at);

/** cpar_group_from_comm(comm): a group of the communicator's ranks, on communicators of its own; `comm` stays the
    program's. Collective over comm, blocks. Returns the group, the caller's to cpar_group_free; NULL on error. One that reaches
    beyond MPI_COMM_WORLD, as after MPI_Comm_spawn, is to be freed before cpar_finalize, which brings together the ranks of that alone.
    Errors: ARGUMENT for MPI_COMM_NULL and for an intercommunicator; MEMORY; MPI. */
CPAR_API cpar_group *cpar_group_from_comm_at(MPI_Comm comm, cpar_place at);

#ifdef __cplusplus
}
#else
#define cpar_comm(g)               cpar_comm_at((g), CPAR_HERE)
#define cpar_group_from_comm(comm) cpar_group_from_comm_at((comm), CPAR_HERE)
#endif

#endif
