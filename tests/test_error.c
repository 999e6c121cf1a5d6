/* Errors: each wrong argument gives its code, tells the handler, and leaves everything usable. */
#include "harness.h"

#include <stdio.h>

static int told_code, told_times;
static char told_line[1024];

static void note(int code, const char *line)
{
    told_code = code;
    told_times++;
    snprintf(told_line, sizeof told_line, "%s", line);
}

/* A line as the default would print it, for an error of `operation` in this file. */
static bool told(int code, int line, const char *rest)
{
    char expected[1024];
    snprintf(expected, sizeof expected, "cpar: rank %d of %d on %s, test_error.c:%d, %s", cpar_rank(), cpar_size(), cpar_get_processor_name(), line, rest);
    const bool same = told_code == code && told_times == 1 && strcmp(told_line, expected) == 0;
    if (!same) fprintf(stderr, "told %d times, code %d:\n  %s\nexpected code %d:\n  %s\n", told_times, told_code, told_line, code, expected);
    told_times = 0;
    return same;
}

START_TEST(the_line_names_everything)
{
    const int me = cpar_rank();
    double four[4] = { 0 };
    int x = 0;
    char rest[256];
    cpar_on_error(note);
    cpar_send(cpar_array(four, 4), me, .tag = 3);
    const int line = __LINE__, code = cpar_receive_into(&x, CPAR_ANY_SOURCE, .tag = CPAR_ANY_TAG);
    snprintf(rest, sizeof rest, "receive from %d, tag 3: the message holds 4 double, asked for 1 int", me);
    const bool type = told(CPAR_ERROR_TYPE, line, rest);

    cpar_send(1, 99);
    snprintf(rest, sizeof rest, "send to 99, tag 0: the destination is 99, accepted are 0 to %d", cpar_size() - 1);
    const bool rank = told(CPAR_ERROR_RANK, __LINE__ - 2, rest);

    cpar_broadcast(&x, -3);
    snprintf(rest, sizeof rest, "broadcast, root -3: the root is -3, accepted are 0 to %d", cpar_size() - 1);
    const bool root = told(CPAR_ERROR_RANK, __LINE__ - 2, rest);

    cpar_send(cpar_array((short *)NULL, 3), me);
    snprintf(rest, sizeof rest, "send to %d, tag 0: the view of 3 short is at NULL", me);
    const bool null = told(CPAR_ERROR_ARGUMENT, __LINE__ - 2, rest);
    cpar_on_error(CPAR_ERRORS_RETURN);
    expect(code == CPAR_ERROR_TYPE && type && rank && root && null);
}
END_TEST

START_TEST(wrong_arguments_of_point_to_point)
{
    const int me = cpar_rank();
    int x = 0;
    const int constant = 1;
    char *string = NULL;
    check_code(cpar_send(1, -1), CPAR_ERROR_RANK);
    check_code(cpar_send(1, cpar_size()), CPAR_ERROR_RANK);
    check_code(cpar_send(1, me, .tag = -1), CPAR_ERROR_TAG);
    check_code(cpar_send(string, me), CPAR_ERROR_ARGUMENT);
    check_code(cpar_send(cpar_array(&x, SIZE_MAX / 4), me), CPAR_ERROR_ARGUMENT);
    check_code(cpar_send(cpar_array((int *)NULL, 0), me), 0);
    check_code(cpar_receive_into(cpar_array((int *)NULL, 0), me), 0);
    check_null(cpar_receive(-2), CPAR_ERROR_RANK);
    check_null(cpar_receive(me, .tag = -2), CPAR_ERROR_TAG);
    check_code(cpar_receive_into(cpar_array(&constant, 1), me), CPAR_ERROR_ARGUMENT);
    check_code(cpar_receive_into((int *)NULL, me), CPAR_ERROR_ARGUMENT);
    check_null(cpar_exchange(1, me, me, .tag = CPAR_ANY_TAG), CPAR_ERROR_TAG);
    check_null(cpar_exchange(1, -1, me), CPAR_ERROR_RANK);
    check_null(cpar_exchange(1, me, -7), CPAR_ERROR_RANK);
    check_null(cpar_isend(1, -1), CPAR_ERROR_RANK);
    check_null(cpar_ireceive(9999), CPAR_ERROR_RANK);
    cpar_view odd = { .data = &x, .count = 1, .type = { 99, 4 } };
    check_code(cpar_send(odd, me), CPAR_ERROR_TYPE);
    odd.type = (cpar_type){ CPAR_FLOAT, 5 };
    check_code(cpar_send(odd, me), CPAR_ERROR_TYPE);
    odd = (cpar_view){ .count = 2, .type = { CPAR_FLOAT, 8 }, .scalar = true };
    check_code(cpar_send(odd, me), CPAR_ERROR_ARGUMENT);
    odd = (cpar_view){ .count = 1, .type = { CPAR_STRUCT, 33 }, .scalar = true };
    check_code(cpar_send(odd, me), CPAR_ERROR_ARGUMENT);

    cpar_send(7, me); /* and all still works */
    check_code(cpar_receive_into(&x, me), 0);
    expect(x == 7 && cpar_last_error() == 0);
}
END_TEST

START_TEST(the_last_error_is_of_the_last_call)
{
    cpar_send(1, -1);
    check_code(cpar_last_error(), CPAR_ERROR_RANK);
    cpar_count(NULL); /* can't fail, says nothing */
    check_code(cpar_last_error(), CPAR_ERROR_RANK);
    cpar_rank();
    check_code(cpar_last_error(), 0);
}
END_TEST

START_TEST(a_handler_that_calls_cpar_changes_nothing)
{
    cpar_on_error(note);
    told_times = 0;
    check_code(cpar_send(1, 99), CPAR_ERROR_RANK);
    expect(cpar_last_error() == CPAR_ERROR_RANK && told_times == 1);
    cpar_on_error(CPAR_ERRORS_RETURN);
    check_code(cpar_send(1, 99), CPAR_ERROR_RANK);
    expect(told_times == 1);
}
END_TEST

START_TEST(every_code_has_a_text)
{
#define CODE_HAS_TEXT(name, number, text) expect(strcmp(cpar_strerror(CPAR_ERROR_##name), text) == 0);
    CPAR_ERRORS(CODE_HAS_TEXT)
    expect(strcmp(cpar_strerror(0), "success") == 0);
    expect(strlen(cpar_strerror(-5)) > 0 && strlen(cpar_strerror(12345)) > 0);
}
END_TEST

START_TEST(init_again_does_nothing)
{
    expect(cpar_initialized());
    check_code(cpar_init(NULL, NULL), 0);
    const int rank = cpar_rank();
    expect(cpar_initialized() && rank >= 0 && rank < cpar_size());
}
END_TEST

START_TEST(time_goes_on)
{
    const double a = cpar_time();
    double b = a;
    for (long i = 0; i < 100000000 && b == a; i++) b = cpar_time();
    expect(b > a && b - a < 60);
}
END_TEST

/* A long and a short message round the ring, and a collective: all that an error could have left in disorder. */
static bool all_goes_on(void)
{
    enum { N = 20000 };
    static double a[N];
    const int rank = cpar_rank();
    double sum = 0;
    for (int i = 0; i < N; i++) a[i] = rank + i;
    cpar_message *m = cpar_exchange(cpar_array(a, N), next(), previous(), .tag = 9), *s = cpar_exchange("short", next(), previous());
    const bool right = cpar_count(m) == N && cpar_as(m, double)[N - 1] == previous() + N - 1 && strcmp(cpar_text(s), "short") == 0;
    cpar_free(m);
    cpar_free(s);
    return cpar_allreduce(1.0, &sum, CPAR_SUM) == 0 && sum == cpar_size() && right;
}

static int wrong_type(void)
{
    static long a[20000];
    double x;
    post(cpar_array(a, 20000), next());
    const int code = cpar_receive_into(&x, previous());
    return all_sent() ? -1 : code;
}

static int too_long(void)
{
    static long a[20000];
    post(cpar_array(a, 20000), next());
    const int code = cpar_receive_into(cpar_array(a, 19999), previous());
    return all_sent() ? -1 : code;
}

static int no_such_rank(void)
{
    return cpar_send(1, cpar_size());
}

static int no_such_tag(void)
{
    return cpar_send(1, next(), .tag = -5);
}

static int bad_argument(void)
{
    cpar_message *m = cpar_allgather(cpar_array(cpar_rank() ? NULL : &told_code, 1));
    const int code = m ? 0 : cpar_last_error();
    cpar_free(m);
    return cpar_size() == 1 ? CPAR_ERROR_ARGUMENT : code; /* rank 0's is all right */
}

static int undefined_operation(void)
{
    char c = 'a', out;
    return cpar_reduce(c, &out, CPAR_SUM, 0);
}

static int another_collective(void)
{
    cpar_message *m = cpar_rank() ? cpar_allgather(1) : cpar_alltoall((cpar_view[64]){ 0 }, 0);
    const int code = m ? 0 : cpar_last_error();
    cpar_free(m);
    return cpar_size() == 1 ? CPAR_ERROR_STATE : cpar_rank() == 0 && code == CPAR_ERROR_ARGUMENT ? CPAR_ERROR_STATE : code;
}

START_TEST(after_each_kind_of_error_all_goes_on)
{
    const struct {
        int (*make)(void);
        int code;
    } errors[] = { { wrong_type, CPAR_ERROR_TYPE }, { too_long, CPAR_ERROR_LENGTH }, { no_such_rank, CPAR_ERROR_RANK }, { no_such_tag, CPAR_ERROR_TAG },
        { bad_argument, CPAR_ERROR_ARGUMENT }, { undefined_operation, CPAR_ERROR_OP }, { another_collective, CPAR_ERROR_STATE } };
    for (int again = 0; again < 3; again++)
        for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
            const int code = errors[i].make();
            const bool right = all_goes_on();
            expect_of(code == errors[i].code && right, "code %d, not %d; all goes on after it: %d", code, errors[i].code, right);
        }
}
END_TEST

HARNESS_MAIN("error", after_each_kind_of_error_all_goes_on, the_line_names_everything, wrong_arguments_of_point_to_point, the_last_error_is_of_the_last_call,
    a_handler_that_calls_cpar_changes_nothing, every_code_has_a_text, init_again_does_nothing, time_goes_on)
