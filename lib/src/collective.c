/* Collectives, made of transfers: whatever they wait for, everything else goes on too, and no rank's
   choice of method can differ from another's, for there is nothing to choose: a receiver learns
   from the envelope what comes. Each envelope names its collective, so ranks that are in
   different ones find out.

   A rank that can't do its part says so to those who wait for it, instead of leaving them waiting. */
#include "collective.h"

#include "type.h"

#include <stdlib.h>
#include <string.h>

static cpar__call call_of(const cpar_collective *c, cpar__operation operation)
{
    return (cpar__call){ .at = c->at, .operation = operation, .group = cpar__group_of(c->group), .peer = c->root };
}

static bool check_root(cpar__problem *p, const cpar__call *call)
{
    return cpar__check_running(p) && cpar__check_rank(p, call->group, "root", call->peer);
}

/* Completes n transfers, keeps the first problem among them, and releases them. */
static void finish(cpar__transfer *t, size_t n, cpar__problem *p)
{
    cpar__complete(t, n);
    for (size_t i = 0; i < n; i++) {
        cpar__keep(p, &t[i].problem);
        cpar__release(&t[i]);
    }
}

/* What others are told of this rank's problem: in `room`, with code 0 when there is none. */
static const cpar__problem *as_told(const cpar__call *call, const cpar__problem *p, cpar__problem *room)
{
    room->code = 0;
    if (p->code) cpar__note(room, p->code, "rank %d: %.200s", call->group->rank, p->why);
    return room;
}

/* Starts to send the value, or what there is to tell instead. */
static void start_part(cpar__transfer *t, const cpar__call *call, int peer, const cpar_view *value, const cpar__problem *told)
{
    if (told->code)
        cpar__start_problem(t, call, peer, told);
    else
        cpar__start_send(t, call, peer, value);
}

/* A message of a part of this rank's own value. */
static cpar_message *copy_of(const cpar_view *v, cpar_range part, int root, cpar__problem *p)
{
    const size_t count = part.hi - part.lo;
    cpar_message *m = cpar__message_new(v->type, count);
    if (!m) {
        cpar__note(p, CPAR_ERROR_MEMORY, "no memory for a message of %zu bytes", count * v->type.size);
        return NULL;
    }
    m->source = root;
    if (count) memcpy(m->data, cpar__view_data(v) + part.lo * v->type.size, count * v->type.size);
    return m;
}

/* The message when all went well; else raises the problem. */
static cpar_message *hand_out(cpar_message *m, const cpar__call *call, const cpar__problem *p)
{
    if (!p->code) return m;
    cpar_free(m);
    cpar__raise(call, p);
    return NULL;
}

/* ---- Barrier -------------------------------------------------------------------------------- */

/* Dissemination (Hensgen, Finkel and Manber, 1988): after the round of distance d this rank has heard,
   directly or through others, of the 2d - 1 ranks before it. */
void cpar__barrier(const cpar__call *call, cpar__problem *p)
{
    const int rank = call->group->rank, size = call->group->size;
    const cpar_view nothing = { .type = { CPAR_CHAR, 1 } };
    for (int distance = 1; distance < size; distance *= 2) {
        cpar__transfer t[2];
        cpar__start_receive(&t[0], call, (rank - distance + size) % size);
        cpar__start_send(&t[1], call, (rank + distance) % size, &nothing);
        cpar__complete(t, 2);
        cpar__place(&t[0], NULL);
        finish(t, 2, p);
    }
}

int cpar_barrier_at(const cpar_collective *c)
{
    const cpar__call call = call_of(c, CPAR__BARRIER);
    cpar__problem problem;
    cpar__begin(&problem);
    if (cpar__check_running(&problem)) cpar__barrier(&call, &problem);
    return cpar__raise(&call, &problem);
}

/* ---- Broadcast ------------------------------------------------------------------------------ */

/* A rank's place in the binomial tree over the ranks counted from the root. */
typedef struct {
    int parent; /* -1 at the root */
    int children[31], count;
} branch;

static branch find_branch(const cpar__call *call)
{
    const int size = call->group->size, root = call->peer, relative = (call->group->rank - root + size) % size;
    branch b = { .parent = -1 };
    int span = 1;
    while (span < size && !(relative & span)) span *= 2;
    if (relative) b.parent = (relative - span + root) % size;
    while (span /= 2)
        if (relative + span < size) b.children[b.count++] = (relative + span + root) % size;
    return b;
}

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
    const branch b = find_branch(call);
    cpar__problem room;
    const cpar__problem *told = as_told(call, p, &room);
    cpar__transfer t[31];
    for (int i = 0; i < b.count; i++) {
        start_part(&t[i], call, b.children[i], value, told);
        cut_finer(&t[i]);
    }
    finish(t, (size_t)b.count, p);
}

/* The others' part: receives into `memory`, or into a new message where that is NULL, and passes on what
   comes, also when it does not fit here. */
static cpar_message *broadcast_from_parent(const cpar__call *call, const cpar_view *memory, cpar__problem *p)
{
    const branch b = find_branch(call);
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
    const cpar__problem *told = in->envelope.error ? &in->problem : as_told(call, &in->problem, &room);
    for (int i = 0; i < b.count; i++) {
        if (told->code)
            cpar__start_problem(&t[1 + i], call, b.children[i], told);
        else
            cpar__start_forward(&t[1 + i], call, b.children[i], in);
        cut_finer(&t[1 + i]);
    }
    finish(t, (size_t)(1 + b.count), p);
    free(scratch);
    return m;
}

int cpar_broadcast_at(cpar_view memory, const cpar_collective *c)
{
    const cpar__call call = call_of(c, CPAR__BROADCAST);
    cpar__problem problem;
    cpar__begin(&problem);
    if (!check_root(&problem, &call)) return cpar__raise(&call, &problem);

    cpar__check_memory(&problem, &memory);
    if (call.group->rank == c->root)
        broadcast_from_root(&call, &memory, &problem);
    else
        broadcast_from_parent(&call, &memory, &problem);
    return cpar__raise(&call, &problem);
}

cpar_message *cpar_broadcast_message_at(cpar_view value, const cpar_collective *c)
{
    const cpar__call call = call_of(c, CPAR__BROADCAST_MESSAGE);
    cpar_message *m = NULL;
    cpar__problem problem;
    cpar__begin(&problem);
    if (!check_root(&problem, &call)) return hand_out(NULL, &call, &problem);

    if (call.group->rank == c->root) {
        if (cpar__check_view(&problem, &value)) m = copy_of(&value, (cpar_range){ 0, value.count }, c->root, &problem);
        broadcast_from_root(&call, &value, &problem);
    } else
        m = broadcast_from_parent(&call, NULL, &problem);
    return hand_out(m, &call, &problem);
}

/* ---- Scatter -------------------------------------------------------------------------------- */

cpar_range cpar_balance(size_t n, int size, int rank)
{
    if (rank < 0 || rank >= size) return (cpar_range){ n, n };
    const size_t share = n / (size_t)size, extra = n % (size_t)size, r = (size_t)rank;
    const size_t lo = r * share + (r < extra ? r : extra);
    return (cpar_range){ lo, lo + share + (r < extra) };
}

/* What rank r gets of n elements. */
static cpar_range share_of(size_t n, const size_t *counts, int size, int r)
{
    if (!counts) return cpar_balance(n, size, r);
    cpar_range share = { 0, 0 };
    for (int i = 0; i < r; i++) share.lo += counts[i];
    share.hi = share.lo + counts[r];
    return share;
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
    const cpar__problem *told = as_told(call, p, &room);
    for (int r = 0; r < call->group->size; r++) {
        if (r == call->group->rank) continue;
        cpar__transfer t;
        cpar__start_problem(&t, call, r, told);
        finish(&t, 1, p);
    }
}

/* The root's part: sends each share straight from its place in `all`, all at once. */
static cpar_message *scatter_from_root(const cpar__call *call, const cpar_view *all, const size_t *counts, cpar__problem *p)
{
    const int size = call->group->size;
    cpar__transfer *t = malloc((size_t)size * sizeof *t);
    cpar_message *own = NULL;
    size_t n = 0;

    if (cpar__check_view(p, all) && counts) check_counts(p, counts, size, all->count);
    if (!t) cpar__note(p, CPAR_ERROR_MEMORY, "no memory for %d transfers", size);
    if (!p->code) own = copy_of(all, share_of(all->count, counts, call->group->size, call->peer), call->peer, p);
    if (p->code) {
        free(t);
        tell_all(call, p);
        return NULL;
    }
    for (int r = 0; r < size; r++) {
        const cpar_range share = share_of(all->count, counts, size, r);
        const cpar_view part = { .data = cpar__view_data(all) + share.lo * all->type.size, .count = share.hi - share.lo, .type = all->type };
        if (r != call->peer) cpar__start_send(&t[n++], call, r, &part);
    }
    finish(t, n, p);
    free(t);
    return own;
}

cpar_message *cpar_scatter_at(cpar_view all, const cpar_collective *c)
{
    const cpar__call call = call_of(c, CPAR__SCATTER);
    cpar_message *m;
    cpar__problem problem;
    cpar__begin(&problem);
    if (!check_root(&problem, &call)) return hand_out(NULL, &call, &problem);

    if (call.group->rank == c->root)
        m = scatter_from_root(&call, &all, c->counts, &problem);
    else {
        cpar__transfer t;
        cpar__start_receive_message(&t, &call, c->root);
        finish(&t, 1, &problem);
        m = t.message;
    }
    return hand_out(m, &call, &problem);
}

/* ---- Gather --------------------------------------------------------------------------------- */

/* Lays out the parts behind each other: checks that they are of one type, and makes the message. */
static cpar_message *lay_out(const cpar__transfer *t, int size, int root, cpar__problem *p)
{
    const cpar_type type = t[root].envelope.type;
    uint64_t total = 0;
    for (int r = 0; r < size; r++) {
        char his[CPAR__TYPE_TEXT], mine[CPAR__TYPE_TEXT];
        if (t[r].problem.code)
            cpar__keep(p, &t[r].problem);
        else if (!cpar__type_same(t[r].envelope.type, type))
            cpar__note(p, CPAR_ERROR_TYPE, "rank %d gave %zu %s, rank %d gave %zu %s", r, (size_t)t[r].envelope.count,
                cpar__type_name(t[r].envelope.type, his), root, (size_t)t[root].envelope.count, cpar__type_name(type, mine));
        else if ((total += t[r].envelope.count) > CPAR__BYTES_MAX / type.size)
            cpar__note(p, CPAR_ERROR_MEMORY, "no memory for what all ranks gave");
        if (p->code) return NULL;
    }

    cpar_message *m = cpar__message_new(type, (size_t)total);
    if (m) m->starts = malloc(((size_t)size + 1) * sizeof *m->starts);
    if (!m || !m->starts) {
        cpar__note(p, CPAR_ERROR_MEMORY, "no memory for a message of %zu bytes", (size_t)total * type.size);
        cpar_free(m);
        return NULL;
    }
    m->source = root;
    m->parts = size;
    m->starts[0] = 0;
    for (int r = 0; r < size; r++) m->starts[r + 1] = m->starts[r] + (size_t)t[r].envelope.count;
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
        finish(&t, 1, p);
    }
}

/* The root's part: when all envelopes are there, the lengths are known and each payload has its place. */
static cpar_message *gather_at_root(const cpar__call *call, const cpar_view *value, cpar__problem *p)
{
    const int size = call->group->size, root = call->peer;
    cpar__transfer *t = malloc((size_t)size * sizeof *t);
    if (!t) {
        cpar__note(p, CPAR_ERROR_MEMORY, "no memory for %d transfers", size);
        discard_all(call, p);
        return NULL;
    }
    for (int r = 0; r < size; r++) {
        if (r == root)
            t[r] = (cpar__transfer){ .stage = CPAR__DONE, .envelope = { .type = value->type, .count = value->count } };
        else
            cpar__start_receive(&t[r], call, r);
    }
    cpar__complete(t, (size_t)size);

    cpar_message *m = p->code ? NULL : lay_out(t, size, root, p);
    for (int r = 0; r < size; r++) cpar__place(&t[r], m ? m->data + m->starts[r] * m->type.size : NULL);
    if (m && value->count) memcpy(m->data + m->starts[root] * m->type.size, cpar__view_data(value), value->count * m->type.size);
    finish(t, (size_t)size, p);
    free(t);
    return m;
}

cpar_message *cpar__gather(const cpar__call *call, const cpar_view *value, cpar__problem *p)
{
    if (call->group->rank == call->peer) return gather_at_root(call, value, p);

    cpar__problem room;
    cpar__transfer t;
    start_part(&t, call, call->peer, value, as_told(call, p, &room));
    finish(&t, 1, p);
    return NULL;
}

cpar_message *cpar_gather_at(cpar_view value, const cpar_collective *c)
{
    const cpar__call call = call_of(c, CPAR__GATHER);
    cpar_message *m = NULL;
    cpar__problem problem;
    cpar__begin(&problem);
    if (check_root(&problem, &call)) {
        cpar__check_view(&problem, &value);
        m = cpar__gather(&call, &value, &problem);
    }
    return hand_out(m, &call, &problem);
}
