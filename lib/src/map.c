/* cpar_map. The root's node has a stock of jobs in its shared memory, from which its ranks take some at a time, in order, into slots of
   their own; when it is used up, a rank that has nothing left takes half of the longest slot. So no rank needs another's help, and a
   rank in a long task loses what it has not begun. (Work stealing: Blumofe and Leiserson, Scheduling Multithreaded Computations by Work
   Stealing, 1999.) How many it takes at a time follows how long they last, and what is left.

   A rank of another node asks one of that node's ranks, which takes jobs from the stock for it, at most half of its fair share of what
   is left (guided self-scheduling: Polychronopoulos and Kuck, 1987). It puts them into its slot, where its mates find them. It asks for what lasts 20 times
   as long as the answer took, and ahead: when what it has left lasts about as long as an answer takes.

   Plain results of the root's node go to their places in the memory shared with the root. All others, and failures, stay with their rank
   until it has nothing left to do, and then go to the root as a parcel. */
#include "message.h"
#include "shared.h"
#include "task.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* ---- What is shared --------------------------------------------------------------------------- */

/* Two indexes in one word: lo << 32 | hi. No range comes back once it is used up, so one that is as it was, is the same. */
typedef struct {
    _Alignas(64) _Atomic uint64_t range;
    _Atomic uint64_t done; /* jobs, for the bar; by ranks of other nodes too, of whom this one hears */
} slot;

typedef struct {
    _Alignas(64) atomic_int finished; /* ranks that find no more to do */
    slot slots[]; /* of each rank, and the stock */
} board;

static uint64_t pack(uint64_t lo, uint64_t hi)
{
    return lo << 32 | hi;
}

static cpar_range unpack(uint64_t range)
{
    return (cpar_range){ range >> 32, range & UINT32_MAX };
}

static size_t left_in(slot *s)
{
    const cpar_range r = unpack(atomic_load_explicit(&s->range, memory_order_relaxed));
    return r.hi - r.lo;
}

/* Takes up to `most` jobs, but at least 1, from the front. False where there are none. */
static bool take_front(slot *s, size_t most, cpar_range *taken)
{
    uint64_t was = atomic_load_explicit(&s->range, memory_order_acquire);
    for (;;) {
        const cpar_range r = unpack(was);
        const size_t n = most < r.hi - r.lo ? most : r.hi - r.lo;
        if (!n) return false;
        if (!atomic_compare_exchange_weak(&s->range, &was, pack(r.lo + n, r.hi))) continue;
        *taken = (cpar_range){ r.lo, r.lo + n };
        return true;
    }
}

/* Takes half of them, rounded up, from the back. */
static bool take_back_half(slot *s, cpar_range *taken)
{
    uint64_t was = atomic_load_explicit(&s->range, memory_order_acquire);
    for (;;) {
        const cpar_range r = unpack(was);
        const size_t half = (r.hi - r.lo + 1) / 2;
        if (!half) return false;
        if (!atomic_compare_exchange_weak(&s->range, &was, pack(r.lo, r.hi - half))) continue;
        *taken = (cpar_range){ r.hi - half, r.hi };
        return true;
    }
}

/* ---- A map ------------------------------------------------------------------------------------ */

/* What the root tells all. */
typedef struct {
    uint64_t n, chunk;
    uint64_t packed; /* bytes of the jobs, when they are not plain */
    uint64_t task;   /* its fingerprint */
    uint32_t root_works, everywhere;
} announcement;

/* A rank of another node, which this one answers. */
typedef struct {
    int rank;
    bool open; /* has not taken its leave */
    bool deaf; /* there was no memory to listen to it */
    cpar__transfer asking;
} client;

typedef struct {
    uint64_t wanted; /* jobs; 0: none, a leave */
    uint64_t done;   /* since the last question */
} question;

typedef struct {
    const cpar__call *call;
    cpar_group *group;
    const cpar_task *task;
    announcement told;
    cpar__problem *problem; /* this rank's own */
    void *into;             /* the program's memory for results */
    cpar__mates mates;
    bool has_root; /* this rank's node */

    board *board;
    unsigned char *jobs;    /* plain ones, or the items */
    uint64_t *starts;       /* of items that are not plain: n + 1 */
    unsigned char *results; /* plain ones */
    cpar__parcel parcel;

    client *clients;
    int client_count, open_clients;

    int server; /* whom a rank of another node asks; -1: nobody */
    bool asked, over, gone; /* it waits for an answer; there are no more jobs; it has taken its leave */
    cpar__transfer answer;
    unsigned char *answered; /* what comes as an answer */
    cpar_range next;         /* has come, for the own slot when that is empty */
    double asked_at, answer_takes; /* seconds */
    uint64_t wanted;

    uint64_t did, reported;      /* jobs by this rank, and those of which it has told the one it asks */
    uint64_t heard;              /* those of which its clients have told */
    uint64_t chunk, did_before;  /* how many jobs to take from the stock, and `did` when the last were taken */
    double chunk_began, job_takes; /* seconds */
    bool shows; /* the bar */
    double shown_at;
} map;

static slot *own_slot(const map *m)
{
    return &m->board->slots[m->mates.own];
}

static slot *stock(const map *m)
{
    return &m->board->slots[m->mates.count];
}

/* ---- Doing jobs ------------------------------------------------------------------------------- */

static void do_job(map *m, size_t i)
{
    const cpar_passed *out = &m->task->out;
    const unsigned char *job = m->starts ? m->jobs + m->starts[i] : m->jobs + i * m->task->in.type.size;
    const size_t bytes = m->starts ? m->starts[i + 1] - m->starts[i] : m->task->in.type.size;
    void *ragged = NULL, *result = out->form == CPAR_PLAIN ? m->results + i * out->type.size : (void *)&ragged;
    const char *why = cpar__job_run(m->task, job, bytes, result, m->problem);
    if (why)
        cpar__parcel_failure(&m->parcel, i, why, m->problem);
    else if (out->form != CPAR_PLAIN || !m->has_root)
        cpar__parcel_result(&m->parcel, out, i, result, m->problem);
}

/* The one of this node that has most, without the stock. */
static slot *find_longest(map *m)
{
    slot *longest = own_slot(m);
    for (int i = 0; i < m->mates.count; i++)
        if (left_in(&m->board->slots[i]) > left_in(longest)) longest = &m->board->slots[i];
    return longest;
}

/* At most half of a rank's fair share of what is left, so that all end at the same time. */
static size_t at_most(map *m, size_t wanted)
{
    const size_t fair = left_in(stock(m)) / (2 * (size_t)m->group->size);
    return fair == 0 ? 1 : fair < wanted ? fair : wanted;
}

/* Looks at how long the last jobs took, and how many to take next: as many as last for `shortest`, but no time is lost on finding out. */
static void tune(map *m)
{
    const double shortest = 10e-6, now = cpar_time(), took = now - m->chunk_began;
    const uint64_t n = m->did - m->did_before;
    if (n) {
        m->job_takes = took / (double)n;
        m->chunk = took < shortest ? 2 * n : m->job_takes < shortest ? (uint64_t)(shortest / m->job_takes) : 1;
    }
    if (m->told.chunk || !n) m->chunk = m->told.chunk ? m->told.chunk : 1;
    m->chunk_began = now;
    m->did_before = m->did;
}

/* Gets jobs for the own slot, which is empty. */
static bool fill_slot(map *m)
{
    cpar_range jobs = m->next;
    tune(m);
    m->next = (cpar_range){ 0, 0 };
    while (jobs.lo == jobs.hi && !take_front(stock(m), at_most(m, m->chunk), &jobs)) {
        slot *longest = find_longest(m);
        if (left_in(longest) == 0) return false;
        take_back_half(longest, &jobs);
    }
    atomic_store(&own_slot(m)->range, pack(jobs.lo, jobs.hi));
    return true;
}

/* Does a job, if there is one on this node. */
static bool do_one(map *m)
{
    cpar_range job;
    while (!take_front(own_slot(m), 1, &job))
        if (!fill_slot(m)) return false;
    do_job(m, job.lo);
    atomic_store_explicit(&own_slot(m)->done, ++m->did + m->heard, memory_order_relaxed);
    return true;
}

/* ---- On the root's node: answering the others ------------------------------------------------- */

/* Takes jobs for a rank of another node. */
static cpar_range take_for_another(map *m, size_t wanted)
{
    cpar_range taken = { 0, 0 };
    while (!take_front(stock(m), at_most(m, wanted), &taken)) {
        slot *longest = find_longest(m);
        if (left_in(longest) == 0 || take_back_half(longest, &taken)) break;
    }
    return taken;
}

/* An answer: the range, and then the jobs, or where each starts and the items; or this rank's problem. */
static void answer(map *m, client *c, cpar_range range)
{
    const size_t n = range.hi - range.lo, head = sizeof range + (m->starts ? (n + 1) * sizeof *m->starts : 0);
    const size_t from = m->starts ? m->starts[range.lo] : range.lo * m->task->in.type.size,
                 to = m->starts ? m->starts[range.hi] : range.hi * m->task->in.type.size;
    unsigned char *bytes = malloc(head + to - from);
    if (bytes) {
        memcpy(bytes, &range, sizeof range);
        if (m->starts) memcpy(bytes + sizeof range, m->starts + range.lo, (n + 1) * sizeof *m->starts);
        memcpy(bytes + head, m->jobs + from, to - from);
    } else
        cpar__note(m->problem, CPAR_ERROR_MEMORY, "no memory for %zu jobs for rank %d", n, c->rank);
    cpar__problem sending = { .code = 0 };
    const bool sent = bytes && cpar__send_copy(m->call, c->rank, &cpar_array(bytes, head + to - from), &sending);
    cpar__keep(m->problem, &sending);
    if (!sent) {
        cpar__transfer t; /* it waits for an answer, so this one can wait for it */
        cpar__start_problem(&t, m->call, c->rank, m->problem);
        cpar__finish(&t, 1, m->problem);
    }
    free(bytes);
}

static void listen_to(map *m, client *c)
{
    cpar__start_receive(&c->asking, m->call, c->rank);
    c->deaf = c->asking.problem.code;
}

static void close_client(map *m, client *c)
{
    c->open = false;
    m->open_clients--;
}

static void hear(map *m, client *c)
{
    question q = { 0, 0 };
    const cpar_view memory = cpar_struct(q);
    if (c->asking.stage == CPAR__ARRIVED) {
        cpar__place(&c->asking, cpar__fits(&c->asking.problem, &c->asking.envelope, &memory, true) ? &q : NULL);
        cpar__complete(&c->asking, 1);
    }
    cpar__keep(m->problem, &c->asking.problem);
    cpar__release(&c->asking);
    m->heard += q.done;
    atomic_store_explicit(&own_slot(m)->done, m->did + m->heard, memory_order_relaxed);
    if (!q.wanted || c->asking.problem.code) {
        close_client(m, c);
        return;
    }
    const cpar_range range = take_for_another(m, q.wanted);
    answer(m, c, range);
    listen_to(m, c);
}

/* Answers those who have asked. Returns whether somebody had. */
static bool serve(map *m)
{
    bool any = false;
    if (!m->open_clients) return false;
    cpar__advance_others(2); /* answers that are under way */
    for (int i = 0; i < m->client_count; i++) {
        client *c = &m->clients[i];
        if (c->open && c->deaf) listen_to(m, c);
        if (!c->open || c->deaf || !cpar__advance(&c->asking)) continue;
        hear(m, c);
        any = true;
    }
    return any;
}

/* The ranks of the root's node, in turn, have the others as clients. */
static void find_clients(map *m)
{
    const cpar_group *g = m->group;
    int others = 0;
    if (!m->has_root || m->mates.count == g->size) return;
    m->clients = malloc((size_t)g->size * sizeof *m->clients);
    if (!m->clients) cpar__note(m->problem, CPAR_ERROR_MEMORY, "no memory for %d transfers", g->size);
    for (int r = 0; r < g->size && m->clients; r++) {
        if (cpar__is_mate(g, g->rank, r)) continue;
        if (others++ % m->mates.count == m->mates.own) m->clients[m->client_count++].rank = r;
    }
}

/* ---- On the other nodes: asking --------------------------------------------------------------- */

/* Asks for jobs; or, when there are no more, or with a problem, takes its leave. */
static void ask(map *m)
{
    bool more = !m->over && !m->problem->code;
    if (more) {
        cpar__start_receive(&m->answer, m->call, m->server);
        cpar__keep(m->problem, &m->answer.problem);
        more = !m->problem->code;
    }
    const question q = { more ? m->wanted : 0, m->did - m->reported };
    const cpar_view value = cpar_struct(q);
    cpar__transfer t;
    cpar__start_send(&t, m->call, m->server, &value);
    cpar__finish(&t, 1, m->problem);
    m->reported = m->did;
    m->asked = more;
    m->gone = !more;
    m->asked_at = cpar_time();
}

/* Puts the jobs of an answer to their places, if it is one. */
static bool accept_jobs(map *m, const unsigned char *bytes, size_t size)
{
    const size_t each = m->task->in.type.size;
    cpar_range r;
    if (size < sizeof r) return false;
    memcpy(&r, bytes, sizeof r);
    bytes += sizeof r;
    size -= sizeof r;
    if (r.lo > r.hi || r.hi > m->told.n) return false;

    const size_t n = r.hi - r.lo, head = m->starts ? (n + 1) * sizeof *m->starts : 0;
    if (size < head) return false;
    if (m->starts) {
        memcpy(m->starts + r.lo, bytes, head);
        for (size_t i = r.lo; i < r.hi; i++)
            if (m->starts[i] > m->starts[i + 1]) return false;
        if (m->starts[r.hi] > m->told.packed || m->starts[r.hi] - m->starts[r.lo] != size - head) return false;
        memcpy(m->jobs + m->starts[r.lo], bytes + head, size - head);
    } else {
        if (size != n * each) return false;
        memcpy(m->jobs + r.lo * each, bytes, size);
    }
    m->next = r;
    m->over = n == 0;
    return true;
}

/* How many to ask for: at first 1, then more and more, until they take 20 times as long as an answer. */
static void set_wanted(map *m, size_t got)
{
    const double enough = 20 * m->answer_takes / (m->job_takes > 1e-9 ? m->job_takes : 1e-9);
    const uint64_t more = 2 * got;
    m->wanted = m->told.chunk ? m->told.chunk : enough < 1 ? 1 : enough < (double)more ? (uint64_t)enough : more;
}

/* Whether an answer has come. */
static bool hear_answer(map *m)
{
    cpar__transfer *t = &m->answer;
    if (!m->asked || !cpar__advance(t)) return false;
    if (t->stage == CPAR__ARRIVED) {
        m->answered = malloc(t->bytes + 1);
        if (!m->answered) cpar__note(m->problem, CPAR_ERROR_MEMORY, "no memory for %zu bytes of jobs", t->bytes);
        cpar__place(t, m->answered);
        if (!cpar__advance(t)) return false;
    }
    m->asked = false;
    const double took = cpar_time() - m->asked_at, before = 0.9 * m->answer_takes; /* who answers may be in a task, or not */
    m->answer_takes = took > before ? took : before;
    cpar__keep(m->problem, &t->problem);
    if (!m->problem->code && !accept_jobs(m, m->answered, t->bytes)) cpar__note(m->problem, CPAR_ERROR_WIRE, "what arrived are no jobs of this map");
    set_wanted(m, m->next.hi - m->next.lo);
    cpar__release(t);
    free(m->answered);
    m->answered = NULL;
    return true;
}

/* Asks ahead of need. */
static void keep_supplied(map *m)
{
    if (m->server < 0) return;
    hear_answer(m);
    const bool soon = m->next.lo == m->next.hi && (double)left_in(own_slot(m)) * m->job_takes <= m->answer_takes;
    if (!m->asked && !m->gone && (soon || m->over || m->problem->code)) ask(m);
}

/* ---- The loop --------------------------------------------------------------------------------- */

static size_t count_done(const map *m)
{
    size_t done = m->board ? 0 : m->did;
    for (int i = 0; m->board && i < m->mates.count; i++) done += atomic_load_explicit(&m->board->slots[i].done, memory_order_relaxed);
    return done;
}

static void show(map *m)
{
    const double now = m->shows ? cpar_time() : 0;
    if (!m->shows || now - m->shown_at < 0.1) return;
    cpar_progress(count_done(m), m->told.n);
    m->shown_at = now;
}

/* Whether this rank can leave: its clients have taken their leave, and so has it, with all its mates. */
static bool may_leave(map *m, bool *counted)
{
    if (m->open_clients || m->asked || (m->server >= 0 && !m->gone)) return false;
    if (!*counted) atomic_fetch_add(&m->board->finished, 1);
    *counted = true;
    return !(m->shows || m->server >= 0) || atomic_load(&m->board->finished) == m->mates.count;
}

static void work(map *m, bool works)
{
    const cpar__transfer nobody = { .call = *m->call, .peer = CPAR_ANY_SOURCE };
    cpar__patience patience = { 0 };
    bool counted = false;
    for (;;) {
        show(m);
        keep_supplied(m);
        const bool served = serve(m), did = works && !m->problem->code && do_one(m);
        if (served || did)
            patience = (cpar__patience){ 0 };
        else if (may_leave(m, &counted))
            return;
        else
            cpar__turn(&patience, m->asked ? &m->answer : &nobody, !m->asked || cpar__is_idle(&m->answer));
    }
}

/* ---- Beginning and end ------------------------------------------------------------------------ */

/* The parts of the shared memory start on pages of their own, and so are aligned for any type. */
static size_t whole_pages(size_t bytes)
{
    const size_t page = 4096;
    return (bytes + page - 1) / page * page;
}

/* Returns how long it is, which is the same on every node. */
static size_t lay_out_memory(map *m, unsigned char *memory)
{
    const size_t n = m->told.n;
    const bool plain = m->task->in.form == CPAR_PLAIN;
    const size_t head = whole_pages(sizeof(board) + ((size_t)m->group->size + 1) * sizeof(slot)), starts = plain ? 0 : whole_pages((n + 1) * sizeof *m->starts),
                 jobs = whole_pages(plain ? n * m->task->in.type.size : m->told.packed),
                 results = m->task->out.form == CPAR_PLAIN ? whole_pages(n * m->task->out.type.size) : 0;
    if (memory) {
        m->board = (board *)(void *)memory;
        m->starts = plain ? NULL : (uint64_t *)(void *)(memory + head);
        m->jobs = memory + head + starts;
        m->results = memory + head + starts + jobs;
    }
    return head + starts + jobs + results;
}

static void clear_board(map *m)
{
    memset(m->board, 0, sizeof *m->board + ((size_t)m->mates.count + 1) * sizeof(slot));
}

/* The root puts the jobs to their places, and all of them into the stock. */
static void lay_in(map *m, const unsigned char *jobs)
{
    const size_t each = m->task->in.type.size, n = m->told.n;
    clear_board(m);
    stock(m)->range = pack(0, n);
    if (!m->starts) {
        if (n) memcpy(m->jobs, jobs, n * each);
        return;
    }
    m->starts[0] = 0;
    for (size_t i = 0; i < n; i++, jobs += each) {
        cpar__job_pack(&m->task->in, jobs, m->jobs + m->starts[i]);
        m->starts[i + 1] = m->starts[i] + cpar__job_size(&m->task->in, jobs, m->problem);
    }
}

static void check_into(map *m)
{
    if (m->told.n && !m->into) cpar__note(m->problem, CPAR_ERROR_ARGUMENT, "the %zu results are at NULL", (size_t)m->told.n);
}

/* What is wrong with the root's call; and the packed size. */
static void check_root_call(map *m, const void *jobs, size_t n)
{
    const cpar_task *task = m->task;
    if (n > UINT32_MAX)
        cpar__note(m->problem, CPAR_ERROR_ARGUMENT, "%zu jobs, accepted are up to %lu", n, (unsigned long)UINT32_MAX);
    else if (n && !jobs)
        cpar__note(m->problem, CPAR_ERROR_ARGUMENT, "the %zu jobs are at NULL", n);
    check_into(m);
    for (size_t i = 0; i < n && task->in.form != CPAR_PLAIN && !m->problem->code; i++)
        m->told.packed += cpar__job_size(&task->in, (const unsigned char *)jobs + i * task->in.type.size, m->problem);
}

/* All ranks learn what the root has. False, with a problem noted, when any has one. */
static bool announce(map *m)
{
    const cpar_view told = cpar_struct(m->told);
    const uint64_t task = cpar__task_fingerprint(m->task);
    m->told.task = task;
    cpar__broadcast(m->call, &told, m->problem);
    if (!m->problem->code && m->told.task != task)
        cpar__note(m->problem, CPAR_ERROR_TYPE, "here the task is %s, at the root it is another, or of other types", m->task->name);
    if (m->told.everywhere) check_into(m);
    if (!cpar__share(m->call, m->group, m->problem->code ? 0 : lay_out_memory(m, NULL), m->problem)) return false;
    m->mates = cpar__find_mates(m->group);
    m->has_root = cpar__is_mate(m->group, m->group->rank, m->call->peer);
    lay_out_memory(m, m->group->shared.memory);
    return true;
}

/* The ranks of other nodes ask those of the root's node in turn, as these find their clients. */
static int find_server(const map *m)
{
    const cpar_group *g = m->group;
    const int root = m->call->peer;
    int mates = 0, before = 0;
    if (m->has_root) return -1;
    for (int r = 0; r < g->size; r++) {
        mates += cpar__is_mate(g, root, r);
        before += r < g->rank && !cpar__is_mate(g, root, r);
    }
    for (int r = 0, turn = before % mates;; r++)
        if (cpar__is_mate(g, root, r) && turn-- == 0) return r;
}

/* Before anybody starts: the own node's slots, and on the root's node the jobs in them. */
static void prepare(map *m, const void *jobs)
{
    const cpar_group *g = m->group;
    if (g->rank == m->call->peer)
        lay_in(m, jobs);
    else if (!m->has_root && m->mates.own == 0)
        clear_board(m);
    find_clients(m);
    m->wanted = m->told.chunk ? m->told.chunk : 1;
    m->server = find_server(m);
}

static void begin_to_serve(map *m)
{
    for (int i = 0; i < m->client_count; i++) {
        m->clients[i].open = true;
        listen_to(m, &m->clients[i]);
    }
    m->open_clients = m->client_count;
}

/* All ranks do the jobs. False when they did not begin, since one has a problem, which all have then. */
static bool do_all(map *m, const void *jobs)
{
    if (!announce(m)) return false;
    prepare(m, jobs);
    const bool begins = cpar__agree(m->call, m->problem);
    if (begins) {
        begin_to_serve(m);
        work(m, m->told.root_works || m->group->rank != m->call->peer);
    }
    free(m->clients);
    return begins;
}

/* The same where there is but this rank. */
static bool do_all_here(map *m, const unsigned char *jobs)
{
    const size_t in = m->task->in.type.size, out = m->task->out.type.size;
    unsigned char *results = m->into, *copy = NULL;
    if (m->problem->code) return false;
    if (out > in && jobs == results && m->told.n) { /* the first results would take the place of the next jobs */
        copy = malloc(m->told.n * in);
        if (!copy) return cpar__note(m->problem, CPAR_ERROR_MEMORY, "no memory for a copy of %zu jobs", (size_t)m->told.n);
        jobs = memcpy(copy, jobs, m->told.n * in);
    }
    for (; m->did < m->told.n && !m->problem->code; m->did++) {
        const char *why = cpar__task_run(m->task, jobs + m->did * in, results + m->did * out);
        if (why) cpar__parcel_failure(&m->parcel, m->did, why, m->problem);
        show(m);
    }
    free(copy);
    return true;
}

/* The results to where the program wants them: at the root, or everywhere. */
static void collect_results(map *m, cpar_failures *failures)
{
    void *results = m->into;
    const bool root = m->group->rank == m->call->peer, plain = m->task->out.form == CPAR_PLAIN;
    const cpar_view all = { .data = results, .count = m->told.n * m->task->out.type.size, .type = { CPAR_CHAR, 1 } };
    cpar__harvest harvest = { .results = results, .n = m->told.n, .passed = &m->task->out };

    cpar__parcel_tally(&m->parcel, m->did, m->problem);
    cpar_message *parcels = cpar__gather(m->call, &(cpar_view){ .data = m->parcel.bytes, .count = m->parcel.used, .type = { CPAR_CHAR, 1 } }, m->problem);
    if (parcels) {
        if (m->board && plain && all.count) memcpy(results, m->results, all.count);
        cpar__parcel_open(parcels->data, parcels->count, &harvest, m->problem);
        if (!m->problem->code && harvest.done != m->told.n)
            cpar__note(m->problem, CPAR_ERROR_STATE, "the ranks have done %zu jobs of %zu", (size_t)harvest.done, (size_t)m->told.n);
    }
    if (m->told.everywhere) {
        const cpar_view own = { .data = parcels ? parcels->data : NULL, .count = cpar_count(parcels), .type = { CPAR_CHAR, 1 } };
        if (plain) cpar__broadcast(m->call, &all, m->problem);
        cpar_message *copy = cpar__broadcast_message(m->call, &own, m->problem);
        if (!root && copy) cpar__parcel_open(copy->data, copy->count, &harvest, m->problem);
        cpar_free(copy);
    }
    cpar_free(parcels);

    cpar__failures_sort(&harvest.failed);
    if (harvest.failed.count && !failures)
        cpar__note(m->problem, CPAR_ERROR_TASK, "%s of job %zu of %zu failed: %.160s%s", m->task->name, harvest.failed.at->job, (size_t)m->told.n,
            harvest.failed.at->why, harvest.failed.count > 1 ? "; others too" : "");
    if (failures)
        *failures = harvest.failed;
    else
        cpar_failures_free(&harvest.failed);
}

int cpar_map_at(const cpar_task *task, const void *jobs, size_t n, void *results, const cpar_mapping *o)
{
    const cpar__call call = cpar__collective_call(o->at, CPAR__MAP, o->group, o->root);
    cpar__problem problem;
    cpar__begin(&problem);
    if (o->failures) *o->failures = (cpar_failures){ 0 };
    if (!cpar__check_root(&problem, &call)) return cpar__raise(&call, &problem);

    const bool root = call.group->rank == o->root;
    map m = { .call = &call, .group = cpar__group_of(o->group), .task = task, .problem = &problem, .into = results, .parcel.rank = call.group->rank, .server = -1, .shows = root && o->progress,
        .told = { .n = n, .chunk = o->chunk, .root_works = o->root_works, .everywhere = o->everywhere } };
    if (root) check_root_call(&m, jobs, n);
    if (m.shows) cpar_progress(0, n);
    if (call.group->size > 1 ? do_all(&m, jobs) : do_all_here(&m, jobs)) collect_results(&m, o->failures);
    if (m.shows) cpar_progress(n, n);
    free(m.parcel.bytes);
    return cpar__raise(&call, &problem);
}
