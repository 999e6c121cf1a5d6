/* Values of every type go out and come back the same, and a message knows what is in it. Each rank sends
   to the next and receives from the one before, which with one rank is itself. */
#include "harness.h"

#include <complex.h>

START_TEST(every_scalar)
{
#define GOES_ROUND(T)                                                                                  \
    {                                                                                                  \
        const T sent = (T)(cpar_rank() + 65), expected = (T)(previous() + 65);                     \
        T into = 0;                                                                                    \
        post(sent, next());                                                                       \
        post(sent, next(), .tag = 5);                                                         \
        cpar_message *m = cpar_receive(previous());                                                \
        const bool right = cpar_is(m, T) && cpar_count(m) == 1 && cpar_bytes(m) == sizeof(T);      \
        const T got = cpar_value(m, T);                                                            \
        cpar_free(m);                                                                                  \
        const int error = cpar_receive_into(&into, previous(), .tag = 5) || all_sent();            \
        expect_of(right && !error && got == expected && into == expected, "%s", #T);           \
    }
    ALL_SCALARS(GOES_ROUND)
}
END_TEST

START_TEST(scalars_keep_every_bit)
{
    const long double ld = -1.25e-300L;
    const double complex z = 1.5 - 2.5 * I;
    const int64_t low = INT64_MIN;
    long double got_ld = 0;
    double complex got_z = 0;
    int64_t got_low = 0;
    post(ld, next());
    post(z, next());
    post(low, next());
    cpar_receive_into(&got_ld, previous());
    cpar_receive_into(&got_z, previous());
    cpar_receive_into(&got_low, previous());
    all_sent();
    expect(got_ld == ld && got_z == z && got_low == low);
}
END_TEST

START_TEST(strings)
{
    char buffer[32] = "in a buffer";
    const char *const texts[] = { "hello", "", buffer };
    for (int i = 0; i < 3; i++) {
        post(texts[i], next());
        cpar_message *m = cpar_receive(previous());
        all_sent();
        const bool right = cpar_is(m, char) && cpar_count(m) == strlen(texts[i]) + 1 && strcmp(cpar_text(m), texts[i]) == 0;
        cpar_free(m);
        expect_of(right, "%s", texts[i]);
    }
    post(cpar_array("a\0b", 3), next()); /* no NUL at its end, one inside */
    cpar_message *m = cpar_receive(previous());
    all_sent();
    const bool right = cpar_count(m) == 3 && memcmp(cpar_as(m, char), "a\0b", 4) == 0;
    cpar_free(m);
    expect(right);
}
END_TEST

/* Lengths about every limit there is: the inline limits, the landing buffer, Open MPI's eager limits. */
START_TEST(arrays_of_every_length)
{
    static const size_t lengths[] = { 0, 1, 2, 7, 255, 511, 512, 513, 1000, 1024, 4095, 4096, 4097, 15359, 15360, 15361, 16384, 20000, 100000, 1000000 };
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        const size_t n = lengths[i];
        float *a = malloc(n * sizeof *a + 1);
        fill(a, n * sizeof *a, n + (size_t)cpar_rank());
        cpar_message *m = cpar_exchange(cpar_array(a, n), next(), previous());
        const float *b = cpar_as(m, float);
        const bool right = b && cpar_count(m) == n && filled(b, n * sizeof *b, n + (size_t)previous()) && cpar_source(m) == previous();
        cpar_free(m);
        free(a);
        expect_of(right, "%zu elements", n);
    }
}
END_TEST

START_TEST(structs)
{
    struct point {
        double x, y;
        char name[8];
    } sent = { 1.5, cpar_rank(), "here" }, into = { 0 }, many[3] = { { 1, 2, "a" }, { 3, 4, "b" }, { 5, 6, "c" } };

    post(cpar_struct(sent), next());
    cpar_message *m = cpar_receive(previous());
    const struct point got = cpar_value(m, struct point);
    cpar_free(m);
    post(cpar_struct(sent), next());
    cpar_receive_into(cpar_struct(into), previous());
    post(cpar_array(many, 3), next());
    m = cpar_receive(previous());
    all_sent();
    const bool right = cpar_count(m) == 3 && memcmp(cpar_as(m, struct point), many, sizeof many) == 0;
    cpar_free(m);
    expect(got.x == 1.5 && got.y == previous() && strcmp(got.name, "here") == 0);
    expect(into.x == 1.5 && into.y == previous());
    expect(right);
}
END_TEST

START_TEST(data_is_aligned_for_its_type)
{
    struct wide {
        _Alignas(64) double x[8];
    } w = { { 1 } };
    struct page {
        _Alignas(4096) char c[4096];
    };
    static struct page p;
    post(cpar_struct(w), next());
    post(cpar_struct(p), next());
    post(1.0L, next());
    cpar_message *m[3];
    for (int i = 0; i < 3; i++) m[i] = cpar_receive(previous());
    all_sent();
    const uintptr_t a = (uintptr_t)cpar_as(m[0], struct wide), b = (uintptr_t)cpar_as(m[1], struct page), c = (uintptr_t)cpar_as(m[2], long double);
    for (int i = 0; i < 3; i++) cpar_free(m[i]);
    expect(a && a % 64 == 0);
    expect(b && b % 4096 == 0);
    expect(c && c % _Alignof(long double) == 0);
}
END_TEST

START_TEST(types_of_equal_kind_and_width_are_the_same)
{
    post(7L, next());
    int64_t x = 0;
    const int code = cpar_receive_into(&x, previous());
    post((char)1, next());
    cpar_message *m = cpar_receive(previous());
    all_sent();
    const bool is_char = cpar_is(m, char), is_signed = cpar_is(m, signed char), is_unsigned = cpar_is(m, unsigned char);
    cpar_free(m);
    expect(code == (sizeof(long) == 8 ? 0 : CPAR_ERROR_TYPE));
    expect(is_char && !is_signed && !is_unsigned);
}
END_TEST

START_TEST(a_null_message_is_empty)
{
    size_t count = 5;
    expect(cpar_count(NULL) == 0 && cpar_bytes(NULL) == 0 && cpar_source(NULL) == -1 && cpar_tag(NULL) == -1);
    expect(!cpar_is(NULL, int) && !cpar_as(NULL, int) && !cpar_text(NULL) && cpar_last_error() == 0);
    expect(!cpar_part(NULL, 0, int, &count) && count == 0 && cpar_last_error() == 0);
    expect(cpar_value(NULL, int) == 0 && cpar_last_error() == CPAR_ERROR_ARGUMENT);
    cpar_free(NULL);
}
END_TEST

START_TEST(accessors_check_what_they_are_asked_for)
{
    int a[2] = { 1, 2 };
    post(cpar_array(a, 2), next());
    cpar_message *m = cpar_receive(previous());
    all_sent();
    size_t count = 5;
    const bool as_double = !cpar_as(m, double) && cpar_last_error() == CPAR_ERROR_TYPE;
    const bool as_int = cpar_as(m, int) && cpar_last_error() == 0;
    const bool value = cpar_value(m, int) == 0 && cpar_last_error() == CPAR_ERROR_LENGTH;
    const bool value_type = cpar_value(m, float) == 0 && cpar_last_error() == CPAR_ERROR_TYPE;
    const bool text = !cpar_text(m) && cpar_last_error() == CPAR_ERROR_TYPE;
    const bool part = !cpar_part(m, 0, int, &count) && count == 0 && cpar_last_error() == CPAR_ERROR_ARGUMENT;
    cpar_free(m);
    expect(as_double && as_int && value && value_type && text && part);
}
END_TEST

HARNESS_MAIN("values", every_scalar, scalars_keep_every_bit, strings, arrays_of_every_length, structs,
    data_is_aligned_for_its_type, types_of_equal_kind_and_width_are_the_same, a_null_message_is_empty,
    accessors_check_what_they_are_asked_for)
