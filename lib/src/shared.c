#include "shared.h"

#include "memory.h"

#include <sys/mman.h>
#include <unistd.h>

cpar__mates cpar__find_mates(const cpar_group *g)
{
    cpar__mates m = { .lowest = -1 };
    for (int r = 0; r < g->size; r++) {
        if (!cpar__is_mate(g, g->rank, r)) continue;
        if (m.lowest < 0) m.lowest = r;
        if (r < g->rank) m.own++;
        m.count++;
    }
    return m;
}

/* The lowest rank tells its mates where the memory is, or of its problem. */
static void tell_mates(const cpar__call *call, cpar__place_of_memory at, cpar__problem *p)
{
    cpar__problem room;
    const cpar__problem *told = cpar__as_told(call, p, &room);
    for (int r = call->group->rank + 1; r < call->group->size; r++) {
        if (!cpar__is_mate(call->group, call->group->rank, r)) continue;
        cpar__transfer t;
        cpar__start_part(&t, call, r, &cpar_struct(at), told);
        cpar__finish(&t, 1, p);
    }
}

static cpar__place_of_memory hear_from(const cpar__call *call, int lowest, cpar__problem *p)
{
    cpar__place_of_memory at = { 0, 0 };
    const cpar_view memory = cpar_struct(at);
    cpar__transfer t;
    cpar__start_receive_into(&t, call, lowest, &memory);
    cpar__finish(&t, 1, p);
    return at;
}

/* Whether all ranks have theirs. */
static bool renew(const cpar__call *call, cpar__shared *s, size_t bytes, cpar__problem *p)
{
    const cpar__mates mates = cpar__find_mates(call->group);
    cpar__place_of_memory at = { getpid(), -1 };
    if (s->memory) munmap(s->memory, s->room);
    s->memory = NULL;
    s->room = bytes;
    if (mates.own == 0) {
        if (!p->code) at = cpar__memory_make(s, p);
        tell_mates(call, at, p);
    } else {
        const cpar__place_of_memory theirs = hear_from(call, mates.lowest, p);
        if (!p->code) cpar__memory_open(s, theirs, p);
    }
    const bool agreed = cpar__agree(call, p); /* all have opened it */
    if (at.descriptor >= 0) close((int)at.descriptor);
    if (!agreed && s->memory) munmap(s->memory, s->room);
    if (!agreed) s->memory = NULL; /* on all ranks, so that they agree on what to do next time */
    return agreed;
}

bool cpar__share(const cpar__call *call, cpar_group *g, size_t bytes, cpar__problem *p)
{
    cpar__shared *s = &g->shared;
    if (!cpar__agree(call, p)) return false;
    if (s->memory && bytes <= s->room) return true;

    const size_t least = 1 << 20, room = bytes > least ? bytes + bytes / 4 : least;
    cpar__problem sharing = { .code = 0 };
    if (!cpar__setting.share) cpar__note(&sharing, CPAR_ERROR_STATE, "the environment has CPAR_SHARE=0");
    if (renew(call, s, room, &sharing)) return true;
    s->apart = true; /* on all ranks, for all have heard of it */
    return renew(call, s, room, p);
}
