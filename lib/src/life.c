/* A process's life as a rank: init, finalize, abort, and who it is. */
#include "collective.h"
#include "lane.h"
#include "pool.h"
#include "request.h"
#include "task.h"
#include "tune.h"
#include "type.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static bool started_mpi;
static pid_t process; /* a child process that ends is none of MPI's business */

/* ---- Beginning ------------------------------------------------------------------------------ */

/* Whether MPI runs. Notes a problem if not, or not with the threads asked for. */
static bool start_mpi(int *argc, const cpar_start *start, cpar__problem *p)
{
    const int asked = start->threads ? MPI_THREAD_MULTIPLE : MPI_THREAD_SINGLE;
    int granted = MPI_THREAD_SINGLE, runs = 0, ended = 0;

    MPI_Finalized(&ended);
    if (ended) return cpar__note(p, CPAR_ERROR_STATE, "MPI has ended, and can't start again in this process");
    MPI_Initialized(&runs);
    if (runs)
        MPI_Query_thread(&granted);
    else {
        cpar__tune();
        if (!cpar__check_mpi(p, MPI_Init_thread(argc, start->argv, asked, &granted))) return false;
        started_mpi = true;
    }
    if (granted < asked) cpar__note(p, CPAR_ERROR_STATE, "MPI runs without MPI_THREAD_MULTIPLE, which .threads asks for");
    return true;
}

static void find_tag_max(void)
{
    int *most = NULL, found = 0;
    MPI_Comm_get_attr(MPI_COMM_WORLD, MPI_TAG_UB, &most, &found);
    cpar__tag_max = found ? *most : 32767;
    if (cpar__setting.sequences > cpar__tag_max) cpar__setting.sequences = cpar__tag_max;
}

static void find_identity(void)
{
    char name[MPI_MAX_PROCESSOR_NAME];
    int length = 0;
    MPI_Get_processor_name(name, &length);
    snprintf(cpar__self.host, sizeof cpar__self.host, "%.*s", length, name);
    MPI_Comm_rank(MPI_COMM_WORLD, &cpar__self.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &cpar__self.size);
}

/* Whether all ranks can go on together: none has a problem, and they agree on the wire. */
static bool agree(cpar__problem *p)
{
    const uint64_t wire = cpar__wire_fingerprint();
    uint64_t mine[3] = { wire, ~wire, p->code ? (uint64_t)cpar__self.rank + 1 : 0 }, most[3] = { 0 };
    if (!cpar__check_mpi(p, MPI_Allreduce(mine, most, 3, MPI_UINT64_T, MPI_MAX, MPI_COMM_WORLD))) return false;

    if (p->code) return false;
    if (most[2]) {
        cpar__note(p, CPAR_ERROR_STATE, "rank %d can't start", (int)most[2] - 1);
        p->told = true;
        return false;
    }
    if (most[0] != ~most[1]) return cpar__note(p, CPAR_ERROR_WIRE, "the ranks run different versions of cpar, or on machines whose types differ");
    return true;
}

static void stop(void)
{
    cpar__transfers_end();
    cpar__lanes_close();
    cpar__messages_end();
    while (!TAILQ_EMPTY(&cpar__groups)) {
        cpar_group *g = TAILQ_FIRST(&cpar__groups);
        TAILQ_REMOVE(&cpar__groups, g, open);
        cpar__group_close(g);
        free(g);
    }
    cpar__group_close(&cpar__world);
    cpar__self.runs = false;
    cpar__self.size = 0;
    if (started_mpi) MPI_Finalize();
}

static void finalize_at_exit(void);

int cpar_init_at(int *argc, const cpar_start *start)
{
    const cpar__call call = { .at = start->at, .operation = CPAR__INIT };
    cpar__problem problem;
    cpar__begin(&problem);
    if (cpar__self.runs) {
        if (start->threads && !cpar__threads) cpar__note(&problem, CPAR_ERROR_STATE, "cpar runs already, and for one thread");
        return cpar__raise(&call, &problem);
    }

    cpar__read_settings(&problem);
    if (!start_mpi(argc, start, &problem)) return cpar__raise(&call, &problem); /* MPI can't tell the others */
    find_identity();
    cpar__threads = start->threads;
    if (cpar__setting.verbose && cpar__self.rank == 0) cpar__tell_tuning();
    find_tag_max();
    if (agree(&problem) && cpar__group_open(&cpar__world, MPI_COMM_WORLD, false, &problem)) {
        cpar__lanes_open();
        if (cpar__setting.verbose && cpar__self.rank == 0)
            fprintf(stderr, "cpar: short messages go through %s\n", cpar__world.has_lanes ? "memory that the ranks share" : "MPI");
        cpar__self.runs = true;
        cpar__self.thread = pthread_self();
        if (started_mpi) finalize_at_exit();
        return 0;
    }
    const int code = cpar__raise(&call, &problem);
    stop();
    return code;
}

/* ---- End ------------------------------------------------------------------------------------ */

/* What goes on without an owner may need turns on both sides: all ranks give each other some, until none has
   anything left. Ten seconds bring to an end what MPI does not bring to one. */
static void settle(void)
{
    const double start = cpar_time();
    int left, most;
    do {
        left = cpar__advance_others(1000) > 0 && cpar_time() - start < 10;
        if (MPI_Allreduce(&left, &most, 1, MPI_INT, MPI_MAX, cpar__world.internal) != MPI_SUCCESS) return;
    } while (most);
}

/* `call` is finalize or exit. */
static int finish_all(const cpar__call *call, cpar__problem *p)
{
    const cpar_group *g;
    cpar__abandon_requests(p);
    if (cpar__barrier(call, p)) { /* all is sent */
        cpar__discard_unreceived(call, &cpar__world, p);
        TAILQ_FOREACH(g, &cpar__groups, open) cpar__discard_unreceived(call, g, p);
        if (cpar__barrier(call, p)) settle(); /* and received, by somebody */
    }
    const int code = cpar__raise(call, p);
    stop();
    return code;
}

int cpar_finalize_at(cpar_place at)
{
    if (!cpar__self.runs) return cpar__remember(0);
    cpar__problem problem;
    cpar__begin(&problem);
    if (!cpar__check_no_task(&problem)) return cpar__raise(&(cpar__call){ .at = at, .operation = CPAR__FINALIZE }, &problem);
    cpar__abandon_pools(&problem);
    const cpar__call call = cpar__collective_call(at, CPAR__FINALIZE, NULL, 0);
    return finish_all(&call, &problem);
}

/* A program that ends without cpar_finalize: the end is made up for. One that fails may be alone in that, with the others
   waiting for what it no longer sends: it gives them some seconds to come to their end, and then ends the job. */
static void at_exit(int status, void *unused)
{
    const double grace = 3;
    (void)unused;
    if (!cpar__self.runs || getpid() != process) return;
    if (status) {
        cpar__failure = status;
        cpar__wait_until = cpar_time() + grace;
    }
    cpar__problem problem;
    cpar__begin(&problem);
    cpar__abandon_pools(&problem);
    const cpar__call call = cpar__collective_call((cpar_place){ 0 }, CPAR__EXIT, NULL, status);
    finish_all(&call, &problem);
}

static void finalize_at_exit(void)
{
    if (process) return;
    process = getpid();
    on_exit(at_exit, NULL);
}

void cpar_abort(int code)
{
    code &= 255;
    cpar__end_job(code ? code : 1);
}

/* ---- Self ----------------------------------------------------------------------------------- */

bool cpar_initialized(void)
{
    return cpar__self.runs;
}

/* Raises a problem unless cpar runs. */
static bool runs(cpar_place at, cpar__operation operation)
{
    cpar__problem problem;
    cpar__begin(&problem);
    return cpar__check_running(&problem) || cpar__raise(&(cpar__call){ .at = at, .operation = operation }, &problem) == 0;
}

int cpar_rank_at(const cpar_collective *c)
{
    return runs(c->at, CPAR__RANK) ? cpar__group_of(c->group)->rank : -1;
}

int cpar_size_at(const cpar_collective *c)
{
    return runs(c->at, CPAR__SIZE) ? cpar__group_of(c->group)->size : 0;
}

const char *cpar_get_processor_name_at(cpar_place at)
{
    return runs(at, CPAR__NAME) ? cpar__self.host : NULL;
}

double cpar_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}
