/* Pools: the root submits tasks one by one, the other ranks run them. A rank gets its jobs in the order in which the root sends them, and answers
   in that order, so no number goes along. While a task of its takes less than a millisecond, and there is more waiting than all ranks can
   begin, a rank gets the next one ahead, if that is short; a longer task could keep it waiting while other ranks are free.

   A rank that can't do a job says why in place of the answer, and goes on, unless the two can't go on together: then it leaves. */
#include "pool.h"

#include "collective.h"
#include "message.h"
#include "task.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

struct cpar_future {
    cpar_pool *pool; /* NULL when that is closed */
    size_t index;
    const cpar_task *task;
    unsigned char *job; /* packed, with its head, until it goes out */
    size_t job_bytes;
    enum { WAITS, IS_OUT, HAS_ENDED } state;
    bool abandoned; /* the program has freed it */
    bool returned;  /* by cpar_as_completed */
    char *why;      /* of a failure */
    void *value;    /* where the Out is, in `room` */
    cpar_message *room;
    TAILQ_ENTRY(cpar_future) link; /* in the list of those that wait, or that have ended */
};

TAILQ_HEAD(futures, cpar_future);

enum { AHEAD = 2, SHORT = 4096 /* bytes */ };

typedef struct {
    int rank;
    bool lost, left;          /* by an error; which it told */
    cpar_future *out[AHEAD];  /* in their order */
    int out_count;
    double since, last_took;  /* the first was sent, and the last one took: seconds */
    cpar__transfer in;
    unsigned char *landed;
} worker;

struct cpar_pool {
    cpar__call call;
    size_t submitted, open, waiting_count; /* open: not ended */
    struct futures waiting, ended;
    pthread_t thread; /* that opened it */
    cpar__problem met; /* by a worker that is lost */
    LIST_ENTRY(cpar_pool) link;
    int worker_count;
    worker workers[];
};

/* This thread's. */
static _Thread_local LIST_HEAD(, cpar_pool) open_pools = LIST_HEAD_INITIALIZER(open_pools);

/* In front of a packed job, as long as the strictest of C's types asks for. */
typedef union {
    struct {
        uint64_t task, fingerprint;
    };
    max_align_t aligned;
} job_head;

/* Whether a problem, which one side has and has told the other, or the other way round, parts the two. */
static bool parts(const cpar__problem *p)
{
    return p->code == CPAR_ERROR_STATE || p->code == CPAR_ERROR_MPI;
}

/* ---- Other ranks: running tasks --------------------------------------------------------------- */

/* Runs a job that has arrived. Its result, or why there is none, goes into the parcel. */
static void run_job(const unsigned char *job, size_t bytes, cpar__parcel *parcel, cpar__problem *p)
{
    job_head head;
    memcpy(&head, job, sizeof head);
    const cpar_task *task = head.task < UINT32_MAX ? cpar__task_of((uint32_t)head.task) : NULL;
    if (!task || cpar__task_fingerprint(task) != head.fingerprint) {
        cpar__parcel_failure(parcel, 0, "this rank's program has not that task", p);
        return;
    }
    const bool plain = task->out.form == CPAR_PLAIN;
    cpar_message *in = NULL, *room = cpar__message_new(plain ? task->out.type : (cpar_type){ CPAR_STRUCT, sizeof(void *) }, 1);
    if (task->in.form == CPAR_PLAIN && bytes - sizeof head == task->in.type.size) {
        in = cpar__message_new(task->in.type, 1); /* aligned for that type */
        if (in) memcpy(in->data, job + sizeof head, task->in.type.size);
    }
    const char *why = "no memory, or no job of this task";
    cpar__problem problem = { .code = 0 };
    if (room && (in || task->in.form != CPAR_PLAIN)) why = cpar__job_run(task, in ? in->data : job + sizeof head, bytes - sizeof head, room->data, &problem);
    if (why)
        cpar__parcel_failure(parcel, 0, problem.code ? problem.why : why, p);
    else
        cpar__parcel_result(parcel, &task->out, 0, room->data, p);
    cpar_free(in);
    cpar_free(room);
}

/* The next job, of *bytes; NULL without a problem when there is none: the pool is closed, or the root could not send one, and knows. */
static unsigned char *receive_job(const cpar__call *call, size_t *bytes, bool *closed, cpar__problem *p)
{
    unsigned char *job = NULL;
    cpar__transfer t;
    cpar__patience patience = { 0 };
    for (cpar__start_receive(&t, call, call->peer); !t.landing; cpar__start_receive(&t, call, call->peer)) cpar__turn(&patience, &t, true); /* until there is memory to land in */
    cpar__complete(&t, 1);
    if (t.stage == CPAR__ARRIVED) {
        *bytes = t.bytes;
        *closed = t.bytes == 0;
        if (!*closed && !(job = malloc(t.bytes))) cpar__note(p, CPAR_ERROR_MEMORY, "no memory for a job of %zu bytes", t.bytes);
        cpar__place(&t, job);
        cpar__complete(&t, 1);
    }
    cpar__release(&t);
    if (t.problem.code && !t.problem.told) cpar__keep(p, &t.problem);
    if (job && *bytes < sizeof(job_head)) cpar__note(p, CPAR_ERROR_WIRE, "what arrived is no job");
    return job;
}

/* The parcel, or the problem. Waits until it is sent: a long one would not get on while the next task runs. */
static void send_answer(const cpar__call *call, const cpar__parcel *parcel, cpar__problem *p)
{
    cpar__problem room;
    cpar__transfer t;
    cpar__start_part(&t, call, call->peer, &cpar_array(parcel->bytes, parcel->used), cpar__as_told(call, p, &room));
    cpar__finish(&t, 1, p);
}

/* Receives jobs and answers, until the pool is closed. */
static void run_jobs(const cpar__call *call, cpar__problem *p)
{
    for (bool closed = false; !closed;) {
        cpar__parcel parcel = { .rank = call->group->rank };
        cpar__problem problem = { .code = 0 };
        size_t bytes;
        unsigned char *job = receive_job(call, &bytes, &closed, &problem);
        if (job && !problem.code) run_job(job, bytes, &parcel, &problem);
        if (job || problem.code) send_answer(call, &parcel, &problem);
        free(parcel.bytes);
        free(job);
        if (parts(&problem)) {
            cpar__keep(p, &problem);
            return;
        }
    }
}

/* ---- The root: what comes in ------------------------------------------------------------------ */

static char no_why[] = "no memory to tell why";

static void free_future(cpar_future *f)
{
    if (f->room && f->task->out.form == CPAR_STRING) free(*(char **)(void *)f->room->data);
    if (f->room && f->task->out.form == CPAR_MESSAGE) cpar_free(*(cpar_message **)(void *)f->room->data);
    cpar_free(f->room);
    if (f->why != no_why) free(f->why);
    free(f->job);
    free(f);
}

/* why: NULL, or why it failed. */
static void end_future(cpar_pool *pool, cpar_future *f, const char *why)
{
    f->state = HAS_ENDED;
    if (why && !(f->why = strdup(why))) f->why = no_why;
    free(f->job);
    f->job = NULL;
    pool->open--;
    if (f->abandoned)
        free_future(f);
    else
        TAILQ_INSERT_TAIL(&pool->ended, f, link);
}

/* Takes a future out of those that wait. */
static void take_waiting(cpar_pool *pool, cpar_future *f)
{
    TAILQ_REMOVE(&pool->waiting, f, link);
    pool->waiting_count--;
}

/* The answer to the first job that a worker has, or its failure. */
static void take_answer(cpar_pool *pool, worker *w, const cpar__problem *lost)
{
    cpar_future *f = w->out[0];
    const double now = cpar_time();
    cpar__problem problem = { .code = 0 };
    cpar__keep(&problem, lost);
    if (!problem.code) {
        cpar__harvest harvest = { .results = f->room->data, .n = 1, .passed = &f->task->out };
        if (cpar__parcel_open(w->landed, w->in.bytes, &harvest, &problem)) {
            if (harvest.given != 1)
                cpar__note(&problem, CPAR_ERROR_WIRE, "what arrived are %zu results", (size_t)harvest.given);
            else if (harvest.failed.count)
                cpar__note(&problem, CPAR_ERROR_TASK, "%s", harvest.failed.at->why);
            else
                f->value = f->room->data;
        }
        cpar_failures_free(&harvest.failed);
    }
    w->last_took = now - w->since;
    w->since = now;
    w->out_count--;
    memmove(w->out, w->out + 1, (size_t)w->out_count * sizeof *w->out);
    end_future(pool, f, problem.code ? problem.why : NULL);
}

/* A worker that can't be reached: what it has fails. */
static void lose(cpar_pool *pool, worker *w, const cpar__problem *why)
{
    w->lost = true;
    w->left = why->told;
    cpar__keep(&pool->met, why);
    while (w->out_count) take_answer(pool, w, why);
}

static void look_at(cpar_pool *pool, worker *w)
{
    cpar__transfer *t = &w->in;
    while (w->out_count) {
        if (!t->landing) cpar__start_receive(t, &pool->call, w->rank); /* there was no memory to land in */
        if (!t->landing || !cpar__advance(t)) return;
        if (t->stage == CPAR__ARRIVED) {
            w->landed = malloc(t->bytes + 1);
            cpar__place(t, w->landed);
            if (!w->landed) cpar__note(&t->problem, CPAR_ERROR_MEMORY, "no memory for a result of %zu bytes", t->bytes);
            continue;
        }
        cpar__release(t);
        if (parts(&t->problem))
            lose(pool, w, &t->problem);
        else
            take_answer(pool, w, &t->problem);
        free(w->landed);
        w->landed = NULL;
        if (w->out_count) cpar__start_receive(t, &pool->call, w->rank);
    }
}

/* ---- The root: what goes out ------------------------------------------------------------------ */

static void send_job(cpar_pool *pool, worker *w, cpar_future *f)
{
    cpar__problem problem = { .code = 0 };
    take_waiting(pool, f);
    if (!cpar__send_copy(&pool->call, w->rank, &cpar_array(f->job, f->job_bytes), &problem)) {
        end_future(pool, f, problem.why);
        if (problem.code == CPAR_ERROR_MPI) lose(pool, w, &problem);
        return;
    }
    free(f->job);
    f->job = NULL;
    f->state = IS_OUT;
    w->out[w->out_count++] = f;
    if (w->out_count == 1) {
        w->since = cpar_time();
        cpar__start_receive(&w->in, &pool->call, w->rank);
    }
}

/* For the next job: one that has nothing to do, else one whose last task was short enough to give it this one ahead. NULL for none. */
static worker *find_worker(cpar_pool *pool)
{
    const bool may = pool->waiting_count > (size_t)pool->worker_count && TAILQ_FIRST(&pool->waiting)->job_bytes <= SHORT;
    worker *ahead = NULL;
    for (int i = 0; i < pool->worker_count; i++) {
        worker *w = &pool->workers[i];
        if (w->lost) continue;
        if (w->out_count == 0) return w;
        if (may && w->out_count < AHEAD && w->last_took > 0 && w->last_took < 1e-3) ahead = w;
    }
    return ahead;
}

static bool any_left(const cpar_pool *pool)
{
    for (int i = 0; i < pool->worker_count; i++)
        if (!pool->workers[i].lost) return true;
    return false;
}

/* In a pool of one rank: runs the task that has waited longest. */
static void run_here(cpar_pool *pool)
{
    cpar_future *f = TAILQ_FIRST(&pool->waiting);
    cpar__parcel parcel = { .rank = pool->call.group->rank };
    cpar__problem problem = { .code = 0 };
    worker self = { .out = { f }, .out_count = 1 };
    take_waiting(pool, f);
    f->state = IS_OUT;
    run_job(f->job, f->job_bytes, &parcel, &problem);
    self.landed = parcel.bytes;
    self.in.bytes = parcel.used;
    take_answer(pool, &self, &problem);
    free(parcel.bytes);
}

/* Lets work go out and results come in. */
static void advance_pool(cpar_pool *pool)
{
    worker *w;
    cpar__advance_others(pool->worker_count); /* jobs on their way */
    for (int i = 0; i < pool->worker_count; i++) look_at(pool, &pool->workers[i]);
    while (!TAILQ_EMPTY(&pool->waiting) && (w = find_worker(pool))) send_job(pool, w, TAILQ_FIRST(&pool->waiting));
    while (pool->worker_count && !TAILQ_EMPTY(&pool->waiting) && !any_left(pool)) {
        cpar_future *f = TAILQ_FIRST(&pool->waiting);
        take_waiting(pool, f);
        end_future(pool, f, "no rank is left to run it");
    }
}

/* Advances all, and tells whether all that they wait for is idle. */
static bool advance_all(void)
{
    cpar_pool *pool;
    bool idle = true;
    LIST_FOREACH(pool, &open_pools, link) {
        advance_pool(pool);
        for (int i = 0; i < pool->worker_count; i++) idle = idle && (!pool->workers[i].out_count || cpar__is_idle(&pool->workers[i].in));
    }
    return idle;
}

/* A worker that has something to do, or NULL. */
static worker *find_busy(cpar_pool *pool)
{
    for (int i = 0; i < pool->worker_count; i++)
        if (pool->workers[i].out_count) return &pool->workers[i];
    return NULL;
}

/* A turn of a loop that waits. */
static void wait_in_pool(cpar_pool *pool, cpar__patience *patience, cpar_place at)
{
    const size_t open = pool->open;
    advance_pool(pool);
    if (pool->open < open) return;
    worker *w = find_busy(pool);
    if (w) {
        w->in.wait = at;
        cpar__turn(patience, &w->in, true); /* whether it is idle, advance_all tells */
    } else if (!pool->worker_count && !TAILQ_EMPTY(&pool->waiting))
        run_here(pool);
}

/* ---- Calls ------------------------------------------------------------------------------------ */

static cpar_pool *make_pool(const cpar__call *call, cpar__problem *p)
{
    const int size = call->group->size;
    cpar_pool *pool = calloc(1, sizeof *pool + (size_t)size * sizeof *pool->workers);
    if (!pool) {
        cpar__note(p, CPAR_ERROR_MEMORY, "no memory for a pool of %d ranks", size);
        return NULL;
    }
    pool->call = *call;
    pool->thread = pthread_self();
    TAILQ_INIT(&pool->waiting);
    TAILQ_INIT(&pool->ended);
    for (int r = 0; r < size; r++)
        if (r != call->group->rank) pool->workers[pool->worker_count++].rank = r;
    return pool;
}

cpar_pool *cpar_pool_open_at(const cpar_collective *c)
{
    const cpar__call call = cpar__collective_call(c->at, CPAR__POOL, c->group, c->root);
    cpar_pool *pool = NULL;
    cpar__problem problem;
    cpar__begin(&problem);
    if (cpar__check_root(&problem, &call)) {
        const bool root = call.group->rank == c->root;
        if (root) pool = make_pool(&call, &problem);
        if (cpar__agree(&call, &problem) && !root) run_jobs(&call, &problem);
    }
    if (cpar__raise(&call, &problem)) {
        free(pool);
        return NULL;
    }
    if (pool) {
        cpar__group_of(c->group)->pool = pool;
        LIST_INSERT_HEAD(&open_pools, pool, link);
        cpar__beside = advance_all;
    }
    return pool;
}

/* Notes a problem for a pool or a future that is NULL, for a call from a task, and for one from another thread. */
static bool check_use(cpar__problem *p, const void *object, const char *what, const cpar_pool *pool)
{
    if (!cpar__check_running(p) || !cpar__check_no_task(p)) return false;
    if (!object) return cpar__note(p, CPAR_ERROR_ARGUMENT, "the %s is NULL", what);
    return !pool || pthread_equal(pthread_self(), pool->thread) || cpar__note(p, CPAR_ERROR_STATE, "this is not the thread that opened the pool");
}

static bool check_pool(cpar__problem *p, const cpar_pool *pool)
{
    return check_use(p, pool, "pool", pool);
}

static bool check_future(cpar__problem *p, const cpar_future *f)
{
    return check_use(p, f, "future", f && f->state != HAS_ENDED ? f->pool : NULL);
}

static cpar_future *make_future(cpar_pool *pool, const cpar_task *task, const void *job, cpar__problem *p)
{
    const size_t bytes = sizeof(job_head) + cpar__job_size(&task->in, job, p);
    if (p->code) return NULL;
    cpar_future *f = calloc(1, sizeof *f);
    if (f) *f = (cpar_future){ .pool = pool, .task = task, .job = calloc(1, bytes), .job_bytes = bytes,
        .room = cpar__message_new(task->out.form == CPAR_PLAIN ? task->out.type : (cpar_type){ CPAR_STRUCT, sizeof(void *) }, 1) };
    if (f && f->room) memset(f->room->data, 0, task->out.type.size);
    if (!f || !f->job || !f->room) {
        cpar__note(p, CPAR_ERROR_MEMORY, "no memory for a job of %zu bytes", bytes);
        if (f) free_future(f);
        return NULL;
    }
    const job_head head = { .task = cpar__task_number(task), .fingerprint = cpar__task_fingerprint(task) };
    memcpy(f->job, &head, sizeof head);
    cpar__job_pack(&task->in, job, f->job + sizeof head);
    return f;
}

cpar_future *cpar_submit_at(cpar_pool *pool, const cpar_task *task, const void *job, cpar_place at)
{
    cpar_future *f = NULL;
    cpar__problem problem;
    cpar__begin(&problem);
    if (check_pool(&problem, pool) && (f = make_future(pool, task, job, &problem))) {
        f->index = pool->submitted++;
        pool->open++;
        pool->waiting_count++;
        TAILQ_INSERT_TAIL(&pool->waiting, f, link);
        advance_pool(pool);
    }
    cpar__raise(&(cpar__call){ .at = at, .operation = CPAR__SUBMIT }, &problem);
    return f;
}

cpar_future *cpar_as_completed_at(cpar_pool *pool, cpar_place at)
{
    cpar__patience patience = { 0 };
    cpar__problem problem;
    cpar__begin(&problem);
    if (!check_pool(&problem, pool)) {
        cpar__raise(&(cpar__call){ .at = at, .operation = CPAR__AS_COMPLETED }, &problem);
        return NULL;
    }
    while (TAILQ_EMPTY(&pool->ended) && pool->open) wait_in_pool(pool, &patience, at);
    cpar_future *f = TAILQ_FIRST(&pool->ended);
    if (f) {
        TAILQ_REMOVE(&pool->ended, f, link);
        f->returned = true;
    }
    return f;
}

static void wait_for(cpar_future *f, cpar_place at)
{
    cpar__patience patience = { 0 };
    while (f->state != HAS_ENDED) wait_in_pool(f->pool, &patience, at);
}

const void *cpar_result_at(cpar_future *f, cpar_passed type, const void *otherwise, cpar_place at)
{
    char has[CPAR__TYPE_TEXT], asked[CPAR__TYPE_TEXT];
    cpar__problem problem;
    cpar__begin(&problem);
    if (check_future(&problem, f)) {
        const cpar_passed *out = &f->task->out;
        const bool same = out->form == type.form && (out->form != CPAR_PLAIN || cpar__type_same(out->type, type.type));
        if (!same)
            cpar__note(&problem, CPAR_ERROR_TYPE, "the result of %s is %s, asked for %s", f->task->name, cpar__passed_name(out, has), cpar__passed_name(&type, asked));
        else
            wait_for(f, at);
        if (f->why) cpar__note(&problem, CPAR_ERROR_TASK, "%s of job %zu failed: %.160s", f->task->name, f->index, f->why);
    }
    return cpar__raise(&(cpar__call){ .at = at, .operation = CPAR__RESULT }, &problem) ? otherwise : f->value;
}

const char *cpar_why_at(cpar_future *f, cpar_place at)
{
    cpar__problem problem;
    cpar__begin(&problem);
    if (check_future(&problem, f)) {
        wait_for(f, at);
        return f->why;
    }
    cpar__raise(&(cpar__call){ .at = at, .operation = CPAR__WHY }, &problem);
    return NULL;
}

bool cpar_done_at(cpar_future *f, cpar_place at)
{
    cpar__problem problem;
    cpar__begin(&problem);
    if (!check_future(&problem, f)) {
        cpar__raise(&(cpar__call){ .at = at, .operation = CPAR__DONE_ASKED }, &problem);
        return false;
    }
    if (f->state == HAS_ENDED) return true;
    advance_pool(f->pool);
    if (!f->pool->worker_count) run_here(f->pool); /* else nobody would, for a program that asks until it is done */
    return f->state == HAS_ENDED;
}

bool cpar_cancel_at(cpar_future *f, cpar_place at)
{
    cpar__problem problem;
    cpar__begin(&problem);
    const bool can = check_future(&problem, f) && f->state == WAITS;
    if (can) {
        take_waiting(f->pool, f);
        end_future(f->pool, f, "cancelled");
    }
    cpar__raise(&(cpar__call){ .at = at, .operation = CPAR__CANCEL }, &problem);
    return can;
}

size_t cpar_index(const cpar_future *f)
{
    return f ? f->index : 0;
}

void cpar_future_free(cpar_future *f)
{
    if (!f) return;
    if (f->state == IS_OUT) {
        f->abandoned = true;
        return;
    }
    if (f->state == WAITS) {
        take_waiting(f->pool, f);
        f->pool->open--;
    } else if (f->pool && !f->returned)
        TAILQ_REMOVE(&f->pool->ended, f, link);
    free_future(f);
}

/* Of a pool whose workers have nothing to do: lets them go, by a job of no bytes. */
static void dissolve(cpar_pool *pool, cpar__problem *p)
{
    const cpar_view nothing = { .type = { CPAR_CHAR, 1 } };
    cpar__keep(p, &pool->met);
    for (int i = 0; i < pool->worker_count; i++) {
        const worker *w = &pool->workers[i];
        cpar__transfer t;
        if (w->left) continue;
        if (w->lost)
            cpar__send_copy(&pool->call, w->rank, &nothing, p); /* who may be elsewhere */
        else {
            cpar__start_send(&t, &pool->call, w->rank, &nothing);
            cpar__finish(&t, 1, p);
        }
    }
    while (!TAILQ_EMPTY(&pool->ended)) {
        cpar_future *f = TAILQ_FIRST(&pool->ended);
        TAILQ_REMOVE(&pool->ended, f, link);
        f->pool = NULL;
    }
    LIST_REMOVE(pool, link);
    if (LIST_EMPTY(&open_pools)) cpar__beside = NULL;
    ((cpar_group *)pool->call.group)->pool = NULL;
    free(pool);
}

int cpar_pool_close_at(cpar_pool *pool, cpar_place at)
{
    cpar__patience patience = { 0 };
    cpar__problem problem;
    cpar__begin(&problem);
    if (!pool) return 0;
    const cpar__call call = { .at = at, .operation = CPAR__POOL_CLOSE };
    if (!check_pool(&problem, pool)) return cpar__raise(&call, &problem);

    while (pool->open) wait_in_pool(pool, &patience, at);
    dissolve(pool, &problem);
    return cpar__raise(&call, &problem);
}

void cpar__abandon_pools(cpar__problem *p)
{
    cpar_pool *pool;
    while ((pool = LIST_FIRST(&open_pools))) {
        cpar__patience patience = { 0 };
        char text[160];
        cpar__describe(text, sizeof text, &pool->call);
        cpar__note(p, CPAR_ERROR_STATE, "a pool was opened and never closed: %s", text);
        while (!TAILQ_EMPTY(&pool->waiting)) {
            cpar_future *f = TAILQ_FIRST(&pool->waiting);
            take_waiting(pool, f);
            end_future(pool, f, "cancelled");
        }
        while (find_busy(pool)) wait_in_pool(pool, &patience, pool->call.at);
        dissolve(pool, p);
    }
}
