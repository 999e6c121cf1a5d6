/* Check under MPI: every rank runs the suite, every rank's failures are printed with its rank, and every
   rank exits with the verdict of all.

   Check's own assertions jump out of the test, and the other ranks would wait for what the failed
   one no longer sends. So suites on several ranks use expect: it notes the first failure, and the test goes
   on; it fails at its end, after a barrier.

   The environment's TEST_NODES=2 has cpar take every two ranks for a node of their own, TEST_NODES=13 the first rank for one and every
   three after it for another: so what follows from nodes is tried on one machine. */
#ifndef HARNESS_H
#define HARNESS_H

#include <check.h>
#include <cpar.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Runs the tests with MPI up and cpar initialised, errors returning. Returns main's status. */
int harness_run(int argc, char **argv, const char *name, const TTest *const *tests, size_t count);

/* The same in this process alone, without MPI. */
int harness_run_plain(const char *name, const TTest *const *tests, size_t count);

#define HARNESS_MAIN(name, ...)                                                                    \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        const TTest *const tests[] = { __VA_ARGS__ };                                              \
        return harness_run(argc, argv, name, tests, sizeof tests / sizeof *tests);                 \
    }

#define HARNESS_MAIN_PLAIN(name, ...)                                                              \
    int main(void)                                                                                 \
    {                                                                                              \
        const TTest *const tests[] = { __VA_ARGS__ };                                              \
        return harness_run_plain(name, tests, sizeof tests / sizeof *tests);                       \
    }

#define expect(condition)         harness_expect((condition), __FILE__, __LINE__, "%s", #condition)
#define expect_of(condition, ...) harness_expect((condition), __FILE__, __LINE__, __VA_ARGS__)
void harness_expect(bool holds, const char *file, int line, const char *format, ...) __attribute__((format(printf, 4, 5)));

/* That a call gives this code; that it gives NULL, and this is the last error. */
#define check_code(call, code) harness_code((call), (code), __FILE__, __LINE__, #call)
#define check_null(call, code) harness_code((call) ? 0 : cpar_last_error(), (code), __FILE__, __LINE__, #call)
void harness_code(int got, int expected, const char *file, int line, const char *text);

/* The neighbours in the ring of ranks, which with one rank is a rank and itself. */
static inline int next(void)
{
    return (cpar_rank() + 1) % cpar_size();
}

static inline int previous(void)
{
    return (cpar_rank() + cpar_size() - 1) % cpar_size();
}

/* Sends without waiting, since all ranks may send at once, and a send may wait for its receive. The value must
   stay until all_sent, which waits for these sends and returns the first error. */
#define post(value, ...) harness_post(cpar_isend(value, __VA_ARGS__))
void harness_post(cpar_request *r);
int all_sent(void);

/* The scalars of C, as a list of the tests' own. */
#define ALL_SCALARS(X)                                                                             \
    X(bool) X(char) X(signed char) X(unsigned char) X(short) X(unsigned short) X(int) X(unsigned)  \
    X(long) X(unsigned long) X(long long) X(unsigned long long) X(float) X(double) X(long double)  \
    X(float _Complex) X(double _Complex) X(long double _Complex)

/* A repeatable stream of random numbers (SplitMix64). */
static inline uint64_t draw(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* A seed: TEST_SEED of the environment, else the given one. Printed by rank 0. */
uint64_t harness_seed(uint64_t otherwise);

/* Fills n bytes with what `seed` stands for, and tells whether they still are. */
void fill(void *memory, size_t n, uint64_t seed);
bool filled(const void *memory, size_t n, uint64_t seed);

#endif
