#include "error.h"

#include "op.h"
#include "runtime.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

cpar__identity cpar__self;
int cpar__failure = EXIT_FAILURE;

static _Thread_local int last_error;
static _Atomic(cpar_handler *) handler;

typedef enum { PLAIN, ROOTED, STATUS, PEER } form;

#define CPAR__OPERATION_ROW(name, text, form) { text, form },
static const struct {
    const char *name;
    form form;
} operations[] = { CPAR__OPERATIONS(CPAR__OPERATION_ROW) };

bool cpar__is_message(cpar__operation operation)
{
    return operations[operation].form == PEER;
}

bool cpar__note(cpar__problem *p, int code, const char *format, ...)
{
    if (!p->code) {
        va_list args;
        va_start(args, format);
        vsnprintf(p->why, sizeof p->why, format, args);
        va_end(args);
        p->code = code;
        p->told = false;
        p->status = 0;
    }
    return false;
}

void cpar__keep(cpar__problem *p, const cpar__problem *other)
{
    if (!p->code && other->code) *p = *other;
}

void cpar__begin(cpar__problem *p)
{
    p->code = last_error = 0;
}

bool cpar__check_running(cpar__problem *p)
{
    if (!cpar__self.runs) return cpar__note(p, CPAR_ERROR_STATE, "cpar is not running: cpar_init comes first, cpar_finalize last");
    return cpar__threads || pthread_equal(pthread_self(), cpar__self.thread)
        || cpar__note(p, CPAR_ERROR_STATE, "this is not the thread that called cpar_init, which was not given .threads = true");
}

/* "2", or "any" for a wildcard. */
static const char *number(char *out, size_t room, int n)
{
    if (n == -1)
        snprintf(out, room, "any");
    else
        snprintf(out, room, "%d", n);
    return out;
}

const char *cpar__base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

void cpar__describe(char *out, size_t room, const cpar__call *call)
{
    char where[128] = "", name[64], peer[16], tag[16];
    const char *by = cpar__op_name(call->reduction);

    if (call->at.file) snprintf(where, sizeof where, "%.100s:%d, ", cpar__base_name(call->at.file), call->at.line);
    snprintf(name, sizeof name, "%s%s%s", operations[call->operation].name, by ? " by " : "", by ? by : "");
    switch (operations[call->operation].form) {
    case PLAIN: snprintf(out, room, "%s%s", where, name); break;
    case ROOTED: snprintf(out, room, "%s%s, root %d", where, name, call->peer); break;
    case STATUS: snprintf(out, room, "%s%s, status %d", where, name, call->peer); break;
    case PEER:
        snprintf(out, room, "%s%s %s, tag %s", where, name, number(peer, sizeof peer, call->peer), number(tag, sizeof tag, call->tag));
        break;
    }
}

void cpar__line(char *out, size_t room, const cpar__call *call, const char *why)
{
    char who[sizeof cpar__self.host + 64] = "", in_all[48] = "", what[256];
    const bool grouped = call->group && call->group != &cpar__world;
    const int rank = grouped ? call->group->rank : cpar__self.rank, size = grouped ? call->group->size : cpar__self.size;
    if (grouped && size <= cpar__self.size) snprintf(in_all, sizeof in_all, " (%d of %d in all)", cpar__self.rank, cpar__self.size);
    if (size > 0) snprintf(who, sizeof who, "rank %d of %d%s on %s, ", rank, size, in_all, cpar__self.host);
    cpar__describe(what, sizeof what, call);
    snprintf(out, room, "cpar: %s%s: %s", who, what, why);
}

void cpar__end_job(int status)
{
    int mpi_runs = 0, mpi_ended = 0;
    fflush(NULL);
    cpar__self.runs = false; /* so that nothing is left to do at exit */
    MPI_Initialized(&mpi_runs);
    MPI_Finalized(&mpi_ended);
    if (mpi_runs && !mpi_ended) MPI_Abort(MPI_COMM_WORLD, status);
    exit(status);
}

static void pause_ms(int ms)
{
    nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L }, NULL);
}

/* One rank's line is enough: where another rank has the problem, that one is given a second to print its own
   and to end the job. And the launcher is given a moment to pass the line on, for MPICH's drops what it
   has not read when the job ends. */
static void print_and_end(const cpar__problem *p, const char *line)
{
    fflush(NULL);
    if (p->told) pause_ms(1000);
    fprintf(stderr, "%s\n", line);
    pause_ms(100);
    cpar__end_job(p->status ? p->status : cpar__failure);
}

int cpar__raise(const cpar__call *call, const cpar__problem *p)
{
    if (!p->code) return 0;

    char line[1024];
    cpar__line(line, sizeof line, call, p->why);
    cpar_handler *h = atomic_load(&handler);
    if (!h)
        print_and_end(p, line);
    else if (h != CPAR_ERRORS_RETURN)
        h(p->code, line);
    return cpar__remember(p->code); /* last, for the handler may call cpar */
}

int cpar__remember(int code)
{
    return last_error = code;
}

void cpar_on_error(cpar_handler *h)
{
    atomic_store(&handler, h);
}

int cpar_last_error(void)
{
    return last_error;
}

#define CPAR__ERROR_TEXT(name, number, text) case CPAR_ERROR_##name: return text;
const char *cpar_strerror(int code)
{
    switch (code) {
        CPAR_ERRORS(CPAR__ERROR_TEXT)
    case CPAR_SUCCESS: return "success";
    default: return "not an error code of cpar";
    }
}
