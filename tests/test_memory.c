/* What is allocated in the steady state: nothing by sends, by receives into the program's memory, and by barriers and broadcasts of
   what is short; one piece of memory by a receive that makes a short message. Counts cpar's own calls, which the linker
   leads here, so it is built with a static library only. */
#include "harness.h"

static size_t allocations;

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *memory, size_t bytes);
void *__real_aligned_alloc(size_t align, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);
void *__wrap_aligned_alloc(size_t align, size_t bytes);

void *__wrap_malloc(size_t bytes)
{
    allocations++;
    return __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    allocations++;
    return __real_calloc(count, bytes);
}

void *__wrap_realloc(void *memory, size_t bytes)
{
    allocations++;
    return __real_realloc(memory, bytes);
}

void *__wrap_aligned_alloc(size_t align, size_t bytes)
{
    allocations++;
    return __real_aligned_alloc(align, bytes);
}

enum { ROUNDS = 100 };

/* All ranks pass an array on round the ring, those with an even number send first. How many allocations a round takes;
   -1 for unlike numbers. */
static int count_round(size_t bytes, bool own_memory)
{
    static char out[4096], in[4096];
    size_t before = 0, first = 0;
    bool steady = true;
    for (int i = 0; i < ROUNDS; i++) {
        before = allocations;
        if (cpar_rank() % 2 == 0) cpar_send(cpar_array(out, bytes), next());
        if (own_memory)
            cpar_receive_into(cpar_array(in, bytes), previous());
        else
            cpar_free(cpar_receive(previous()));
        if (cpar_rank() % 2) cpar_send(cpar_array(out, bytes), next());
        if (i == ROUNDS / 2) first = allocations - before; /* by then all pools are filled */
        if (i > ROUNDS / 2) steady = steady && allocations - before == first;
        cpar_barrier();
    }
    return steady ? (int)first : -1;
}

START_TEST(sends_and_receives_of_what_is_short_allocate_nothing)
{
    static const size_t sizes[] = { 0, 1, 8, 200, 300, 4000 };
    if (cpar_size() == 1) return; /* what a rank sends to itself is a copy */
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const int into = count_round(sizes[i], true), owned = count_round(sizes[i], false);
        const int expected = sizes[i] < 1000; /* the memory of a longer one is used again */
        expect_of(into == 0 && owned == expected, "%zu bytes: %d and %d allocations", sizes[i], into, owned);
    }
}
END_TEST

START_TEST(barriers_and_broadcasts_of_what_is_short_allocate_nothing)
{
    double x = 1;
    size_t before = 0;
    for (int i = 0; i < ROUNDS; i++) {
        if (i == ROUNDS / 2) before = allocations;
        cpar_barrier();
        cpar_broadcast(&x, i % cpar_size());
    }
    expect(allocations == before);
}
END_TEST

HARNESS_MAIN("memory", sends_and_receives_of_what_is_short_allocate_nothing, barriers_and_broadcasts_of_what_is_short_allocate_nothing)
