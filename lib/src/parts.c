/* Collectives that deal out parts and collect them. Every rank learns from the envelopes what the others give, so
   parts of any length go to and come from their places without counts sent beforehand. */
#include "collective.h"

#include "type.h"

#include <stdlib.h>
#include <string.h>

/* ---- Scatter -------------------------------------------------------------------------------- */

cpar_range cpar_balance(size_t n, int size, int rank)
{
    if (rank < 0 || rank >= size) return (cpar_range){ n, n };
    const size_t share = n / (size_t)size, extra = n % (size_t)size, r = (size_t)rank;
    const size_t lo = r * share + (r < extra ? r : extra);
    return (cpar_range){ lo, lo + share + (r < extra) };
}

static void check_counts(cpar__problem *p, const size_t *counts, int size, size_t n)
{
    size_t left = n;
    for (int r = 0; r < size; r++) {
        if (counts[r] > left) {
            cpar__note(p, CPAR_ERROR_LENGTH, "the counts up to rank %d sum to more than the %zu elements there are", r, n);
            return;
        }
        left -= counts[r];
    }
    if (left) cpar__note(p, CPAR_ERROR_LENGTH, "the counts sum to %zu, of %zu elements", n - left, n);
}

/* Tells all other ranks, which wait for this one, of its problem. */
static void tell_all(const cpar__call *call, cpar__problem *p)
{
    cpar__problem room;
    const cpar__problem *told = cpar__as_told(call, p, &room);
    for (int r = 0; r < call->group->size; r++) {
        if (r == call->group->rank) continue;
        cpar__transfer t;
        cpar__start_problem(&t, call, r, told);
        cpar__finish(&t, 1, p);
    }
}

/* The root's part: sends each share straight from its place in `all`, all at once. */
static cpar_message *scatter_from_root(const cpar__call *call, const cpar_view *all, const size_t *counts, cpar__problem *p)
{
    const int size = call->group->size;
    cpar__transfer few[CPAR__FEW], *t = cpar__find_transfers(few, (size_t)size);
    cpar_message *own = NULL;
    size_t n = 0;

    if (cpar__check_view(p, all) && counts) check_counts(p, counts, size, all->count);
    if (!t) cpar__note(p, CPAR_ERROR_MEMORY, "no memory for %d transfers", size);
    if (p->code) {
        cpar__free_transfers(few, t);
        tell_all(call, p);
        return NULL;
    }
    cpar_range share = { 0, 0 };
    for (int r = 0; r < size; r++) {
        share = counts ? (cpar_range){ share.hi, share.hi + counts[r] } : cpar_balance(all->count, size, r);
        const cpar_view part = { .data = cpar__view_data(all) + share.lo * all->type.size, .count = share.hi - share.lo, .type = all->type };
        if (r == call->peer)
            own = cpar__copy_of(all, share, r, p);
        else
            cpar__start_send(&t[n++], call, r, &part);
    }
    cpar__finish(t, n, p);
    cpar__free_transfers(few, t);
    return own;
}

cpar_message *cpar_scatter_at(cpar_view all, const cpar_collective *c)
{
    const cpar__call call = cpar__collective_call(c->at, CPAR__SCATTER, c->group, c->root);
    cpar_message *m;
    cpar__problem problem;
    cpar__begin(&problem);
    if (!cpar__check_root(&problem, &call)) return cpar__hand_out(NULL, &call, &problem);

    if (call.group->rank == c->root)
        m = scatter_from_root(&call, &all, c->counts, &problem);
    else {
        cpar__transfer t;
        cpar__start_receive_message(&t, &call, c->root);
        cpar__finish(&t, 1, &problem);
        m = t.message;
    }
    return cpar__hand_out(m, &call, &problem);
}

/* ---- Gather, allgather, alltoall ------------------------------------------------------------ */

/* Lays out the parts behind each other: checks that they are of one type, and makes the message. */
static cpar_message *lay_out(const cpar__transfer *t, const cpar_group *g, cpar__problem *p)
{
    const cpar__envelope *own = &t[g->rank].envelope;
    const cpar_type type = own->type;
    uint64_t total = 0;
    for (int r = 0; r < g->size; r++) {
        char his[CPAR__TYPE_TEXT], mine[CPAR__TYPE_TEXT];
        if (t[r].problem.code)
            cpar__keep(p, &t[r].problem);
        else if (!cpar__type_same(t[r].envelope.type, type))
            cpar__note(p, CPAR_ERROR_TYPE, "rank %d gave %zu %s, rank %d gave %zu %s", r, (size_t)t[r].envelope.count,
                cpar__type_name(t[r].envelope.type, his), g->rank, (size_t)own->count, cpar__type_name(type, mine));
        else if ((total += t[r].envelope.count) > CPAR__BYTES_MAX / type.size)
            cpar__note(p, CPAR_ERROR_MEMORY, "no memory for what all ranks gave");
        if (p->code) return NULL;
    }

    cpar_message *m = cpar__message_of_parts(type, (size_t)total, g->size);
    if (!m) {
        cpar__note(p, CPAR_ERROR_MEMORY, "no memory for a message of %zu bytes", (size_t)total * type.size);
        return NULL;
    }
    m->source = g->rank;
    m->starts[0] = 0;
    for (int r = 0; r < g->size; r++) m->starts[r + 1] = m->starts[r] + (size_t)t[r].envelope.count;
    return m;
}

/* Receives every other rank's part for nobody. */
static void discard_all(const cpar__call *call, cpar__problem *p)
{
    for (int r = 0; r < call->group->size; r++) {
        if (r == call->group->rank) continue;
        cpar__transfer t;
        cpar__start_receive(&t, call, r);
        cpar__complete(&t, 1);
        cpar__place(&t, NULL);
        cpar__finish(&t, 1, p);
    }
}

/* What this rank gives to each. */
typedef struct {
    const cpar_view *views; /* NULL: nothing, for it only collects */
    size_t step;            /* from a rank's view to the next one's; 0: all get the same */
} gift;

/* Collects what all ranks give to this one, while it gives. When all envelopes are there, the lengths are known and each
   payload has its place. Where a problem is noted already, the others are told, and what they give discarded. */
static cpar_message *collect(const cpar__call *call, const cpar_view *own, gift to, cpar__problem *p)
{
    const int size = call->group->size, rank = call->group->rank;
    const size_t all = (size_t)(to.views ? 2 * size - 1 : size);
    cpar__transfer few[CPAR__FEW], *t = cpar__find_transfers(few, all);
    cpar__problem room;
    const cpar__problem *told;

    if (!t) {
        cpar__note(p, CPAR_ERROR_MEMORY, "no memory for %d transfers", size);
        if (to.views) tell_all(call, p);
        discard_all(call, p);
        return NULL;
    }
    told = cpar__as_told(call, p, &room);
    cpar__start_own(&t[rank], call, own);
    for (int i = 1; i < size; i++) { /* each rank starts with another, so that none is asked by all at once */
        const int from = (rank + size - i) % size;
        cpar__start_receive(&t[from], call, from);
    }
    for (int i = 1; to.views && i < size; i++) {
        const int peer = (rank + i) % size;
        cpar__start_part(&t[size + i - 1], call, peer, &to.views[(size_t)peer * to.step], told);
    }
    cpar__complete_first(t, (size_t)size, all);

    cpar_message *m = p->code ? NULL : lay_out(t, call->group, p);
    for (int r = 0; r < size; r++) {
        cpar__place(&t[r], m ? m->data + m->starts[r] * m->type.size : NULL);
        cpar__advance(&t[r]);
    }
    if (m && own->count) memcpy(m->data + m->starts[rank] * m->type.size, cpar__view_data(own), own->count * m->type.size);
    cpar__finish(t, all, p);
    cpar__free_transfers(few, t);
    return m;
}

cpar_message *cpar__gather(const cpar__call *call, const cpar_view *value, cpar__problem *p)
{
    if (call->group->rank == call->peer) return collect(call, value, (gift){ 0 }, p);

    cpar__problem room;
    cpar__transfer t;
    cpar__start_part(&t, call, call->peer, value, cpar__as_told(call, p, &room));
    cpar__finish(&t, 1, p);
    return NULL;
}

cpar_message *cpar_gather_at(cpar_view value, const cpar_collective *c)
{
    const cpar__call call = cpar__collective_call(c->at, CPAR__GATHER, c->group, c->root);
    cpar_message *m = NULL;
    cpar__problem problem;
    cpar__begin(&problem);
    if (cpar__check_root(&problem, &call)) {
        cpar__check_view(&problem, &value);
        m = cpar__gather(&call, &value, &problem);
    }
    return cpar__hand_out(m, &call, &problem);
}

cpar_message *cpar_allgather_at(cpar_view value, const cpar_collective *c)
{
    const cpar__call call = cpar__collective_call(c->at, CPAR__ALLGATHER, c->group, 0);
    cpar_message *m = NULL;
    cpar__problem problem;
    cpar__begin(&problem);
    if (cpar__check_collective(&problem, &call)) {
        cpar__check_view(&problem, &value);
        m = collect(&call, &value, (gift){ &value, 0 }, &problem);
    }
    return cpar__hand_out(m, &call, &problem);
}

/* Whether there is a view for each rank, all sound and of one type. */
static bool check_views(cpar__problem *p, const cpar_view *views, int size, const cpar_group *g)
{
    char type[CPAR__TYPE_TEXT], first[CPAR__TYPE_TEXT];
    if (size != g->size || !views)
        return cpar__note(p, CPAR_ERROR_ARGUMENT, "%d views%s, accepted are %d, one for each rank", size, views ? "" : " at NULL", g->size);
    for (int r = 0; r < size; r++) {
        if (!cpar__check_view(p, &views[r])) return false;
        if (!cpar__type_same(views[r].type, views[0].type))
            return cpar__note(p, CPAR_ERROR_TYPE, "the view for rank %d is of %s, that for rank 0 of %s", r, cpar__type_name(views[r].type, type),
                cpar__type_name(views[0].type, first));
    }
    return true;
}

cpar_message *cpar_alltoall_at(const cpar_view *views, int size, const cpar_collective *c)
{
    const cpar__call call = cpar__collective_call(c->at, CPAR__ALLTOALL, c->group, 0);
    const cpar_view nothing = { .type = { CPAR_CHAR, 1 } };
    cpar_message *m = NULL;
    cpar__problem problem;
    cpar__begin(&problem);
    if (cpar__check_collective(&problem, &call)) {
        if (check_views(&problem, views, size, call.group))
            m = collect(&call, &views[call.group->rank], (gift){ views, 1 }, &problem);
        else
            collect(&call, &nothing, (gift){ &nothing, 0 }, &problem);
    }
    return cpar__hand_out(m, &call, &problem);
}
