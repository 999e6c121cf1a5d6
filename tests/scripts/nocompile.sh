#!/usr/bin/env bash
# Misuse that the compiler refuses, and what its message says; and use that it must accept.
#
# Arguments: the folder of cpar.h, then the C compilers to ask.
set -u
include=$1
shift
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
checks=0
failures=0

# compile <compiler> <statement> [options]: in a function with variables of many types.
compile() {
    cat >"$scratch/a.c" <<C
#include <cpar.h>
#include <stdlib.h>
struct point { double x, y; };
struct nest { struct { int rows[2][2]; } first; int n; };
int f(int *p, void *v, char **texts, const int *fixed, cpar_message *m, const struct point *cs);
int f(int *p, void *v, char **texts, const int *fixed, cpar_message *m, const struct point *cs)
{
    int a[4] = { 0 }, rows[3][4] = { { 0 } }, *pointers[2] = { p, p };
    struct point s = { 0, 0 };
    double d = 0;
    unsigned char bytes[2] = { 0 };
    char text[8] = "";
    const int ci = *fixed;
    (void)p, (void)v, (void)texts, (void)m, (void)cs, (void)a, (void)rows, (void)pointers, (void)s, (void)d, (void)bytes, (void)text, (void)ci;
    $2
    return 0;
}
C
    "$1" -std=c11 $3 -I"$include" -fsyntax-only "$scratch/a.c" >"$scratch/said" 2>&1
}

check() {
    checks=$((checks + 1))
    [ "$1" = 0 ] && return
    failures=$((failures + 1))
    printf 'FAILED: %s\n' "$2"
    head -n 8 "$scratch/said"
}

for compiler in "$@"; do
    # What only discards const is a warning of every compiler.
    discards=-Wno-unused-value
    for option in -Werror=discarded-qualifiers -Werror=incompatible-pointer-types-discards-qualifiers; do
        echo | "$compiler" -Werror $option -fsyntax-only -x c - 2>/dev/null && discards+=" $option"
    done
    while IFS='|' read -r statement pattern; do
        compile "$compiler" "$statement" "-pedantic-errors -Werror=incompatible-pointer-types $discards"
        [ $? != 0 ] && grep -qE -- "$pattern" "$scratch/said"
        check $? "$compiler accepts, or does not say $pattern: $statement"
    done <<'LIST'
cpar_send(a, 1);|cpar_wrap_arrays_in_cpar_array_and_structs_in_cpar_struct
cpar_send(p, 1);|cpar_wrap_arrays_in_cpar_array_and_structs_in_cpar_struct
cpar_send(s, 1);|cpar_wrap_arrays_in_cpar_array_and_structs_in_cpar_struct
cpar_send(bytes, 1);|cpar_wrap_arrays_in_cpar_array_and_structs_in_cpar_struct
cpar_send(v, 1);|cpar_wrap_arrays_in_cpar_array_and_structs_in_cpar_struct
cpar_send(NULL, 1);|cpar_wrap_arrays_in_cpar_array_and_structs_in_cpar_struct
cpar_isend(a, 1);|cpar_wrap_arrays_in_cpar_array_and_structs_in_cpar_struct
cpar_gather(s, 0);|cpar_wrap_arrays_in_cpar_array_and_structs_in_cpar_struct
cpar_allgather(a);|cpar_wrap_arrays_in_cpar_array_and_structs_in_cpar_struct
cpar_reduce(a, &d, CPAR_SUM, 0);|cpar_wrap_arrays_in_cpar_array_and_structs_in_cpar_struct
cpar_exchange(a, 0, 0);|cpar_wrap_arrays_in_cpar_array_and_structs_in_cpar_struct
cpar_send(3, 1, 7);|cpar_write_options_by_name|requires explicit braces
cpar_send(3, 1, 0);|cpar_write_options_by_name|requires explicit braces
cpar_receive(1, 7);|cpar_write_options_by_name|requires explicit braces
cpar_receive(1, 0);|cpar_write_options_by_name|requires explicit braces
cpar_send(3, 1, .tag = 7, 2);|cpar_write_options_by_name|requires explicit braces
cpar_scatter(cpar_array(a, 4), 0, NULL);|cpar_write_options_by_name|requires explicit braces
cpar_broadcast(&d, 0, 0);|cpar_write_options_by_name|requires explicit braces
cpar_barrier(0);|cpar_write_options_by_name|requires explicit braces
cpar_allgather(d, 0);|cpar_write_options_by_name|requires explicit braces
cpar_allreduce(d, &d, CPAR_SUM, 0);|cpar_write_options_by_name|requires explicit braces
cpar_reduce(d, &d, CPAR_SUM, 0, 0);|cpar_write_options_by_name|requires explicit braces
cpar_scan(d, &d, CPAR_SUM, NULL);|cpar_write_options_by_name|requires explicit braces
cpar_split(0, 0, 0);|cpar_write_options_by_name|requires explicit braces
cpar_init(NULL, NULL, true);|cpar_write_options_by_name|requires explicit braces
cpar_send(3, 1, .counts = 0);|counts
cpar_broadcast(&d, 0, .tag = 3);|tag
cpar_init(NULL, NULL, .tag = 3);|tag
cpar_send(3);|expression
cpar_receive();|expression
cpar_send(cpar_array(pointers, 2), 1);|CPAR_ELEMENTS_ARE_SCALARS_OR_STRUCTS
cpar_send(cpar_array(texts, 2), 1);|CPAR_ELEMENTS_ARE_SCALARS_OR_STRUCTS
cpar_send(cpar_array(rows, 3), 1);|CPAR_ELEMENTS_ARE_SCALARS_OR_STRUCTS
cpar_send(cpar_struct(a), 1);|CPAR_ELEMENTS_ARE_SCALARS_OR_STRUCTS
cpar_send(cpar_array(v, 3), 1);|void
cpar_send(cpar_struct(rand()), 1);|lvalue|rvalue
cpar_receive_into(a, 0);|CPAR_PASS_x_BY_ADDRESS_OR_cpar_array
cpar_receive_into(&a, 0);|CPAR_PASS_x_BY_ADDRESS_OR_cpar_array
cpar_receive_into(&p, 0);|CPAR_PASS_x_BY_ADDRESS_OR_cpar_array
cpar_receive_into(v, 0);|void
cpar_receive_into(d, 0);|indirection|unary
cpar_receive_into(s, 0);|indirection|unary
cpar_receive_into(&ci, 0);|const
cpar_receive_into(cs, 0);|const
cpar_broadcast(a, 0);|CPAR_PASS_x_BY_ADDRESS_OR_cpar_array
cpar_allreduce(d, a, CPAR_SUM);|CPAR_PASS_x_BY_ADDRESS_OR_cpar_array
cpar_scan(d, &ci, CPAR_SUM);|const
cpar_allreduce(d, &d, 3);|incompatible
cpar_allreduce(d, &d);|expression|too few
cpar_as(m, int *);|CPAR_ELEMENTS_ARE_SCALARS_OR_STRUCTS
LIST
    while IFS= read -r statement; do
        compile "$compiler" "$statement" "-Wall -Wextra -Wpedantic -Werror"
        check $? "$compiler refuses: $statement"
    done <<'LIST'
cpar_init(NULL, NULL); cpar_init(NULL, NULL, .threads = true); cpar_finalize();
cpar_send("text", 1); cpar_send(text, 1); cpar_send(*texts, 1, .tag = 2); cpar_send(d, 1); cpar_send(ci, 1); cpar_send('a', 0);
cpar_send(cpar_array(a, 4), 0); cpar_send(cpar_array(p, 4), 0); cpar_send(cpar_array(fixed, 1), 0); cpar_send(cpar_array(rows[0], 4), 0);
cpar_send(cpar_struct(s), 0); cpar_send(cpar_struct(*cs), 0); cpar_send(cpar_struct((struct point){ 1, 2 }), 0); cpar_send(cpar_array(cs, 2), 0);
cpar_receive_into(&d, 0); cpar_receive_into(&s, 0); cpar_receive_into(p, 0); cpar_receive_into(&a[1], 0); cpar_receive_into(p ? p : &a[0], 0);
cpar_receive_into(cpar_array(a, 4), CPAR_ANY_SOURCE, .tag = CPAR_ANY_TAG, .status = &(cpar_status){ 0 });
d = cpar_value(m, double); s = cpar_value(m, struct point); fixed = cpar_as(m, int); cs = cpar_part(m, 0, struct point, NULL);
m = cpar_exchange(cpar_array(a, 4), 1, 0, .tag = 3); m = cpar_scatter(cpar_array(a, 4), 0, .counts = (size_t[]){ 1, 3 }); m = cpar_gather("x", 0);
m = cpar_allgather(d); m = cpar_allgather(cpar_array(a, 4), .group = NULL); m = cpar_allgather("me"); m = cpar_alltoall(((cpar_view[]){ cpar_array(a, 4), cpar_array(a, 0) }), 2, .group = NULL);
cpar_reduce(d, &d, CPAR_SUM, 0); cpar_reduce(cpar_array(a, 4), cpar_array(p, 4), CPAR_MAX, 0, .group = NULL); cpar_allreduce(d, &d, ((cpar_op){ .combine = NULL, .commutes = true })); cpar_scan(cpar_struct(s), &s, CPAR_MAXLOC, .group = NULL);
cpar_barrier(); cpar_barrier(.group = NULL); a[0] = cpar_rank(.group = NULL) + cpar_size(); cpar_group_free(cpar_split(1, 2)); cpar_split(1, 2, .group = NULL);
a[0] = cpar_value(m, struct nest).n; cpar_as(m, struct nest); m = cpar_wait(cpar_isend(1, 0)); m = cpar_broadcast_message(cpar_struct(s), 0); cpar_broadcast(cpar_array(a, 4), 0); cpar_print("%d", ci);
LIST
done
echo "nocompile.sh: $checks checks with $*, $failures failures"
[ "$failures" = 0 ] && [ "$checks" -gt 0 ]
