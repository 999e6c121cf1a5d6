#include "p2p.h"

#include "type.h"

#include <stdlib.h>
#include <string.h>

/* ---- Checks --------------------------------------------------------------------------------- */

bool cpar__check_view(cpar__problem *p, const cpar_view *v)
{
    const bool exists = cpar__type_exists(v->type), placed = v->data || v->count == 0 || (v->scalar && v->count == 1 && v->type.size <= sizeof v->here);
    uint64_t bytes;
    if (exists && placed && !__builtin_mul_overflow(v->count, v->type.size, &bytes) && bytes <= CPAR__BYTES_MAX) return true;

    char name[CPAR__TYPE_TEXT];
    cpar__type_name(v->type, name);
    if (!exists) return cpar__note(p, CPAR_ERROR_TYPE, "the view is of no type of C: %s", name);
    return cpar__note(p, CPAR_ERROR_ARGUMENT, "the view of %zu %s is %s", v->count, name, placed ? "longer than any memory" : "at NULL");
}

bool cpar__check_memory(cpar__problem *p, const cpar_view *v)
{
    if (!cpar__check_view(p, v)) return false;
    return !(v->constant || v->scalar) || cpar__note(p, CPAR_ERROR_ARGUMENT, "the memory to fill is const");
}

bool cpar__check_rank(cpar__problem *p, const cpar_group *g, const char *what, int rank)
{
    const int size = g->size;
    return (rank >= 0 && rank < size) || cpar__note(p, CPAR_ERROR_RANK, "the %s is %d, accepted are 0 to %d", what, rank, size - 1);
}

static bool check_tag(cpar__problem *p, int tag)
{
    return (tag >= 0 && tag <= cpar__tag_max) || cpar__note(p, CPAR_ERROR_TAG, "the tag is %d, accepted are 0 to %d", tag, cpar__tag_max);
}

bool cpar__check_send(cpar__problem *p, const cpar__call *call, const cpar_view *v)
{
    return cpar__check_running(p) && cpar__check_view(p, v) && cpar__check_rank(p, call->group, "destination", call->peer) && check_tag(p, call->tag);
}

bool cpar__check_receive(cpar__problem *p, const cpar__call *call)
{
    return cpar__check_running(p) && (call->peer == CPAR_ANY_SOURCE || cpar__check_rank(p, call->group, "source", call->peer))
        && (call->tag == CPAR_ANY_TAG || check_tag(p, call->tag));
}

/* ---- Sending -------------------------------------------------------------------------------- */

void cpar__fill_call(cpar__call *call, const cpar_p2p *c, cpar__operation operation, int peer)
{
    /* Member by member: what is copied whole would be loaded wider than it has just been stored, and a processor waits for that. */
    call->at.file = c->at.file;
    call->at.line = c->at.line;
    call->operation = operation;
    call->group = cpar__group_of(c->group);
    call->tag = c->tag;
    call->peer = peer;
    call->reduction = 0;
    call->turn = 0;
}

bool cpar__send_copy(const cpar__call *call, int peer, const cpar_view *v, cpar__problem *p)
{
    const size_t bytes = v->count * v->type.size;
    struct {
        cpar__transfer transfer; /* first, for the whole is freed by its address */
        unsigned char payload[];
    } *copy = malloc(sizeof *copy + bytes);
    if (!copy) return cpar__note(p, CPAR_ERROR_MEMORY, "no memory for a copy of %zu bytes", bytes);

    if (bytes) memcpy(copy->payload, cpar__view_data(v), bytes);
    cpar__start_send(&copy->transfer, call, peer, &(cpar_view){ .data = copy->payload, .count = v->count, .type = v->type });
    cpar__keep(p, &copy->transfer.problem);
    cpar__detach(&copy->transfer);
    return !p->code;
}

int cpar_send_view_(const cpar_view *value, const cpar_p2p *c)
{
    cpar__transfer t;
    cpar__fill_call(&t.call, c, CPAR__SEND, c->rank);
    cpar__begin(&t.problem);
    if (!cpar__check_send(&t.problem, &t.call, value)) return cpar__raise(&t.call, &t.problem);

    if (t.call.peer == t.call.group->rank)
        cpar__send_copy(&t.call, t.call.peer, value, &t.problem);
    else {
        cpar__start_send(&t, &t.call, t.call.peer, value);
        cpar__complete(&t, 1);
        cpar__release(&t);
    }
    return cpar__raise(&t.call, &t.problem);
}

int cpar_send_at(cpar_view value, const cpar_p2p *c)
{
    return cpar_send_view_(&value, c);
}

/* ---- Receiving ------------------------------------------------------------------------------ */

static void fill_status(const cpar_p2p *c, const cpar__transfer *t)
{
    if (c->status)
        *c->status = (cpar_status){ .source = t->call.peer, .tag = t->call.tag, .count = (size_t)t->envelope.count, .bytes = t->bytes };
}

cpar_message *cpar_receive_at(const cpar_p2p *c)
{
    cpar__transfer t;
    cpar__fill_call(&t.call, c, CPAR__RECEIVE, c->rank);
    cpar__begin(&t.problem);
    if (!cpar__check_receive(&t.problem, &t.call)) {
        cpar__raise(&t.call, &t.problem);
        return NULL;
    }
    cpar__start_receive_message(&t, &t.call, t.call.peer);
    cpar__complete(&t, 1);
    cpar__release(&t);
    fill_status(c, &t);
    cpar__raise(&t.call, &t.problem);
    return cpar__take_message(&t);
}

int cpar_receive_into_view_(const cpar_view *memory, const cpar_p2p *c)
{
    cpar__transfer t;
    cpar__fill_call(&t.call, c, CPAR__RECEIVE, c->rank);
    cpar__begin(&t.problem);
    if (!cpar__check_receive(&t.problem, &t.call) || !cpar__check_memory(&t.problem, memory)) return cpar__raise(&t.call, &t.problem);

    cpar__start_receive_into(&t, &t.call, t.call.peer, memory);
    cpar__complete(&t, 1);
    cpar__release(&t);
    fill_status(c, &t);
    return cpar__raise(&t.call, &t.problem);
}

int cpar_receive_into_at(cpar_view memory, const cpar_p2p *c)
{
    return cpar_receive_into_view_(&memory, c);
}

cpar_message *cpar_exchange_view_(const cpar_view *value, int destination, const cpar_p2p *c)
{
    cpar__call to, from;
    cpar__problem problem;
    cpar__fill_call(&to, c, CPAR__EXCHANGE_SEND, destination);
    cpar__fill_call(&from, c, CPAR__EXCHANGE_RECEIVE, c->rank);
    cpar__begin(&problem);
    if (!cpar__check_send(&problem, &to, value)) {
        cpar__raise(&to, &problem);
        return NULL;
    }
    if (!cpar__check_receive(&problem, &from)) {
        cpar__raise(&from, &problem);
        return NULL;
    }
    cpar__transfer t[2];
    size_t n = 1;
    if (destination == to.group->rank && !cpar__send_copy(&to, destination, value, &problem)) {
        cpar__raise(&to, &problem);
        return NULL;
    }
    cpar__start_receive_message(&t[0], &from, from.peer);
    if (destination != to.group->rank) cpar__start_send(&t[n++], &to, destination, value);
    cpar__complete(t, n);
    for (size_t i = 0; i < n; i++) cpar__release(&t[i]);
    fill_status(c, &t[0]);
    for (size_t i = 0; i < n; i++)
        if (t[i].problem.code) {
            cpar_free(t[0].message);
            cpar__raise(&t[i].call, &t[i].problem);
            return NULL;
        }
    return t[0].message;
}

cpar_message *cpar_exchange_at(cpar_view value, int destination, const cpar_p2p *c)
{
    return cpar_exchange_view_(&value, destination, c);
}

/* ---- What is left --------------------------------------------------------------------------- */

void cpar__discard_unreceived(const cpar__call *at_end, const cpar_group *g, cpar__problem *p)
{
    cpar__problem first = { .code = 0 };
    int source, tag, count = 0;
    while (cpar__probe(g, &source, &tag)) {
        const cpar__call call = { .at = at_end->at, .operation = CPAR__RECEIVE, .group = g, .peer = source, .tag = tag };
        char name[CPAR__TYPE_TEXT];
        cpar__transfer t;
        cpar__start_receive(&t, &call, call.peer);
        cpar__complete(&t, 1);
        if (t.problem.code) {
            cpar__keep(p, &t.problem);
            cpar__release(&t);
            return;
        }
        cpar__note(&first, CPAR_ERROR_STATE, "%zu %s from rank %d, tag %d", (size_t)t.envelope.count,
            cpar__type_name(t.envelope.type, name), t.peer, t.tag);
        cpar__place(&t, NULL);
        cpar__complete(&t, 1);
        cpar__release(&t);
        count++;
    }
    if (count) cpar__note(p, CPAR_ERROR_STATE, "nobody received %.160s%s", first.why, count > 1 ? ", and more" : "");
}
