/* Bytes that no cpar would send arrive where its messages do: an error, and nothing else. Looks into the
   library, so it is built with a static one only. */
#include "harness.h"

#include "lane.h"
#include "runtime.h"
#include "wire.h"

#include <mpi.h>
#include <stdio.h>

/* Bytes on their way, as cpar would send an envelope: through a lane, or else through MPI. */
typedef struct {
    cpar__letter letter;
    MPI_Request request;
} parcel;

static void start_sending(parcel *sent, const unsigned char *bytes, int n, int to, bool message)
{
    const cpar_group *w = &cpar__world;
    if (w->has_lanes) {
        sent->letter = (cpar__letter){ .context = w->number * 2 + message, .lane = to, .bytes = (unsigned char *)bytes, .length = n ? (size_t)n : 1 };
        cpar__letter_send(&sent->letter);
    } else
        MPI_Isend(bytes, n, MPI_BYTE, to, 0, message ? w->messages : w->internal, &sent->request);
}

static void end_sending(parcel *sent)
{
    if (cpar__world.has_lanes)
        while (!cpar__letter_test(&sent->letter)) continue;
    else
        MPI_Wait(&sent->request, MPI_STATUS_IGNORE);
}

/* Every rank sends the bytes to the next, and receives what comes. Returns the code. */
static int goes_round(const unsigned char *bytes, int n, int (*receive)(void))
{
    parcel sent;
    start_sending(&sent, bytes, n, next(), true);
    const int code = receive();
    end_sending(&sent);
    return code;
}

static int receive_message(void)
{
    cpar_message *m = cpar_receive(previous());
    const int code = cpar_last_error();
    if (!m == !code) return -1;
    cpar_free(m);
    return code;
}

static int receive_into(void)
{
    double x[2] = { 1, 2 };
    const int code = cpar_receive_into(cpar_array(x, 2), previous());
    return code && (x[0] != 1 || x[1] != 2) ? -1 : code;
}

START_TEST(garbage_is_a_wire_error_and_the_next_message_is_right)
{
    uint64_t state = harness_seed(7);
    bool refused = true, after = true;
    for (int i = 0; i < 3000; i++) {
        unsigned char bytes[200];
        for (size_t k = 0; k < sizeof bytes; k++) bytes[k] = (unsigned char)draw(&state);
        const int n = (int)(draw(&state) % sizeof bytes);
        if (i % 2) cpar__envelope_write(&(cpar__envelope){ .type = { CPAR_FLOAT, 8 }, .count = draw(&state) }, bytes);
        const int code = goes_round(bytes, n, i % 4 < 2 ? receive_message : receive_into);
        refused = refused && code == CPAR_ERROR_WIRE;
        cpar_message *m = cpar_exchange(i, next(), previous());
        after = after && cpar_value(m, int) == i;
        cpar_free(m);
    }
    expect(refused);
    expect(after);
}
END_TEST

static int gather_at_next(void)
{
    cpar_message *m = cpar_gather(1, 0);
    const int code = cpar_last_error();
    cpar_free(m);
    return code;
}

START_TEST(garbage_in_a_collective_is_a_wire_error)
{
    unsigned char bytes[64] = "not an envelope";
    int code = 0;
    if (cpar_rank() == 1) { /* instead of taking part */
        parcel sent;
        start_sending(&sent, bytes, 64, 0, false);
        end_sending(&sent);
        cpar__world.turns++;
    } else
        code = gather_at_next();
    MPI_Barrier(MPI_COMM_WORLD);
    cpar_message *m = cpar_gather(cpar_rank(), 0);
    const bool right = cpar_count(m) == (cpar_rank() ? 0 : (size_t)cpar_size());
    cpar_free(m);
    expect(right && code == (cpar_rank() == 0 && cpar_size() > 1 ? CPAR_ERROR_WIRE : 0));
}
END_TEST

/* ---- Maps -------------------------------------------------------------------------------------- */

static uint64_t spoils;    /* not 0: this rank's random numbers, by which it spoils what it sends of jobs and results */
static bool spoils_tally; /* how many jobs this rank has done, by which its parcel of results ends */

/* Stands for MPI's, which cpar calls where there are no lanes. */
int MPI_Isend(const void *bytes, int n, MPI_Datatype type, int to, int tag, MPI_Comm comm, MPI_Request *r)
{
    static const uint64_t odd[] = { 0, 1, 2, 7, 8, 16, 29, 30, 31, 255, UINT32_MAX, (uint64_t)1 << 60, INT64_MAX, UINT64_MAX - 15, UINT64_MAX };
    unsigned char *payload = (unsigned char *)bytes + CPAR__HEADER;
    const size_t words = n > CPAR__HEADER ? (size_t)(n - CPAR__HEADER) / 8 : 0;
    cpar__envelope e;
    const bool parts = words > 2 && !cpar__envelope_read(&e, bytes, (size_t)n) && e.operation == CPAR__MAP && e.type.size == 1 && !e.error;
    if (parts && spoils)
        for (uint64_t changes = draw(&spoils) % 3; changes > 0; changes--) {
            const uint64_t value = draw(&spoils) % 2 ? draw(&spoils) >> draw(&spoils) % 64 : odd[draw(&spoils) % (sizeof odd / sizeof *odd)];
            const size_t at = (size_t)(draw(&spoils) % (draw(&spoils) % 2 ? words : words < 8 ? words : 8)), twice = draw(&spoils) % 2 && at + 1 < words;
            for (size_t k = at; k <= at + twice; k++) memcpy(payload + k * 8, &value, 8);
        }
    if (parts && spoils_tally && e.type.kind == CPAR_CHAR) payload[n - CPAR__HEADER - 32]++;
    return PMPI_Isend(bytes, n, type, to, tag, comm, r);
}

static double half(int i)
{
    if (i == 11) cpar_task_fail("eleven");
    return i / 2.0;
}

static char *more(const char *s)
{
    char *out = malloc(strlen(s) + 2);
    sprintf(out, "%s+", s);
    return out;
}

static cpar_message *again(const cpar_message *m)
{
    return cpar_bytes(m) % 5 == 0 ? NULL : cpar_message_of(((cpar_view){ .data = "0123456789012345678901234567890123456789", .count = cpar_bytes(m) % 40, .type = { CPAR_CHAR, 1 } }));
}

CPAR_TASK(half, int, double);
CPAR_TASK(more, const char *, char *);
CPAR_TASK(again, const cpar_message *, cpar_message *);

enum { N = 30 };

static bool map_all(bool everywhere, int root)
{
    int jobs[N];
    double results[N] = { 0 };
    const char *texts[N];
    char *longer[N] = { NULL };
    cpar_message *messages[N], *others[N] = { NULL };
    for (int i = 0; i < N; i++) {
        jobs[i] = i;
        texts[i] = &"some text of some length for a string"[i];
        messages[i] = cpar_message_of(texts[i]);
    }
    cpar_failures failures;
    const int plain = cpar_map(half, jobs, N, results, .everywhere = everywhere, .root = root, .failures = &failures),
              text = cpar_map(more, texts, N, longer, .everywhere = everywhere, .root = root),
              message = cpar_map(again, messages, N, others, .everywhere = everywhere, .root = root);
    bool right = plain == 0 && text == 0 && message == 0;
    cpar_failures_free(&failures);
    for (int i = 0; i < N; i++) {
        if (cpar_rank() == root || everywhere) right = right && results[i] == (i == 11 ? 0 : i / 2.0) && longer[i] && strlen(longer[i]) == strlen(texts[i]) + 1;
        free(longer[i]);
        cpar_free(others[i]);
        cpar_free(messages[i]);
    }
    return right;
}

/* Of a sanitizer that looks for leaks, where there is one: what is spoilt leaks. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

START_TEST(garbage_among_jobs_and_results_does_no_harm_and_the_next_map_is_right)
{
    uint64_t state = harness_seed(9);
    bool after = true;
    if (cpar__world.has_lanes) return;
    if (__lsan_disable) __lsan_disable();
    for (int i = 0; i < 100; i++) {
        const uint64_t seed = draw(&state);
        const int root = (int)(draw(&state) % (uint64_t)cpar_size());
        spoils = i % 3 == 0 || (int)(seed % (uint64_t)cpar_size()) == cpar_rank() ? seed + (uint64_t)cpar_rank() + 1 : 0;
        map_all(i % 2, root);
        spoils = 0;
        after = after && map_all(true, root);
    }
    if (__lsan_enable) __lsan_enable();
    expect(after);
}
END_TEST

START_TEST(a_rank_that_tells_of_a_job_too_many_is_an_error)
{
    int jobs[N] = { 0 };
    double results[N];
    if (cpar_size() == 1 || cpar__world.has_lanes) return;
    for (int root = 0; root < cpar_size(); root++) {
        spoils_tally = cpar_rank() == (root + 1) % cpar_size();
        const int code = cpar_map(half, jobs, N, results, .root = root);
        spoils_tally = false;
        const bool after = map_all(true, root);
        const bool told = code == CPAR_ERROR_STATE || code == CPAR_ERROR_WIRE; /* the latter where it has done all of them */
        expect_of((cpar_rank() == root ? told : !code) && after, "root %d: code %d, right after it %d", root, code, after);
    }
}
END_TEST

HARNESS_MAIN("hostile", garbage_is_a_wire_error_and_the_next_message_is_right, garbage_in_a_collective_is_a_wire_error,
    garbage_among_jobs_and_results_does_no_harm_and_the_next_map_is_right, a_rank_that_tells_of_a_job_too_many_is_an_error)
