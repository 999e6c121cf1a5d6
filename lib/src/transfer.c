#include "transfer.h"

#include "type.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- Landing buffers: some are kept, so that small messages allocate nothing ----------------------- */

typedef union landing {
    union landing *next;
    unsigned char bytes[CPAR__LANDING];
} landing;

enum { SPARE_MOST = 256 };

static landing *spare;
static int spare_count;

static unsigned char *take_landing(void)
{
    cpar__lock();
    landing *l = spare;
    if (l) {
        spare = l->next;
        spare_count--;
    }
    cpar__unlock();
    if (!l) l = malloc(sizeof *l);
    return l ? l->bytes : NULL;
}

static void give_landing(unsigned char *bytes)
{
    landing *l = (landing *)(void *)bytes;
    cpar__lock();
    const bool keep = spare_count < SPARE_MOST;
    if (keep) {
        l->next = spare;
        spare = l;
        spare_count++;
    }
    cpar__unlock();
    if (!keep) free(l);
}

/* ---- Sequences: tags that pair a payload with its envelope ---------------------------------- */

/* A payload's sends are synchronous, so one that is complete has been matched: the sequences in use
   are exactly those of the transfers in this list, and no other payload to the same rank can be taken
   for theirs, in whatever order the envelopes are received. */
static LIST_HEAD(, cpar__transfer) sequenced = LIST_HEAD_INITIALIZER(sequenced);
static int last_sequence;
static bool all_used_once; /* before that none can be in use */

static bool in_use(const cpar__transfer *t, int sequence)
{
    const cpar__transfer *other;
    if (!all_used_once) return false;
    LIST_FOREACH(other, &sequenced, sequenced)
        if (other->envelope.sequence == (uint32_t)sequence && other->peer == t->peer && other->call.group == t->call.group) return true;
    return false;
}

/* False, with a problem noted, when all are in use. To wait for one would let later messages overtake. */
static bool take_sequence(cpar__transfer *t)
{
    cpar__lock();
    const int most = cpar__setting.sequences, start = last_sequence % most;
    bool found;
    do {
        all_used_once = all_used_once || last_sequence == most;
        last_sequence = last_sequence % most + 1;
        found = !in_use(t, last_sequence);
    } while (!found && last_sequence % most != start);
    if (found) {
        t->envelope.sequence = (uint32_t)last_sequence;
        LIST_INSERT_HEAD(&sequenced, t, sequenced);
    }
    cpar__unlock();
    return found || cpar__note(&t->problem, CPAR_ERROR_STATE, "%d long messages to rank %d are under way, and no more can be", most, t->peer);
}

static void give_sequence(cpar__transfer *t)
{
    cpar__lock();
    LIST_REMOVE(t, sequenced);
    cpar__unlock();
}

/* ---- The state machine ---------------------------------------------------------------------- */

static void end(cpar__transfer *t)
{
    if (t->stage == CPAR__SENDING && t->envelope.sequence) give_sequence(t);
    t->stage = CPAR__DONE;
}

/* The result of an MPI call that starts or tests this transfer's operation. After a failure nothing more can
   be known of it. */
static bool check_mpi(cpar__transfer *t, int result)
{
    if (cpar__check_mpi(&t->problem, result)) return true;
    end(t);
    return false;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How much of the payload may be sent already. */
static size_t available(const cpar__transfer *t)
{
    return t->feed ? t->feed->moved : t->bytes;
}

/* False when that has to wait for the feed. */
static bool send_piece(cpar__transfer *t)
{
    if (t->moved == t->bytes) {
        end(t);
        return true;
    }
    if (t->feed && t->feed->problem.code) {
        cpar__keep(&t->problem, &t->feed->problem);
        end(t);
        return true;
    }
    t->piece = least(available(t) - t->moved, t->piece_most);
    return t->piece
        && check_mpi(t, MPI_Issend(t->payload + t->moved, (int)t->piece, MPI_BYTE, t->peer, (int)t->envelope.sequence, t->call.group->internal, &t->pending));
}

/* A payload that nobody has memory for goes into the landing buffer, over and over: a type of blocks with
   no distance between them. MPI does not promise that this works; Open MPI and MPICH do it. (To receive into too
   little memory is no way to drop the rest: Open MPI 4.1.4 writes past the end of it for messages above
   its eager limit.) */
static int drain(cpar__transfer *t, int room)
{
    MPI_Datatype type;
    int result = MPI_Type_create_hvector((room + CPAR__LANDING - 1) / CPAR__LANDING, CPAR__LANDING, 0, MPI_BYTE, &type);
    if (result == MPI_SUCCESS) result = MPI_Type_commit(&type);
    if (result == MPI_SUCCESS) result = MPI_Irecv(t->landing, 1, type, t->peer, (int)t->envelope.sequence, t->call.group->internal, &t->pending);
    if (result == MPI_SUCCESS) result = MPI_Type_free(&type);
    return result;
}

static bool receive_piece(cpar__transfer *t)
{
    if (t->moved == t->bytes) {
        end(t);
        return true;
    }
    const int room = (int)least(t->bytes - t->moved, CPAR__PIECE_MAX);
    return check_mpi(t, t->payload ? MPI_Irecv(t->payload + t->moved, room, MPI_BYTE, t->peer, (int)t->envelope.sequence, t->call.group->internal, &t->pending)
                                   : drain(t, room));
}

bool cpar__fits(cpar__problem *p, const cpar__envelope *e, const cpar_view *v, bool same_length)
{
    char came[CPAR__TYPE_TEXT], asked[CPAR__TYPE_TEXT];
    const bool same_type = cpar__type_same(e->type, v->type);
    if (same_type && (same_length ? e->count == v->count : e->count <= v->count)) return true;
    return cpar__note(p, same_type ? CPAR_ERROR_LENGTH : CPAR_ERROR_TYPE, "the message holds %zu %s, asked for %s%zu %s",
        (size_t)e->count, cpar__type_name(e->type, came), same_length ? "" : "up to ", v->count, cpar__type_name(v->type, asked));
}

static void place_message(cpar__transfer *t)
{
    cpar_message *m = cpar__message_new(t->envelope.type, (size_t)t->envelope.count);
    if (m) {
        m->source = t->call.peer;
        m->tag = t->tag;
    } else
        cpar__note(&t->problem, CPAR_ERROR_MEMORY, "no memory for a message of %zu bytes", t->bytes);
    t->message = m;
    cpar__place(t, m ? m->data : NULL);
}

/* The other side is in another collective, or in another call of the same. */
static void note_other_call(cpar__transfer *t, const cpar__envelope *expected)
{
    const cpar__envelope *e = &t->envelope;
    char theirs[128], turns[96] = "";
    cpar__describe(theirs, sizeof theirs, &(cpar__call){ .operation = e->operation, .peer = (int)e->root, .reduction = e->reduction });
    if (e->turn != expected->turn)
        snprintf(turns, sizeof turns, " as its collective %u, this one is %u: they have disagreed before", e->turn, expected->turn);
    cpar__note(&t->problem, CPAR_ERROR_STATE, "rank %d called %s instead%s", t->peer, theirs, turns);
    if (e->operation == CPAR__EXIT && (e->root & 255) == e->root) t->problem.status = (int)e->root;
}

/* An envelope has landed in `arrived` bytes, which are not to be trusted. */
static void read_envelope(cpar__transfer *t, size_t arrived)
{
    const cpar__envelope expected = t->envelope;
    const char *wrong = cpar__envelope_read(&t->envelope, t->landing, arrived);
    if (!wrong && t->envelope.sequence > (uint32_t)cpar__tag_max) wrong = "its header tells of a sequence beyond MPI's tags";
    if (wrong) {
        t->envelope = (cpar__envelope){ 0 };
        cpar__note(&t->problem, CPAR_ERROR_WIRE, "what arrived is not a message of this cpar: %s", wrong);
        end(t);
        return;
    }
    t->bytes = (size_t)(t->envelope.count * t->envelope.type.size);
    t->piece = arrived - t->envelope.header;
    t->stage = CPAR__ARRIVED;
    if (!cpar__envelope_same_call(&t->envelope, &expected)) {
        note_other_call(t, &expected);
        cpar__place(t, NULL);
    } else if (t->envelope.error) {
        cpar__note(&t->problem, t->envelope.error, "%.*s", (int)t->bytes, (const char *)t->landing + t->envelope.header);
        t->problem.told = true;
        end(t);
    } else if (t->makes_message)
        place_message(t);
    else if (t->into)
        cpar__place(t, cpar__fits(&t->problem, &t->envelope, t->into, t->into->exact) ? (void *)t->into->data : NULL);
}

static bool is_cancelled(const MPI_Status *status)
{
    int cancelled;
    MPI_Test_cancelled(status, &cancelled);
    return cancelled;
}

/* An envelope has come. */
static void land(cpar__transfer *t, int from, int tag, size_t arrived)
{
    t->peer = from;
    t->tag = tag;
    if (cpar__is_message(t->call.operation)) {
        t->call.peer = from;
        t->call.tag = tag;
    }
    read_envelope(t, arrived);
}

/* The same, through a lane; or one is gone. */
static void take_letter(cpar__transfer *t)
{
    cpar__letter *l = &t->letter;
    unsigned char *const own = t->landing;
    if (t->stage == CPAR__SENDING)
        t->moved += t->piece;
    else {
        t->landing = l->bytes;
        land(t, t->call.group->ranks[l->lane], l->tag, l->length);
        if (t->stage == CPAR__ARRIVED && own != l->bytes) memcpy(own, l->bytes, l->length);
        t->landing = own;
    }
    cpar__letter_end(l);
    t->by_lane = false;
}

/* Takes note of what a completed operation of MPI's did. */
static void take_note(cpar__transfer *t, const MPI_Status *status)
{
    int arrived;
    if (t->stage == CPAR__SENDING) {
        t->moved += t->piece;
        return;
    }
    if (t->detached && is_cancelled(status)) {
        end(t);
        return;
    }
    MPI_Get_count(status, MPI_BYTE, &arrived);
    if (t->stage == CPAR__RECEIVING) {
        t->moved += (size_t)arrived;
        return;
    }
    land(t, status->MPI_SOURCE, status->MPI_TAG, (size_t)arrived);
}

bool cpar__advance(cpar__transfer *t)
{
    while (t->stage < CPAR__ARRIVED) {
        if (t->by_lane) {
            if (!cpar__letter_test(&t->letter)) return false;
            take_letter(t);
        } else if (t->pending != MPI_REQUEST_NULL) {
            int done = 0;
            MPI_Status status;
            if (!check_mpi(t, MPI_Test(&t->pending, &done, &status))) return true;
            if (!done) return false;
            take_note(t, &status);
        } else if (!(t->stage == CPAR__SENDING ? send_piece(t) : receive_piece(t)))
            return t->stage == CPAR__DONE;
    }
    return true;
}

/* ---- Starting ------------------------------------------------------------------------------- */

/* Sets every member that both directions have. */
static void start(cpar__transfer *t, const cpar__call *call, int peer)
{
    const bool message = cpar__is_message(call->operation);
    if (call != &t->call) t->call = *call;
    t->wait.file = NULL;
    t->problem.code = 0;
    t->peer = peer;
    t->tag = message ? call->tag : 0;
    t->stage = CPAR__DONE;
    t->pending = MPI_REQUEST_NULL;
    t->by_lane = false;
    t->landing = t->small;
    t->envelope = (cpar__envelope){ .operation = CPAR__MESSAGE };
    if (!message) {
        t->envelope.operation = (uint8_t)call->operation;
        t->envelope.reduction = call->reduction;
        t->envelope.root = (uint32_t)call->peer;
        t->envelope.turn = call->turn;
    }
    t->payload = NULL;
    t->bytes = t->moved = t->piece = 0;
    t->piece_most = (size_t)cpar__setting.piece;
    t->makes_message = false;
    t->into = NULL;
    t->message = NULL;
    t->feed = NULL;
    t->care = CPAR__OWNED;
    t->detached = false;
}

static bool find_landing(cpar__transfer *t)
{
    t->landing = take_landing();
    return t->landing || cpar__note(&t->problem, CPAR_ERROR_MEMORY, "no memory for a landing buffer");
}

/* What is sent in place of a value: an error's code and text. */
static void carry_problem(cpar__transfer *t, const cpar__problem *p)
{
    t->envelope.type = (cpar_type){ CPAR_CHAR, 1 };
    t->envelope.count = t->bytes = strlen(p->why);
    t->envelope.error = (uint8_t)p->code;
    t->payload = (unsigned char *)p->why;
    t->feed = NULL;
}

static MPI_Comm envelope_comm(const cpar__transfer *t)
{
    return t->envelope.operation == CPAR__MESSAGE ? t->call.group->messages : t->call.group->internal;
}

/* What stands for that communicator among letters. */
static uint32_t context(const cpar_group *g, bool message)
{
    return g->number * 2 + message;
}

static void address(cpar__transfer *t)
{
    cpar__letter *l = &t->letter;
    l->context = context(t->call.group, t->envelope.operation == CPAR__MESSAGE);
    l->lane = t->peer == CPAR_ANY_SOURCE ? CPAR_ANY_SOURCE : t->call.group->lanes[t->peer];
    l->tag = t->tag;
    l->bytes = t->landing;
    t->by_lane = true;
}

/* Sends the envelope, with a piece of the payload, which MPI wants in one place. */
static void hand_over(cpar__transfer *t)
{
    t->stage = CPAR__SENDING;
    const size_t header = cpar__envelope_write(&t->envelope, t->landing);
    if (t->call.group->has_lanes) {
        address(t);
        t->letter.length = header;
        t->letter.payload = t->payload;
        t->letter.payload_length = t->piece;
        cpar__letter_send(&t->letter);
    } else {
        if (t->piece) memcpy(t->landing + header, t->payload, t->piece);
        check_mpi(t, MPI_Isend(t->landing, (int)(header + t->piece), MPI_BYTE, t->peer, t->tag, envelope_comm(t), &t->pending));
    }
}

/* With the envelope's type and count filled, and payload, bytes and feed. The first piece of a long payload may go along with the
   envelope, and bridges the time until the receiver asks for the rest. */
static void send_envelope(cpar__transfer *t)
{
    const bool near = t->call.group->near[t->peer];
    const size_t most = t->call.group->has_lanes ? cpar__letter_most() - CPAR__HEADER : CPAR__INLINE_MAX,
                 limit = least(most, (size_t)(near ? cpar__setting.inline_near : cpar__setting.inline_far)),
                 first = least(most, (size_t)(near ? cpar__setting.first_near : cpar__setting.first_far));
    const bool inlined = (t->bytes <= limit && available(t) == t->bytes) || t->bytes == 0 || t->envelope.error;
    t->piece = inlined ? t->bytes : least(available(t), least(first, t->bytes - 1));

    const bool lands = t->call.group->has_lanes || CPAR__HEADER + t->piece <= CPAR__SMALL || find_landing(t);
    if (!lands || !(inlined || take_sequence(t))) {
        if (t->envelope.operation == CPAR__MESSAGE) return;
        if (!lands) t->landing = t->small;
        carry_problem(t, &t->problem); /* in a collective the other side waits */
        t->piece = t->bytes;
    }
    hand_over(t);
    if (t->envelope.sequence) cpar__advance(t); /* to the rest, which is to be under way when this rank turns to what comes in */
}

void cpar__start_send(cpar__transfer *t, const cpar__call *call, int peer, const cpar_view *v)
{
    start(t, call, peer);
    t->envelope.type = v->type;
    t->envelope.count = v->count;
    t->payload = (unsigned char *)cpar__view_data(v);
    t->bytes = v->count * v->type.size;
    send_envelope(t);
}

void cpar__start_own(cpar__transfer *t, const cpar__call *call, const cpar_view *v)
{
    start(t, call, call->group->rank);
    t->envelope.type = v->type;
    t->envelope.count = v->count;
}

void cpar__start_problem(cpar__transfer *t, const cpar__call *call, int peer, const cpar__problem *text)
{
    start(t, call, peer);
    carry_problem(t, text);
    send_envelope(t);
}

void cpar__start_forward(cpar__transfer *t, const cpar__call *call, int peer, const cpar__transfer *feed)
{
    start(t, call, peer);
    t->envelope.type = feed->envelope.type;
    t->envelope.count = feed->envelope.count;
    t->payload = feed->payload;
    t->bytes = feed->bytes;
    t->feed = feed;
    send_envelope(t);
}

void cpar__start_receive(cpar__transfer *t, const cpar__call *call, int peer)
{
    start(t, call, peer);
    if (!find_landing(t)) return;
    t->stage = CPAR__LANDING_ENVELOPE;
    if (call->group->has_lanes) {
        address(t);
        cpar__letter_receive(&t->letter);
    } else
        check_mpi(t, MPI_Irecv(t->landing, CPAR__LANDING, MPI_BYTE, peer == CPAR_ANY_SOURCE ? MPI_ANY_SOURCE : peer,
            t->tag == CPAR_ANY_TAG ? MPI_ANY_TAG : t->tag, envelope_comm(t), &t->pending));
}

void cpar__start_receive_message(cpar__transfer *t, const cpar__call *call, int peer)
{
    cpar__start_receive(t, call, peer);
    t->makes_message = true;
}

void cpar__start_receive_into(cpar__transfer *t, const cpar__call *call, int peer, const cpar_view *memory)
{
    cpar__start_receive(t, call, peer);
    t->into = memory;
}

void cpar__place(cpar__transfer *t, void *memory)
{
    if (t->stage != CPAR__ARRIVED) return;
    t->stage = CPAR__RECEIVING;
    t->payload = memory;
    if (memory && t->piece) memcpy(memory, t->landing + t->envelope.header, t->piece);
    t->moved = t->piece;
    if (t->moved == t->bytes) t->stage = CPAR__DONE;
}

void cpar__cancel(cpar__transfer *t)
{
    if (t->stage != CPAR__LANDING_ENVELOPE) return;
    if (t->pending != MPI_REQUEST_NULL) MPI_Cancel(&t->pending);
    if (!t->by_lane || !cpar__letter_cancel(&t->letter)) return;
    t->by_lane = false;
    end(t);
}

bool cpar__probe(const cpar_group *g, int *source, int *tag)
{
    if (g->has_lanes) {
        if (!cpar__lanes_probe(context(g, true), source, tag)) return false;
        *source = g->ranks[*source];
        return true;
    }
    MPI_Status status;
    int found;
    if (MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, g->messages, &found, &status) != MPI_SUCCESS || !found) return false;
    *source = status.MPI_SOURCE;
    *tag = status.MPI_TAG;
    return true;
}

cpar_message *cpar__take_message(cpar__transfer *t)
{
    if (!t->problem.code) return t->message;
    cpar_free(t->message);
    return NULL;
}

void cpar__release(cpar__transfer *t)
{
    if (t->landing && t->landing != t->small) give_landing(t->landing);
}

/* ---- Going on without the owner ------------------------------------------------------------- */

/* A thread takes one out, advances it and puts it back, unless it rests then. */
static TAILQ_HEAD(, cpar__transfer) under_way = TAILQ_HEAD_INITIALIZER(under_way);
static atomic_size_t under_way_count;

void cpar__leave(cpar__transfer *t)
{
    cpar__lock();
    t->care = CPAR__LISTED;
    TAILQ_INSERT_TAIL(&under_way, t, under_way);
    under_way_count++;
    cpar__unlock();
}

static void unlist(cpar__transfer *t, int care)
{
    TAILQ_REMOVE(&under_way, t, under_way);
    under_way_count--;
    t->care = care;
}

void cpar__take_back(cpar__transfer *t)
{
    for (;;) {
        cpar__lock();
        if (t->care == CPAR__LISTED) unlist(t, CPAR__OWNED);
        const bool owned = t->care == CPAR__OWNED;
        cpar__unlock();
        if (owned) return;
        sched_yield();
    }
}

static void dispose(cpar__transfer *t)
{
    cpar__release(t);
    cpar_free(t->message);
    free(t);
}

void cpar__detach(cpar__transfer *t)
{
    t->detached = true;
    if (cpar__advance(t))
        dispose(t);
    else
        cpar__leave(t);
}

static void advance_another(void)
{
    if (atomic_load_explicit(&under_way_count, memory_order_relaxed) == 0) return;

    cpar__lock();
    cpar__transfer *t = TAILQ_FIRST(&under_way);
    if (t) unlist(t, CPAR__HELD);
    cpar__unlock();
    if (!t) return;

    if (!cpar__advance(t))
        cpar__leave(t);
    else if (t->detached)
        dispose(t);
    else {
        cpar__lock();
        t->care = CPAR__OWNED;
        cpar__unlock();
    }
}

static bool goes_on(const cpar_group *g)
{
    const cpar__transfer *t;
    bool found = false;
    cpar__lock();
    TAILQ_FOREACH(t, &under_way, under_way) found = found || t->call.group == g;
    cpar__unlock();
    return found;
}

bool cpar__let_end(const cpar_group *g)
{
    const double start = cpar_time();
    while (goes_on(g) && cpar_time() - start < 10) advance_another();
    return !goes_on(g);
}

size_t cpar__advance_others(int turns)
{
    while (turns-- > 0 && under_way_count > 0) advance_another();
    return under_way_count;
}

/* ---- Waiting -------------------------------------------------------------------------------- */

/* Of a receive that waits: a message that has come and that it does not take. */
static void find_another(char *out, size_t room, const cpar__transfer *t)
{
    int source, tag;
    if (t->stage == CPAR__LANDING_ENVELOPE && cpar__is_message(t->call.operation) && cpar__probe(t->call.group, &source, &tag))
        snprintf(out, room, "; a message from %d, tag %d has come, but nobody receives it", source, tag);
}

/* One line for a wait that takes CPAR_PATIENCE seconds, and again each time it has doubled. */
static void tell_if_long(cpar__patience *patience, const cpar__transfer *t, double waited)
{
    if (!cpar__setting.patience || waited < patience->tell_at) return;
    patience->tell_at *= 2;

    char at[64] = "", whom[32] = "", another[80] = "", why[240], line[1024];
    if (t->wait.file) snprintf(at, sizeof at, " at %.40s:%d", cpar__base_name(t->wait.file), t->wait.line);
    if (!cpar__is_message(t->call.operation) && t->peer != CPAR_ANY_SOURCE) snprintf(whom, sizeof whom, " for rank %d", t->peer);
    find_another(another, sizeof another, t);
    snprintf(why, sizeof why, "waiting%s%s for %.0f s%s", at, whom, waited, another);
    cpar__line(line, sizeof line, &t->call, why);
    fprintf(stderr, "%s\n", line);
}

double cpar__wait_until;

/* What a long wait does besides: tells of itself, ends the job at the end of its grace, and finds out how long to sleep
   before each turn, so that it is at most 1 % longer for that. It does not sleep where data may be moving, which takes turns
   without end on some networks. */
static void look_at_clock(cpar__patience *patience, const cpar__transfer *t, bool idle)
{
    const double now = cpar_time();
    if (patience->began == 0) {
        patience->began = now;
        patience->tell_at = cpar__setting.patience;
    }
    const double waited = now - patience->began, nap = waited < 0.1 ? waited / 100 : 0.001;
    patience->nap_ns = idle && waited > 0.01 && under_way_count == 0 ? (long)(nap * 1e9) : 0;
    tell_if_long(patience, t, waited);
    if (cpar__wait_until && now > cpar__wait_until) cpar__end_job(cpar__failure);
}

/* After so many turns the wait is long: about 100 us. */
enum { LONG_WAIT = 1000 };

_Thread_local bool (*cpar__beside)(void);

void cpar__turn(cpar__patience *patience, const cpar__transfer *t, bool idle)
{
    advance_another();
    if (cpar__beside) idle = cpar__beside() && idle;
    if (++patience->turns < LONG_WAIT && !cpar__crowded) return;
    if (patience->nap_ns)
        nanosleep(&(struct timespec){ .tv_nsec = patience->nap_ns }, NULL);
    else
        sched_yield();
    if (patience->nap_ns || patience->turns % LONG_WAIT == 0) look_at_clock(patience, t, idle);
}

void cpar__complete_first(cpar__transfer *t, size_t wanted, size_t n)
{
    cpar__patience patience = { 0 };
    for (size_t first = 0;;) {
        while (first < wanted && cpar__advance(&t[first])) first++;
        if (first == wanted) return;
        bool idle = cpar__is_idle(&t[first]);
        for (size_t i = first + 1; i < n; i++) idle = (cpar__advance(&t[i]) || cpar__is_idle(&t[i])) && idle;
        cpar__turn(&patience, &t[first], idle);
    }
}

void cpar__complete(cpar__transfer *t, size_t n)
{
    cpar__complete_first(t, n, n);
}

/* ---- The end -------------------------------------------------------------------------------- */

void cpar__transfers_end(void)
{
    TAILQ_INIT(&under_way);
    LIST_INIT(&sequenced);
    under_way_count = 0;
    spare_count = 0;
    while (spare) {
        landing *l = spare;
        spare = l->next;
        free(l);
    }
}
