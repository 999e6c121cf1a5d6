/* Pools: the root submits tasks one by one, the other ranks run them. A rank gets its jobs in the order in which the root sends them, and answers
   in that order, so no number goes along. While a task of its takes less than a millisecond a rank gets the next one ahead; a longer one
   could keep that waiting while other ranks are free. */
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

enum { AHEAD = 2 };

typedef struct {
    int rank;
    bool lost;                /* by an error */
    cpar_future *out[AHEAD];  /* in their order */
    int out_count;
    double since, last_took;  /* the first was sent, and the last one took: seconds */
    cpar__transfer in;
    unsigned char *landed;
} worker;

struct cpar_pool {
    cpar__call call;
    size_t submitted, open; /* open: not ended */
    struct futures waiting, ended;
    int worker_count;
    worker workers[];
};

/* In front of a packed job, as long as the strictest of C's types asks for. */
typedef union {
    struct {
        uint32_t task, last; /* last: the pool is closed */
        uint64_t fingerprint;
    };
    max_align_t aligned;
} job_head;

/* ---- Other ranks: running tasks --------------------------------------------------------------- */

/* Runs a job that has arrived. Its result, or why there is none, goes into the parcel. */
static void run_job(const unsigned char *job, size_t bytes, cpar__parcel *parcel, cpar__problem *p)
{
    job_head head;
    memcpy(&head, job, sizeof head);
    const cpar_task *task = cpar__task_of(head.task);
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

/* Receives jobs and answers, until the pool is closed. */
static void run_jobs(const cpar__call *call, cpar__problem *p)
{
    for (bool last = false; !last && !p->code;) {
        cpar__parcel parcel = { .rank = call->group->rank };
        cpar__transfer t;
        cpar__start_receive_message(&t, call, call->peer);
        cpar__finish(&t, 1, p);
        cpar_message *job = cpar__take_message(&t);
        if (!job) return;
        job_head head;
        if (job->count < sizeof head)
            cpar__note(p, CPAR_ERROR_WIRE, "what arrived is no job");
        else {
            memcpy(&head, job->data, sizeof head);
            last = head.last;
            if (!last) run_job(job->data, job->count, &parcel, p);
        }
        cpar_free(job);
        if (!last && !p->code) cpar__send_copy(call, call->peer, &cpar_array(parcel.bytes, parcel.used), p);
        free(parcel.bytes);
    }
}

/* ---- The root: what comes in ------------------------------------------------------------------ */

static void free_future(cpar_future *f)
{
    if (f->value && f->task->out.form == CPAR_STRING) free(*(char **)f->value);
    if (f->value && f->task->out.form == CPAR_MESSAGE) cpar_free(*(cpar_message **)f->value);
    cpar_free(f->room);
    free(f->why);
    free(f->job);
    free(f);
}

/* why: NULL, or why it failed. */
static void end_future(cpar_pool *pool, cpar_future *f, const char *why)
{
    f->state = HAS_ENDED;
    if (why) f->why = strdup(why);
    free(f->job);
    f->job = NULL;
    pool->open--;
    if (f->abandoned)
        free_future(f);
    else
        TAILQ_INSERT_TAIL(&pool->ended, f, link);
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
            if (harvest.failed.count)
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
    while (w->out_count) take_answer(pool, w, why);
}

static void look_at(cpar_pool *pool, worker *w)
{
    cpar__transfer *t = &w->in;
    while (w->out_count && cpar__advance(t)) {
        if (t->stage == CPAR__ARRIVED) {
            w->landed = malloc(t->bytes + 1);
            cpar__place(t, w->landed);
            if (!w->landed) cpar__note(&t->problem, CPAR_ERROR_MEMORY, "no memory for a result of %zu bytes", t->bytes);
            continue;
        }
        cpar__release(t);
        if (t->problem.code && t->problem.code != CPAR_ERROR_MEMORY)
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
    TAILQ_REMOVE(&pool->waiting, f, link);
    f->state = IS_OUT;
    w->out[w->out_count++] = f;
    if (w->out_count == 1) {
        w->since = cpar_time();
        cpar__start_receive(&w->in, &pool->call, w->rank);
    }
    if (!cpar__send_copy(&pool->call, w->rank, &cpar_array(f->job, f->job_bytes), &problem)) lose(pool, w, &problem);
    free(f->job);
    f->job = NULL;
}

/* One that has nothing to do, else one whose last task was short enough to give it the next one ahead. NULL for none. */
static worker *find_worker(cpar_pool *pool)
{
    worker *ahead = NULL;
    for (int i = 0; i < pool->worker_count; i++) {
        worker *w = &pool->workers[i];
        if (w->lost) continue;
        if (w->out_count == 0) return w;
        if (w->out_count < AHEAD && w->last_took > 0 && w->last_took < 1e-3) ahead = w;
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
    TAILQ_REMOVE(&pool->waiting, f, link);
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
    for (int i = 0; i < pool->worker_count; i++) look_at(pool, &pool->workers[i]);
    while (!TAILQ_EMPTY(&pool->waiting) && (w = find_worker(pool))) send_job(pool, w, TAILQ_FIRST(&pool->waiting));
    while (pool->worker_count && !TAILQ_EMPTY(&pool->waiting) && !any_left(pool)) {
        cpar_future *f = TAILQ_FIRST(&pool->waiting);
        TAILQ_REMOVE(&pool->waiting, f, link);
        end_future(pool, f, "no rank is left to run it");
    }
}

/* A turn of a loop that waits. */
static void wait_in_pool(cpar_pool *pool, cpar__patience *patience, cpar_place at)
{
    advance_pool(pool);
    if (!pool->worker_count && !TAILQ_EMPTY(&pool->waiting)) {
        run_here(pool);
        return;
    }
    for (int i = 0; i < pool->worker_count; i++) {
        worker *w = &pool->workers[i];
        if (!w->out_count) continue;
        w->in.wait = at;
        cpar__turn(patience, &w->in, cpar__is_idle(&w->in));
        return;
    }
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
    TAILQ_INIT(&pool->waiting);
    TAILQ_INIT(&pool->ended);
    for (int r = 0; r < size; r++)
        if (r != call->group->rank) pool->workers[pool->worker_count++].rank = r;
    return pool;
}

cpar_pool *cpar_pool_open_at(const cpar_collective *c)
{
    cpar__call call = { .at = c->at, .operation = CPAR__POOL, .group = cpar__group_of(c->group), .peer = c->root };
    cpar_pool *pool = NULL;
    cpar__problem problem;
    cpar__begin(&problem);
    if (cpar__check_no_task(&problem)) call = cpar__collective_call(c->at, CPAR__POOL, c->group, c->root); /* in a task it does not count */
    if (!problem.code && cpar__check_root(&problem, &call)) {
        const bool root = call.group->rank == c->root;
        if (root) pool = make_pool(&call, &problem);
        if (cpar__agree(&call, &problem) && !root) run_jobs(&call, &problem);
        cpar__remember(0); /* what tasks have met is no error of the pool's */
    }
    if (cpar__raise(&call, &problem) == 0) return pool;
    free(pool);
    return NULL;
}

/* Notes a problem for a pool or a future that is NULL, and for a call from a task. */
static bool check_use(cpar__problem *p, const void *object, const char *what)
{
    if (!cpar__check_running(p) || !cpar__check_no_task(p)) return false;
    return object || cpar__note(p, CPAR_ERROR_ARGUMENT, "the %s is NULL", what);
}

static cpar_future *make_future(cpar_pool *pool, const cpar_task *task, const void *job, cpar__problem *p)
{
    const size_t bytes = sizeof(job_head) + cpar__job_size(&task->in, job, p);
    if (p->code) return NULL;
    cpar_future *f = calloc(1, sizeof *f);
    if (f) *f = (cpar_future){ .pool = pool, .task = task, .job = calloc(1, bytes), .job_bytes = bytes,
        .room = cpar__message_new(task->out.form == CPAR_PLAIN ? task->out.type : (cpar_type){ CPAR_STRUCT, sizeof(void *) }, 1) };
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
    if (check_use(&problem, pool, "pool") && (f = make_future(pool, task, job, &problem))) {
        f->index = pool->submitted++;
        pool->open++;
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
    if (!check_use(&problem, pool, "pool")) {
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
    if (check_use(&problem, f, "future")) {
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
    if (check_use(&problem, f, "future")) {
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
    if (!check_use(&problem, f, "future")) {
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
    const bool can = check_use(&problem, f, "future") && f->state == WAITS;
    if (can) {
        TAILQ_REMOVE(&f->pool->waiting, f, link);
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
        TAILQ_REMOVE(&f->pool->waiting, f, link);
        f->pool->open--;
    } else if (f->pool && !f->returned)
        TAILQ_REMOVE(&f->pool->ended, f, link);
    free_future(f);
}

int cpar_pool_close_at(cpar_pool *pool, cpar_place at)
{
    cpar__patience patience = { 0 };
    cpar__problem problem;
    cpar__begin(&problem);
    if (!pool) return 0;
    const cpar__call call = { .at = at, .operation = CPAR__POOL_CLOSE };
    if (!check_use(&problem, pool, "pool")) return cpar__raise(&call, &problem);

    while (pool->open) wait_in_pool(pool, &patience, at);
    const job_head last = { .last = 1 };
    for (int i = 0; i < pool->worker_count; i++)
        cpar__send_copy(&pool->call, pool->workers[i].rank, &(cpar_view){ .data = &last, .count = sizeof last, .type = { CPAR_CHAR, 1 } }, &problem);
    while (!TAILQ_EMPTY(&pool->ended)) {
        cpar_future *f = TAILQ_FIRST(&pool->ended);
        TAILQ_REMOVE(&pool->ended, f, link);
        f->pool = NULL;
    }
    free(pool);
    return cpar__raise(&call, &problem);
}
