/* Several threads of every rank at once, with messages below and above what goes inline. */
#include "harness.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum { THREADS = 3, MESSAGES = 60, WORDS_MOST = 40000 };

/* What a thread found wrong, for all of them: threads note it, and the test looks when they have ended. */
static _Atomic(const char *) wrong;

#define note_unless(condition) ((condition) ? (void)0 : atomic_store(&wrong, #condition))

static void run_threads(int count, void *(*body)(void *))
{
    pthread_t threads[2 * THREADS];
    atomic_store(&wrong, NULL);
    for (long i = 0; i < count; i++) pthread_create(&threads[i], NULL, body, (void *)i);
    for (int i = 0; i < count; i++) pthread_join(threads[i], NULL);
    expect_of(!wrong, "a thread found that not: %s", wrong);
}

/* Message `number` of a rank's: its words all tell who it is, and its length follows from that. */
static size_t words_of(uint64_t number)
{
    uint64_t state = number;
    const uint64_t size = draw(&state);
    return 1 + (size_t)(size % 3 ? size % 100 : size % WORDS_MOST);
}

static void fill_words(uint64_t *words, int rank, uint64_t number)
{
    for (size_t i = 0; i < words_of(number); i++) words[i] = (uint64_t)rank << 32 | number;
}

/* The number of a message, if all of it is right. */
static uint64_t check_words(const cpar_message *m)
{
    const uint64_t *words = cpar_as(m, uint64_t), number = cpar_count(m) ? (uint32_t)words[0] : 0;
    note_unless(cpar_count(m) == words_of(number) && words[0] >> 32 == (uint64_t)cpar_source(m));
    for (size_t i = 1; i < cpar_count(m); i++) note_unless(words[i] == words[0]);
    return number;
}

static atomic_int arrived[THREADS * MESSAGES];

static void *send_or_receive(void *argument)
{
    const long thread = (long)argument;
    uint64_t *words = malloc(WORDS_MOST * sizeof *words);
    for (int i = 0; i < MESSAGES; i++) {
        if (thread < THREADS) {
            const uint64_t number = (uint64_t)(thread * MESSAGES + i);
            fill_words(words, cpar_rank(), number);
            note_unless(cpar_send(cpar_array(words, words_of(number)), next(), .tag = 5) == 0);
        } else {
            cpar_message *m = cpar_receive(thread % 2 ? CPAR_ANY_SOURCE : previous(), .tag = thread == THREADS ? CPAR_ANY_TAG : 5);
            const uint64_t number = check_words(m);
            if (number < THREADS * MESSAGES) arrived[number]++;
            cpar_free(m);
        }
    }
    free(words);
    return NULL;
}

START_TEST(many_senders_and_receivers_under_one_tag)
{
    for (int i = 0; i < THREADS * MESSAGES; i++) arrived[i] = 0;
    run_threads(2 * THREADS, send_or_receive);
    bool once = true;
    for (int i = 0; i < THREADS * MESSAGES; i++) once = once && arrived[i] == 1;
    expect(once);
}
END_TEST

static void *pass_in_order(void *argument)
{
    const int tag = (int)(long)argument;
    uint64_t *words = malloc(WORDS_MOST * sizeof *words);
    for (uint64_t i = 0; i < MESSAGES; i++) {
        fill_words(words, cpar_rank(), i);
        cpar_message *m = cpar_exchange(cpar_array(words, words_of(i)), next(), previous(), .tag = tag);
        note_unless(check_words(m) == i && cpar_tag(m) == tag);
        cpar_free(m);

        int x = 0; /* each thread has its own last error */
        cpar_send(i * 0.5, cpar_rank(), .tag = 100 + tag);
        note_unless(cpar_receive_into(&x, cpar_rank(), .tag = 100 + tag) == CPAR_ERROR_TYPE && cpar_last_error() == CPAR_ERROR_TYPE);
    }
    free(words);
    return NULL;
}

START_TEST(each_thread_has_its_order_and_its_errors)
{
    run_threads(THREADS, pass_in_order);
}
END_TEST

static void *wait_for_requests(void *argument)
{
    enum { AT_ONCE = 6 };
    const long thread = (long)argument;
    uint64_t *words[AT_ONCE];
    for (int k = 0; k < AT_ONCE; k++) words[k] = malloc(WORDS_MOST * sizeof **words);
    for (int round = 0; round < MESSAGES / AT_ONCE; round++) {
        cpar_request *requests[2 * AT_ONCE];
        for (int k = 0; k < AT_ONCE; k++) {
            const uint64_t number = (uint64_t)(round * AT_ONCE + k) + (uint64_t)thread * 1000;
            fill_words(words[k], cpar_rank(), number);
            requests[k] = cpar_ireceive(previous(), .tag = (int)thread);
            requests[AT_ONCE + k] = cpar_isend(cpar_array(words[k], words_of(number)), next(), .tag = (int)thread);
        }
        size_t i;
        for (int k = 0; k < 2 * AT_ONCE; k++) {
            cpar_message *m = cpar_wait_any(requests, 2 * AT_ONCE, &i);
            note_unless(i < 2 * AT_ONCE && (m != NULL) == (i < AT_ONCE));
            if (m) note_unless(check_words(m) == (uint64_t)(round * AT_ONCE) + i + (uint64_t)thread * 1000);
            cpar_free(m);
        }
    }
    for (int k = 0; k < AT_ONCE; k++) free(words[k]);
    return NULL;
}

START_TEST(each_thread_has_its_requests)
{
    run_threads(THREADS, wait_for_requests);
}
END_TEST

static cpar_group *groups[THREADS];

static void *reduce_in_group(void *argument)
{
    cpar_group *g = groups[(long)argument];
    const int size = cpar_size(.group = g);
    for (int i = 0; i < MESSAGES; i++) {
        double sum = 0;
        note_unless(cpar_allreduce((double)i, &sum, CPAR_SUM, .group = g) == 0 && sum == (double)i * size);
        cpar_message *m = cpar_allgather(i, .group = g);
        note_unless(cpar_count(m) == (size_t)size && cpar_as(m, int)[size - 1] == i);
        cpar_free(m);
    }
    return NULL;
}

START_TEST(each_thread_has_a_group_for_collectives)
{
    for (int i = 0; i < THREADS; i++) groups[i] = cpar_split(0, i % 2 ? cpar_rank() : -cpar_rank());
    run_threads(THREADS, reduce_in_group);
    for (int i = 0; i < THREADS; i++) cpar_group_free(groups[i]);
}
END_TEST

static void *split_or_send(void *argument)
{
    const int tag = (int)(long)argument;
    for (int i = 0; i < MESSAGES; i++) {
        if (tag == 0) {
            note_unless(cpar_group_free(cpar_split(0, -cpar_rank())) == 0);
            continue;
        }
        cpar_request *r = cpar_ireceive(previous(), .tag = tag);
        note_unless(cpar_send(i, next(), .tag = tag) == 0);
        cpar_message *m = cpar_wait(r);
        note_unless(cpar_value(m, int) == i);
        cpar_free(m);
    }
    return NULL;
}

START_TEST(groups_come_and_go_beside_others_requests)
{
    run_threads(THREADS, split_or_send);
}
END_TEST

int main(int argc, char **argv)
{
    const TTest *const tests[] = { many_senders_and_receivers_under_one_tag, each_thread_has_its_order_and_its_errors,
        each_thread_has_its_requests, each_thread_has_a_group_for_collectives, groups_come_and_go_beside_others_requests };
    cpar_init(&argc, &argv, .threads = true);
    return harness_run(argc, argv, "threads", tests, sizeof tests / sizeof *tests);
}
