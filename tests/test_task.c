/* Tasks: what is packed is what the task gets, what goes into a parcel comes out of it, and nothing else is believed. */
#include "harness.h"

#include "message.h"
#include "task.h"

#include <stdio.h>

/* ---- Tasks, that look at every byte of what they get ------------------------------------------- */

static size_t runs;
static volatile unsigned char looked_at;

static int twice(int x)
{
    runs++;
    if (x < 0) cpar_task_fail("%d is negative", x);
    if (x < 0) cpar_task_fail("that is not told");
    return 2 * x;
}

static char *louder(const char *s)
{
    const size_t n = strlen(s);
    runs++;
    if (n == 3) return NULL;
    char *out = malloc(n + 2);
    snprintf(out, n + 2, "%s!", s);
    if (n == 4) cpar_task_fail("of 4");
    return out;
}

static void look_at(const cpar_message *m)
{
    for (size_t i = 0; i < m->count * m->type.size; i++) looked_at ^= m->data[i];
}

static cpar_message *copy(const cpar_message *m)
{
    runs++;
    look_at(m);
    if (m->count == 3) return NULL;
    cpar_message *out = cpar_message_of(((cpar_view){ .data = m->data, .count = m->count, .type = m->type }));
    if (m->count == 4) cpar_task_fail("of 4");
    return out;
}

static double count_of(const cpar_message *m)
{
    return (double)m->count;
}

CPAR_TASK(twice, int, int);
CPAR_TASK(louder, const char *, char *);
CPAR_TASK(copy, const cpar_message *, cpar_message *);
CPAR_TASK(count_of, const cpar_message *, double);

static const cpar_task *const tasks[] = { &cpar_task_twice, &cpar_task_louder, &cpar_task_copy };
enum { TASKS = 3 };

/* Memory of just that size, so that a sanitizer sees any byte beyond it. */
static unsigned char *exactly(const void *bytes, size_t size)
{
    unsigned char *memory = malloc(size);
    if (size) memcpy(memory, bytes, size);
    return memory;
}

/* Frees what a result holds. */
static void drop(const cpar_passed *passed, unsigned char *result)
{
    void *held;
    if (passed->form == CPAR_PLAIN) return;
    memcpy(&held, result, sizeof held);
    if (passed->form == CPAR_STRING)
        free(held);
    else
        cpar_free(held);
}

static unsigned char *pack(const cpar_passed *passed, const void *job, size_t *size)
{
    cpar__problem problem = { .code = 0 };
    *size = cpar__job_size(passed, job, &problem);
    ck_assert_int_eq(problem.code, 0);
    unsigned char *packed = calloc(1, *size);
    cpar__job_pack(passed, job, packed);
    return packed;
}

/* ---- Running ----------------------------------------------------------------------------------- */

START_TEST(a_task_gets_the_job_that_was_packed)
{
    static const size_t counts[] = { 0, 1, 2, 3, 5, 15, 16, 17, 1000, 100000 };
    cpar__problem problem = { .code = 0 };
    size_t size;
    int out = 0;
    unsigned char *packed = pack(&cpar_task_twice.in, &(int){ 21 }, &size);
    ck_assert(!cpar__job_run(&cpar_task_twice, packed, size, &out, &problem) && out == 42 && size == sizeof(int));
    free(packed);

    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        const size_t n = counts[i];
        short *a = malloc(n * sizeof *a + 1);
        char *s = malloc(n + 1), *louder_s = NULL;
        memset(s, 's', n);
        s[n] = 0;
        fill(a, n * sizeof *a, n);
        cpar_message *m = cpar_message_of(cpar_array(a, n)), *again = NULL;

        packed = pack(&cpar_task_louder.in, &s, &size);
        ck_assert(size % sizeof(cpar__item) == 0 && !cpar__job_run(&cpar_task_louder, packed, size, &louder_s, &problem));
        ck_assert(n == 3 ? !louder_s : strlen(louder_s) == n + 1 && memcmp(louder_s, s, n) == 0 && louder_s[n] == '!');
        free(louder_s);
        free(packed);

        packed = pack(&cpar_task_copy.in, &m, &size);
        ck_assert(size % sizeof(cpar__item) == 0 && !cpar__job_run(&cpar_task_copy, packed, size, &again, &problem));
        ck_assert(n == 3 ? !again : cpar_is(again, short) && cpar_count(again) == n && filled(cpar_as(again, short), n * sizeof *a, n));
        cpar_free(again);
        double count = -1;
        ck_assert(!cpar__job_run(&cpar_task_count_of, packed, size, &count, &problem) && count == (double)n);
        free(packed);
        cpar_free(m);
        free(a);
        free(s);
    }
    ck_assert_int_eq(problem.code, 0);
}
END_TEST

START_TEST(a_task_that_fails_leaves_zeroes_and_its_first_reason)
{
    cpar__problem problem = { .code = 0 };
    int out = 7;
    char *s = "four", *louder_s = "untouched";
    cpar_message *m = cpar_message_of(cpar_array("four", 4)), *again = m;
    const char *why = cpar__task_run(&cpar_task_twice, &(int){ -3 }, &out);
    ck_assert_str_eq(why, "-3 is negative");
    ck_assert_int_eq(out, 0);
    ck_assert_ptr_null(cpar__task_run(&cpar_task_twice, &(int){ 3 }, &out)); /* the next one has not failed */
    ck_assert_int_eq(out, 6);
    ck_assert_str_eq(cpar__task_run(&cpar_task_louder, &s, &louder_s), "of 4");
    ck_assert_ptr_null(louder_s);
    ck_assert_str_eq(cpar__task_run(&cpar_task_copy, &m, &again), "of 4");
    ck_assert_ptr_null(again);
    cpar_free(m);
    ck_assert_int_eq(problem.code, 0);
}
END_TEST

START_TEST(a_job_that_is_null_is_a_problem)
{
    const char *s = NULL;
    const cpar_message *m = NULL;
    cpar__problem problem = { .code = 0 };
    ck_assert(cpar__job_size(&cpar_task_louder.in, &s, &problem) == 0 && problem.code == CPAR_ERROR_ARGUMENT);
    problem.code = 0;
    ck_assert(cpar__job_size(&cpar_task_copy.in, &m, &problem) == 0 && problem.code == CPAR_ERROR_ARGUMENT);
}
END_TEST

START_TEST(fingerprints_tell_tasks_apart)
{
    cpar_task other[8];
    for (int i = 0; i < 8; i++) other[i] = cpar_task_twice;
    other[1].name = "twicE";
    other[2].in.form = CPAR_STRING;
    other[3].in.type.kind++;
    other[4].in.type.size++;
    other[5].out.form = CPAR_MESSAGE;
    other[6].out.type.kind++;
    other[7].out.type.size++;
    for (int i = 0; i < 8; i++)
        for (int k = 0; k < 8; k++) ck_assert_int_eq(cpar__task_fingerprint(&other[i]) == cpar__task_fingerprint(&other[k]), i == k);
    for (int i = 0; i < TASKS; i++) ck_assert_ptr_eq(cpar__task_of(cpar__task_number(tasks[i])), tasks[i]);
    ck_assert_ptr_null(cpar__task_of(cpar__task_number(&other[0])));
    ck_assert_ptr_null(cpar__task_of(UINT32_MAX));
}
END_TEST

/* ---- Parcels ----------------------------------------------------------------------------------- */

enum { JOBS = 20 };

/* A result of job i; none of some. */
static void make_result(const cpar_task *task, size_t i, void *out)
{
    static const char text[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    if (task == &cpar_task_twice)
        *(int *)out = (int)i * 3;
    else if (task == &cpar_task_louder)
        *(char **)out = i % 6 == 1 ? NULL : strdup(text + i);
    else if (i % 6 == 1)
        *(cpar_message **)out = NULL;
    else
        *(cpar_message **)out = i % 2 ? cpar_message_of(text + i) : cpar_message_of(cpar_array(((double[]){ (double)i, 1, 2 }), i % 4));
}

static bool is_result(const cpar_task *task, size_t i, const void *out)
{
    if (task == &cpar_task_twice) return *(const int *)out == (int)i * 3;
    if (i % 6 == 1) return *(void *const *)out == NULL;
    if (task == &cpar_task_louder) return strspn(*(char *const *)out, "a") == 40 - i && strlen(*(char *const *)out) == 40 - i;
    const cpar_message *m = *(cpar_message *const *)out;
    if (i % 2) return cpar_is(m, char) && strlen(cpar_text(m)) == 40 - i;
    return cpar_is(m, double) && cpar_count(m) == i % 4 && (i % 4 == 0 || cpar_as(m, double)[0] == (double)i);
}

static bool fails(size_t i)
{
    return i == 4 || i == 13 || i == 14;
}

/* What three ranks might give, one behind the other: rows of results, single ones, failures, what each has done. */
static cpar__parcel make_parcel(const cpar_task *task)
{
    static const size_t order[JOBS] = { 0, 1, 2, 3, 4, 5, 9, 8, 7, 6, 12, 13, 14, 15, 10, 11, 16, 17, 18, 19 };
    union {
        int i;
        void *p;
    } result;
    cpar__parcel parcel = { 0 };
    cpar__problem problem = { .code = 0 };
    for (size_t k = 0; k < JOBS; k++) {
        char why[32];
        snprintf(why, sizeof why, "%zu of them", order[k]);
        if (fails(order[k]))
            ck_assert(cpar__parcel_failure(&parcel, order[k], why, &problem));
        else {
            make_result(task, order[k], &result);
            ck_assert(cpar__parcel_result(&parcel, &task->out, order[k], &result, &problem));
        }
        if (k % 7 == 5) ck_assert(cpar__parcel_tally(&parcel, 6, &problem));
    }
    ck_assert(cpar__parcel_tally(&parcel, 2, &problem) && parcel.used % 16 == 0);
    return parcel;
}

START_TEST(what_goes_into_a_parcel_comes_out_of_it)
{
    for (int t = 0; t < TASKS; t++) {
        const cpar_task *task = tasks[t];
        const size_t each = task->out.type.size;
        cpar__problem problem = { .code = 0 };
        cpar__parcel parcel = make_parcel(task);
        unsigned char *bytes = exactly(parcel.bytes, parcel.used);
        cpar__harvest h = { .results = malloc(JOBS * each), .n = JOBS, .passed = &task->out };
        memset(h.results, 0x77, JOBS * each);
        ck_assert(cpar__parcel_open(bytes, parcel.used, &h, &problem) && problem.code == 0);
        ck_assert_uint_eq(h.done, JOBS);
        cpar__failures_sort(&h.failed);
        ck_assert_uint_eq(h.failed.count, 3);
        for (size_t i = 0, k = 0; i < JOBS; i++) {
            char why[32];
            snprintf(why, sizeof why, "%zu of them", i);
            if (fails(i)) {
                ck_assert(h.failed.at[k].job == i && strcmp(h.failed.at[k].why, why) == 0);
                for (size_t b = 0; b < each; b++) ck_assert_uint_eq(h.results[i * each + b], 0);
                k++;
            } else
                ck_assert(is_result(task, i, h.results + i * each));
            drop(&task->out, h.results + i * each);
        }
        cpar_failures_free(&h.failed);
        free(h.results);
        free(bytes);
        free(parcel.bytes);
    }
}
END_TEST

START_TEST(failures_are_sorted_by_their_jobs)
{
    uint64_t state = harness_seed(5);
    for (size_t n = 0; n < 60; n++) {
        cpar__parcel parcel = { 0 };
        cpar__problem problem = { .code = 0 };
        cpar__harvest h = { .results = calloc(1000, sizeof(int)), .n = 1000, .passed = &cpar_task_twice.out };
        for (size_t i = 0; i < n; i++) cpar__parcel_failure(&parcel, draw(&state) % 1000, "for a reason", &problem);
        ck_assert(cpar__parcel_open(parcel.bytes, parcel.used, &h, &problem) && h.failed.count == n);
        cpar__failures_sort(&h.failed);
        for (size_t i = 1; i < n; i++) ck_assert_uint_le(h.failed.at[i - 1].job, h.failed.at[i].job);
        cpar_failures_free(&h.failed);
        ck_assert(h.failed.count == 0 && !h.failed.at);
        free(h.results);
        free(parcel.bytes);
    }
}
END_TEST

/* ---- What is not believed ---------------------------------------------------------------------- */

/* Of a sanitizer that looks for leaks, where there is one: a result that comes twice leaks, which only a rank can do that means ill. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

/* Opens just these bytes, for n jobs; whether it believes them. Whatever they are, what comes of it is sound. */
static bool opens(const cpar_task *task, const unsigned char *bytes, size_t size, size_t n)
{
    const size_t each = task->out.type.size;
    unsigned char *arrived = exactly(bytes, size);
    cpar__problem problem = { .code = 0 };
    cpar__harvest h = { .results = calloc(n, each), .n = n, .passed = &task->out };
    if (__lsan_disable) __lsan_disable();
    const bool believed = cpar__parcel_open(arrived, size, &h, &problem);
    if (__lsan_enable) __lsan_enable();
    ck_assert_int_eq(problem.code, believed ? 0 : CPAR_ERROR_WIRE);
    for (size_t i = 0; i < n; i++) {
        void *held = NULL;
        if (task->out.form != CPAR_PLAIN) memcpy(&held, h.results + i * each, sizeof held);
        if (held && task->out.form == CPAR_STRING) looked_at ^= (unsigned char)strlen(held);
        if (held && task->out.form == CPAR_MESSAGE) look_at(held);
        drop(&task->out, h.results + i * each);
    }
    for (size_t i = 0; i < h.failed.count; i++) {
        ck_assert_uint_lt(h.failed.at[i].job, n);
        looked_at ^= (unsigned char)strlen(h.failed.at[i].why);
    }
    cpar_failures_free(&h.failed);
    free(h.results);
    free(arrived);
    return believed;
}

START_TEST(a_parcel_of_a_wrong_length_or_for_other_jobs_is_refused)
{
    for (int t = 0; t < TASKS; t++) {
        cpar__parcel parcel = make_parcel(tasks[t]);
        size_t believed = 0;
        for (size_t size = 0; size <= parcel.used; size++) {
            const bool opened = opens(tasks[t], parcel.bytes, size, JOBS);
            ck_assert(!opened || size % 16 == 0);
            believed += opened;
        }
        ck_assert(believed >= 15 && believed <= 2 + JOBS + 4); /* nothing, and up to the end of each record */
        ck_assert(opens(tasks[t], parcel.bytes, parcel.used, JOBS + 1) && !opens(tasks[t], parcel.bytes, parcel.used, JOBS - 1));
        for (int other = 0; other < TASKS; other++)
            if (other != t) ck_assert(!opens(tasks[other], parcel.bytes, parcel.used, JOBS) || (t == 1 && other == 2)); /* a string is a message too */
        free(parcel.bytes);
    }
}
END_TEST

/* Where a record has its numbers. */
enum { COUNT = 8, KIND = 16, SIZE = 20, WHAT = 24 };

/* Whether a parcel is believed whose first record has other numbers. */
static bool opens_with(const cpar_task *task, const cpar__parcel *parcel, uint64_t count, cpar_type type, uint32_t what)
{
    unsigned char before[32];
    memcpy(before, parcel->bytes, sizeof before);
    memcpy(parcel->bytes + COUNT, &count, 8);
    memcpy(parcel->bytes + KIND, &type.kind, 4);
    memcpy(parcel->bytes + SIZE, &type.size, 4);
    memcpy(parcel->bytes + WHAT, &what, 4);
    const bool believed = opens(task, parcel->bytes, parcel->used, JOBS);
    memcpy(parcel->bytes, before, sizeof before);
    return believed;
}

START_TEST(a_record_of_another_type_or_of_an_impossible_length_is_refused)
{
    const cpar_type is_int = { CPAR_SIGNED, 4 }, is_char = { CPAR_CHAR, 1 };
    cpar__parcel ints = make_parcel(&cpar_task_twice), texts = make_parcel(&cpar_task_louder), messages = make_parcel(&cpar_task_copy);
    uint64_t count;
    memcpy(&count, ints.bytes + COUNT, 8);
    ck_assert_uint_eq(count, 4); /* a row, up to the failure */
    ck_assert(opens_with(&cpar_task_twice, &ints, 4, is_int, 0));
    for (uint32_t size = 0; size < 20; size++)
        for (uint32_t kind = 0; kind < 10; kind++)
            if (kind != CPAR_SIGNED || size != 4) ck_assert(!opens_with(&cpar_task_twice, &ints, 4, (cpar_type){ kind, size }, 0));
    for (uint32_t what = 1; what < 300; what++) ck_assert(!opens_with(&cpar_task_twice, &ints, 4, is_int, what));

    /* Bytes that overflow to few. */
    ck_assert(!opens_with(&cpar_task_twice, &ints, ((uint64_t)1 << 62) + 4, is_int, 0));
    memcpy(&count, messages.bytes + COUNT, 8);
    ck_assert(count == 0 && opens_with(&cpar_task_copy, &messages, 0, is_int, 1));
    ck_assert(!opens_with(&cpar_task_copy, &messages, (uint64_t)1 << 62, is_int, 1));
    ck_assert(!opens_with(&cpar_task_copy, &messages, (uint64_t)1 << 32, (cpar_type){ CPAR_STRUCT, UINT32_C(1) << 31 }, 1));

    /* A string has its end. */
    memcpy(&count, texts.bytes + COUNT, 8);
    ck_assert(count == 41 && opens_with(&cpar_task_louder, &texts, 41, is_char, 1));
    ck_assert(!opens_with(&cpar_task_louder, &texts, 40, is_char, 1) && !opens_with(&cpar_task_louder, &texts, 0, is_char, 1));
    free(ints.bytes);
    free(texts.bytes);
    free(messages.bytes);
}
END_TEST

/* Changes some bytes: any, or a number to one at which things go wrong, or puts some over others; may cut the end off. */
static size_t mutate(unsigned char *bytes, size_t size, uint64_t *state)
{
    static const uint64_t odd[] = { 0, 1, 2, 3, 4, 5, 15, 16, 17, JOBS - 1, JOBS, JOBS + 1, 255, 4096, UINT32_MAX, (uint64_t)1 << 32, (uint64_t)1 << 47, (uint64_t)1 << 60,
        (uint64_t)1 << 61, (uint64_t)1 << 63, INT64_MAX, UINT64_MAX - 31, UINT64_MAX / 4, UINT64_MAX / 8, UINT64_MAX };
    for (uint64_t changes = 1 + draw(state) % 3; changes > 0; changes--) {
        const size_t word = (size_t)(draw(state) % (size / 8)) * 8, half = (size_t)(draw(state) % (size / 4)) * 4;
        const size_t from = (size_t)(draw(state) % (size / 16)) * 16, room = size - (from > word ? from : word);
        const uint64_t value = odd[draw(state) % (sizeof odd / sizeof *odd)];
        switch (draw(state) % 5) {
        case 0: bytes[draw(state) % size] ^= (unsigned char)(1 << draw(state) % 8); break;
        case 1: bytes[draw(state) % size] = (unsigned char)draw(state); break;
        case 2: memcpy(bytes + word, &value, 8); break;
        case 3: memcpy(bytes + half, &value, 4); break;
        default: memmove(bytes + word, bytes + from, room < 48 ? room : 48); break;
        }
    }
    return draw(state) % 4 ? size : (size_t)(draw(state) % (size + 1));
}

START_TEST(whatever_is_believed_of_a_changed_parcel_is_sound)
{
    uint64_t state = harness_seed(11);
    for (int t = 0; t < TASKS; t++) {
        cpar__parcel parcel = make_parcel(tasks[t]);
        unsigned char *bytes = malloc(parcel.used);
        long believed = 0, refused = 0;
        for (int i = 0; i < 30000; i++) {
            memcpy(bytes, parcel.bytes, parcel.used);
            const size_t size = mutate(bytes, parcel.used, &state);
            if (opens(tasks[t], bytes, size, JOBS))
                believed++;
            else
                refused++;
        }
        ck_assert(believed > 1000 && refused > 1000);
        free(bytes);
        free(parcel.bytes);
    }
}
END_TEST

START_TEST(whatever_is_believed_of_a_changed_job_is_sound)
{
    static const size_t lengths[] = { 0, 1, 14, 15, 16, 40 };
    uint64_t state = harness_seed(12);
    char text[64];
    memset(text, 'a', sizeof text);
    for (int t = 1; t < TASKS; t++) {
        long believed = 0, refused = 0;
        for (int i = 0; i < 40000; i++) {
            text[lengths[i % 6]] = 0;
            const char *s = text;
            const cpar_message *m = i % 2 ? cpar_message_of(text) : cpar_message_of(cpar_array(((double[6]){ 0 }), i % 6));
            size_t size;
            void *out = NULL;
            unsigned char *packed = t == 1 ? pack(&tasks[t]->in, &s, &size) : pack(&tasks[t]->in, &m, &size);
            const size_t cut = mutate(packed, size, &state);
            unsigned char *arrived = exactly(packed, cut);
            cpar__problem problem = { .code = 0 };
            const size_t before = runs;
            const char *why = cpar__job_run(tasks[t], arrived, cut, &out, &problem);
            ck_assert(problem.code == 0 || (problem.code == CPAR_ERROR_WIRE && why && runs == before && !out));
            if (problem.code)
                refused++;
            else
                believed++;
            if (t == 1)
                free(out);
            else
                cpar_free(out);
            free(packed);
            free(arrived);
            cpar_free((cpar_message *)m);
            text[lengths[i % 6]] = 'a';
        }
        ck_assert(believed > 1000 && refused > 1000);
    }
}
END_TEST

HARNESS_MAIN_PLAIN("task", a_task_gets_the_job_that_was_packed, a_task_that_fails_leaves_zeroes_and_its_first_reason, a_job_that_is_null_is_a_problem,
    fingerprints_tell_tasks_apart, what_goes_into_a_parcel_comes_out_of_it, failures_are_sorted_by_their_jobs, a_parcel_of_a_wrong_length_or_for_other_jobs_is_refused,
    a_record_of_another_type_or_of_an_impossible_length_is_refused,
    whatever_is_believed_of_a_changed_parcel_is_sound, whatever_is_believed_of_a_changed_job_is_sound)
