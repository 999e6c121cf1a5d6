/* Transfers: one message on its way out or in, and the one loop in which cpar waits.

   A transfer is a small state machine with at most one MPI operation under way. A send sends its
   envelope, with the payload or its first piece behind it, then what is left piece by piece. A receive has its
   envelope land and rests there, until its owner says where the payload goes; then receives it
   there. Nothing here blocks but cpar__complete, which advances everything that is under way until its
   own transfers rest. */
#ifndef CPAR_TRANSFER_H
#define CPAR_TRANSFER_H

#include "lane.h"
#include "message.h"
#include "runtime.h"
#include "wire.h"

#include <sys/queue.h>

typedef struct cpar__transfer cpar__transfer;

enum { CPAR__SMALL = 256 };

struct cpar__transfer {
    cpar__call call;
    cpar_place wait;       /* where the program waits for it, if not in that call */
    cpar__problem problem; /* kept here until the owner asks */
    int peer, tag; /* of a receive: the actual ones when the envelope is there */

    enum { CPAR__SENDING, CPAR__LANDING_ENVELOPE, CPAR__RECEIVING, CPAR__ARRIVED, CPAR__DONE } stage;
    bool by_lane;           /* its envelope is under way in `letter` */
    cpar__letter letter;
    MPI_Request pending;    /* the one operation of MPI's under way, or MPI_REQUEST_NULL */
    unsigned char *landing; /* CPAR__LANDING bytes, or `small`: the envelope, and an inline payload */
    unsigned char small[CPAR__SMALL];

    cpar__envelope envelope;
    unsigned char *payload;
    size_t bytes; /* of the payload */
    size_t moved; /* of these: gone, or here */
    size_t piece; /* of these: in the pending send, or behind the envelope that has landed */
    size_t piece_most;

    bool makes_message; /* a receive that does not rest on arrival but goes on into `message` */
    cpar_message *message;
    const cpar_view *into; /* the same, into that */
    const cpar__transfer *feed; /* a forward's: the receive whose payload it sends on as that comes in */

    enum { CPAR__OWNED, CPAR__LISTED, CPAR__HELD } care; /* by its owner, by nobody, by a thread for a moment */
    bool detached;                         /* has no owner: freed when done */
    TAILQ_ENTRY(cpar__transfer) under_way; /* in the list of those that nobody waits for now */
    LIST_ENTRY(cpar__transfer) sequenced;  /* in the list of those that use a sequence */
};

/* Where the elements of a view are. */
static inline const unsigned char *cpar__view_data(const cpar_view *v)
{
    return v->scalar ? v->here.bytes : v->data;
}

/* Starts to send what a checked view shows to `peer`: a message under call->tag, or, when the call (which may be t->call already) is a
   collective, a part of that. The view's memory must stay until the transfer is done. */
void cpar__start_send(cpar__transfer *t, const cpar__call *call, int peer, const cpar_view *v);

/* One that is done at once: of what this rank gives to itself. */
void cpar__start_own(cpar__transfer *t, const cpar__call *call, const cpar_view *v);

/* Starts to send a problem: the other side's transfer ends with it. `text` must stay too. */
void cpar__start_problem(cpar__transfer *t, const cpar__call *call, int peer, const cpar__problem *text);

/* The same, of the payload that `feed`, a placed receive, gets. */
void cpar__start_forward(cpar__transfer *t, const cpar__call *call, int peer, const cpar__transfer *feed);

/* Starts to receive from `peer`, which may be CPAR_ANY_SOURCE. Rests as ARRIVED when the envelope is
   there, unless that told of a problem. */
void cpar__start_receive(cpar__transfer *t, const cpar__call *call, int peer);

/* The same without a rest: on arrival the payload is placed in a new message, the caller's. */
void cpar__start_receive_message(cpar__transfer *t, const cpar__call *call, int peer);

/* The same without a rest, into the view's memory, which must stay until the transfer is done; a problem when it does not fit. */
void cpar__start_receive_into(cpar__transfer *t, const cpar__call *call, int peer, const cpar_view *memory);

/* Whether what arrived fits a view's memory: the type, and the count or, for the same length, just that
   count. Else notes what came and what was asked for. */
bool cpar__fits(cpar__problem *p, const cpar__envelope *e, const cpar_view *v, bool same_length);

/* Lets an arrived transfer go on: the payload goes to `memory`, t->bytes of it, or is discarded when
   that is NULL. Does nothing where the transfer ended with a problem instead. */
void cpar__place(cpar__transfer *t, void *memory);

/* The message of a done transfer that makes one; NULL when anything went wrong. */
cpar_message *cpar__take_message(cpar__transfer *t);

/* Does what can be done without waiting. Returns whether the transfer rests: arrived or done. */
bool cpar__advance(cpar__transfer *t);

/* Advances n transfers and everything else that is under way until all n rest. Blocks. */
void cpar__complete(cpar__transfer *t, size_t n);

/* The same, until the first `wanted` of them rest. */
void cpar__complete_first(cpar__transfer *t, size_t wanted, size_t n);

/* Ends a receive for which nothing has come; if something may have, it goes on. */
void cpar__cancel(cpar__transfer *t);

/* Whether a message has come that nobody has asked for: from which rank of the group, and under which tag. */
bool cpar__probe(const cpar_group *g, int *source, int *tag);

/* Gives back what a done transfer holds. */
void cpar__release(cpar__transfer *t);

/* Lets a transfer that does not rest go on while its owner does other things: whoever waits for anything
   advances it too. */
void cpar__leave(cpar__transfer *t);

/* Gives it back to its owner. */
void cpar__take_back(cpar__transfer *t);

/* Lets a transfer on the heap go on without an owner: with its message it is freed when done. */
void cpar__detach(cpar__transfer *t);

/* Advances those left to go on until none of the group's is left, which are complete on the other side already. Ten
   seconds bring to an end what MPI does not bring to one: then false. */
bool cpar__let_end(const cpar_group *g);

/* Gives some turns to those left to go on. Returns how many are left. */
size_t cpar__advance_others(int turns);

/* Whether a transfer that does not rest just waits for the other side to begin. */
static inline bool cpar__is_idle(const cpar__transfer *t)
{
    return t->stage == CPAR__LANDING_ENVELOPE;
}

/* One turn of a loop that waits for t: advances one of those left to go on, and, as the wait gets long,
   lets other processes have the core, then, if all that is waited for is idle, sleeps; and tells what is waited for. Zeroed
   at the wait's start. */
typedef struct {
    unsigned long turns;
    double began, tell_at; /* seconds of cpar_time, and seconds waited */
    long nap_ns;
} cpar__patience;
void cpar__turn(cpar__patience *patience, const cpar__transfer *t, bool idle);

/* What goes on besides in this thread's turns: its pools. Tells whether all that it waits for is idle. NULL: nothing. */
extern _Thread_local bool (*cpar__beside)(void);

/* After this time, when it is not 0, a long wait ends the job with the status cpar__failure. */
extern double cpar__wait_until;

/* Forgets what is still under way, and frees the landing buffers that are kept. */
void cpar__transfers_end(void);

#endif
