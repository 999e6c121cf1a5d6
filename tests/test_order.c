/* Pairing: thousands of random messages between all ranks, received in a random order of their tags, with
   and without wildcards, short and long and empty mixed. Every rank knows the whole plan. */
#include "harness.h"

#include <stdio.h>

enum { MESSAGES = 4000, TAGS = 7, AT_ONCE = 40 };

typedef struct {
    int source, destination, tag;
    size_t bytes;
} planned;

static size_t draw_bytes(uint64_t *state)
{
    const uint64_t kind = draw(state) % 10;
    if (kind == 0) return 0;
    if (kind < 6) return draw(state) % 100;
    if (kind < 8) return 2000 + draw(state) % 100; /* about the inline limit */
    return draw(state) % 200000;
}

/* One round: the messages from..to of the plan are sent; then each rank receives its own, in an order of its own.
   Of two with the same source and tag the first comes first. */
static bool exchange_round(const planned *plan, int from, int to, uint64_t *state, int rank)
{
    cpar_request *sends[AT_ONCE] = { NULL };
    unsigned char *data[AT_ONCE] = { NULL };
    int mine[AT_ONCE], left = 0;
    bool right = true;

    for (int i = from; i < to; i++) {
        if (plan[i].destination == rank) mine[left++] = i;
        if (plan[i].source != rank) continue;
        data[i - from] = malloc(plan[i].bytes + 1);
        fill(data[i - from], plan[i].bytes, (uint64_t)i);
        sends[i - from] = cpar_isend(cpar_array(data[i - from], plan[i].bytes), plan[i].destination, .tag = plan[i].tag);
    }
    while (left > 0) {
        const planned *p = &plan[mine[draw(state) % (uint64_t)left]];
        const int how = (int)(draw(state) % 5);
        const int source = how == 0 || how == 1 ? CPAR_ANY_SOURCE : p->source, tag = how == 0 || how == 2 ? CPAR_ANY_TAG : p->tag;
        cpar_message *m;
        if (how < 4) m = cpar_receive(source, .tag = tag);
        else m = cpar_wait(cpar_ireceive(source, .tag = tag));

        int k = 0; /* the first of those left that it can be */
        while (k < left && (plan[mine[k]].source != cpar_source(m) || plan[mine[k]].tag != cpar_tag(m))) k++;
        if (k == left) {
            printf("rank %d: nothing that is left was sent by %d under tag %d\n", rank, cpar_source(m), cpar_tag(m));
            right = false;
            k = 0;
        }
        const planned *got = &plan[mine[k]];
        right = right && cpar_is(m, unsigned char) && cpar_count(m) == got->bytes && filled(cpar_as(m, unsigned char), got->bytes, (uint64_t)mine[k]);
        right = right && (source == CPAR_ANY_SOURCE || source == cpar_source(m)) && (tag == CPAR_ANY_TAG || tag == cpar_tag(m));
        memmove(&mine[k], &mine[k + 1], (size_t)(left - k - 1) * sizeof *mine);
        left--;
        cpar_free(m);
    }
    right = cpar_wait_all(sends, AT_ONCE) == 0 && right;
    for (int i = 0; i < AT_ONCE; i++) free(data[i]);
    cpar_barrier(); /* a wildcard takes nothing of the next round */
    return right;
}

START_TEST(random_messages_pair_up)
{
    const int rank = cpar_rank(), size = cpar_size();
    uint64_t seed = harness_seed(2026), state = seed, own = seed + 1 + (uint64_t)rank;
    static planned plan[MESSAGES];
    for (int i = 0; i < MESSAGES; i++)
        plan[i] = (planned){ (int)(draw(&state) % (uint64_t)size), (int)(draw(&state) % (uint64_t)size), (int)(draw(&state) % TAGS), draw_bytes(&state) };

    bool right = true;
    for (int i = 0; i < MESSAGES && right; i += AT_ONCE) right = exchange_round(plan, i, i + AT_ONCE, &own, rank);
    expect(right);
}
END_TEST

HARNESS_MAIN("order", random_messages_pair_up)
