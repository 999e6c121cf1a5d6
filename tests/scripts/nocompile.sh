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

# compile <compiler> <statement> [options]: in a function with variables of many types, and some tasks before it. What starts with
# a % stands outside of the function.
compile() {
    local outside='' inside=$2
    case $2 in %*) outside=${2#%} inside='' ;; esac
    cat >"$scratch/a.c" <<C
#include <cpar.h>
#include <stdlib.h>
struct point { double x, y; };
struct nest { struct { int rows[2][2]; } first; int n; };
static double area(double x) { return x; }
static struct point turn(struct point x) { return x; }
static size_t length(const char *x) { return x ? 1 : 0; }
static char *spell(int x) { return x ? NULL : NULL; }
static cpar_message *again(const cpar_message *x) { return x ? NULL : NULL; }
static int no_task(int x) { return x; }
CPAR_TASK(area, double, double);
CPAR_TASK(turn, struct point, struct point);
CPAR_TASK(length, const char *, size_t);
CPAR_TASK(spell, int, char *);
CPAR_TASK(again, const cpar_message *, cpar_message *);
$outside
int f(int *p, void *v, char **texts, const int *fixed, cpar_message *m, const struct point *cs);
int f(int *p, void *v, char **texts, const int *fixed, cpar_message *m, const struct point *cs)
{
    int a[4] = { 0 }, rows[3][4] = { { 0 } }, *pointers[2] = { p, p };
    struct point s = { 0, 0 };
    double d = 0;
    unsigned char bytes[2] = { 0 };
    char text[8] = "";
    const int ci = *fixed;
    double ds[4] = { 0 };
    float fs[4] = { 0 };
    const double cds[4] = { 0 };
    size_t ns[4] = { 0 };
    const char *const words[2] = { text, text };
    cpar_message *ms[2] = { m, m };
    const cpar_message *const cms[2] = { m, m };
    cpar_pool *pool = NULL;
    cpar_future *future = NULL;
    (void)p, (void)v, (void)texts, (void)m, (void)cs, (void)a, (void)rows, (void)pointers, (void)s, (void)d, (void)bytes, (void)text, (void)ci;
    (void)ds, (void)fs, (void)cds, (void)ns, (void)words, (void)ms, (void)cms, (void)no_task, (void)pool, (void)future;
    $inside
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
cpar_map(area, fs, 4, ds);|CPAR_JOBS_ARE_OF_THE_TASKS_TYPE
cpar_map(area, v, 4, ds);|CPAR_JOBS_ARE_OF_THE_TASKS_TYPE|void
cpar_map(area, rows, 3, ds);|CPAR_JOBS_ARE_OF_THE_TASKS_TYPE
cpar_map(turn, ds, 2, &s);|CPAR_JOBS_ARE_OF_THE_TASKS_TYPE
cpar_map(length, text, 1, ns);|CPAR_JOBS_ARE_OF_THE_TASKS_TYPE
cpar_map(length, ms, 2, ns);|CPAR_JOBS_ARE_OF_THE_TASKS_TYPE
cpar_map(again, words, 2, ms);|CPAR_JOBS_ARE_OF_THE_TASKS_TYPE
cpar_map(again, m, 2, ms);|CPAR_JOBS_ARE_OF_THE_TASKS_TYPE|incomplete
cpar_map(area, d, 1, &d);|indirection|unary
cpar_map(area, ds, 4, fs);|CPAR_RESULTS_ARE_OF_THE_TASKS_TYPE
cpar_map(area, ds, 4, v);|CPAR_RESULTS_ARE_OF_THE_TASKS_TYPE|void
cpar_map(area, ds, 4, cds);|CPAR_RESULTS_ARE_OF_THE_TASKS_TYPE
cpar_map(turn, cs, 2, cs);|CPAR_RESULTS_ARE_OF_THE_TASKS_TYPE
cpar_map(spell, a, 2, words);|CPAR_RESULTS_ARE_OF_THE_TASKS_TYPE
cpar_map(spell, a, 2, ms);|CPAR_RESULTS_ARE_OF_THE_TASKS_TYPE
cpar_map(again, ms, 2, cms);|CPAR_RESULTS_ARE_OF_THE_TASKS_TYPE
cpar_map(area, ds, 4, ds, 0);|cpar_write_options_by_name|requires explicit braces
cpar_map(area, ds, 4, ds, true);|cpar_write_options_by_name|requires explicit braces
cpar_map(area, ds, 4, ds, NULL);|cpar_write_options_by_name|requires explicit braces
cpar_map(area, ds, 4, ds, .tag = 3);|tag
cpar_map(area, ds, 4, ds, .counts = ns);|counts
cpar_map(area, ds, 4);|expression
cpar_map(no_task, a, 4, a);|cpar_(in|task)_no_task
cpar_map(nothing, a, 4, a);|cpar_(in|task)_nothing
cpar_failures_free(p);|incompatible
cpar_message_of(a);|cpar_wrap_arrays_in_cpar_array_and_structs_in_cpar_struct
cpar_message_of(s);|cpar_wrap_arrays_in_cpar_array_and_structs_in_cpar_struct
cpar_submit(pool, turn, 3);|incompatible
cpar_submit(pool, turn, d);|incompatible
cpar_submit(pool, turn, cs);|incompatible
cpar_submit(pool, area, s);|incompatible
cpar_submit(pool, area, text);|incompatible
cpar_submit(pool, length, 3);|integer
cpar_submit(pool, length, m);|incompatible
cpar_submit(pool, length, a);|incompatible
cpar_submit(pool, again, text);|incompatible
cpar_submit(pool, no_task, 3);|cpar_(in|task|job)_no_task
cpar_submit(pool, nothing, 3);|cpar_(in|task|job)_nothing
cpar_submit(m, area, d);|incompatible
cpar_submit(future, area, d);|incompatible
cpar_submit(pool, area);|arguments
cpar_submit(pool, area, 1, 2);|arguments
cpar_result(future, void);|void
cpar_result(future, int *);|CPAR_JOBS_AND_RESULTS_ARE_SCALARS_STRUCTS_STRINGS_OR_MESSAGES
cpar_result(future, void *);|CPAR_JOBS_AND_RESULTS_ARE_SCALARS_STRUCTS_STRINGS_OR_MESSAGES
cpar_result(future, unsigned char *);|CPAR_JOBS_AND_RESULTS_ARE_SCALARS_STRUCTS_STRINGS_OR_MESSAGES
cpar_result(future, cpar_future *);|CPAR_JOBS_AND_RESULTS_ARE_SCALARS_STRUCTS_STRINGS_OR_MESSAGES
cpar_result(future, struct unknown);|incomplete|unknown
cpar_result(future);|arguments
cpar_result(pool, int);|incompatible
cpar_result(m, int);|incompatible
cpar_result(future, double) = 3;|read-only|assignable|const
s = cpar_result(future, double);|incompatible
m = cpar_result(future, char *);|incompatible
cpar_as_completed(future);|incompatible
cpar_why(pool);|incompatible
cpar_done(m);|incompatible
cpar_cancel(pool);|incompatible
cpar_index(pool);|incompatible
cpar_pool_close(future);|incompatible
cpar_future_free(pool);|incompatible
cpar_pool_open(0, NULL);|cpar_write_options_by_name|requires explicit braces
cpar_pool_open(.tag = 3);|tag
cpar_pool_open(.chunk = 3);|chunk
%static int bad(void) { return 0; } CPAR_TASK(bad, void, int);|void
%static int bad(int *x) { return *x; } CPAR_TASK(bad, int *, int);|CPAR_JOBS_AND_RESULTS_ARE_SCALARS_STRUCTS_STRINGS_OR_MESSAGES
%static int bad(unsigned char *x) { return *x; } CPAR_TASK(bad, unsigned char *, int);|CPAR_JOBS_AND_RESULTS_ARE_SCALARS_STRUCTS_STRINGS_OR_MESSAGES
%static int bad(const void *x) { return !x; } CPAR_TASK(bad, const void *, int);|CPAR_JOBS_AND_RESULTS_ARE_SCALARS_STRUCTS_STRINGS_OR_MESSAGES
%static int *bad(int x) { return x ? NULL : NULL; } CPAR_TASK(bad, int, int *);|CPAR_JOBS_AND_RESULTS_ARE_SCALARS_STRUCTS_STRINGS_OR_MESSAGES
%static void bad(int x) { (void)x; } CPAR_TASK(bad, int, void);|void
%static int bad(int x) { return x; } CPAR_TASK(bad, struct point, int);|incompatible
%static int bad(int x) { return x; } CPAR_TASK(bad, int, struct point);|incompatible
%CPAR_TASK(missing, int, int);|missing
%CPAR_TASK(area, double, double);|area
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
cpar_map(area, ds, 4, ds); cpar_map(area, cds, 4, ds, .chunk = 2, .everywhere = true); cpar_map(area, &d, 1, &d, .root_works = false, .root = 1, .progress = true);
cpar_failures bad; if (cpar_map(turn, cs, 2, &s, .failures = &bad, .group = NULL)) cpar_failures_free(&bad); cpar_map(turn, &s + 1, a[0], &s);
cpar_map(length, texts, 2, ns); cpar_map(length, words, 2, ns); cpar_map(spell, fixed, 2, texts); cpar_map(again, ms, 2, ms); cpar_map(again, cms, 2, &m);
a[0] = cpar_map(area, ds, sizeof ds / sizeof *ds, ds) ? cpar_last_error() : cpar_task_fail("%d", 3); for (int i = 0; i < 4 && cpar_map(area, ds, i, ds) == 0; i++) continue;
pool = cpar_pool_open(); pool = cpar_pool_open(.root = 1); pool = cpar_pool_open(.group = NULL, .root = ci); cpar_pool_close(pool); cpar_pool_close(NULL);
future = cpar_submit(pool, area, d); cpar_submit(pool, area, 3); cpar_submit(pool, turn, s); cpar_submit(pool, turn, *cs); cpar_submit(pool, turn, ((struct point){ 1, 2 })); cpar_submit(NULL, spell, ci);
cpar_submit(pool, length, "text"); cpar_submit(pool, length, text); cpar_submit(pool, length, *texts); cpar_submit(pool, again, m); cpar_submit(pool, again, cms[0]); cpar_submit(pool, spell, a[0] + 1);
d = cpar_result(future, double) + cpar_result(future, int); s = cpar_result(future, struct point); const char *t = cpar_result(future, char *); t = cpar_result(future, const char *); m = cpar_result(future, cpar_message *); cs = &cpar_result(future, struct point); (void)t;
for (cpar_future *each; (each = cpar_as_completed(pool)); cpar_future_free(each)) if (!cpar_why(each) && cpar_done(each) && !cpar_cancel(each)) a[cpar_index(each) % 4] = cpar_result(each, bool);
m = cpar_message_of(3.5); m = cpar_message_of("text"); m = cpar_message_of(cpar_array(a, 4)); m = cpar_message_of(cpar_struct(s)); cpar_progress(1, 2);
%static bool odd(long double x) { return x > 0; } CPAR_TASK(odd, long double, bool); static cpar_loc at(unsigned char x) { return (cpar_loc){ x, 1 }; } CPAR_TASK(at, unsigned char, cpar_loc);
%static double _Complex z(struct nest x) { return x.n; } CPAR_TASK(z, struct nest, double _Complex); typedef const char *string; static int first(string x) { return *x; } CPAR_TASK(first, string, int);
a[0] = cpar_value(m, struct nest).n; cpar_as(m, struct nest); m = cpar_wait(cpar_isend(1, 0)); m = cpar_broadcast_message(cpar_struct(s), 0); cpar_broadcast(cpar_array(a, 4), 0); cpar_print("%d", ci);
LIST
done
echo "nocompile.sh: $checks checks with $*, $failures failures"
[ "$failures" = 0 ] && [ "$checks" -gt 0 ]
