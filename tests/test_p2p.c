/* Point-to-point: who receives what from whom, in which order, and what a misfit leaves behind. Mostly
   in a ring, which with one rank is a rank and itself. */
#include "harness.h"

/* Memory with guards before and behind `size` bytes at `at`. */
typedef struct {
    unsigned char *all, *at;
    size_t size;
} guarded;

enum { GUARD = 4096 };

static guarded guard(size_t size)
{
    guarded g = { .all = malloc(size + 2 * GUARD), .size = size };
    memset(g.all, 0xa5, size + 2 * GUARD);
    g.at = g.all + GUARD;
    return g;
}

/* Whether all is as it was, but for the first `used` bytes between the guards. Frees. */
static bool untouched(guarded g, size_t used)
{
    bool same = true;
    for (size_t i = 0; i < g.size + 2 * GUARD; i++)
        if (i < GUARD || i >= GUARD + used) same = same && g.all[i] == 0xa5;
    free(g.all);
    return same;
}

/* About the limits for inline payloads, and far beyond. */
static const size_t sizes[] = { 1, 100, 4095, 4096, 4097, 9000, 61440, 61441, 70000, 300000, 3000000 };
enum { SIZES = sizeof sizes / sizeof *sizes };

START_TEST(a_view_takes_up_to_its_count)
{
    for (int i = 0; i < SIZES; i++) {
        const size_t n = sizes[i];
        unsigned char *a = malloc(n);
        fill(a, n, n);
        guarded g = guard(n + 10);
        cpar_status st = { 0 };
        cpar_request *r = cpar_isend(cpar_array(a, n), next(), .tag = 3);
        const int error = cpar_receive_into(cpar_array(g.at, n + 10), previous(), .tag = 3, .status = &st);
        cpar_wait(r);
        const bool right = filled(g.at, n, n);
        free(a);
        expect(untouched(g, n));
        expect(!error && right && st.source == previous() && st.tag == 3 && st.count == n && st.bytes == n);
    }
}
END_TEST

START_TEST(a_longer_message_never_touches_the_memory)
{
    for (int i = 0; i < SIZES; i++)
        for (size_t room = 0; room < sizes[i]; room = room ? room * 7 : 1) {
            const size_t n = sizes[i];
            unsigned char *a = calloc(n, 1);
            guarded g = guard(room);
            cpar_status st = { 0 };
            cpar_request *r = cpar_isend(cpar_array(a, n), next());
            const int error = cpar_receive_into(cpar_array(g.at, room), previous(), .status = &st);
            cpar_wait(r);
            free(a);
            const int sent = cpar_last_error();
            int after = 0; /* the message is consumed, the next one is the next */
            r = cpar_isend(42, next());
            cpar_receive_into(&after, previous());
            cpar_wait(r);
            expect(untouched(g, 0));
            expect(error == CPAR_ERROR_LENGTH);
            expect(!sent && after == 42 && st.count == n && st.bytes == n && st.source == previous());
        }
}
END_TEST

START_TEST(another_type_never_touches_the_memory)
{
    for (int i = 0; i < SIZES; i++) {
        const size_t n = sizes[i];
        float *a = calloc(n, sizeof *a);
        guarded g = guard(n * sizeof *a);
        cpar_status st = { 0 };
        cpar_request *r = cpar_isend(cpar_array(a, n), next(), .tag = 9);
        const int error = cpar_receive_into(cpar_array((int *)(void *)g.at, n), CPAR_ANY_SOURCE, .tag = CPAR_ANY_TAG, .status = &st);
        cpar_wait(r);
        free(a);
        expect(untouched(g, 0));
        expect(error == CPAR_ERROR_TYPE);
        expect(st.count == n && st.bytes == n * sizeof *a && st.source == previous() && st.tag == 9);
    }
}
END_TEST

START_TEST(an_address_takes_exactly_one)
{
    int a[2] = { 1, 2 }, x = 7, one;
    post(cpar_array(a, 2), next());
    const int two = cpar_receive_into(&x, previous());
    post(cpar_array(a, 0), next());
    const int none = cpar_receive_into(&x, previous()), kept = x;
    post(cpar_array(a, 1), next());
    one = cpar_receive_into(&x, previous());
    all_sent();
    expect(two == CPAR_ERROR_LENGTH && none == CPAR_ERROR_LENGTH && kept == 7);
    expect(one == 0 && x == 1);
}
END_TEST

START_TEST(wildcards_tell_who_and_what)
{
    /* Every rank sends to every rank, one message short and one long, under tags of their own. */
    const int size = cpar_size(), rank = cpar_rank();
    enum { LONG = 50000 };
    int *data = malloc(LONG * sizeof *data);
    for (int i = 0; i < LONG; i++) data[i] = rank;
    cpar_request **rs = malloc((size_t)size * 2 * sizeof *rs);
    for (int r = 0; r < size; r++) {
        rs[2 * r] = cpar_isend(rank, r, .tag = 100 + rank);
        rs[2 * r + 1] = cpar_isend(cpar_array(data, LONG), r, .tag = 200 + rank);
    }
    bool right = true;
    bool *seen = calloc((size_t)size * 2, sizeof *seen);
    for (int i = 0; i < 2 * size; i++) {
        cpar_status st;
        cpar_message *m = cpar_receive(CPAR_ANY_SOURCE, .tag = CPAR_ANY_TAG, .status = &st);
        const int source = cpar_source(m), is_long = cpar_count(m) > 1;
        right = right && source >= 0 && source < size && cpar_tag(m) == (is_long ? 200 : 100) + source;
        right = right && st.source == source && st.tag == cpar_tag(m) && st.count == cpar_count(m);
        right = right && cpar_as(m, int)[cpar_count(m) - 1] == source && !seen[2 * source + is_long];
        if (right) seen[2 * source + is_long] = true;
        cpar_free(m);
    }
    const int sends = cpar_wait_all(rs, (size_t)size * 2);
    free(rs);
    free(seen);
    free(data);
    expect(right && !sends);
}
END_TEST

START_TEST(a_source_keeps_its_order_under_a_wildcard)
{
    /* Long and short in turn: a short one must not overtake the long one before it. */
    enum { N = 60 };
    const int size = cpar_size();
    char *data = calloc(N, 100000);
    cpar_request *rs[N];
    for (int i = 0; i < N; i++) {
        char *mine = data + i * 100000;
        mine[0] = (char)i;
        rs[i] = cpar_isend(cpar_array(mine, i % 2 ? 1 : 100000), next(), .tag = i % 3);
    }
    int expected[3] = { 0, 1, 2 };
    bool right = true;
    for (int i = 0; i < N; i++) {
        cpar_message *m = cpar_receive(size > 1 ? CPAR_ANY_SOURCE : 0, .tag = CPAR_ANY_TAG);
        const int k = cpar_as(m, char)[0];
        right = right && k == expected[cpar_tag(m)] && k == i;
        expected[cpar_tag(m)] += 3;
        cpar_free(m);
    }
    cpar_wait_all(rs, N);
    free(data);
    expect(right);
}
END_TEST

START_TEST(a_send_to_oneself_completes_at_any_size)
{
    const int me = cpar_rank();
    for (int i = 0; i < SIZES; i++) {
        const size_t n = sizes[i];
        char *a = malloc(n);
        fill(a, n, 1);
        const int first = cpar_send(cpar_array(a, n), me), second = cpar_send(cpar_array(a, n), me, .tag = 1);
        fill(a, n, 2); /* free for reuse */
        cpar_message *m2 = cpar_receive(me, .tag = 1), *m1 = cpar_receive(CPAR_ANY_SOURCE);
        const bool right = filled(cpar_as(m1, char), n, 1) && filled(cpar_as(m2, char), n, 1) && cpar_count(m1) == n;
        cpar_free(m1);
        cpar_free(m2);
        free(a);
        expect(!first && !second && right);
    }
    cpar_message *m = cpar_exchange("self", me, me);
    const bool right = cpar_is(m, char) && strcmp(cpar_text(m), "self") == 0;
    cpar_free(m);
    expect(right);
}
END_TEST

START_TEST(all_exchange_at_once)
{
    for (int i = 0; i < SIZES; i++) {
        const size_t n = sizes[i] * (size_t)(cpar_rank() + 1), expected = sizes[i] * (size_t)(previous() + 1);
        char *a = malloc(n);
        fill(a, n, (uint64_t)cpar_rank());
        cpar_message *m = cpar_exchange(cpar_array(a, n), next(), previous(), .tag = 4);
        const bool right = cpar_count(m) == expected && filled(cpar_as(m, char), expected, (uint64_t)previous()) && cpar_tag(m) == 4;
        cpar_free(m);
        free(a);
        expect(right);
    }
}
END_TEST

START_TEST(an_exchange_with_oneself_only_on_one_side)
{
    /* To oneself, from the one before, who sends a plain message; then the own one. */
    cpar_request *r = cpar_isend(1, next(), .tag = 1);
    cpar_message *m = cpar_exchange(2, cpar_rank(), previous(), .tag = 1);
    const int first = cpar_value(m, int);
    cpar_free(m);
    m = cpar_receive(CPAR_ANY_SOURCE, .tag = 1);
    const int second = cpar_value(m, int);
    cpar_free(m);
    cpar_wait(r);
    expect(first == 1 && second == 2);
}
END_TEST

START_TEST(one_left_unreceived_is_not_mixed_up_with_later_ones)
{
    /* Far more than CPAR_SEQUENCES of the lowered runs, while the first, under another tag, still waits. */
    enum { N = 300, BYTES = 100000 };
    unsigned char *first = malloc(BYTES), *later = malloc(BYTES);
    bool right = true;
    fill(first, BYTES, 1000);
    post(cpar_array(first, BYTES), next(), .tag = 1);
    for (int i = 0; i < N; i++) {
        fill(later, BYTES, (uint64_t)i);
        cpar_message *m = cpar_exchange(cpar_array(later, BYTES), next(), previous(), .tag = 2);
        right = right && filled(cpar_as(m, unsigned char), BYTES, (uint64_t)i);
        cpar_free(m);
    }
    cpar_message *m = cpar_receive(previous(), .tag = 1);
    const bool first_right = cpar_count(m) == BYTES && filled(cpar_as(m, unsigned char), BYTES, 1000);
    cpar_free(m);
    all_sent();
    free(first);
    free(later);
    expect(right && first_right);
}
END_TEST

START_TEST(who_only_ever_tests_gets_on_with_everything)
{
    /* The first receive, which needs answers from here, is never tested while the second, sent after it, is. */
    enum { BYTES = 1000000 };
    unsigned char *a = malloc(BYTES);
    fill(a, BYTES, 5);
    cpar_request *first = cpar_ireceive(previous(), .tag = 1), *second = cpar_ireceive(previous(), .tag = 2);
    cpar_message *m;
    cpar_request *sent = cpar_isend(cpar_array(a, BYTES), next(), .tag = 1);
    const double start = cpar_time();
    while (!cpar_test(sent, NULL) && cpar_time() - start < 20) {}
    const bool done = cpar_time() - start < 20;
    post(6, next(), .tag = 2);
    while (!cpar_test(second, &m)) {}
    const int value = cpar_value(m, int);
    cpar_free(m);
    m = cpar_wait(first);
    const bool right = cpar_count(m) == BYTES && filled(cpar_as(m, unsigned char), BYTES, 5);
    cpar_free(m);
    all_sent();
    free(a);
    expect(done && value == 6 && right);
}
END_TEST

START_TEST(wait_any_takes_each_once)
{
    enum { N = 8 };
    cpar_request *rs[N] = { NULL };
    bool seen[N] = { false }, right = true;
    size_t i;
    for (int k = 1; k < N; k++) rs[k] = cpar_ireceive(previous(), .tag = k);
    for (int k = N - 1; k > 0; k--) post(k, next(), .tag = k);
    for (int k = 1; k < N; k++) {
        cpar_message *m = cpar_wait_any(rs, N, &i);
        right = right && i > 0 && i < N && !seen[i] && !rs[i] && cpar_value(m, int) == (int)i;
        if (i < N) seen[i] = true;
        cpar_free(m);
    }
    cpar_message *none = cpar_wait_any(rs, N, &i);
    right = right && !none && i == N;
    all_sent();
    expect(right);
    expect(cpar_wait(NULL) == NULL && cpar_wait_all(NULL, 0) == 0 && cpar_test(NULL, NULL));
}
END_TEST

START_TEST(wait_all_keeps_the_receives)
{
    cpar_request *rs[3] = { cpar_ireceive(previous(), .tag = 8), NULL, cpar_isend(2.5, next(), .tag = 8) };
    const int code = cpar_wait_all(rs, 3);
    cpar_message *m = cpar_wait(rs[0]);
    const bool right = !rs[1] && !rs[2] && cpar_value(m, double) == 2.5;
    cpar_free(m);
    expect(code == 0 && right);
}
END_TEST

START_TEST(the_highest_tag_goes_round)
{
    int x = 0;
    post(5, next(), .tag = 32767);
    const int code = cpar_receive_into(&x, previous(), .tag = 32767);
    all_sent();
    expect(code == 0 && x == 5);
}
END_TEST

HARNESS_MAIN("p2p", a_view_takes_up_to_its_count, a_longer_message_never_touches_the_memory, another_type_never_touches_the_memory,
    an_address_takes_exactly_one, wildcards_tell_who_and_what, a_source_keeps_its_order_under_a_wildcard,
    a_send_to_oneself_completes_at_any_size, all_exchange_at_once, an_exchange_with_oneself_only_on_one_side,
    one_left_unreceived_is_not_mixed_up_with_later_ones,
    who_only_ever_tests_gets_on_with_everything, wait_any_takes_each_once, wait_all_keeps_the_receives, the_highest_tag_goes_round)
