/* What collectives are made of, and those that the library itself uses too. */
#ifndef CPAR_COLLECTIVE_H
#define CPAR_COLLECTIVE_H

#include "p2p.h"

#include <stdlib.h>

/* A collective call of a group's, NULL for the world's, which counts it unless it is refused; with `root` as its peer. */
cpar__call cpar__collective_call(cpar_place at, cpar__operation operation, cpar_group *named, int root);

/* Notes a problem unless cpar runs, in no task, and the group has no pool open here; and call->peer is one of the group's ranks. */
bool cpar__check_collective(cpar__problem *p, const cpar__call *call);
bool cpar__check_root(cpar__problem *p, const cpar__call *call);

/* What others are told of this rank's problem: in `room`, with code 0 when there is none. */
const cpar__problem *cpar__as_told(const cpar__call *call, const cpar__problem *p, cpar__problem *room);

/* Starts to send the value, or what there is to tell instead. */
void cpar__start_part(cpar__transfer *t, const cpar__call *call, int peer, const cpar_view *value, const cpar__problem *told);

/* Completes n transfers, keeps the first problem among them, and releases them. */
void cpar__finish(cpar__transfer *t, size_t n, cpar__problem *p);

/* A message of a part of this rank's own value. NULL and a problem when there is no memory. */
cpar_message *cpar__copy_of(const cpar_view *v, cpar_range part, int source, cpar__problem *p);

/* The message when all went well; else raises the problem, and NULL. */
cpar_message *cpar__hand_out(cpar_message *m, const cpar__call *call, const cpar__problem *p);

/* This rank's place in the binomial tree over the ranks counted from the root: each child's branch is a row of ranks,
   and the rows of later children come before those of earlier ones. */
typedef struct {
    int parent; /* -1 at the root */
    int children[31], count;
} cpar__branch;
cpar__branch cpar__find_branch(const cpar_group *g, int root);

/* Returns when every rank has called it: true. Else notes what went wrong, as on the ranks that hear of it from here;
   then not all are here, and what blocks in MPI may block for good. */
bool cpar__barrier(const cpar__call *call, cpar__problem *p);

/* As cpar__barrier, but tells the others of the problem that is noted already, and notes theirs: true when none has any. */
bool cpar__agree(const cpar__call *call, cpar__problem *p);

/* Broadcasts from call->peer, see cpar_broadcast and cpar_broadcast_message. Where a problem is noted already, the root tells the others
   of it, and they pass on what comes. */
void cpar__broadcast(const cpar__call *call, const cpar_view *memory, cpar__problem *p);
cpar_message *cpar__broadcast_message(const cpar__call *call, const cpar_view *value, cpar__problem *p);

/* Gathers at call->peer, see cpar_gather. Where a problem is noted already, the value is not
   looked at, and the root told. The message, or NULL; notes what went wrong. */
cpar_message *cpar__gather(const cpar__call *call, const cpar_view *value, cpar__problem *p);

/* Room for n transfers: `few`, when that is enough, else from malloc, for there malloc would be much of what a short collective takes; NULL without memory. */
enum { CPAR__FEW = 7 };
static inline cpar__transfer *cpar__find_transfers(cpar__transfer few[CPAR__FEW], size_t n)
{
    return n <= CPAR__FEW ? few : malloc(n * sizeof *few);
}
static inline void cpar__free_transfers(cpar__transfer few[CPAR__FEW], cpar__transfer *t)
{
    if (t != few) free(t);
}

#endif
