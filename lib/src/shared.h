/* Memory that the ranks of a node share: the node's lowest rank makes it, and the others open it. */
#ifndef CPAR_SHARED_H
#define CPAR_SHARED_H

#include "collective.h"

/* Whether two ranks of a group share memory. */
static inline bool cpar__is_mate(const cpar_group *g, int a, int b)
{
    return g->shared.apart ? a == b : g->nodes[a] == g->nodes[b];
}

/* The ranks that share memory with this one: how many, and which of them, from 0, this one is. */
typedef struct {
    int count, own;
    int lowest; /* rank */
} cpar__mates;
cpar__mates cpar__find_mates(const cpar_group *g);

/* Makes g->shared, g being the call's group, at least so long. Collective: all give the same length and a problem of their own if they have one,
   which all hear of. What was in it may be gone. Where it can't be shared, each rank has its own from then on. */
bool cpar__share(const cpar__call *call, cpar_group *g, size_t bytes, cpar__problem *p);

#endif
