/* The envelope: what is written is read, and nothing else is believed. */
#include "harness.h"

#include "error.h"
#include "wire.h"

#include <stdio.h>

static const cpar__envelope three_doubles = { .type = { CPAR_FLOAT, 8 }, .count = 3, .operation = 2, .reduction = 3, .root = 70000, .turn = 4000000000u };

static const cpar__envelope three_floats = { .type = { CPAR_FLOAT, 4 }, .count = 3 }; /* which has a short header */

/* Reads e's header with so many bytes behind it; NULL when they are believed. */
static const char *read_back(cpar__envelope e, size_t bytes_behind, cpar__envelope *out)
{
    static unsigned char bytes[CPAR__HEADER + CPAR__LANDING];
    const size_t header = cpar__envelope_write(&e, bytes);
    return cpar__envelope_read(out, bytes, header + bytes_behind);
}

START_TEST(what_is_written_is_read)
{
    cpar__envelope e = three_doubles, r;
    ck_assert_ptr_null(read_back(e, 24, &r));
    ck_assert(r.type.kind == CPAR_FLOAT && r.type.size == 8 && r.count == 3 && r.operation == 2 && !r.sequence && !r.error);
    ck_assert(r.reduction == 3 && r.root == 70000 && r.turn == 4000000000u && cpar__envelope_same_call(&e, &r));

    e = (cpar__envelope){ .type = { CPAR_STRUCT, 4000000000u }, .count = 30000, .sequence = INT32_MAX };
    ck_assert_ptr_null(read_back(e, 0, &r));
    ck_assert(r.type.size == 4000000000u && r.count == 30000 && r.sequence == INT32_MAX);

    e = (cpar__envelope){ .type = { CPAR_CHAR, 1 }, .count = 5, .error = 8 };
    ck_assert_ptr_null(read_back(e, 5, &r));
    ck_assert_int_eq(r.error, 8);

    e = (cpar__envelope){ .type = { CPAR_SIGNED, 4 } };
    ck_assert_ptr_null(read_back(e, 0, &r));
    ck_assert(r.count == 0 && r.header == CPAR__SHORT_HEADER);
}
END_TEST

START_TEST(the_header_is_as_short_as_it_can_be)
{
    static const struct {
        cpar__envelope e;
        size_t header;
    } cases[] = {
        { { .type = { CPAR_FLOAT, 8 }, .count = 3 }, CPAR__SHORT_HEADER },
        { { .type = { CPAR_STRUCT, UINT16_MAX }, .count = 0 }, CPAR__SHORT_HEADER },
        { { .type = { CPAR_STRUCT, UINT16_MAX + 1 }, .count = 0 }, CPAR__HEADER },
        { { .type = { CPAR_CHAR, 1 }, .count = UINT32_MAX }, CPAR__SHORT_HEADER },
        { { .type = { CPAR_CHAR, 1 }, .count = (uint64_t)UINT32_MAX + 1 }, CPAR__HEADER },
        { { .type = { CPAR_CHAR, 1 }, .count = 3, .sequence = 1 }, CPAR__HEADER },
        { { .type = { CPAR_CHAR, 1 }, .count = 3, .operation = 1 }, CPAR__HEADER },
        { { .type = { CPAR_CHAR, 1 }, .count = 3, .turn = 1 }, CPAR__HEADER },
    };
    unsigned char bytes[CPAR__HEADER];
    cpar__envelope r;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const cpar__envelope *e = &cases[i].e;
        const size_t payload = e->sequence ? 0 : (size_t)(e->count * e->type.size);
        ck_assert_uint_eq(cpar__envelope_write(e, bytes), cases[i].header);
        ck_assert_ptr_null(cpar__envelope_read(&r, bytes, cases[i].header + payload));
        ck_assert(r.header == cases[i].header && r.type.kind == e->type.kind && r.type.size == e->type.size && r.count == e->count);
        ck_assert(r.sequence == e->sequence && r.what == e->what && r.which == e->which);
    }
    cpar__envelope_write(&three_doubles, bytes);
    memset(bytes + 16, 0, 16); /* now it would have been written short */
    ck_assert_ptr_nonnull(cpar__envelope_read(&r, bytes, CPAR__HEADER + 24));
}
END_TEST

START_TEST(a_wrong_length_is_refused)
{
    cpar__envelope r, e = three_doubles;
    unsigned char bytes[CPAR__HEADER];
    for (size_t behind = 0; behind < CPAR__LANDING; behind++) {
        ck_assert(!read_back(e, behind, &r) == (behind == 24));
        ck_assert(!read_back(three_floats, behind, &r) == (behind == 12));
    }
    e.sequence = 1;
    for (size_t behind = 0; behind < CPAR__LANDING; behind++) ck_assert(!read_back(e, behind, &r) == (behind < 24));
    for (int is_short = 0; is_short < 2; is_short++) {
        const size_t header = cpar__envelope_write(is_short ? &three_floats : &e, bytes);
        for (size_t arrived = 0; arrived < header; arrived++) ck_assert_ptr_nonnull(cpar__envelope_read(&r, bytes, arrived));
    }
    e.sequence = (uint32_t)INT32_MAX + 1; /* as a tag of MPI's it would be a wildcard */
    ck_assert_ptr_nonnull(read_back(e, 0, &r));
    e.sequence = 1;
    e.count = 0;
    ck_assert_ptr_nonnull(read_back(e, 0, &r));
}
END_TEST

START_TEST(a_length_that_overflows_is_refused)
{
    cpar__envelope r, e = { .type = { CPAR_FLOAT, 8 }, .sequence = 1 };
    const uint64_t counts[] = { UINT64_MAX, UINT64_MAX / 8, UINT64_MAX / 8 + 2, (CPAR__BYTES_MAX >> 3) + 1, (uint64_t)1 << 61 };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        e.count = counts[i];
        ck_assert_ptr_nonnull(read_back(e, 0, &r));
    }
    e.count = CPAR__BYTES_MAX >> 3;
    ck_assert_ptr_null(read_back(e, 0, &r));
}
END_TEST

START_TEST(an_error_without_a_text_is_refused)
{
    cpar__envelope r, e = three_doubles;
    e.error = 1;
    ck_assert_ptr_nonnull(read_back(e, 24, &r));
    e = (cpar__envelope){ .type = { CPAR_CHAR, 1 }, .count = 5, .error = 1, .sequence = 1 };
    ck_assert_ptr_nonnull(read_back(e, 0, &r));
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
    for (int first = 0; first < 256; first++) {
        cpar__envelope_write(&three_floats, bytes);
        bytes[0] = (unsigned char)first;
        const int kind = first - 192;
        const bool believed = !cpar__envelope_read(&r, bytes, CPAR__SHORT_HEADER + 12);
        ck_assert_int_eq(believed, kind == CPAR_FLOAT || kind == CPAR_STRUCT || kind == CPAR_SIGNED || kind == CPAR_UNSIGNED);
    }
    for (int wrong = 1; wrong < 256; wrong++) {
        cpar__envelope_write(&three_floats, bytes);
        bytes[1] ^= (unsigned char)wrong;
        ck_assert_ptr_nonnull(cpar__envelope_read(&r, bytes, CPAR__SHORT_HEADER + 12));
    }
}
END_TEST

START_TEST(an_unknown_operation_is_refused)
{
    cpar__envelope r, e = three_doubles;
    for (int operation = 0; operation < 256; operation++) {
        e.operation = (uint8_t)operation;
        ck_assert_int_eq(!read_back(e, 24, &r), operation < CPAR__OPERATION_COUNT);
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
        size_t header = CPAR__HEADER;
        if (draw(&state) % 4) header = cpar__envelope_write(&e, bytes);
        if (draw(&state) % 4 == 0) bytes[draw(&state) % CPAR__HEADER] = (unsigned char)draw(&state);
        const size_t arrived = draw(&state) % 2 ? draw(&state) % sizeof bytes : header + (size_t)(e.count * e.type.size) % (sizeof bytes - header + 1);

        cpar__envelope r;
        if (cpar__envelope_read(&r, bytes, arrived)) continue;
        believed++;
        const uint64_t total = r.count * r.type.size;
        ck_assert(arrived >= r.header && r.type.size > 0 && total / r.type.size == r.count && total <= CPAR__BYTES_MAX);
        ck_assert(r.type.kind >= CPAR_BOOL && r.type.kind <= CPAR_LOC);
        ck_assert(r.sequence <= INT32_MAX && r.operation < CPAR__OPERATION_COUNT);
        ck_assert(r.sequence ? arrived < r.header + total : arrived == r.header + total);
    }
    ck_assert_int_gt(believed, 1000);
}
END_TEST

HARNESS_MAIN_PLAIN("wire", what_is_written_is_read, the_header_is_as_short_as_it_can_be, a_wrong_length_is_refused, a_length_that_overflows_is_refused,
    an_error_without_a_text_is_refused, each_wrong_byte_of_magic_version_kind_and_zero_is_refused, an_unknown_operation_is_refused, calls_differ_in_any_of_four,
    finalize_meets_exit_of_any_status,
    whatever_is_believed_of_random_bytes_is_sound)
