#include "lane.h"

#include "memory.h"
#include "wire.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    CACHE_LINE = 64, /* bytes */
    CELL = 32,       /* bytes: two letters of a number each share a line */
    CLEAR_AHEAD = 8, /* cells */
    MANY = 16,       /* ranks from which on lanes are short, for there are as many as the square of that */
    RANKS_MOST = 256,
    LANE_INLINE = 32 * 1024 /* bytes up to which payloads go inline; more than MPI likes, for it copies more often */
};

/* At the beginning of a cell, with the bytes behind it, in as many cells as they need. */
typedef struct {
    _Atomic uint32_t length; /* 0: nothing is here yet; SKIP: the next is in the first cell */
    uint32_t context;
    int32_t tag;
} lane_head;

#define SKIP UINT32_MAX

/* One direction between two ranks, as one of them sees it. Positions count cells since the beginning. */
typedef struct {
    unsigned char *cells;
    _Atomic uint64_t *emptied; /* up to where the reader has come: shared */
    uint64_t position;         /* of the next letter */
    uint64_t room;             /* of a writer: *emptied, as last seen */
    uint64_t cleared;          /* of a writer: up to there cells say that nothing is in them yet */
} lane;

/* What has come and was not asked for yet. */
typedef struct early {
    uint32_t context;
    int lane, tag;
    size_t length;
    struct shelf *shelf; /* where its memory goes; NULL for none */
    TAILQ_ENTRY(early) link;
    unsigned char bytes[];
} early;

TAILQ_HEAD(early_ones, early);

/* Memory for such ones is kept, and some is there from the beginning, so that short messages allocate nothing. */
static struct shelf {
    size_t room;
    int least, most, count;
    struct early_ones spare;
} shelves[] = {
    { .room = 256, .least = 32, .most = 256, .spare = TAILQ_HEAD_INITIALIZER(shelves[0].spare) },
    { .room = CPAR__HEADER + 4096, .least = 8, .most = 32, .spare = TAILQ_HEAD_INITIALIZER(shelves[1].spare) },
};
enum { SHELVES = sizeof shelves / sizeof *shelves };

TAILQ_HEAD(letters, cpar__letter);

static cpar__shared shared;
static size_t cell_count; /* of each lane: a power of 2 */
static bool lanes_opened;
bool cpar__crowded;
static lane *incoming, *outgoing; /* by rank */
static struct letters *blocked;   /* by rank: letters to it that wait for room */
static struct letters posted = TAILQ_HEAD_INITIALIZER(posted);
static struct early_ones early_ones = TAILQ_HEAD_INITIALIZER(early_ones);

/* ---- Rings ---------------------------------------------------------------------------------- */

static lane_head *head_at(const lane *l, uint64_t position)
{
    return (lane_head *)(void *)(l->cells + (position & (cell_count - 1)) * CELL);
}

static size_t cells_for(size_t length)
{
    return (sizeof(lane_head) + length + CELL - 1) / CELL;
}

/* Cells from a position on, until the ring begins again. A letter's cells follow each other in memory. */
static size_t cells_left(uint64_t position)
{
    return cell_count - (position & (cell_count - 1));
}

size_t cpar__letter_most(void)
{
    const size_t most = (cell_count / 2 - 1) * CELL - sizeof(lane_head); /* so that it fits with what it skips, and one cell behind it */
    return most < CPAR__LANDING ? most : CPAR__LANDING;
}

/* Has the cells up to there, of which none is in use, say that nothing is in them. */
static void clear_cells(lane *o, uint64_t end)
{
    for (; o->cleared < end; o->cleared++) atomic_store_explicit(&head_at(o, o->cleared)->length, 0, memory_order_relaxed);
}

/* The cell behind a letter is cleared before the letter is there. Some more are cleared then, when nobody waits for that: to write where the other side has
   read takes long. */
static bool put(lane *o, const cpar__letter *l)
{
    const size_t length = l->length + l->payload_length, cells = cells_for(length), left = cells_left(o->position), skipped = cells > left ? left : 0;
    const uint64_t begin = o->position + skipped, end = begin + cells;
    if (end + 1 - o->room > cell_count) {
        o->room = atomic_load_explicit(o->emptied, memory_order_acquire);
        if (end + 1 - o->room > cell_count) return false;
    }
    if (o->cleared < end) o->cleared = end;
    clear_cells(o, end + 1);
    lane_head *h = head_at(o, begin);
    h->context = l->context;
    h->tag = l->tag;
    memcpy(h + 1, l->bytes, l->length);
    if (l->payload_length) memcpy((unsigned char *)(h + 1) + l->length, l->payload, l->payload_length);
    atomic_store_explicit(&h->length, (uint32_t)length, memory_order_release);
    if (skipped) atomic_store_explicit(&head_at(o, o->position)->length, SKIP, memory_order_release);
    o->position = end;
    const uint64_t room_end = o->room + cell_count;
    clear_cells(o, end + CLEAR_AHEAD < room_end ? end + CLEAR_AHEAD : room_end);
    return true;
}

/* Lets the writer have the cells again. The lines of a long letter are written to before: measured, the writer then gets them back in half the time. */
static void empty(lane *i, size_t cells)
{
    const size_t long_one = 16;
    for (size_t c = 0; cells > long_one && c < cells; c += CACHE_LINE / CELL) atomic_store_explicit(&head_at(i, i->position + c)->length, 0, memory_order_relaxed);
    i->position += cells;
    atomic_store_explicit(i->emptied, i->position, memory_order_release);
}

/* ---- Matching ------------------------------------------------------------------------------- */

static bool matches(const cpar__letter *l, uint32_t context, int from, int tag)
{
    return l->context == context && (l->lane == from || l->lane == CPAR_ANY_SOURCE) && (l->tag == tag || l->tag == CPAR_ANY_TAG);
}

static cpar__letter *find_posted(uint32_t context, int from, int tag)
{
    cpar__letter *l;
    TAILQ_FOREACH(l, &posted, link)
        if (matches(l, context, from, tag)) return l;
    return NULL;
}

/* What it was posted for is here, in `state`. */
static void come(cpar__letter *l, int state, int from, int tag, size_t length)
{
    l->state = state;
    l->lane = from;
    l->tag = tag;
    l->length = length;
}

static early *find_memory(size_t length)
{
    struct shelf *s = shelves;
    while (s < shelves + SHELVES && s->room < length) s++;
    if (s == shelves + SHELVES) s = NULL;
    early *e = s ? TAILQ_FIRST(&s->spare) : NULL;
    if (e) {
        TAILQ_REMOVE(&s->spare, e, link);
        s->count--;
    } else
        e = malloc(sizeof *e + (s ? s->room : length));
    if (e) e->shelf = s;
    return e;
}

/* Puts it on its shelf, or frees it. */
static void give_memory(early *e)
{
    struct shelf *s = e->shelf;
    if (s && s->count < s->most) {
        TAILQ_INSERT_HEAD(&s->spare, e, link);
        s->count++;
    } else
        free(e);
}

static void fill(struct shelf *s)
{
    early *e;
    while (s->count < s->least && (e = malloc(sizeof *e + s->room))) {
        e->shelf = s;
        give_memory(e);
    }
}

/* Keeps what nobody has asked for. NULL without memory for that; else its `length` bytes are to be filled. */
static early *keep(uint32_t context, int from, int tag, size_t length)
{
    early *e = find_memory(length);
    if (!e) return NULL;
    e->context = context;
    e->lane = from;
    e->tag = tag;
    e->length = length;
    TAILQ_INSERT_TAIL(&early_ones, e, link);
    return e;
}

/* Takes one letter out of a lane. It stays there if it is for the letter that is looked for, which uses it at once: that of this thread, where there is but
   one. False when there is none, or no memory for it. */
static bool take(int from, cpar__letter *looked_for)
{
    lane *i = &incoming[from];
    if (from == cpar__self.rank) return false;
    lane_head *h = head_at(i, i->position);
    uint32_t length = atomic_load_explicit(&h->length, memory_order_acquire);
    if (length == SKIP) {
        empty(i, cells_left(i->position));
        h = head_at(i, i->position);
        length = atomic_load_explicit(&h->length, memory_order_acquire);
    }
    if (length == 0) return false;

    const size_t here = cells_left(i->position) * CELL - sizeof *h, most = here < cpar__letter_most() ? here : cpar__letter_most(),
                 sound = length < most ? length : most; /* what another process has written is not believed */
    const int tag = h->tag;
    cpar__letter *l = find_posted(h->context, from, tag);
    if (l) TAILQ_REMOVE(&posted, l, link);
    if (l && l == looked_for && !cpar__threads) {
        come(l, CPAR__LETTER_HELD, from, tag, sound);
        l->bytes = (unsigned char *)(h + 1);
        return true;
    }
    early *e = l ? NULL : keep(h->context, from, tag, sound);
    if (!l && !e) return false;
    memcpy(l ? l->bytes : e->bytes, h + 1, sound);
    if (l) come(l, CPAR__LETTER_THERE, from, tag, sound);
    empty(i, cells_for(sound));
    return true;
}

/* ---- Letters -------------------------------------------------------------------------------- */

/* From this rank to itself. False without memory for it. */
static bool turn_round(const cpar__letter *l)
{
    const size_t length = l->length + l->payload_length;
    cpar__letter *to = find_posted(l->context, l->lane, l->tag);
    early *e = to ? NULL : keep(l->context, l->lane, l->tag, length);
    unsigned char *bytes = to ? to->bytes : e ? e->bytes : NULL;
    if (!bytes) return false;
    memcpy(bytes, l->bytes, l->length);
    if (l->payload_length) memcpy(bytes + l->length, l->payload, l->payload_length);
    if (to) {
        TAILQ_REMOVE(&posted, to, link);
        come(to, CPAR__LETTER_THERE, l->lane, l->tag, length);
    }
    return true;
}

static bool go(const cpar__letter *l)
{
    return l->lane == cpar__self.rank ? turn_round(l) : put(&outgoing[l->lane], l);
}

static void send_blocked(struct letters *waiting)
{
    cpar__letter *l;
    while ((l = TAILQ_FIRST(waiting)) && go(l)) {
        TAILQ_REMOVE(waiting, l, link);
        l->state = CPAR__LETTER_THERE;
    }
}

void cpar__letter_send(cpar__letter *l)
{
    cpar__lock();
    struct letters *waiting = &blocked[l->lane];
    l->state = TAILQ_EMPTY(waiting) && go(l) ? CPAR__LETTER_THERE : CPAR__LETTER_BLOCKED;
    if (l->state == CPAR__LETTER_BLOCKED) TAILQ_INSERT_TAIL(waiting, l, link);
    cpar__unlock();
}

void cpar__letter_receive(cpar__letter *l)
{
    early *e;
    cpar__lock();
    l->state = CPAR__LETTER_POSTED;
    TAILQ_FOREACH(e, &early_ones, link)
        if (matches(l, e->context, e->lane, e->tag)) break;
    if (e) {
        TAILQ_REMOVE(&early_ones, e, link);
        memcpy(l->bytes, e->bytes, e->length);
        come(l, CPAR__LETTER_THERE, e->lane, e->tag, e->length);
        give_memory(e);
    } else
        TAILQ_INSERT_TAIL(&posted, l, link);
    cpar__unlock();
}

static bool is_there(const cpar__letter *l)
{
    return l->state == CPAR__LETTER_THERE || l->state == CPAR__LETTER_HELD;
}

/* Takes one letter out of each lane, until the one that is looked for is there; where there are many, out of some, in turn. */
static void look_around(cpar__letter *looked_for)
{
    static int next;
    const int size = cpar__self.size, looks = size < 8 ? size : 8;
    for (int k = 0; k < looks && !is_there(looked_for); k++) {
        next = next + 1 < size ? next + 1 : 0;
        take(next, looked_for);
    }
}

/* MPI may have something to do for the program, or for other ranks. */
static void let_mpi_go_on(void)
{
    static unsigned turns;
    int found;
    if (++turns % 64 == 0) MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, cpar__world.internal, &found, MPI_STATUS_IGNORE);
}

bool cpar__letter_test(cpar__letter *l)
{
    cpar__lock();
    if (l->state == CPAR__LETTER_BLOCKED) send_blocked(&blocked[l->lane]);
    if (l->state == CPAR__LETTER_POSTED && l->lane >= 0)
        while (!is_there(l) && take(l->lane, l)) continue;
    if (!is_there(l)) {
        look_around(l);
        let_mpi_go_on();
    }
    const bool there = is_there(l);
    cpar__unlock();
    return there;
}

void cpar__letter_end(cpar__letter *l)
{
    if (l->state == CPAR__LETTER_HELD) empty(&incoming[l->lane], cells_for(l->length));
}

bool cpar__letter_cancel(cpar__letter *l)
{
    cpar__lock();
    const bool was_posted = l->state == CPAR__LETTER_POSTED;
    if (was_posted) TAILQ_REMOVE(&posted, l, link);
    cpar__unlock();
    return was_posted;
}

bool cpar__lanes_probe(uint32_t context, int *from, int *tag)
{
    const early *e;
    cpar__lock();
    for (int r = 0; r < cpar__self.size; r++)
        while (take(r, NULL)) continue;
    TAILQ_FOREACH(e, &early_ones, link)
        if (e->context == context) break;
    if (e) {
        *from = e->lane;
        *tag = e->tag;
    }
    cpar__unlock();
    return e;
}

/* ---- Beginning and end ---------------------------------------------------------------------- */

/* The memory is a row of these: each lane's, by reader and then by writer. */
static size_t lane_bytes(void)
{
    return CACHE_LINE + cell_count * CELL;
}

static lane make_lane(int reader, int writer)
{
    unsigned char *at = shared.memory + ((size_t)reader * (size_t)cpar__self.size + (size_t)writer) * lane_bytes();
    return (lane){ .emptied = (_Atomic uint64_t *)(void *)at, .cells = at + CACHE_LINE };
}

/* Whether it could be done. */
static bool make_lanes(void)
{
    const int size = cpar__self.size, rank = cpar__self.rank;
    incoming = calloc((size_t)size, sizeof *incoming);
    outgoing = calloc((size_t)size, sizeof *outgoing);
    blocked = calloc((size_t)size, sizeof *blocked);
    if (!incoming || !outgoing || !blocked) return false;
    for (int r = 0; r < size; r++) {
        incoming[r] = make_lane(rank, r);
        outgoing[r] = make_lane(r, rank);
        TAILQ_INIT(&blocked[r]);
    }
    return true;
}

/* All ranks have made theirs, in the memory of rank 0. */
static bool share_lanes(void)
{
    cpar__problem none = { .code = 0 };
    cpar__place_of_memory at = { 0, -1 };
    shared.room = (size_t)cpar__self.size * (size_t)cpar__self.size * lane_bytes();
    if (cpar__self.rank == 0) at = cpar__memory_make(&shared, &none);
    const int told = MPI_Bcast(&at, sizeof at, MPI_BYTE, 0, cpar__world.internal);
    if (cpar__self.rank != 0 && told == MPI_SUCCESS) cpar__memory_open(&shared, at, &none);
    int made = shared.memory && make_lanes(), all_made = 0;
    if (MPI_Allreduce(&made, &all_made, 1, MPI_INT, MPI_MIN, cpar__world.internal) != MPI_SUCCESS) all_made = 0;
    if (cpar__self.rank == 0 && at.descriptor >= 0) close((int)at.descriptor);
    return all_made;
}

void cpar__lanes_open(void)
{
    const int size = cpar__self.size;
    int may = cpar__setting.share && cpar__setting.lanes && size > 1 && size <= RANKS_MOST, all_may = 0;
    for (int r = 0; r < size; r++) may = may && cpar__world.near[r];
    cell_count = size < MANY ? 4096 : 512;
    if (MPI_Allreduce(&may, &all_may, 1, MPI_INT, MPI_MIN, cpar__world.internal) != MPI_SUCCESS || !all_may) return;

    lanes_opened = share_lanes();
    if (!lanes_opened) {
        cpar__lanes_close();
        return;
    }
    for (struct shelf *k = shelves; k < shelves + SHELVES; k++) fill(k);
    cpar__lanes_join(&cpar__world);
    cpar__crowded = size > sysconf(_SC_NPROCESSORS_ONLN);
    if (!cpar__is_set("CPAR_INLINE_NEAR")) cpar__setting.inline_near = LANE_INLINE;
}

void cpar__lanes_join(cpar_group *g)
{
    MPI_Group job = MPI_GROUP_NULL, own = MPI_GROUP_NULL;
    if (!lanes_opened) return;
    for (int r = 0; r < g->size; r++) g->ranks[r] = r;
    g->has_lanes = MPI_Comm_group(g->internal, &own) == MPI_SUCCESS && MPI_Comm_group(cpar__world.internal, &job) == MPI_SUCCESS
        && MPI_Group_translate_ranks(own, g->size, g->ranks, job, g->lanes) == MPI_SUCCESS;
    if (own != MPI_GROUP_NULL) MPI_Group_free(&own);
    if (job != MPI_GROUP_NULL) MPI_Group_free(&job);
    for (int r = 0; r < g->size; r++) g->has_lanes = g->has_lanes && g->lanes[r] != MPI_UNDEFINED;
    for (int r = 0; r < g->size && g->has_lanes; r++) g->ranks[g->lanes[r]] = r;
}

static void free_all_early(struct early_ones *list)
{
    while (!TAILQ_EMPTY(list)) {
        early *e = TAILQ_FIRST(list);
        TAILQ_REMOVE(list, e, link);
        free(e);
    }
}

void cpar__lanes_close(void)
{
    free_all_early(&early_ones);
    for (struct shelf *s = shelves; s < shelves + SHELVES; s++) {
        free_all_early(&s->spare);
        s->count = 0;
    }
    TAILQ_INIT(&posted);
    lanes_opened = cpar__crowded = false;
    free(incoming);
    free(outgoing);
    free(blocked);
    incoming = outgoing = NULL;
    blocked = NULL;
    if (shared.memory) munmap(shared.memory, shared.room);
    shared.memory = NULL;
}
