/* Operations of reductions: for what they are defined, and their doing. Those built in are MPI's. */
#ifndef CPAR_OP_H
#define CPAR_OP_H

#include "error.h"

/* The number that stands for an operation on the wire; all that are not built in are one or, where they do not
   commute, another. 0 for none. */
uint8_t cpar__op_number(const cpar_op *op);

/* "SUM", of any number that came over the wire. NULL for 0. */
const char *cpar__op_name(unsigned number);

/* Notes a problem unless the operation is one, and defined for the type, which exists. */
bool cpar__check_op(cpar__problem *p, const cpar_op *op, cpar_type type);

/* Leaves `in` op `inout` in inout, element by element. */
void cpar__op_apply(const cpar_op *op, cpar_type type, const void *in, void *inout, size_t count, cpar__problem *p);

#endif
