/* The envelope: what is written is read, and nothing else is believed. */
#include "harness.h"

#include "error.h"
#include "wire.h"

#include <stdio.h>

static const cpar__envelope three_doubles = { .type = { CPAR_FLOAT, 8 }, .count = 3, .operation = 2, .reduction = 3, .root = 70000, .turn = 4000000000u };

/* Reads `arrived` bytes that start with e's header; NULL when they are believed. */
static const char *read_back(cpar__envelope e, size_t arrived, cpar__envelope *out)
{
    static unsigned char bytes[CPAR__LANDING];
    cpar__envelope_write(&e, bytes);
    return cpar__envelope_read(out, bytes, arrived);
}

START_TEST(what_is_written_is_read)
{
    cpar__envelope e = three_doubles, r;
    ck_assert_ptr_null(read_back(e, CPAR__HEADER + 24, &r));
    ck_assert(r.type.kind == CPAR_FLOAT && r.type.size == 8 && r.count == 3 && r.operation == 2 && !r.sequence && !r.error);
    ck_assert(r.reduction == 3 && r.root == 70000 && r.turn == 4000000000u && cpar__envelope_same_call(&e, &r));

    e = (cpar__envelope){ .type = { CPAR_STRUCT, 4000000000u }, .count = 30000, .sequence = INT32_MAX };
    ck_assert_ptr_null(read_back(e, CPAR__HEADER, &r));
    ck_assert(r.type.size == 4000000000u && r.count == 30000 && r.sequence == INT32_MAX);

    e = (cpar__envelope){ .type = { CPAR_CHAR, 1 }, .count = 5, .error = 8 };
    ck_assert_ptr_null(read_back(e, CPAR__HEADER + 5, &r));
    ck_assert_int_eq(r.error, 8);

    e = (cpar__envelope){ .type = { CPAR_SIGNED, 4 } };
    ck_assert_ptr_null(read_back(e, CPAR__HEADER, &r));
    ck_assert_uint_eq(r.count, 0);
}
END_TEST

START_TEST(a_wrong_length_is_refused)
{
    cpar__envelope r, e = three_doubles;
    for (size_t arrived = 0; arrived < CPAR__LANDING; arrived++)
        ck_assert(!read_back(e, arrived, &r) == (arrived == CPAR__HEADER + 24));
    e.sequence = 1;
    for (size_t arrived = 0; arrived < CPAR__LANDING; arrived++)
        ck_assert(!read_back(e, arrived, &r) == (arrived >= CPAR__HEADER && arrived < CPAR__HEADER + 24));
    e.sequence = (uint32_t)INT32_MAX + 1; /* as a tag of MPI's it would be a wildcard */
    ck_assert_ptr_nonnull(read_back(e, CPAR__HEADER, &r));
    e.sequence = 1;
    e.count = 0;
    ck_assert_ptr_nonnull(read_back(e, CPAR__HEADER, &r));
}
END_TEST

START_TEST(a_length_that_overflows_is_refused)
{
    cpar__envelope r, e = { .type = { CPAR_FLOAT, 8 }, .sequence = 1 };
    const uint64_t counts[] = { UINT64_MAX, UINT64_MAX / 8, UINT64_MAX / 8 + 2, (CPAR__BYTES_MAX >> 3) + 1, (uint64_t)1 << 61 };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        e.count = counts[i];
        ck_assert_ptr_nonnull(read_back(e, CPAR__HEADER, &r));
    }
    e.count = CPAR__BYTES_MAX >> 3;
    ck_assert_ptr_null(read_back(e, CPAR__HEADER, &r));
}
END_TEST

START_TEST(an_error_without_a_text_is_refused)
{
    cpar__envelope r, e = three_doubles;
    e.error = 1;
    ck_assert_ptr_nonnull(read_back(e, CPAR__HEADER + 24, &r));
    e = (cpar__envelope){ .type = { CPAR_CHAR, 1 }, .count = 5, .error = 1, .sequence = 1 };
    ck_assert_ptr_nonnull(read_back(e, CPAR__HEADER, &r));
}
END_TEST

START_TEST(each_wrong_byte_of_magic_version_kind_and_zero_is_refused)
{
    static const size_t fixed[] = { 0, 1, 2, 23 };
    unsigned char bytes[CPAR__HEADER + 24] = { 0 };
    cpar__envelope r;
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        for (int wrong = 1; wrong < 256; wrong++) {
            cpar__envelope_write(&three_doubles, bytes);
            bytes[fixed[i]] ^= (unsigned char)wrong;
            ck_assert_ptr_nonnull(cpar__envelope_read(&r, bytes, sizeof bytes));
        }
    for (int kind = 0; kind < 256; kind++) {
        cpar__envelope_write(&three_doubles, bytes);
        bytes[3] = (unsigned char)kind;
        const bool believed = !cpar__envelope_read(&r, bytes, sizeof bytes);
        ck_assert_int_eq(believed, kind == CPAR_FLOAT || kind == CPAR_STRUCT || kind == CPAR_SIGNED || kind == CPAR_UNSIGNED || kind == CPAR_COMPLEX);
    }
}
END_TEST

START_TEST(an_unknown_operation_is_refused)
{
    cpar__envelope r, e = three_doubles;
    for (int operation = 0; operation < 256; operation++) {
        e.operation = (uint8_t)operation;
        ck_assert_int_eq(!read_back(e, CPAR__HEADER + 24, &r), operation < CPAR__OPERATION_COUNT);
    }
}
END_TEST

START_TEST(calls_differ_in_any_of_four)
{
    const cpar__envelope *a = &three_doubles;
    cpar__envelope b[5] = { *a, *a, *a, *a, *a };
    b[1].operation++;
    b[2].reduction++;
    b[3].root++;
    b[4].turn++;
    for (int i = 0; i < 5; i++) ck_assert_int_eq(cpar__envelope_same_call(a, &b[i]), i == 0);
    b[0].count++;
    b[0].sequence++;
    ck_assert(cpar__envelope_same_call(a, &b[0]));
}
END_TEST

START_TEST(finalize_meets_exit_of_any_status)
{
    const cpar__envelope finalize = { .operation = CPAR__FINALIZE, .turn = 3 }, leaves = { .operation = CPAR__EXIT, .turn = 3, .root = 1 };
    cpar__envelope fails = { .operation = CPAR__EXIT, .turn = 3, .root = 2 };
    ck_assert(cpar__envelope_same_call(&finalize, &leaves) && cpar__envelope_same_call(&leaves, &fails));
    fails.turn++;
    ck_assert(!cpar__envelope_same_call(&finalize, &fails));
}
END_TEST

START_TEST(whatever_is_believed_of_random_bytes_is_sound)
{
    uint64_t state = harness_seed(20);
    long believed = 0;
    for (long i = 0; i < 2000000; i++) {
        unsigned char bytes[CPAR__HEADER + 64];
        for (size_t k = 0; k < sizeof bytes; k += 8) memcpy(bytes + k, &(uint64_t){ draw(&state) }, 8);
        cpar__envelope e = { .type = { (uint32_t)(draw(&state) % 10), (uint32_t)(draw(&state) % 20) }, .count = draw(&state) % 9,
            .sequence = draw(&state) % 2 ? 0 : (uint32_t)draw(&state) >> draw(&state) % 3, .operation = (uint8_t)(draw(&state) % 48),
            .error = draw(&state) % 4 ? 0 : (uint8_t)draw(&state) };
        if (draw(&state) % 4) cpar__envelope_write(&e, bytes);
        if (draw(&state) % 4 == 0) bytes[draw(&state) % CPAR__HEADER] = (unsigned char)draw(&state);
        const size_t arrived = draw(&state) % 2 ? draw(&state) % sizeof bytes : CPAR__HEADER + (size_t)(e.count * e.type.size) % 65;

        cpar__envelope r;
        if (cpar__envelope_read(&r, bytes, arrived)) continue;
        believed++;
        const uint64_t total = r.count * r.type.size;
        ck_assert(arrived >= CPAR__HEADER && r.type.size > 0 && total / r.type.size == r.count && total <= CPAR__BYTES_MAX);
        ck_assert(r.type.kind >= CPAR_BOOL && r.type.kind <= CPAR_LOC);
        ck_assert(r.sequence <= INT32_MAX && r.operation < CPAR__OPERATION_COUNT);
        ck_assert(r.sequence ? arrived < CPAR__HEADER + total : arrived == CPAR__HEADER + total);
    }
    ck_assert_int_gt(believed, 1000);
}
END_TEST

HARNESS_MAIN_PLAIN("wire", what_is_written_is_read, a_wrong_length_is_refused, a_length_that_overflows_is_refused,
    an_error_without_a_text_is_refused, each_wrong_byte_of_magic_version_kind_and_zero_is_refused, an_unknown_operation_is_refused, calls_differ_in_any_of_four,
    finalize_meets_exit_of_any_status,
    whatever_is_believed_of_random_bytes_is_sound)
