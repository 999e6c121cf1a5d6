/* multiprocessing.Process(target=work).start() and join(): a parent starts five children. Alone, as ./spawn, it has MPI
   start five more of itself, and makes a group of itself and them; `mpirun -n 6 spawn` has started them already: then the
   parent is rank 0, and the others are its children. */
#include <cpar_mpi.h>
#include <stdio.h>

enum { CHILDREN = 5 };

/* Has the children started. The group of the parent, which is 0, and them; NULL when that fails. */
static cpar_group *start(const char *program)
{
    MPI_Comm between, all;
    MPI_Comm_get_parent(&between);
    const bool child = between != MPI_COMM_NULL;
    if (!child && cpar_size() > 1) return cpar_split(0, 0); /* mpirun has started them */
    if (!child) {
        MPI_Info info;
        MPI_Info_create(&info);
        MPI_Info_set(info, "map_by", "slot:OVERSUBSCRIBE"); /* for Open MPI: more processes than cores are fine */
        MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN);
        const int result = MPI_Comm_spawn(program, MPI_ARGV_NULL, CHILDREN, info, 0, MPI_COMM_SELF, &between, MPI_ERRCODES_IGNORE);
        MPI_Info_free(&info);
        if (result != MPI_SUCCESS) return NULL;
    }
    MPI_Intercomm_merge(between, child, &all); /* the parent first */
    cpar_group *family = cpar_group_from_comm(all);
    MPI_Comm_free(&all);
    MPI_Comm_disconnect(&between);
    return family;
}

static void work(cpar_group *family)
{
    cpar_send("starting work", 0, .group = family);
    cpar_send("working", 0, .group = family);
    cpar_send("done", 0, .group = family);
}

static void listen_to_all(cpar_group *family)
{
    for (int line = 0; line < 3; line++)
        for (int child = 1; child < cpar_size(.group = family); child++) {
            cpar_message *m = cpar_receive(child, .group = family);
            printf("child %d: %s\n", child, cpar_text(m));
            cpar_free(m);
        }
}

int main(int argc, char **argv)
{
    cpar_init(&argc, &argv);
    cpar_group *family = start(argv[0]);
    if (!family) fputs("spawn: this MPI can't start processes; start them with mpirun -n 6\n", stderr);
    else if (cpar_rank(.group = family) > 0) work(family);
    else listen_to_all(family);
    cpar_group_free(family); /* join: waits for all of them */
    cpar_finalize();
    return family ? 0 : 2;
}
