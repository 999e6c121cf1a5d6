/* What every call needs to know of the job: the communicators, who is near, the limits. */
#ifndef CPAR_RUNTIME_H
#define CPAR_RUNTIME_H

#include "error.h"

#include <limits.h>
#include <mpi.h>
#include <sys/queue.h>

/* Memory that the ranks of a node share, for maps (shared.h). */
typedef struct {
    unsigned char *memory; /* NULL before the first map */
    size_t room;           /* bytes */
    bool apart;            /* it can't be shared: each rank has its own */
} cpar__shared;

/* cpar never sends on the program's own communicators. */
struct cpar_group {
    int rank, size;
    uint32_t turns;    /* collective calls so far */
    const cpar_pool *pool; /* that is open, at its root */
    MPI_Comm program;  /* the program's, with the same ranks */
    bool owned;        /* to be freed with the group */
    MPI_Comm messages; /* envelopes of the program's messages, under the program's tags */
    MPI_Comm internal; /* envelopes of collectives, under tag 0; payloads, under their sequence */
    int *nodes;        /* by rank: the lowest rank of its node */
    bool *near;        /* by rank: on this node, so that memory is shared */
    uint32_t number;   /* no other group of any of its ranks has it */
    bool has_lanes;    /* lane.h */
    int *lanes, *ranks; /* by rank: its lane; and by lane: the rank */
    cpar__shared shared;
    TAILQ_ENTRY(cpar_group) open;
};

extern cpar_group cpar__world;

/* The group that an option names: none is the world. Before and after cpar runs there is no other. */
static inline cpar_group *cpar__group_of(cpar_group *named)
{
    return named && cpar__self.runs ? named : &cpar__world;
}

/* All open groups but the world, oldest first. */
extern TAILQ_HEAD(cpar__groups, cpar_group) cpar__groups;

/* The highest tag that MPI has here. */
extern int cpar__tag_max;

/* Numbers that the environment may change. Each rank's own: they limit what it sends. */
#define CPAR__SETTINGS(X)                                                                          \
    X(inline_near, "CPAR_INLINE_NEAR", 4096, 0, CPAR__INLINE_MAX)                                  \
    X(inline_far, "CPAR_INLINE_FAR", CPAR__INLINE_MAX, 0, CPAR__INLINE_MAX)                        \
    X(first_near, "CPAR_FIRST_NEAR", 0, 0, CPAR__INLINE_MAX)                                       \
    X(first_far, "CPAR_FIRST_FAR", 8192, 0, CPAR__INLINE_MAX)                                      \
    X(piece, "CPAR_PIECE", CPAR__PIECE_MAX, 1, CPAR__PIECE_MAX)                                    \
    X(sequences, "CPAR_SEQUENCES", INT_MAX, 1, INT_MAX)                                            \
    X(patience, "CPAR_PATIENCE", 60, 0, INT_MAX)                                                   \
    X(share, "CPAR_SHARE", 1, 0, 1)                                                                \
    X(lanes, "CPAR_LANES", 1, 0, 1)                                                                \
    X(tune, "CPAR_TUNE", 1, 0, 1)                                                                  \
    X(verbose, "CPAR_VERBOSE", 0, 0, 1)

/* MPI counts in int: longer payloads go in pieces of at most this many bytes. */
enum { CPAR__PIECE_MAX = 1 << 30 };

#define CPAR__SETTING_MEMBER(member, variable, initial, least, most) int member;
typedef struct {
    CPAR__SETTINGS(CPAR__SETTING_MEMBER)
} cpar__settings;
extern cpar__settings cpar__setting;

/* Whether the environment sets a variable. */
bool cpar__is_set(const char *variable);

/* Notes a problem for a variable that is set to something else than a number in its range. */
bool cpar__read_settings(cpar__problem *p);

/* Makes the communicators of a group of the ranks of comm, which is freed with it if `owned`. Collective, and blocks
   in MPI, so all must be there. */
bool cpar__group_open(cpar_group *g, MPI_Comm comm, bool owned, cpar__problem *p);
void cpar__group_close(cpar_group *g);

/* Notes a problem unless MPI returned success. */
bool cpar__check_mpi(cpar__problem *p, int result);

/* Guards what threads share; free of cost when cpar_init was not asked for threads. */
extern bool cpar__threads;
void cpar__lock(void);
void cpar__unlock(void);

#endif
