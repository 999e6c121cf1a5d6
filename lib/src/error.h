/* Errors: who called what, what went wrong, and the one place that tells. */
#ifndef CPAR_ERROR_H
#define CPAR_ERROR_H

#include <cpar.h>
#include <pthread.h>

/* Every operation: its name in errors, and what else identifies it there. The numbers are on the
   wire too (cpar__envelope.operation), where MESSAGE stands for all of point-to-point. */
#define CPAR__OPERATIONS(X)                                                                        \
    X(MESSAGE, "message", PLAIN)                                                                   \
    X(BARRIER, "barrier", PLAIN)                                                                   \
    X(BROADCAST, "broadcast", ROOTED)                                                              \
    X(BROADCAST_MESSAGE, "broadcast_message", ROOTED)                                              \
    X(SCATTER, "scatter", ROOTED)                                                                  \
    X(GATHER, "gather", ROOTED)                                                                    \
    X(ALLGATHER, "allgather", PLAIN)                                                               \
    X(ALLTOALL, "alltoall", PLAIN)                                                                 \
    X(REDUCE, "reduce", ROOTED)                                                                    \
    X(ALLREDUCE, "allreduce", PLAIN)                                                               \
    X(SCAN, "scan", PLAIN)                                                                         \
    X(PRINT, "print", PLAIN)                                                                       \
    X(MAP, "map", ROOTED)                                                                          \
    X(POOL, "pool", ROOTED)                                                                        \
    X(SEND, "send to", PEER)                                                                       \
    X(RECEIVE, "receive from", PEER)                                                               \
    X(EXCHANGE_SEND, "exchange, to", PEER)                                                         \
    X(EXCHANGE_RECEIVE, "exchange, from", PEER)                                                    \
    X(ISEND, "isend to", PEER)                                                                     \
    X(IRECEIVE, "ireceive from", PEER)                                                             \
    X(INIT, "init", PLAIN)                                                                         \
    X(FINALIZE, "finalize", PLAIN)                                                                 \
    X(EXIT, "exit", STATUS)                                                                        \
    X(RANK, "rank", PLAIN)                                                                         \
    X(SIZE, "size", PLAIN)                                                                         \
    X(NAME, "get_processor_name", PLAIN)                                                           \
    X(SPLIT, "split", PLAIN)                                                                       \
    X(GROUP_FREE, "group_free", PLAIN)                                                             \
    X(GROUP_FROM_COMM, "group_from_comm", PLAIN)                                                   \
    X(COMM, "comm", PLAIN)                                                                         \
    X(AS, "as", PLAIN)                                                                             \
    X(VALUE, "value", PLAIN)                                                                       \
    X(TEXT, "text", PLAIN)                                                                         \
    X(PART, "part", PLAIN)                                                                         \
    X(TASK_FAIL, "task_fail", PLAIN)                                                               \
    X(MESSAGE_OF, "message_of", PLAIN)                                                             \
    X(SUBMIT, "submit", PLAIN)                                                                     \
    X(AS_COMPLETED, "as_completed", PLAIN)                                                         \
    X(RESULT, "result", PLAIN)                                                                     \
    X(DONE_ASKED, "done", PLAIN)                                                                   \
    X(WHY, "why", PLAIN)                                                                           \
    X(CANCEL, "cancel", PLAIN)                                                                     \
    X(POOL_CLOSE, "pool_close", PLAIN)

#define CPAR__OPERATION_ENUM(name, text, form) CPAR__##name,
typedef enum { CPAR__OPERATIONS(CPAR__OPERATION_ENUM) CPAR__OPERATION_COUNT } cpar__operation;

/* Whether it is point-to-point: a message of the program's. */
bool cpar__is_message(cpar__operation operation);

/* Who calls what from where. For a receive, peer and tag become the actual ones on arrival. */
typedef struct {
    cpar_place at;
    cpar__operation operation;
    const cpar_group *group; /* the ranks that are meant; NULL where there are none to mean */
    int tag;
    int peer; /* the other rank, the root, or the exit status */
    uint8_t reduction; /* of a collective that combines: by what (op.h) */
    uint32_t turn;     /* of a collective: which call of the group's it is */
} cpar__call;

/* What went wrong: a code, 0 for nothing, and the cause in words. */
typedef struct {
    int code;
    bool told;  /* by the rank where it is, which reports it too */
    int status; /* with which the job is to end; 0: cpar__failure tells */
    char why[240];
} cpar__problem;

/* What errors tell of this process, when size is not 0; whether cpar runs: from the end of init to the end of
   finalize; and the thread that started it. */
typedef struct {
    bool runs;
    pthread_t thread;
    int rank, size;
    char host[256];
} cpar__identity;
extern cpar__identity cpar__self;

/* With what exit status a job ends that fails: EXIT_FAILURE, or what the program is about to return. */
extern int cpar__failure;

/* Ends the job, all ranks of it, whether MPI runs or not. */
void cpar__end_job(int status) __attribute__((noreturn));

/* Notes what went wrong, unless something has before. Returns false, so that checks can end with it. */
bool cpar__note(cpar__problem *p, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Notes what is noted in `other`, if anything. */
void cpar__keep(cpar__problem *p, const cpar__problem *other);

/* Every public call that can fail starts with this: no problem yet, and no last error. */
void cpar__begin(cpar__problem *p);

/* Notes a problem unless cpar runs, and for this thread. */
bool cpar__check_running(cpar__problem *p);

/* Makes the code what cpar_last_error tells, and returns it. */
int cpar__remember(int code);

/* The file's name without its folders. */
const char *cpar__base_name(const char *path);

/* Writes "ring.c:17, receive from 2, tag 0"; without the place where there is none. */
void cpar__describe(char *out, size_t room, const cpar__call *call);

/* Writes "cpar: rank 3 of 8 on node2, ring.c:17, receive from 2, tag 0: why"; in a group "rank 1 of 4 (3 of 8 in all)", unless that reaches
   beyond this job. */
void cpar__line(char *out, size_t room, const cpar__call *call, const char *why);

/* The one way out for errors: tells the handler, by default prints the line and ends the job. Returns
   the problem's code; 0, silently, when there is none. */
int cpar__raise(const cpar__call *call, const cpar__problem *p);

#endif
