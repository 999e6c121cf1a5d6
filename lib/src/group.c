/* Groups: splitting, adopting a communicator, handing one out. MPI makes communicators in calls that block; so all
   ranks come together first, in a wait that everything else goes on in. */
#include "collective.h"
#include "lane.h"
#include "request.h"
#include "task.h"

#include <cpar_mpi.h>
#include <stdlib.h>

/* Opens a group of the ranks of comm, which becomes its own, and lists it. NULL and a problem on failure. */
static cpar_group *open_group(MPI_Comm comm, cpar__problem *p)
{
    cpar_group *g = malloc(sizeof *g), none;
    const bool opened = cpar__group_open(g ? g : &none, comm, true, p); /* also without memory: the others do */
    if (g && opened) {
        cpar__lanes_join(g);
        cpar__lock();
        TAILQ_INSERT_TAIL(&cpar__groups, g, open);
        cpar__unlock();
        return g;
    }
    cpar__group_close(g ? g : &none);
    free(g);
    cpar__note(p, CPAR_ERROR_MEMORY, "no memory for a group");
    return NULL;
}

/* What is made of cpar's own communicators becomes the program's, whose errors go where those of `from` go. */
static void inherit_handler(MPI_Comm from, MPI_Comm to, cpar__problem *p)
{
    MPI_Errhandler inherited;
    if (!cpar__check_mpi(p, MPI_Comm_get_errhandler(from, &inherited))) return;
    cpar__check_mpi(p, MPI_Comm_set_errhandler(to, inherited));
    MPI_Errhandler_free(&inherited);
}

cpar_group *cpar_split_at(int color, int key, const cpar_collective *c)
{
    const cpar__call call = cpar__collective_call(c->at, CPAR__SPLIT, c->group, 0);
    cpar_group *g = NULL;
    MPI_Comm comm = MPI_COMM_NULL;
    cpar__problem problem;
    cpar__begin(&problem);
    if (cpar__check_collective(&problem, &call) && cpar__barrier(&call, &problem)) {
        if (color < 0) cpar__note(&problem, CPAR_ERROR_ARGUMENT, "the color is %d, accepted are 0 and more", color);
        if (cpar__check_mpi(&problem, MPI_Comm_split(call.group->internal, problem.code ? MPI_UNDEFINED : color, key, &comm)) && comm != MPI_COMM_NULL) {
            inherit_handler(call.group->program, comm, &problem);
            g = open_group(comm, &problem);
        }
    }
    cpar__raise(&call, &problem);
    return g;
}

int cpar_group_free_at(cpar_group *g, cpar_place at)
{
    cpar__call call = { .at = at, .operation = CPAR__GROUP_FREE, .group = cpar__group_of(g) };
    cpar__problem problem;
    cpar__begin(&problem);
    if (!g) return 0;
    if (!cpar__check_collective(&problem, &call) || !cpar__check_no_requests(&problem, g)) return cpar__raise(&call, &problem);

    call = cpar__collective_call(at, CPAR__GROUP_FREE, g, 0);
    bool ended = false;
    if (cpar__barrier(&call, &problem)) { /* all is sent */
        cpar__discard_unreceived(&call, g, &problem);
        ended = cpar__barrier(&call, &problem) && cpar__let_end(g); /* and received, by somebody */
    }
    if (!ended) return cpar__raise(&call, &problem);
    cpar__lock();
    TAILQ_REMOVE(&cpar__groups, g, open);
    cpar__unlock();
    const int code = cpar__raise(&call, &problem);
    cpar__group_close(g);
    free(g);
    return code;
}

MPI_Comm cpar_comm_at(const cpar_group *g, cpar_place at)
{
    const cpar__call call = { .at = at, .operation = CPAR__COMM };
    cpar__problem problem;
    cpar__begin(&problem);
    if (cpar__check_running(&problem)) return (g ? g : &cpar__world)->program;
    cpar__raise(&call, &problem);
    return MPI_COMM_NULL;
}

/* Blocks until all ranks of the program's communicator are here. */
static void gather_round(const cpar__call *call, MPI_Comm comm, cpar__problem *p)
{
    MPI_Request all_here;
    int done = 0;
    cpar__patience patience = { 0 };
    const cpar__transfer waited = { .call = *call, .peer = CPAR_ANY_SOURCE };
    if (!cpar__check_mpi(p, MPI_Ibarrier(comm, &all_here))) return;
    while (cpar__check_mpi(p, MPI_Test(&all_here, &done, MPI_STATUS_IGNORE)) && !done) cpar__turn(&patience, &waited, false);
}

cpar_group *cpar_group_from_comm_at(MPI_Comm comm, cpar_place at)
{
    const cpar__call call = { .at = at, .operation = CPAR__GROUP_FROM_COMM, .group = &cpar__world };
    MPI_Comm own = MPI_COMM_NULL;
    cpar_group *g = NULL;
    int between = 0;
    cpar__problem problem;
    cpar__begin(&problem);
    if (cpar__check_running(&problem) && cpar__check_no_task(&problem)) {
        if (comm == MPI_COMM_NULL || (cpar__check_mpi(&problem, MPI_Comm_test_inter(comm, &between)) && between))
            cpar__note(&problem, CPAR_ERROR_ARGUMENT, "the communicator is %s, accepted are those within one group", between ? "between two groups" : "MPI_COMM_NULL");
        else
            gather_round(&call, comm, &problem);
        if (!problem.code && cpar__check_mpi(&problem, MPI_Comm_dup(comm, &own))) g = open_group(own, &problem);
    }
    cpar__raise(&call, &problem);
    return g;
}
