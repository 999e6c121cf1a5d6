#include "op.h"

#include "runtime.h"
#include "type.h"

#include <string.h>

/* What elements can be, as far as operations are defined for them (MPI 3.1, 5.9.2 and 5.9.4). */
enum { WHOLE = 1, REAL = 2, COMPLEX = 4, LOGICAL = 8, LOC = 16 };

#define CPAR__OPS(X)                                                                               \
    X(1, SUM, WHOLE | REAL | COMPLEX, "whole, real and complex numbers")                           \
    X(2, PROD, WHOLE | REAL | COMPLEX, "whole, real and complex numbers")                          \
    X(3, MIN, WHOLE | REAL, "whole and real numbers")                                              \
    X(4, MAX, WHOLE | REAL, "whole and real numbers")                                              \
    X(5, LAND, WHOLE | LOGICAL, "bool and whole numbers")                                          \
    X(6, LOR, WHOLE | LOGICAL, "bool and whole numbers")                                           \
    X(7, LXOR, WHOLE | LOGICAL, "bool and whole numbers")                                          \
    X(8, BAND, WHOLE, "whole numbers")                                                             \
    X(9, BOR, WHOLE, "whole numbers")                                                              \
    X(10, BXOR, WHOLE, "whole numbers")                                                            \
    X(11, MINLOC, LOC, "cpar_loc")                                                                 \
    X(12, MAXLOC, LOC, "cpar_loc")

/* What is not built in. */
enum { OWN = 13, OWN_COMMUTING = 14 };

#define CPAR__OP_DEFINE(number, name, classes, text) const cpar_op CPAR_##name = { .commutes = true, .built_in = number };
CPAR__OPS(CPAR__OP_DEFINE)

#define CPAR__OP_ROW(number, name, classes, text) [number] = { #name, classes, text },
static const struct {
    const char *name;
    int classes;
    const char *text;
} ops[] = {
    CPAR__OPS(CPAR__OP_ROW) /* */
    [OWN] = { .name = "an operation of the program's" },
    [OWN_COMMUTING] = { .name = "a commuting operation of the program's" },
};

uint8_t cpar__op_number(const cpar_op *op)
{
    return (uint8_t)(!op->combine ? op->built_in : op->commutes ? OWN_COMMUTING : OWN);
}

const char *cpar__op_name(unsigned number)
{
    return number < sizeof ops / sizeof *ops ? ops[number].name : "no operation of this cpar";
}

static int class_of(cpar_type type)
{
    switch (type.kind) {
    case CPAR_BOOL: return LOGICAL;
    case CPAR_SIGNED:
    case CPAR_UNSIGNED: return WHOLE;
    case CPAR_FLOAT: return REAL;
    case CPAR_COMPLEX: return COMPLEX;
    case CPAR_LOC: return LOC;
    default: return 0;
    }
}

bool cpar__check_op(cpar__problem *p, const cpar_op *op, cpar_type type)
{
    char name[CPAR__TYPE_TEXT];
    if (op->combine) return true;
    if (op->built_in < 1 || op->built_in >= OWN)
        return cpar__note(p, CPAR_ERROR_OP, "the operation is none of CPAR_SUM and its like, and has no .combine");
    return (ops[op->built_in].classes & class_of(type))
        || cpar__note(p, CPAR_ERROR_OP, "%s is defined for %s, not for %s", ops[op->built_in].name, ops[op->built_in].text, cpar__type_name(type, name));
}

static MPI_Datatype mpi_type(cpar_type type)
{
    const size_t size = type.size;
    switch (type.kind) {
    case CPAR_BOOL: return MPI_C_BOOL;
    case CPAR_SIGNED: return size == 1 ? MPI_INT8_T : size == 2 ? MPI_INT16_T : size == 4 ? MPI_INT32_T : MPI_INT64_T;
    case CPAR_UNSIGNED: return size == 1 ? MPI_UINT8_T : size == 2 ? MPI_UINT16_T : size == 4 ? MPI_UINT32_T : MPI_UINT64_T;
    case CPAR_FLOAT: return size == sizeof(float) ? MPI_FLOAT : size == sizeof(double) ? MPI_DOUBLE : MPI_LONG_DOUBLE;
    case CPAR_COMPLEX:
        return size == 2 * sizeof(float) ? MPI_C_FLOAT_COMPLEX : size == 2 * sizeof(double) ? MPI_C_DOUBLE_COMPLEX : MPI_C_LONG_DOUBLE_COMPLEX;
    default: return MPI_DOUBLE_INT;
    }
}

static MPI_Op mpi_op(int built_in)
{
#define CPAR__OP_CASE(number, name, classes, text) case number: return MPI_##name;
    switch (built_in) {
        CPAR__OPS(CPAR__OP_CASE)
    default: return MPI_OP_NULL;
    }
}

void cpar__op_apply(const cpar_op *op, cpar_type type, const void *in, void *inout, size_t count, cpar__problem *p)
{
    if (count == 0) return;
    if (op->combine) {
        op->combine(in, inout, count);
        return;
    }
    const size_t most = (size_t)cpar__setting.piece / type.size + 1; /* MPI counts in int */
    for (size_t done = 0, n; done < count; done += n) {
        n = count - done < most ? count - done : most;
        if (!cpar__check_mpi(p, MPI_Reduce_local((const char *)in + done * type.size, (char *)inout + done * type.size, (int)n, mpi_type(type), mpi_op(op->built_in))))
            return;
    }
}
