/* Types: which exist, and what they are called. */
#include "harness.h"

#include "type.h"

START_TEST(every_scalar_exists_under_its_name)
{
    static const struct {
        cpar_type type;
        const char *name;
    } rows[] = {
        { { CPAR_BOOL, 1 }, "bool" }, { { CPAR_CHAR, 1 }, "char" }, { { CPAR_SIGNED, 1 }, "signed char" },
        { { CPAR_UNSIGNED, 1 }, "unsigned char" }, { { CPAR_SIGNED, 2 }, "short" }, { { CPAR_SIGNED, 4 }, "int" },
        { { CPAR_UNSIGNED, 4 }, "unsigned" }, { { CPAR_SIGNED, sizeof(long) }, "long" }, { { CPAR_FLOAT, 4 }, "float" },
        { { CPAR_FLOAT, 8 }, "double" }, { { CPAR_FLOAT, sizeof(long double) }, "long double" },
        { { CPAR_COMPLEX, 16 }, "double _Complex" }, { { CPAR_STRUCT, 24 }, "struct of 24 bytes" },
        { { CPAR_LOC, sizeof(cpar_loc) }, "cpar_loc" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[CPAR__TYPE_TEXT];
        ck_assert(cpar__type_exists(rows[i].type));
        ck_assert_str_eq(cpar__type_name(rows[i].type, text), rows[i].name);
    }
}
END_TEST

START_TEST(the_fast_check_agrees_with_the_list_of_scalars)
{
#define IS(T, kind_, name) || (kind == kind_ && size == sizeof(T))
    for (uint32_t kind = 0; kind < 260; kind++)
        for (uint32_t size = 0; size < 300; size++) {
            const bool listed = false CPAR_SCALARS(IS) || (kind == CPAR_STRUCT && size > 0) || (kind == CPAR_LOC && size == sizeof(cpar_loc));
            ck_assert_msg(cpar__type_exists((cpar_type){ kind, size }) == listed, "kind %u of %u bytes", kind, size);
        }
}
END_TEST

START_TEST(an_unknown_type_has_a_name_too)
{
    char text[CPAR__TYPE_TEXT];
    ck_assert_str_eq(cpar__type_name((cpar_type){ 77, 4000000000u }, text), "kind 77 of 4000000000 bytes");
}
END_TEST

START_TEST(the_macros_know_each_type)
{
    struct point {
        double x, y;
    } p = { 0 };
    enum color { RED } c = RED;
    const int constant = 1;
    volatile long quick = 1;
#define IS_TYPE(x, kind_, size_) (CPAR_TYPE(x).kind == (kind_) && CPAR_TYPE(x).size == (size_))
    ck_assert(IS_TYPE(p, CPAR_STRUCT, sizeof p));
    ck_assert(IS_TYPE((cpar_loc){ 0 }, CPAR_LOC, sizeof(cpar_loc)));
    ck_assert(IS_TYPE(c, CPAR_UNSIGNED, sizeof c));
    ck_assert(IS_TYPE(RED, CPAR_SIGNED, sizeof(int)));
    ck_assert(IS_TYPE('a', CPAR_SIGNED, sizeof(int)));
    ck_assert(IS_TYPE(constant, CPAR_SIGNED, sizeof(int)));
    ck_assert(IS_TYPE(quick, CPAR_SIGNED, sizeof(long)));
    ck_assert(IS_TYPE((size_t)1, CPAR_UNSIGNED, sizeof(size_t)));
    ck_assert(IS_TYPE("text"[0], CPAR_CHAR, 1));
#define EXISTS(T) ck_assert(CPAR_TYPE_NAMED(T).kind < CPAR_STRUCT && cpar__type_exists(CPAR_TYPE((T)0)) && CPAR_TYPE((T)0).size == sizeof(T));
    ALL_SCALARS(EXISTS)
    ck_assert(CPAR_IS_CONST_(&constant) && !CPAR_IS_CONST_(&p));
}
END_TEST

HARNESS_MAIN_PLAIN("type", every_scalar_exists_under_its_name, the_fast_check_agrees_with_the_list_of_scalars,
    an_unknown_type_has_a_name_too, the_macros_know_each_type)
