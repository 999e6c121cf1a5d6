#include "task.h"

#include "message.h"
#include "type.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Running --------------------------------------------------------------------------------- */

static _Thread_local struct {
    bool runs, failed;
    char why[sizeof ((cpar__problem *)0)->why];
} current;

bool cpar__in_task(void)
{
    return current.runs;
}

bool cpar__check_no_task(cpar__problem *p)
{
    return !current.runs || cpar__note(p, CPAR_ERROR_STATE, "tasks can't call this");
}

const char *cpar__task_run(const cpar_task *task, const void *in, void *out)
{
    const int before = cpar_last_error(); /* of the call in which it runs, not of the task's own */
    current.runs = true;
    current.failed = false;
    task->run(in, out);
    current.runs = false;
    cpar__remember(before);
    if (!current.failed) return NULL;
    if (task->out.form == CPAR_STRING) free(*(char **)out);
    if (task->out.form == CPAR_MESSAGE) cpar_free(*(cpar_message **)out);
    memset(out, 0, task->out.type.size);
    return current.why;
}

int cpar_task_fail(const char *format, ...)
{
    cpar__problem problem;
    cpar__begin(&problem);
    if (!current.runs) cpar__note(&problem, CPAR_ERROR_STATE, "no task is running");
    if (current.runs && !current.failed) {
        va_list args;
        va_start(args, format);
        vsnprintf(current.why, sizeof current.why, format, args);
        va_end(args);
        current.failed = true;
    }
    return cpar__raise(&(cpar__call){ .operation = CPAR__TASK_FAIL }, &problem);
}

/* ---- The list -------------------------------------------------------------------------------- */

static const cpar_task **tasks;
static uint32_t task_count;

void cpar_register_task_(const cpar_task *task)
{
    const cpar_task **longer = realloc(tasks, (task_count + 1) * sizeof *tasks);
    if (!longer) return;
    tasks = longer;
    tasks[task_count++] = task;
}

uint32_t cpar__task_number(const cpar_task *task)
{
    uint32_t i = 0;
    while (i < task_count && tasks[i] != task) i++;
    return i;
}

const cpar_task *cpar__task_of(uint32_t number)
{
    return number < task_count ? tasks[number] : NULL;
}

const char *cpar__passed_name(const cpar_passed *passed, char *text)
{
    if (passed->form == CPAR_PLAIN) return cpar__type_name(passed->type, text);
    snprintf(text, CPAR__TYPE_TEXT, "%s", passed->form == CPAR_STRING ? "string" : "message");
    return text;
}

static uint64_t hash(uint64_t so_far, const void *data, size_t n)
{
    for (size_t i = 0; i < n; i++) so_far = (so_far ^ ((const unsigned char *)data)[i]) * 1099511628211u; /* FNV-1a */
    return so_far;
}

uint64_t cpar__task_fingerprint(const cpar_task *task)
{
    const uint32_t types[] = { task->in.form, task->in.type.kind, task->in.type.size, task->out.form, task->out.type.kind, task->out.type.size };
    return hash(hash(14695981039346656037u, task->name, strlen(task->name)), types, sizeof types);
}

/* ---- Jobs ------------------------------------------------------------------------------------ */

static size_t padded(size_t bytes)
{
    return (bytes + sizeof(cpar__item) - 1) / sizeof(cpar__item) * sizeof(cpar__item);
}

/* What a string or a message at `in` consists of. False for NULL. */
static bool find_item(const cpar_passed *passed, const void *in, cpar__item *item, const void **data)
{
    if (passed->form == CPAR_STRING) {
        const char *s = *(const char *const *)in;
        *data = s;
        *item = (cpar__item){ { CPAR_CHAR, 1 }, s ? strlen(s) + 1 : 0 };
    } else {
        const cpar_message *m = *(const cpar_message *const *)in;
        *data = m ? m->data : NULL;
        if (m) *item = (cpar__item){ m->type, m->count };
    }
    return *data;
}

size_t cpar__job_size(const cpar_passed *passed, const void *in, cpar__problem *p)
{
    cpar__item item;
    const void *data;
    if (passed->form == CPAR_PLAIN) return passed->type.size;
    if (find_item(passed, in, &item, &data)) return sizeof item + padded(item.count * item.type.size);
    cpar__note(p, CPAR_ERROR_ARGUMENT, "a job is NULL");
    return 0;
}

void cpar__job_pack(const cpar_passed *passed, const void *in, unsigned char *out)
{
    cpar__item item;
    const void *data;
    if (passed->form == CPAR_PLAIN) {
        memcpy(out, in, passed->type.size);
        return;
    }
    if (!find_item(passed, in, &item, &data)) return;
    memcpy(out, &item, sizeof item);
    memcpy(out + sizeof item, data, item.count * item.type.size);
}

/* Whether a sound item, with all its data, stands at the head of so many bytes. */
static bool read_item(const unsigned char *bytes, size_t size, cpar__item *item)
{
    uint64_t total;
    if (size < sizeof *item) return false;
    memcpy(item, bytes, sizeof *item);
    return cpar__type_exists(item->type) && !__builtin_mul_overflow(item->count, item->type.size, &total) && total <= size - sizeof *item;
}

static cpar_message *message_of_item(const cpar__item *item, const unsigned char *data, cpar__problem *p)
{
    cpar_message *m = cpar__message_new(item->type, item->count);
    if (m && item->count) memcpy(m->data, data, item->count * item->type.size);
    if (!m) cpar__note(p, CPAR_ERROR_MEMORY, "no memory for a message of %zu bytes", (size_t)item->count * item->type.size);
    return m;
}

const char *cpar__job_run(const cpar_task *task, const unsigned char *job, size_t bytes, void *out, cpar__problem *p)
{
    if (task->in.form == CPAR_PLAIN) return cpar__task_run(task, job, out);

    cpar__item item;
    const unsigned char *data = job + sizeof item;
    const char *why = "";
    if (!read_item(job, bytes, &item) || (task->in.form == CPAR_STRING && (item.type.size != 1 || item.count == 0 || data[item.count - 1]))) {
        cpar__note(p, CPAR_ERROR_WIRE, "what arrived is not a job of this task");
    } else if (task->in.form == CPAR_STRING) {
        why = cpar__task_run(task, &data, out);
    } else {
        cpar_message *m = message_of_item(&item, data, p);
        if (m) why = cpar__task_run(task, &m, out);
        cpar_free(m);
    }
    return why;
}

/* ---- Parcels --------------------------------------------------------------------------------- */

/* A record, and after it, in multiples of 16 bytes, its data. */
typedef struct {
    uint64_t job;   /* the first */
    uint64_t count; /* of elements: of an item, of a text, of plain results in a row */
    cpar_type type;
    uint32_t what;
    int32_t rank; /* who has done it */
} record;
enum { RESULTS, ITEM, NOTHING, FAILURE, TALLY /* `job` is how many this rank has done */ };

static bool make_room(cpar__parcel *parcel, size_t bytes, cpar__problem *p)
{
    if (bytes <= parcel->room - parcel->used) return true;
    const size_t room = 2 * parcel->room + bytes + 4096;
    unsigned char *larger = realloc(parcel->bytes, room);
    if (!larger) return cpar__note(p, CPAR_ERROR_MEMORY, "no memory for %zu bytes of results", room);
    parcel->bytes = larger;
    parcel->room = room;
    return true;
}

/* data: NULL where the count is 0. */
static bool add(cpar__parcel *parcel, record r, const void *data, cpar__problem *p)
{
    const size_t bytes = data ? r.count * r.type.size : 0;
    if (!make_room(parcel, sizeof r + padded(bytes), p)) return false;
    unsigned char *end = parcel->bytes + parcel->used;
    r.rank = parcel->rank;
    memcpy(end, &r, sizeof r);
    if (data) memcpy(end + sizeof r, data, bytes);
    memset(end + sizeof r + bytes, 0, padded(bytes) - bytes);
    parcel->last = parcel->used;
    parcel->used += sizeof r + padded(bytes);
    return true;
}

/* Plain results in a row share a record. */
static bool add_plain(cpar__parcel *parcel, cpar_type type, uint64_t job, const void *out, cpar__problem *p)
{
    record r;
    if (parcel->used) {
        memcpy(&r, parcel->bytes + parcel->last, sizeof r);
        if (r.what == RESULTS && r.job + r.count == job) {
            if (!make_room(parcel, padded(type.size), p)) return false;
            unsigned char *data = parcel->bytes + parcel->last + sizeof r;
            memcpy(data + r.count * type.size, out, type.size);
            r.count++;
            memcpy(parcel->bytes + parcel->last, &r, sizeof r);
            parcel->used = parcel->last + sizeof r + padded(r.count * type.size);
            return true;
        }
    }
    return add(parcel, (record){ .job = job, .count = 1, .type = type, .what = RESULTS }, out, p);
}

bool cpar__parcel_result(cpar__parcel *parcel, const cpar_passed *passed, uint64_t job, void *out, cpar__problem *p)
{
    cpar__item item;
    const void *data;
    if (passed->form == CPAR_PLAIN) return add_plain(parcel, passed->type, job, out, p);
    if (!find_item(passed, out, &item, &data)) return add(parcel, (record){ .job = job, .type = { CPAR_CHAR, 1 }, .what = NOTHING }, NULL, p);

    const bool added = add(parcel, (record){ .job = job, .count = item.count, .type = item.type, .what = ITEM }, data, p);
    if (passed->form == CPAR_STRING)
        free(*(char **)out);
    else
        cpar_free(*(cpar_message **)out);
    return added;
}

bool cpar__parcel_failure(cpar__parcel *parcel, uint64_t job, const char *why, cpar__problem *p)
{
    return add(parcel, (record){ .job = job, .count = strlen(why) + 1, .type = { CPAR_CHAR, 1 }, .what = FAILURE }, why, p);
}

bool cpar__parcel_tally(cpar__parcel *parcel, uint64_t done, cpar__problem *p)
{
    return add(parcel, (record){ .job = done, .type = { CPAR_CHAR, 1 }, .what = TALLY }, NULL, p);
}

static bool add_failure(cpar_failures *failed, uint64_t job, const char *why, cpar__problem *p)
{
    cpar_failure *longer = realloc((cpar_failure *)failed->at, (failed->count + 1) * sizeof *longer);
    if (longer) failed->at = longer;
    char *copy = longer ? strdup(why) : NULL;
    if (!copy) return cpar__note(p, CPAR_ERROR_MEMORY, "no memory for %zu failures", failed->count + 1);
    longer[failed->count++] = (cpar_failure){ (size_t)job, copy };
    return true;
}

/* A string or a message, put where its job's result goes. */
static bool put_item(const record *r, const unsigned char *data, cpar__harvest *h, cpar__problem *p)
{
    void *made;
    if (h->passed->form == CPAR_MESSAGE) {
        cpar_message *m = message_of_item(&(cpar__item){ r->type, r->count }, data, p);
        if (m) m->source = r->rank;
        made = m;
    } else if ((made = malloc(r->count)))
        memcpy(made, data, r->count);
    if (!made) return cpar__note(p, CPAR_ERROR_MEMORY, "no memory for a result of %zu bytes", (size_t)r->count);
    memcpy(h->results + r->job * sizeof made, &made, sizeof made);
    return true;
}

/* Whether a record with all its data stands at the head of so many bytes, and fits what the task gives. */
static bool read_record(const unsigned char *bytes, size_t size, const cpar__harvest *h, record *r, size_t *total)
{
    uint64_t data;
    if (size < sizeof *r) return false;
    memcpy(r, bytes, sizeof *r);
    const uint64_t jobs = r->what == RESULTS ? r->count : r->what != TALLY;
    const unsigned char *text = bytes + sizeof *r;
    if (!cpar__type_exists(r->type) || __builtin_mul_overflow(r->count, r->type.size, &data) || data > size - sizeof *r) return false;
    if (r->rank < 0 || r->job > h->n || jobs > h->n - r->job || (*total = sizeof *r + padded(data)) > size) return false;
    switch (r->what) {
    case RESULTS: return h->passed->form == CPAR_PLAIN && cpar__type_same(r->type, h->passed->type);
    case ITEM: return h->passed->form == CPAR_MESSAGE || (h->passed->form == CPAR_STRING && r->type.size == 1 && r->count > 0 && !text[r->count - 1]);
    case NOTHING: return h->passed->form != CPAR_PLAIN;
    case TALLY: return r->count == 0;
    case FAILURE: return r->type.size == 1 && r->count > 0 && !text[r->count - 1];
    default: return false;
    }
}

bool cpar__parcel_open(const unsigned char *bytes, size_t size, cpar__harvest *h, cpar__problem *p)
{
    record r;
    size_t step;
    for (; size > 0; bytes += step, size -= step) {
        if (!read_record(bytes, size, h, &r, &step)) return cpar__note(p, CPAR_ERROR_WIRE, "what arrived are not results of this task");
        const unsigned char *data = bytes + sizeof r;
        const size_t each = h->passed->type.size;
        if (r.what != TALLY) h->given += r.what == RESULTS ? r.count : 1;
        if (r.what == RESULTS) memcpy(h->results + r.job * each, data, r.count * each);
        if (r.what == NOTHING || r.what == FAILURE) memset(h->results + r.job * each, 0, each);
        if (r.what == ITEM && !put_item(&r, data, h, p)) return false;
        if (r.what == FAILURE && !add_failure(&h->failed, r.job, (const char *)data, p)) return false;
        if (r.what == TALLY) h->done += r.job;
    }
    return true;
}

static int by_job(const void *a, const void *b)
{
    const size_t x = ((const cpar_failure *)a)->job, y = ((const cpar_failure *)b)->job;
    return (x > y) - (x < y);
}

void cpar__failures_sort(cpar_failures *failures)
{
    if (failures->count) qsort((cpar_failure *)failures->at, failures->count, sizeof *failures->at, by_job);
}

void cpar_failures_free(cpar_failures *failures)
{
    for (size_t i = 0; i < failures->count; i++) free((char *)failures->at[i].why);
    free((cpar_failure *)failures->at);
    *failures = (cpar_failures){ 0 };
}
