#include "request.h"

#include <stdlib.h>

struct cpar_request {
    cpar__transfer transfer; /* first, for an abandoned request is freed by its address */
    cpar__call call;         /* by which it was opened: other threads read this, but not the transfer */
    cpar_view value;         /* of a send: here a scalar has its copy */
    bool is_send;
    TAILQ_ENTRY(cpar_request) open;
};

static TAILQ_HEAD(, cpar_request) open_requests = TAILQ_HEAD_INITIALIZER(open_requests);

/* NULL and a problem where memory is out. */
static cpar_request *open_request(const cpar__call *call, bool is_send, cpar__problem *p)
{
    cpar_request *r = malloc(sizeof *r);
    if (!r) {
        cpar__note(p, CPAR_ERROR_MEMORY, "no memory for a request");
        return NULL;
    }
    r->call = *call;
    r->is_send = is_send;
    cpar__lock();
    TAILQ_INSERT_TAIL(&open_requests, r, open);
    cpar__unlock();
    return r;
}

static void close_request(cpar_request *r)
{
    cpar__lock();
    TAILQ_REMOVE(&open_requests, r, open);
    cpar__unlock();
}

/* For a wait at that place: whoever waits advances the request itself. */
static void take_back(cpar_request *r, cpar_place at)
{
    cpar__take_back(&r->transfer);
    r->transfer.wait = at;
}

/* Ends a complete request. */
static cpar_message *end_request(cpar_request *r, int *code)
{
    cpar__transfer *t = &r->transfer;
    close_request(r);
    cpar__release(t);
    *code = cpar__raise(&t->call, &t->problem);
    cpar_message *m = cpar__take_message(t);
    free(r);
    return m;
}

cpar_request *cpar_isend_view_(const cpar_view *value, const cpar_p2p *c)
{
    cpar__call call;
    cpar_request *r = NULL;
    cpar__problem problem;
    cpar__fill_call(&call, c, CPAR__ISEND, c->rank);
    cpar__begin(&problem);
    if (cpar__check_send(&problem, &call, value)) r = open_request(&call, true, &problem);
    if (!r) {
        cpar__raise(&call, &problem);
        return NULL;
    }

    r->value = *value;
    if (call.peer == call.group->rank) {
        r->transfer = (cpar__transfer){ .call = call, .stage = CPAR__DONE };
        cpar__send_copy(&call, call.peer, value, &problem);
    } else {
        cpar__start_send(&r->transfer, &call, call.peer, &r->value);
        cpar__keep(&problem, &r->transfer.problem);
    }
    if (!problem.code) {
        if (!cpar__advance(&r->transfer)) cpar__leave(&r->transfer);
        return r;
    }
    cpar__release(&r->transfer);
    close_request(r);
    free(r);
    cpar__raise(&call, &problem);
    return NULL;
}

cpar_request *cpar_isend_at(cpar_view value, const cpar_p2p *c)
{
    return cpar_isend_view_(&value, c);
}

cpar_request *cpar_ireceive_at(const cpar_p2p *c)
{
    cpar__call call;
    cpar_request *r = NULL;
    cpar__problem problem;
    cpar__fill_call(&call, c, CPAR__IRECEIVE, c->rank);
    cpar__begin(&problem);
    if (cpar__check_receive(&problem, &call)) r = open_request(&call, false, &problem);
    if (!r) {
        cpar__raise(&call, &problem);
        return NULL;
    }
    cpar__start_receive_message(&r->transfer, &call, call.peer);
    cpar__leave(&r->transfer); /* without a look: a long payload that is there would come before what the program starts next */
    return r;
}

cpar_message *cpar_wait_at(cpar_request *r, cpar_place at)
{
    int code;
    cpar__problem problem;
    cpar__begin(&problem);
    if (!r) return NULL;
    take_back(r, at);
    cpar__complete(&r->transfer, 1);
    return end_request(r, &code);
}

bool cpar_test_at(cpar_request *r, cpar_message **m, cpar_place at)
{
    int code;
    cpar_message *none;
    cpar__problem problem;
    (void)at; /* it does not wait */
    cpar__begin(&problem);
    if (!m) m = &none;
    *m = NULL;
    if (!r) return true;
    cpar__take_back(&r->transfer);
    if (cpar__advance(&r->transfer)) {
        *m = end_request(r, &code);
        if (m == &none) cpar_free(none);
        return true;
    }
    cpar__advance_others(1); /* who only ever tests one request gets on with the others too */
    cpar__leave(&r->transfer);
    return false;
}

/* Advances n requests, up to the first that is complete. Returns its index, n when none is; *some is one that
   is not, NULL when there is none, and *idle whether all are. */
static size_t find_complete(cpar_request **rs, size_t n, cpar__transfer **some, bool *idle)
{
    *some = NULL;
    *idle = true;
    for (size_t i = 0; i < n; i++) {
        if (!rs[i]) continue;
        if (cpar__advance(&rs[i]->transfer)) return i;
        *some = &rs[i]->transfer;
        *idle = *idle && cpar__is_idle(*some);
    }
    return n;
}

cpar_message *cpar_wait_any_at(cpar_request **rs, size_t n, size_t *i, cpar_place at)
{
    int code;
    cpar__transfer *some;
    bool idle;
    cpar__patience patience = { 0 };
    cpar__problem problem;
    cpar__begin(&problem);
    for (size_t k = 0; k < n; k++)
        if (rs[k]) take_back(rs[k], at);
    while ((*i = find_complete(rs, n, &some, &idle)) == n && some) cpar__turn(&patience, some, idle);
    if (*i == n) return NULL;

    cpar_request *r = rs[*i];
    rs[*i] = NULL;
    for (size_t k = 0; k < n; k++)
        if (rs[k] && !cpar__advance(&rs[k]->transfer)) cpar__leave(&rs[k]->transfer);
    return end_request(r, &code);
}

int cpar_wait_all_at(cpar_request **rs, size_t n, cpar_place at)
{
    int first = 0, code;
    cpar__problem problem;
    cpar__begin(&problem);
    for (size_t i = 0; i < n; i++) {
        cpar_request *r = rs[i];
        if (!r) continue;
        take_back(r, at);
        cpar__complete(&r->transfer, 1);
        if (!r->is_send) continue;
        rs[i] = NULL;
        end_request(r, &code);
        if (!first) first = code;
    }
    return cpar__remember(first);
}

bool cpar__check_no_requests(cpar__problem *p, const cpar_group *g)
{
    char text[160];
    cpar_request *r;
    cpar__lock();
    TAILQ_FOREACH(r, &open_requests, open)
        if (r->call.group == g) {
            cpar__describe(text, sizeof text, &r->call);
            cpar__note(p, CPAR_ERROR_STATE, "a request of the group is still open: %s", text);
        }
    cpar__unlock();
    return !p->code;
}

void cpar__abandon_requests(cpar__problem *p)
{
    while (!TAILQ_EMPTY(&open_requests)) {
        cpar_request *r = TAILQ_FIRST(&open_requests);
        cpar__transfer *t = &r->transfer;
        char line[160];
        close_request(r);
        cpar__take_back(t);
        cpar__describe(line, sizeof line, &r->call);
        cpar__note(p, CPAR_ERROR_STATE, "a request was opened and never waited for: %s", line);
        cpar__cancel(t);
        cpar__detach(t);
    }
}
