/* Reductions: every rank starts with its own elements, and folds in those of others as they come, so that by and by it
   stands for a row of ranks. Rows are only ever put together with rows beside them, lower op higher, so the ranks'
   order is kept for operations that do not commute; and by the same tree in every run, so results are too.

   A rank that has a problem goes on taking part, but sends the problem in place of elements. */
#include "collective.h"

#include "op.h"
#include "type.h"

#include <string.h>

/* What a rank stands for by now. */
typedef struct {
    const cpar__call *call;
    const cpar_op *op;
    bool in_order;        /* fold lower op higher though the operation commutes, so that both sides of a trade get the same */
    cpar_view value;      /* the elements: at first the program's own, then those of `own` */
    cpar_message *own;    /* NULL as long as they are the program's, which is not to be written to */
    cpar_message *result; /* a scan's: of this rank and those before it, where `value` may be of later ones too */
    cpar__problem *p;
} row;

/* Sends what this rank stands for to one rank while another's comes. -1 for nobody. Returns what came, the caller's; NULL
   where nothing was to come, and with a problem noted. */
static cpar_message *trade(const row *a, int to, int from)
{
    cpar__transfer t[2];
    size_t n = 0;
    cpar__problem room;
    const cpar__problem *told = cpar__as_told(a->call, a->p, &room);
    if (from >= 0) cpar__start_receive_message(&t[n++], a->call, from);
    if (to >= 0) cpar__start_part(&t[n++], a->call, to, &a->value, told);
    cpar__finish(t, n, a->p);
    return from >= 0 ? cpar__take_message(&t[0]) : NULL;
}

/* Has the row's elements be those of m. */
static void become(row *a, cpar_message *m)
{
    cpar_free(a->own);
    a->own = m;
    a->value.data = m->data;
    a->value.scalar = false;
}

static bool check_same(const row *a, const cpar_message *m, int from)
{
    char his[CPAR__TYPE_TEXT], mine[CPAR__TYPE_TEXT];
    const bool same_type = cpar__type_same(m->type, a->value.type);
    return (same_type && m->count == a->value.count)
        || cpar__note(a->p, same_type ? CPAR_ERROR_LENGTH : CPAR_ERROR_TYPE, "rank %d gave %zu %s, rank %d gave %zu %s", from, m->count,
            cpar__type_name(m->type, his), a->call->group->rank, a->value.count, cpar__type_name(a->value.type, mine));
}

/* Puts what came from a rank in place of what there was. Frees m, which may be NULL, where it does not fit. */
static void replace(row *a, cpar_message *m, int from)
{
    if (m && check_same(a, m, from))
        become(a, m);
    else
        cpar_free(m);
}

/* Folds in what came from a rank beside this row. Frees m, which may be NULL. */
static void fold(row *a, cpar_message *m, int from)
{
    const bool lower = from < a->call->group->rank;
    const cpar_type type = a->value.type;
    const size_t n = a->value.count;

    if (m && !a->p->code && check_same(a, m, from)) {
        if (lower && a->result) cpar__op_apply(a->op, type, m->data, a->result->data, n, a->p);
        if (!lower || (a->op->commutes && !a->in_order)) {
            cpar__op_apply(a->op, type, cpar__view_data(&a->value), m->data, n, a->p);
            become(a, m);
            return;
        }
        if (!a->own) {
            cpar_message *copy = cpar__copy_of(&a->value, (cpar_range){ 0, n }, 0, a->p);
            if (copy) become(a, copy);
        }
        if (a->own) cpar__op_apply(a->op, type, m->data, a->own->data, n, a->p);
    }
    cpar_free(m);
}

/* Notes what is wrong with a call's arguments. `out` counts where the result comes to. */
static void check(cpar__problem *p, const cpar_view *in, const cpar_view *out, const cpar_op *op, bool comes_here)
{
    char ins[CPAR__TYPE_TEXT], outs[CPAR__TYPE_TEXT];
    if (!cpar__check_view(p, in) || !cpar__check_op(p, op, in->type)) return;
    if (!cpar__type_same(in->type, out->type))
        cpar__note(p, CPAR_ERROR_TYPE, "in is of %s, out of %s", cpar__type_name(in->type, ins), cpar__type_name(out->type, outs));
    else if (comes_here && cpar__check_memory(p, out) && in->count != out->count)
        cpar__note(p, CPAR_ERROR_LENGTH, "in holds %zu %s, out %zu", in->count, cpar__type_name(in->type, ins), out->count);
}

/* Where the result comes to, writes it; raises what went wrong. */
static int conclude(row *a, const cpar_view *out)
{
    const size_t bytes = a->value.count * a->value.type.size;
    const void *result = a->result ? a->result->data : cpar__view_data(&a->value);
    if (out && bytes && !a->p->code && result != out->data) memmove((void *)out->data, result, bytes);
    cpar_free(a->own);
    cpar_free(a->result);
    return cpar__raise(a->call, a->p);
}

/* ---- Reduce --------------------------------------------------------------------------------- */

/* Folds the rows of the children in, next ones first, and hands the sum to the parent. */
static void climb(row *a, const cpar__branch *b)
{
    cpar__transfer t[31];
    for (int i = 0; i < b->count; i++) cpar__start_receive_message(&t[i], a->call, b->children[i]);
    cpar__finish(t, (size_t)b->count, a->p);
    for (int i = b->count - 1; i >= 0; i--) fold(a, cpar__take_message(&t[i]), b->children[i]);
    if (b->parent >= 0) trade(a, b->parent, -1);
}

int cpar_reduce_at(cpar_view in, cpar_view out, cpar_op op, const cpar_collective *c)
{
    cpar__call call = cpar__collective_call(c->at, CPAR__REDUCE, c->group, c->root);
    cpar__problem problem;
    cpar__begin(&problem);
    call.reduction = cpar__op_number(&op);
    if (!cpar__check_root(&problem, &call)) return cpar__raise(&call, &problem);

    const int rank = call.group->rank, root = call.peer, top = op.combine && !op.commutes ? 0 : root;
    row a = { .call = &call, .op = &op, .value = in, .p = &problem };
    const cpar__branch b = cpar__find_branch(call.group, top);
    check(&problem, &in, &out, &op, rank == root);
    climb(&a, &b);
    if (top != root && rank == top) trade(&a, root, -1);
    if (top != root && rank == root) replace(&a, trade(&a, -1, top), top);
    return conclude(&a, rank == root ? &out : NULL);
}

/* ---- Allreduce ------------------------------------------------------------------------------ */

/* Recursive doubling: after the exchange over the distance d each rank stands for 2d ranks. It takes a power of two of
   them; so of the first ranks each second one is stood for by its neighbour. */
int cpar_allreduce_at(cpar_view in, cpar_view out, cpar_op op, const cpar_collective *c)
{
    cpar__call call = cpar__collective_call(c->at, CPAR__ALLREDUCE, c->group, 0);
    cpar__problem problem;
    cpar__begin(&problem);
    call.reduction = cpar__op_number(&op);
    if (!cpar__check_collective(&problem, &call)) return cpar__raise(&call, &problem);

    row a = { .call = &call, .op = &op, .in_order = true, .value = in, .p = &problem };
    const int rank = call.group->rank, size = call.group->size;
    int whole = 1;
    while (whole <= size / 2) whole *= 2;
    const int pairs = size - whole;
    const bool paired = rank < 2 * pairs;
    check(&problem, &in, &out, &op, true);

    if (paired && rank % 2 == 0) {
        trade(&a, rank + 1, -1);
        replace(&a, trade(&a, -1, rank + 1), rank + 1);
        return conclude(&a, &out);
    }
    if (paired) fold(&a, trade(&a, -1, rank - 1), rank - 1);
    const int number = paired ? rank / 2 : rank - pairs; /* among those left */
    for (int distance = 1; distance < whole; distance *= 2) {
        const int other = number ^ distance, peer = other < pairs ? 2 * other + 1 : other + pairs;
        fold(&a, trade(&a, peer, peer), peer);
    }
    if (paired) trade(&a, rank - 1, -1);
    return conclude(&a, &out);
}

/* ---- Scan ----------------------------------------------------------------------------------- */

/* Recursive doubling, in which each rank keeps apart what came from lower ones. */
int cpar_scan_at(cpar_view in, cpar_view out, cpar_op op, const cpar_collective *c)
{
    cpar__call call = cpar__collective_call(c->at, CPAR__SCAN, c->group, 0);
    cpar__problem problem;
    cpar__begin(&problem);
    call.reduction = cpar__op_number(&op);
    if (!cpar__check_collective(&problem, &call)) return cpar__raise(&call, &problem);

    row a = { .call = &call, .op = &op, .value = in, .p = &problem };
    check(&problem, &in, &out, &op, true);
    if (!problem.code) a.result = cpar__copy_of(&in, (cpar_range){ 0, in.count }, 0, &problem);
    for (int distance = 1; distance < call.group->size; distance *= 2) {
        const int peer = call.group->rank ^ distance;
        if (peer < call.group->size) fold(&a, trade(&a, peer, peer), peer);
    }
    return conclude(&a, &out);
}
