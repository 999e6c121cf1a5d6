#include "shared.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
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

/* Where another process finds the memory. */
typedef struct {
    int64_t process, descriptor;
} location;

static bool map_memory(cpar__shared *s, int descriptor, cpar__problem *p)
{
    void *memory = mmap(NULL, s->room, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (memory == MAP_FAILED) return cpar__note(p, CPAR_ERROR_MEMORY, "no memory for %zu bytes that ranks share: %s", s->room, strerror(errno));
    s->memory = memory;
    return true;
}

/* Returns the descriptor, -1 with a problem noted. */
static int make_memory(cpar__shared *s, cpar__problem *p)
{
    const int descriptor = memfd_create("cpar", MFD_CLOEXEC);
    if (descriptor >= 0 && ftruncate(descriptor, (off_t)s->room) == 0)
        map_memory(s, descriptor, p);
    else
        cpar__note(p, CPAR_ERROR_MEMORY, "no memory for %zu bytes that ranks share: %s", s->room, strerror(errno));
    return descriptor;
}

static void open_memory(cpar__shared *s, location at, cpar__problem *p)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%lld/fd/%lld", (long long)at.process, (long long)at.descriptor);
    const int descriptor = open(path, O_RDWR | O_CLOEXEC);
    if (descriptor < 0)
        cpar__note(p, CPAR_ERROR_MEMORY, "the memory of another rank can't be opened: %s: %s", path, strerror(errno));
    else {
        map_memory(s, descriptor, p);
        close(descriptor);
    }
}

/* The lowest rank tells its mates where the memory is, or of its problem. */
static void tell_mates(const cpar__call *call, location at, cpar__problem *p)
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

static location hear_from(const cpar__call *call, int lowest, cpar__problem *p)
{
    location at = { 0, 0 };
    const cpar_view memory = cpar_struct(at);
    cpar__transfer t;
    cpar__start_receive(&t, call, lowest);
    cpar__complete(&t, 1);
    cpar__place(&t, t.stage == CPAR__ARRIVED && cpar__fits(&t.problem, &t.envelope, &memory, true) ? &at : NULL);
    cpar__finish(&t, 1, p);
    return at;
}

/* Whether all ranks have theirs. */
static bool renew(const cpar__call *call, cpar__shared *s, size_t bytes, cpar__problem *p)
{
    const cpar__mates mates = cpar__find_mates(call->group);
    int descriptor = -1;
    if (s->memory) munmap(s->memory, s->room);
    s->memory = NULL;
    s->room = bytes;
    if (mates.own == 0) {
        if (!p->code) descriptor = make_memory(s, p);
        tell_mates(call, (location){ getpid(), descriptor }, p);
    } else {
        const location at = hear_from(call, mates.lowest, p);
        if (!p->code) open_memory(s, at, p);
    }
    const bool agreed = cpar__agree(call, p); /* all have opened it */
    if (descriptor >= 0) close(descriptor);
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
