/* Collectives, made of transfers: whatever they wait for, everything else goes on too, and no rank's
   choice of method can differ from another's, for there is nothing to choose: a receiver learns
   from the envelope what comes. Each envelope names its collective, so ranks that are in
   different ones find out.

   A rank that can't do its part says so to those who wait for it, instead of leaving them waiting. */
#include "collective.h"

#include "task.h"
#include "type.h"

#include <stdlib.h>
#include <string.h>

/* ---- What they are made of ------------------------------------------------------------------ */

cpar__call cpar__collective_call(cpar_place at, cpar__operation operation, cpar_group *named, int root)
{
    cpar_group *g = cpar__group_of(named);
    if (operation == CPAR__EXIT || !(cpar__in_task() || g->pool)) g->turns++;
    return (cpar__call){ .at = at, .operation = operation, .group = g, .peer = root, .turn = g->turns };
}

bool cpar__check_collective(cpar__problem *p, const cpar__call *call)
{
    if (!cpar__check_running(p) || !cpar__check_no_task(p)) return false;
    return !call->group->pool || cpar__note(p, CPAR_ERROR_STATE, "a pool of these ranks is open");
}

bool cpar__check_root(cpar__problem *p, const cpar__call *call)
{
    return cpar__check_collective(p, call) && cpar__check_rank(p, call->group, "root", call->peer);
}

void cpar__finish(cpar__transfer *t, size_t n, cpar__problem *p)
{
    cpar__complete(t, n);
    for (size_t i = 0; i < n; i++) {
        cpar__keep(p, &t[i].problem);
        cpar__release(&t[i]);
    }
}

const cpar__problem *cpar__as_told(const cpar__call *call, const cpar__problem *p, cpar__problem *room)
{
    if (p->code && p->told) return p; /* another rank's, passed on */
    room->code = 0;
    if (p->code) cpar__note(room, p->code, "rank %d: %.200s", call->group->rank, p->why);
    return room;
}

void cpar__start_part(cpar__transfer *t, const cpar__call *call, int peer, const cpar_view *value, const cpar__problem *told)
{
    if (told->code)
        cpar__start_problem(t, call, peer, told);
    else
        cpar__start_send(t, call, peer, value);
}

cpar_message *cpar__copy_of(const cpar_view *v, cpar_range part, int source, cpar__problem *p)
{
    const size_t count = part.hi - part.lo;
    cpar_message *m = cpar__message_new(v->type, count);
    if (!m) {
        cpar__note(p, CPAR_ERROR_MEMORY, "no memory for a message of %zu bytes", count * v->type.size);
        return NULL;
    }
    m->source = source;
    if (count) memcpy(m->data, cpar__view_data(v) + part.lo * v->type.size, count * v->type.size);
    return m;
}

cpar_message *cpar_message_of_at(cpar_view value, cpar_place at)
{
    const cpar__call call = { .at = at, .operation = CPAR__MESSAGE_OF };
    cpar_message *m = NULL;
    cpar__problem problem;
    cpar__begin(&problem);
    if (cpar__check_view(&problem, &value) && (m = cpar__copy_of(&value, (cpar_range){ 0, value.count }, cpar__self.rank, &problem))) return m;
    cpar__raise(&call, &problem);
    return NULL;
}

cpar_message *cpar__hand_out(cpar_message *m, const cpar__call *call, const cpar__problem *p)
{
    if (!p->code) return m;
    cpar_free(m);
    cpar__raise(call, p);
    return NULL;
}

cpar__branch cpar__find_branch(const cpar_group *g, int root)
{
    const int size = g->size, relative = (g->rank - root + size) % size;
    cpar__branch b = { .parent = -1 };
    int span = 1;
    while (span < size && !(relative & span)) span *= 2;
    if (relative) b.parent = (relative - span + root) % size;
    while (span /= 2)
        if (relative + span < size) b.children[b.count++] = (relative + span + root) % size;
    return b;
}

/* ---- Barrier -------------------------------------------------------------------------------- */

/* Dissemination (Hensgen, Finkel and Manber, 1988): after the round of distance d this rank has heard,
   directly or through others, of the 2d - 1 ranks before it. */
/* Where another rank is elsewhere, later rounds may wait for those who wait for it. So they are told, and nobody is waited for. */
static bool tell_rest(const cpar__call *call, int distance, cpar__problem *p)
{
    cpar__problem room;
    const cpar__problem *told = cpar__as_told(call, p, &room);
    for (; distance < call->group->size; distance *= 2) {
        cpar__transfer t;
        cpar__start_problem(&t, call, (call->group->rank + distance) % call->group->size, told);
        cpar__finish(&t, 1, p);
    }
    return false;
}

bool cpar__agree(const cpar__call *call, cpar__problem *p)
{
    const int rank = call->group->rank, size = call->group->size;
    const cpar_view nothing = { .type = { CPAR_CHAR, 1 } };
    cpar__problem room;
    for (int distance = 1; distance < size; distance *= 2) {
        const cpar__problem *told = cpar__as_told(call, p, &room);
        cpar__transfer t[2];
        cpar__start_receive(&t[0], call, (rank - distance + size) % size);
        cpar__start_part(&t[1], call, (rank + distance) % size, &nothing, told);
        cpar__complete(t, 2);
        cpar__place(&t[0], NULL);
        const bool disagree = t[0].problem.code == CPAR_ERROR_STATE && !t[0].problem.told;
        cpar__finish(t, 2, p);
        if (disagree) return tell_rest(call, 2 * distance, p);
    }
    return !p->code;
}

bool cpar__barrier(const cpar__call *call, cpar__problem *p)
{
    cpar__problem met = { .code = 0 };
    const bool all_here = cpar__agree(call, &met);
    cpar__keep(p, &met);
    return all_here;
}

int cpar_barrier_at(const cpar_collective *c)
{
    const cpar__call call = cpar__collective_call(c->at, CPAR__BARRIER, c->group, 0);
    cpar__problem problem;
    cpar__begin(&problem);
    if (cpar__check_collective(&problem, &call)) cpar__barrier(&call, &problem);
    return cpar__raise(&call, &problem);
}

/* ---- Broadcast ------------------------------------------------------------------------------ */

/* Pieces by which a long value moves through the tree, so that a rank passes on the first ones while the later ones
   come in. With two ranks there is nobody to pass anything on. */
static void cut_finer(cpar__transfer *t)
{
    const size_t piece = 1 << 20;
    if (t->call.group->size > 2 && t->piece_most > piece) t->piece_most = piece;
}

/* The root's part: sends the value, or tells of the problem. */
static void broadcast_from_root(const cpar__call *call, const cpar_view *value, cpar__problem *p)
{
    const cpar__branch b = cpar__find_branch(call->group, call->peer);
    cpar__problem room;
    const cpar__problem *told = cpar__as_told(call, p, &room);
    cpar__transfer t[31];
    for (int i = 0; i < b.count; i++) {
        cpar__start_part(&t[i], call, b.children[i], value, told);
        cut_finer(&t[i]);
    }
    cpar__finish(t, (size_t)b.count, p);
}

/* The others' part: receives into `memory`, or into a new message where that is NULL, and passes on what
   comes, also when it does not fit here. */
static cpar_message *broadcast_from_parent(const cpar__call *call, const cpar_view *memory, cpar__problem *p)
{
    const cpar__branch b = cpar__find_branch(call->group, call->peer);
    cpar__transfer t[1 + 31], *in = &t[0];
    cpar_message *m = NULL;
    void *place = NULL, *scratch = NULL;

    cpar__start_receive(in, call, b.parent);
    cpar__complete(in, 1);
    if (in->stage == CPAR__ARRIVED) {
        if (!memory && (m = cpar__message_new(in->envelope.type, (size_t)in->envelope.count))) {
            m->source = call->peer;
            place = m->data;
        } else if (memory && !p->code && cpar__fits(p, &in->envelope, memory, true))
            place = (void *)memory->data;
        if (!place && memory) place = scratch = malloc(in->bytes + 1);
        if (!place) cpar__note(&in->problem, CPAR_ERROR_MEMORY, "no memory for a message of %zu bytes", in->bytes);
        cpar__place(in, place);
    }

    cpar__problem room;
    const cpar__problem *told = cpar__as_told(call, &in->problem, &room);
    for (int i = 0; i < b.count; i++) {
        if (told->code)
            cpar__start_problem(&t[1 + i], call, b.children[i], told);
        else
            cpar__start_forward(&t[1 + i], call, b.children[i], in);
        cut_finer(&t[1 + i]);
    }
    cpar__finish(t, (size_t)(1 + b.count), p);
    free(scratch);
    return m;
}

void cpar__broadcast(const cpar__call *call, const cpar_view *memory, cpar__problem *p)
{
    if (call->group->rank == call->peer)
        broadcast_from_root(call, memory, p);
    else
        broadcast_from_parent(call, memory, p);
}

int cpar_broadcast_at(cpar_view memory, const cpar_collective *c)
{
    const cpar__call call = cpar__collective_call(c->at, CPAR__BROADCAST, c->group, c->root);
    cpar__problem problem;
    cpar__begin(&problem);
    if (!cpar__check_root(&problem, &call)) return cpar__raise(&call, &problem);

    cpar__check_memory(&problem, &memory);
    cpar__broadcast(&call, &memory, &problem);
    return cpar__raise(&call, &problem);
}

cpar_message *cpar__broadcast_message(const cpar__call *call, const cpar_view *value, cpar__problem *p)
{
    if (call->group->rank != call->peer) return broadcast_from_parent(call, NULL, p);

    cpar_message *m = NULL;
    if (!p->code && cpar__check_view(p, value)) m = cpar__copy_of(value, (cpar_range){ 0, value->count }, call->peer, p);
    broadcast_from_root(call, value, p);
    return m;
}

cpar_message *cpar_broadcast_message_at(cpar_view value, const cpar_collective *c)
{
    const cpar__call call = cpar__collective_call(c->at, CPAR__BROADCAST_MESSAGE, c->group, c->root);
    cpar__problem problem;
    cpar__begin(&problem);
    if (!cpar__check_root(&problem, &call)) return cpar__hand_out(NULL, &call, &problem);

    cpar_message *m = cpar__broadcast_message(&call, &value, &problem);
    return cpar__hand_out(m, &call, &problem);
}
