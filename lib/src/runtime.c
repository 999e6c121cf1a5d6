#include "runtime.h"

#include "wire.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#define NO_GROUP { .program = MPI_COMM_NULL, .messages = MPI_COMM_NULL, .internal = MPI_COMM_NULL }

cpar_group cpar__world = NO_GROUP;
struct cpar__groups cpar__groups = TAILQ_HEAD_INITIALIZER(cpar__groups);
int cpar__tag_max;
cpar__settings cpar__setting;
bool cpar__threads;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

void cpar__lock(void)
{
    if (cpar__threads) pthread_mutex_lock(&mutex);
}

void cpar__unlock(void)
{
    if (cpar__threads) pthread_mutex_unlock(&mutex);
}

bool cpar__check_mpi(cpar__problem *p, int result)
{
    if (result == MPI_SUCCESS) return true;
    char text[MPI_MAX_ERROR_STRING] = "";
    int length;
    MPI_Error_string(result, text, &length);
    return cpar__note(p, CPAR_ERROR_MPI, "MPI: %s", text);
}

bool cpar__is_set(const char *variable)
{
    const char *text = getenv(variable);
    return text && *text;
}

static int read_setting(cpar__problem *p, const char *variable, int initial, int least, int most)
{
    const char *text = getenv(variable);
    if (!cpar__is_set(variable)) return initial;

    char *end;
    errno = 0;
    const long value = strtol(text, &end, 10);
    if (*end || errno || value < least || value > most)
        cpar__note(p, CPAR_ERROR_ARGUMENT, "the environment has %s=%.40s, accepted are whole numbers from %d to %d", variable, text, least, most);
    return (int)value;
}

#define CPAR__SETTING_READ(member, variable, initial, least, most) cpar__setting.member = read_setting(p, variable, initial, least, most);
bool cpar__read_settings(cpar__problem *p)
{
    CPAR__SETTINGS(CPAR__SETTING_READ)
    return !p->code;
}

/* Makes a group's tables, and gives it a number. All ranks have theirs, or none. */
static bool make_tables(cpar_group *g, cpar__problem *p)
{
    static uint32_t last_number;
    const size_t size = (size_t)g->size, most = size > (size_t)cpar__self.size ? size : (size_t)cpar__self.size;
    g->nodes = calloc(size, sizeof *g->nodes);
    g->near = calloc(size, sizeof *g->near);
    g->lanes = calloc(size, sizeof *g->lanes);
    g->ranks = calloc(most, sizeof *g->ranks);
    const bool made = g->nodes && g->near && g->lanes && g->ranks;
    const uint32_t own[2] = { !made, last_number };
    uint32_t all[2] = { 0 };
    if (!cpar__check_mpi(p, MPI_Allreduce(own, all, 2, MPI_UINT32_T, MPI_MAX, g->internal))) return false;
    g->number = last_number = all[1] + 1;
    return !all[0] || cpar__note(p, CPAR_ERROR_MEMORY, "%s has no memory for a table of %d ranks", made ? "another rank" : "this rank", g->size);
}

/* Finds out on which node each rank is. The ranks of a node are in the order of the group's, so the first is the lowest. */
static bool find_nodes(cpar_group *g, cpar__problem *p)
{
    MPI_Comm node = MPI_COMM_NULL;
    int lowest = g->rank;
    if (cpar__check_mpi(p, MPI_Comm_split_type(g->internal, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node))
        && cpar__check_mpi(p, MPI_Bcast(&lowest, 1, MPI_INT, 0, node)) && cpar__check_mpi(p, MPI_Allgather(&lowest, 1, MPI_INT, g->nodes, 1, MPI_INT, g->internal)))
        for (int r = 0; r < g->size; r++) g->near[r] = g->nodes[r] == lowest;
    if (node != MPI_COMM_NULL) MPI_Comm_free(&node);
    return !p->code;
}

static bool duplicate(MPI_Comm comm, MPI_Comm *own, cpar__problem *p)
{
    return cpar__check_mpi(p, MPI_Comm_dup(comm, own)) && cpar__check_mpi(p, MPI_Comm_set_errhandler(*own, MPI_ERRORS_RETURN));
}

bool cpar__group_open(cpar_group *g, MPI_Comm comm, bool owned, cpar__problem *p)
{
    *g = (cpar_group)NO_GROUP;
    g->program = comm;
    g->owned = owned;
    return cpar__check_mpi(p, MPI_Comm_rank(comm, &g->rank)) && cpar__check_mpi(p, MPI_Comm_size(comm, &g->size))
        && duplicate(comm, &g->messages, p) && duplicate(comm, &g->internal, p) && make_tables(g, p) && find_nodes(g, p);
}

void cpar__group_close(cpar_group *g)
{
    if (g->messages != MPI_COMM_NULL) MPI_Comm_free(&g->messages);
    if (g->internal != MPI_COMM_NULL) MPI_Comm_free(&g->internal);
    if (g->owned) MPI_Comm_free(&g->program);
    free(g->nodes);
    free(g->near);
    free(g->lanes);
    free(g->ranks);
    if (g->shared.memory) munmap(g->shared.memory, g->shared.room);
    *g = (cpar_group)NO_GROUP;
}
