#include "runtime.h"

#include "wire.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

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

static int read_setting(cpar__problem *p, const char *variable, int initial, int least, int most)
{
    const char *text = getenv(variable);
    if (!text || !*text) return initial;

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

/* Tells for each rank of comm whether it shares this rank's node. */
static bool find_near(cpar_group *g, MPI_Comm comm, cpar__problem *p)
{
    MPI_Comm node = MPI_COMM_NULL;
    MPI_Group here = MPI_GROUP_NULL, all = MPI_GROUP_NULL;
    int n = 0, *here_ranks = NULL, *all_ranks = NULL;

    g->near = calloc((size_t)g->size, sizeof *g->near);
    if (cpar__check_mpi(p, MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node))
        && cpar__check_mpi(p, MPI_Comm_size(node, &n)) && cpar__check_mpi(p, MPI_Comm_group(node, &here))
        && cpar__check_mpi(p, MPI_Comm_group(comm, &all))) {
        here_ranks = malloc((size_t)n * sizeof *here_ranks);
        all_ranks = malloc((size_t)n * sizeof *all_ranks);
        if (!g->near || !here_ranks || !all_ranks)
            cpar__note(p, CPAR_ERROR_MEMORY, "no memory for a table of %d ranks", g->size);
        else {
            for (int i = 0; i < n; i++) here_ranks[i] = i;
            if (cpar__check_mpi(p, MPI_Group_translate_ranks(here, n, here_ranks, all, all_ranks)))
                for (int i = 0; i < n; i++) g->near[all_ranks[i]] = true;
        }
    }
    free(here_ranks);
    free(all_ranks);
    if (here != MPI_GROUP_NULL) MPI_Group_free(&here);
    if (all != MPI_GROUP_NULL) MPI_Group_free(&all);
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
        && duplicate(comm, &g->messages, p) && duplicate(comm, &g->internal, p) && find_near(g, comm, p);
}

void cpar__group_close(cpar_group *g)
{
    if (g->messages != MPI_COMM_NULL) MPI_Comm_free(&g->messages);
    if (g->internal != MPI_COMM_NULL) MPI_Comm_free(&g->internal);
    if (g->owned) MPI_Comm_free(&g->program);
    free(g->near);
    *g = (cpar_group)NO_GROUP;
}
