/* cpar, PyPar for C: message passing over MPI in terms of values and messages.

     #include <cpar.h>
     #include <stdio.h>

     int main(int argc, char **argv)
     {
         cpar_init(&argc, &argv);
         if (cpar_rank() == 0) cpar_send("hello", 1 % cpar_size());
         if (cpar_rank() == 1 % cpar_size()) {
             cpar_message *m = cpar_receive(0);
             puts(cpar_text(m));
             cpar_free(m);
         }
         cpar_finalize();
     }

   Conventions, told once:

   - The same program runs on every rank; rank r of n has 0 <= r < n.
   - A message knows its type, its count of elements, its source and its tag.
   - Rare options follow the fixed arguments by name: cpar_send(x, 1, .tag = 7).
   - Lengths are counts of elements (size_t); *bytes* says so where bytes are meant.
   - A function that can fail returns int, 0 for success; one that returns a message gives NULL. "Errors: RANK" is the code
     CPAR_ERROR_RANK.
     Nobody needs to look: by default the rank that meets an error prints one line that tells rank, host,
     file, line, operation and cause, and ends the job with exit status 1 (at which Open MPI
     prints a notice of its own). See cpar_on_error.
   - A `cpar_message *` that a call returns is the caller's, who gives it to cpar_free. Memory passed
     to a call stays the caller's, and is free for reuse when the call returns.
   - What a call ends (a message, a request, a group) must not be used again.
   - "Collective" calls are made by all ranks, in the same order, with the same root.
   - .group = g on a call that communicates (but cpar_print), on cpar_rank and on cpar_size: among the ranks of that
     group only, by their numbers in it.
   - "Blocks" means that the call returns when its own part is done; while it blocks, it
     progresses everything else that this rank has under way. After a minute of waiting it says on standard
     error what it waits for (the environment's CPAR_PATIENCE, in seconds; 0: never).
   - One thread calls cpar, the one that called cpar_init, unless that was given .threads = true.

   cpar_send(...) and its like are macros that pick the C type, note file and line, and call a plain
   function cpar_send_at(...), declared here, which C++, debuggers and other languages call. The
   macros are in cpar_macros.h and exist in C only. */
#ifndef CPAR_H
#define CPAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What a shared library shows. */
#define CPAR_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

#define CPAR_VERSION_MAJOR 0 /**< of this header; with another one programs are to be changed */
#define CPAR_VERSION_MINOR 1 /**< with another one programs are to be compiled anew */
#define CPAR_VERSION_PATCH 0 /**< any will do */

/* ---- What the macros fill in -------------------------------------------------------------- */

/** Where a call stands in the program. */
typedef struct {
    const char *file; /**< NULL: not known */
    int line;         /**< in that file, from 1 */
} cpar_place;

/* Stands where the next positional argument would go: cpar_send(x, 1, 7) is refused by the compiler; the
   tag goes by name, cpar_send(x, 1, .tag = 7). Takes no space, and C++ goes without. */
#ifdef __cplusplus
#define CPAR_OPTIONS_BY_NAME_(guard)
#else
struct cpar_write_options_by_name_as_in_dot_tag {
    char unused;
};
#define CPAR_OPTIONS_BY_NAME_(guard) __extension__ struct cpar_write_options_by_name_as_in_dot_tag guard[0];
#endif

/** Filled by a receive, also when the message does not fit: who sent it, under which tag, how much. */
typedef struct {
    int source;   /**< the rank that sent it */
    int tag;      /**< under which it was sent */
    size_t count; /**< of elements */
    size_t bytes; /**< of all elements */
} cpar_status;

/** Ranks that communicate among themselves, numbered from 0 anew. NULL is all ranks. */
typedef struct cpar_group cpar_group;

/** Options of cpar_init. */
typedef struct {
    cpar_place at; /**< where the call stands */
    char ***argv;  /**< &argv of main, or NULL */
    CPAR_OPTIONS_BY_NAME_(positional)
    bool threads; /**< ask for MPI_THREAD_MULTIPLE: several threads call cpar at once */
} cpar_start;

/** The other side and the options of a point-to-point call. */
typedef struct {
    cpar_place at; /**< where the call stands */
    int rank;      /**< the destination or the source */
    CPAR_OPTIONS_BY_NAME_(positional)
    int tag; /**< 0 when not given; up to 32767 on every machine, more where MPI has more */
    CPAR_OPTIONS_BY_NAME_(positional_too)
    cpar_group *group;   /**< whose ranks are meant; NULL: all */
    cpar_status *status; /**< filled, when not NULL, by a receive that blocks */
} cpar_p2p;

/** The root and the options of a collective call. */
typedef struct {
    cpar_place at; /**< where the call stands */
    int root;      /**< in calls that have one */
    CPAR_OPTIONS_BY_NAME_(positional)
    const size_t *counts; /**< scatter only: elements for each rank, read at the root */
    cpar_group *group;    /**< whose ranks take part; NULL: all */
} cpar_collective;

/* ---- Life and self ------------------------------------------------------------------------- */

/** cpar_init(&argc, &argv, .threads = true): makes this process a rank.

    Collective, and the first call (only cpar_on_error, cpar_initialized, cpar_time and cpar_abort
    may come before). Without mpirun the program is rank 0 of 1. Where the program has
    initialised MPI itself, cpar attaches to it and cpar_finalize leaves it running. A second call
    does nothing.

    Before it starts MPI, it may set some of MPI's parameters, where the user has not; the environment's CPAR_VERBOSE=1 shows them,
    CPAR_TUNE=0 leaves them.

    argc, argv: main's, or NULL and NULL; MPI may remove arguments of its own.
    Errors: STATE after cpar ended MPI, or when MPI grants fewer threads than asked for or than it
    was initialised with, or when cpar runs already without the threads that are asked for; WIRE when the ranks run different builds of cpar or on
    machines whose types differ; ARGUMENT for a CPAR_ environment variable that is out of range. */
CPAR_API int cpar_init_at(int *argc, const cpar_start *start);

/** cpar_finalize(): ends this rank's part. Collective; blocks until all ranks are here. Ends MPI
    unless the program had initialised it. A second call does nothing. Messages remain valid.

    A program that returns from main or calls exit without it, where cpar_init started MPI, has it called at exit, and keeps its
    status. Where the status is not 0 and the other ranks do not come to their end within 3 seconds, or meet this one in a
    collective, the job is ended with it.
    Errors: STATE for a request that is still open, with the place where it was opened; for a pool that is, whose tasks that run are
    waited for, and those that wait are dropped; and for a message
    to this rank that it never received, where MPI has it by then; STATE within a task, which ends nothing. */
CPAR_API int cpar_finalize_at(cpar_place at);

/** cpar_initialized(): true between cpar_init and cpar_finalize. */
CPAR_API bool cpar_initialized(void);

/** cpar_rank(): this process's number, from 0. -1 on error.
    Errors: STATE when cpar does not run. */
CPAR_API int cpar_rank_at(const cpar_collective *c);

/** cpar_size(): how many ranks there are. 0 on error.
    Errors: STATE when cpar does not run. */
CPAR_API int cpar_size_at(const cpar_collective *c);

/** cpar_get_processor_name(): the name of the machine that this rank runs on. cpar's, until
    cpar_finalize. NULL on error. */
CPAR_API const char *cpar_get_processor_name_at(cpar_place at);

/** cpar_time(): seconds since some fixed time in the past; for differences. At any time, on any thread. */
CPAR_API double cpar_time(void);

/** cpar_barrier(): returns when every rank has called it. Collective, blocks. */
CPAR_API int cpar_barrier_at(const cpar_collective *c);

/** cpar_abort(code): ends the whole job at once with exit status `code & 255`, 1 if that is 0.
    Does not return. */
CPAR_API void cpar_abort(int code) __attribute__((noreturn));

/** cpar_print(format, ...): as printf, but every rank's text comes out whole and in rank order, on
    rank 0's standard output. A text that lacks its last newline gets one; an empty text prints
    nothing. Collective; blocks at rank 0 until all texts are there.
    Errors: ARGUMENT for a format that can't be printed; STATE when standard output can't be written. */
CPAR_API int cpar_print_at(cpar_place at, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- Values -------------------------------------------------------------------------------- */

/** The kinds of C's scalars, and struct for any other type without pointers in it. */
typedef enum {
    CPAR_BOOL = 1,
    CPAR_CHAR,
    CPAR_SIGNED,
    CPAR_UNSIGNED,
    CPAR_FLOAT,
    CPAR_COMPLEX,
    CPAR_STRUCT,
    CPAR_LOC /**< cpar_loc */
} cpar_kind;

/** A type: its kind (a cpar_kind) and the bytes of one element. Two types are the same when both
    agree, so long meets int64_t where they are equally wide. char, signed char and
    unsigned char are three kinds; structs compare by size, cpar_loc is a kind of its own. */
typedef struct {
    uint32_t kind; /**< a cpar_kind */
    uint32_t size; /**< bytes of one element */
} cpar_type;

/** What to send, or the memory to fill: `count` elements of `type` at `data`. Made by

        cpar_array(p, n)   n elements at p, an array or a pointer
        cpar_struct(s)     the one struct s (an lvalue)

    Arrays of pointers and of arrays (2-D ones: give &a[0][0] and all their elements) do not compile. A struct
    with a pointer in it would arrive with an address of another process.

    A view borrows the memory. Any scalar and any string is turned into a view where a value is
    asked for. Strings are their characters with the final NUL: count is strlen + 1. C++ fills the
    first three members and leaves the others zero. */
typedef struct {
    const void *data; /**< the first element */
    size_t count;     /**< of elements */
    cpar_type type;   /**< of each */
    bool constant; /**< the memory is const: may be sent, not filled */
    bool exact;    /**< fill with exactly `count` elements, not with up to so many */
    bool scalar;   /**< the element is `here`, not at `data` */
    union {
        int64_t i;
        double d;
        long double ld[2];
        unsigned char bytes[32];
    } here; /**< a scalar that a macro was given */
} cpar_view;

/* ---- Messages between two ranks ------------------------------------------------------------ */

/** A received message. Owns its data. */
typedef struct cpar_message cpar_message;

enum {
    CPAR_ANY_SOURCE = -1, /**< as a source: whoever sends */
    CPAR_ANY_TAG = -1     /**< as a tag of a receive: whatever it is */
};

/** cpar_send(value, destination, .tag = t): sends a scalar, a string, or a view.

    value: any C scalar; a string, which is any `char *` or array of char, up to its NUL;
    cpar_array(p, n); cpar_struct(s). A bare array of another type, or a struct, does not compile. The C type
    counts: 'a', true and enum constants are int.
    Blocks until the value may be changed, which may or may not be until the destination receives
    it. To oneself it never waits.
    Errors: RANK, TAG; ARGUMENT for elements at NULL; MEMORY. */
CPAR_API int cpar_send_at(cpar_view value, const cpar_p2p *c);

/** cpar_receive(source, .tag = t, .status = &st): the next message from the source under the tag.

    source: a rank or CPAR_ANY_SOURCE. tag: 0 when not given; CPAR_ANY_TAG takes any. Of the messages from one rank that a receive
    takes, it takes the one that was sent first.
    Blocks until the message is there. Returns it, the caller's to cpar_free; NULL on error.
    Errors: RANK, TAG; MEMORY, with the message discarded (left for the next receive where there are not even 60 KiB for it
    to land in). */
CPAR_API cpar_message *cpar_receive_at(const cpar_p2p *c);

/** cpar_receive_into(&x, source, .tag = t, .status = &st): receives into the caller's memory.

    &x takes exactly one element of x's type; a view takes up to its count, .status tells how many
    came. Blocks until the message is there.
    Errors: as cpar_receive; TYPE when the message is of another type, LENGTH when it is longer (for
    &x: when it is not 1). Then the message is consumed, the memory untouched and the
    status filled, and the sender does not notice. */
CPAR_API int cpar_receive_into_at(cpar_view memory, const cpar_p2p *c);

/** cpar_exchange(value, destination, source, .tag = t, .status = &st): sends the value and returns a
    message from the source, both under the tag, at the same time. Ranks that all exchange round a ring
    or in pairs cannot deadlock. Blocks, returns and fails as cpar_send and cpar_receive. */
CPAR_API cpar_message *cpar_exchange_at(cpar_view value, int destination, const cpar_p2p *c);

/* ---- What is in a message ------------------------------------------------------------------ */

/** cpar_source(m): who sent it: a rank; for a collective's message the root, without one this rank. -1 for NULL. */
CPAR_API int cpar_source(const cpar_message *m);

/** cpar_tag(m): the tag under which it was sent. -1 for NULL. */
CPAR_API int cpar_tag(const cpar_message *m);

/** cpar_count(m): the count of its elements. 0 for NULL. */
CPAR_API size_t cpar_count(const cpar_message *m);

/** cpar_bytes(m): the bytes of all its elements. 0 for NULL. */
CPAR_API size_t cpar_bytes(const cpar_message *m);

/** cpar_is(m, T): whether its elements are of type T. False for NULL. */
CPAR_API bool cpar_is_at(const cpar_message *m, cpar_type type);

/** cpar_as(m, T): its elements, a `const T *` to cpar_count(m) of them, aligned for any T up to a
    page; valid until cpar_free. NULL for a NULL message and on error; not NULL for an empty one.
    Errors: TYPE. */
CPAR_API const void *cpar_as_at(const cpar_message *m, cpar_type type, cpar_place at);

/** cpar_value(m, T): its only element, a T. Zero on error.
    Errors: TYPE; LENGTH when it does not hold exactly 1; ARGUMENT for NULL. */
CPAR_API const void *cpar_value_at(const cpar_message *m, cpar_type type, const void *otherwise, cpar_place at);

/** cpar_text(m): the string in it, for char messages of any content: one more NUL stands behind
    the data. Valid until cpar_free. NULL for a NULL message and on error.
    Errors: TYPE. */
CPAR_API const char *cpar_text_at(const cpar_message *m, cpar_place at);

/** cpar_part(m, rank, T, &count): what `rank` gave to a gather, allgather or alltoall, a `const T *` to `count`
    elements inside m. NULL for a NULL message and on error, with count 0. `&count` may be NULL.
    Errors: TYPE; RANK; ARGUMENT when m does not come from one of these. */
CPAR_API const void *cpar_part_at(const cpar_message *m, int rank, cpar_type type, size_t *count, cpar_place at);

/** cpar_free(m): frees a message. NULL is fine. The memory of the last one of 128 KiB to 64 MiB is kept for the next, until
    cpar_finalize. */
CPAR_API void cpar_free(cpar_message *m);

/* ---- Requests: sends and receives that go on while the program does other things ----------- */

/** An open send or receive. Ends with cpar_wait or its like, and only so. */
typedef struct cpar_request cpar_request;

/** cpar_isend(value, destination, .tag = t): starts to send, and returns at once.

    A scalar is copied; the memory of a string, an array or a struct must stay as it is until the
    request ends. Otherwise as cpar_send. Goes on while this rank waits in any call of cpar. Returns the
    request; NULL on error. Errors of the call are raised here, of the transfer at its wait.
    Errors: as cpar_send; STATE when MPI can take no more long messages (32767 to one rank at least). */
CPAR_API cpar_request *cpar_isend_at(cpar_view value, const cpar_p2p *c);

/** cpar_ireceive(source, .tag = t): starts to receive, and returns at once.

    Takes part in the order of receives as a cpar_receive here would. Goes on while this rank
    waits in any call of cpar. Returns the request; NULL on error. Errors: as cpar_receive. */
CPAR_API cpar_request *cpar_ireceive_at(const cpar_p2p *c);

/** cpar_wait(r): ends the request. Blocks until it is complete. Returns a receive's message, the
    caller's to cpar_free; NULL for a send, for a NULL request, and on error. */
CPAR_API cpar_message *cpar_wait_at(cpar_request *r, cpar_place at);

/** cpar_test(r, &m): whether the request is complete. If so it ends, and m is what cpar_wait would return;
    if not, m is NULL. Never blocks. True for a NULL request. `&m` may be NULL, as for a send. */
CPAR_API bool cpar_test_at(cpar_request *r, cpar_message **m, cpar_place at);

/** cpar_wait_any(rs, n, &i): ends one of n requests, the first that is complete. Blocks until there is one.
    Sets rs[i] to NULL, and returns what cpar_wait would. NULL requests are skipped; i is n
    when all are. */
CPAR_API cpar_message *cpar_wait_any_at(cpar_request **rs, size_t n, size_t *i, cpar_place at);

/** cpar_wait_all(rs, n): blocks until all n requests are complete. Ends the sends, whose entries become
    NULL, and raises their errors; returns the first. The receives stay, for cpar_wait(rs[i]), which returns
    at once, with the message or the error. */
CPAR_API int cpar_wait_all_at(cpar_request **rs, size_t n, cpar_place at);

/* ---- Collectives --------------------------------------------------------------------------- */

/* Ranks that disagree. A rank that meets another in a different collective, in one with another root or
   operation, or in an earlier or later call of the same, has an error of code STATE, which names both and what they
   called; so has a rank that takes part with another type or count than it should, of code TYPE or LENGTH. Each
   call's text tells which ranks meet. Ranks that do not meet, as those that disagree on the root of a gather or reduce,
   wait for each other (CPAR_PATIENCE tells of it); in a broadcast or scatter each that takes itself for the root goes on,
   and they find out at the next collective of the group, cpar_finalize if need be. After an error of code STATE, of
   RANK that not all ranks have, or of MEMORY where not even 60 KiB for a message to land in are to be had, the
   group's collectives may be out of step; after any other they are not. */

/** cpar_broadcast(&x or view, root): the root's elements come to be everywhere, in place.

    Collective; every rank gives the same type and count. Blocks until this rank's
    memory is filled and passed on to those whom it serves, at the root until it may be changed. Method: a binomial tree, through which long
    values move in pieces.
    Errors: RANK for the root, on every rank; TYPE or LENGTH on a rank whose type or count
    is not the root's (its memory stays as it was, the others succeed); ARGUMENT; MEMORY. */
CPAR_API int cpar_broadcast_at(cpar_view memory, const cpar_collective *c);

/** cpar_broadcast_message(value, root): the root's value comes to all as a message, for types and
    lengths that only the root knows. The value matters at the root alone; give any elsewhere.
    Collective, blocks. Returns a message on every rank, the root too; NULL on error.
    Errors: as cpar_broadcast. */
CPAR_API cpar_message *cpar_broadcast_message_at(cpar_view value, const cpar_collective *c);

/** cpar_scatter(view, root, .counts = c): deals the root's elements out in rank order.

    Rank r gets the range cpar_balance(n, size, r), or c[r] elements; the c must sum to the view's
    count. View and counts matter at the root alone; elsewhere they are not looked at. Collective, blocks. Returns this rank's
    share, possibly of 0 elements; NULL on error.
    Errors: RANK for the root, on every rank; ARGUMENT, LENGTH at the root: then every rank gets
    the error; MEMORY. */
CPAR_API cpar_message *cpar_scatter_at(cpar_view all, const cpar_collective *c);

/** cpar_gather(value, root): collects every rank's value, in rank order, at the root.

    The values are of one type and of any length, 0 included. Collective; blocks at the root until all is
    there. Returns at the root a message of all elements (cpar_as), which knows each rank's
    part too (cpar_part); elsewhere NULL.
    Errors: RANK for the root, on every rank; at the root TYPE when a rank's type is not the root's,
    and MEMORY. */
CPAR_API cpar_message *cpar_gather_at(cpar_view value, const cpar_collective *c);

/** cpar_allgather(value): collects every rank's value, in rank order, at every rank.

    As cpar_gather, with every rank in the root's place. Collective; blocks until all is there. Returns the message;
    NULL on error.
    Errors: TYPE, on every rank, when a rank's type is another; MEMORY. A rank's own error reaches all. */
CPAR_API cpar_message *cpar_allgather_at(cpar_view value, const cpar_collective *c);

/** cpar_alltoall(views, size): gives views[r] to rank r, for each r, and collects what all ranks give to this one.

    views: as many as there are ranks, all of one type, the same on every rank, and of any length, 0 included. size:
    their number. Collective; blocks until all is there. Returns a message of all elements
    that came, in rank order (cpar_as), which knows each rank's part too (cpar_part); NULL on error.
    Errors: ARGUMENT for another size; TYPE for views of unlike types, and when a rank's are of another;
    MEMORY. A rank's own error reaches all. */
CPAR_API cpar_message *cpar_alltoall_at(const cpar_view *views, int size, const cpar_collective *c);

/** The half open range lo <= i < hi. */
typedef struct {
    size_t lo; /**< the first */
    size_t hi; /**< the one after the last */
} cpar_range;

/** cpar_balance(n, size, rank): the share of `rank` when n things are dealt to `size` ranks in blocks: sizes differ by at most one,
    the first n % size ranks have one more. {n, n} for a rank that is not of 0 to size - 1. */
CPAR_API cpar_range cpar_balance(size_t n, int size, int rank);

/* ---- Reductions ---------------------------------------------------------------------------- */

/** How two elements become one. Built in: CPAR_SUM and its like. The program's own:

        const cpar_op op = { .combine = f, .commutes = true };   with   void f(const void *in, void *inout, size_t n)

    f has n pairs of elements, and leaves in inout[i] the result of in[i] op inout[i]; `in` comes from lower ranks than
    inout, as in MPI, unless the operation commutes, and f does not call cpar. The operation is associative; where it
    does not commute, leave .commutes out: then the ranks' order is kept, a0 op a1 op a2 and so on. Ranks that give
    different operations of their own are not told so. The logical ones leave elements as they were given where there is
    nothing to combine: on one rank alone, and at rank 0 of a scan. */
typedef struct {
    void (*combine)(const void *in, void *inout, size_t n); /**< NULL in those built in */
    bool commutes;                                          /**< a op b is b op a */
    int built_in;                                           /**< which, in those built in; else 0 */
} cpar_op;

CPAR_API extern const cpar_op CPAR_SUM;    /**< the sum of whole, real or complex numbers */
CPAR_API extern const cpar_op CPAR_PROD;   /**< the product of whole, real or complex numbers */
CPAR_API extern const cpar_op CPAR_MIN;    /**< the least of whole or real numbers */
CPAR_API extern const cpar_op CPAR_MAX;    /**< the greatest of whole or real numbers */
CPAR_API extern const cpar_op CPAR_LAND;   /**< 1 where all are true, else 0; of bool or whole numbers, such as the int of x > 0 */
CPAR_API extern const cpar_op CPAR_LOR;    /**< 1 where any is true, else 0; of bool or whole numbers */
CPAR_API extern const cpar_op CPAR_LXOR;   /**< 1 where an odd number of them is true, else 0; of bool or whole numbers */
CPAR_API extern const cpar_op CPAR_BAND;   /**< bitwise and of whole numbers */
CPAR_API extern const cpar_op CPAR_BOR;    /**< bitwise or of whole numbers */
CPAR_API extern const cpar_op CPAR_BXOR;   /**< bitwise exclusive or of whole numbers */
CPAR_API extern const cpar_op CPAR_MINLOC; /**< the cpar_loc of the least value, of these that of the lowest index */
CPAR_API extern const cpar_op CPAR_MAXLOC; /**< the cpar_loc of the greatest value, of these that of the lowest index */

/** A value and where it is: what CPAR_MINLOC and CPAR_MAXLOC combine, and no other struct; cpar_struct(x) is sent. */
typedef struct {
    double value; /**< what is compared; whole numbers are exact up to 2^53 */
    int index;    /**< a rank, say */
} cpar_loc;

/** cpar_reduce(in, out, op, root): combines all ranks' elements, each with those at the same place, at the root.

    in: a value; every rank gives the same type and count. out: &x, or a view of the type and count of `in`; filled at
    the root alone, and elsewhere not looked at but for its type. Both may be the same memory. Whole numbers are
    those of C without char. Collective; blocks at the root until all is there. The result is the same in every run
    with as many ranks. Method: a binomial tree.
    Errors: RANK for the root, OP for an operation that is not defined for the type, TYPE for an `out` of another
    type, on every rank that gives them; LENGTH for an `out` of another count; TYPE or LENGTH at the root,
    and at the rank that meets them, when two ranks differ; ARGUMENT; MEMORY. A rank's own error reaches the root.
    Then `out` is as it was. */
CPAR_API int cpar_reduce_at(cpar_view in, cpar_view out, cpar_op op, const cpar_collective *c);

/** cpar_allreduce(in, out, op): as cpar_reduce, and every rank gets the result, the same to the bit.

    Collective; blocks until all is there. Method: recursive doubling (Thakur, Rabenseifner and Gropp, Optimization
    of Collective Communication Operations in MPICH, 2005).
    Errors: as cpar_reduce; when two ranks differ, and when a rank has an error of its own, on every rank. */
CPAR_API int cpar_allreduce_at(cpar_view in, cpar_view out, cpar_op op, const cpar_collective *c);

/** cpar_scan(in, out, op): combines the elements of the ranks up to and with this one.

    As cpar_allreduce, and rank r gets the result of ranks 0 to r (an inclusive scan). Method: recursive doubling.
    Errors: as cpar_reduce; when two ranks differ, or a rank has an error of its own, on those that hear of it: with
    the lower rank in question all that are higher, and perhaps others. */
CPAR_API int cpar_scan_at(cpar_view in, cpar_view out, cpar_op op, const cpar_collective *c);

/* ---- Tasks: work that is handed out -------------------------------------------------------- */

/* CPAR_TASK(fn, In, Out); at file scope makes a task of the function `Out fn(In)`, under its name. In and Out are each

       any scalar or struct                    jobs are In[n], results Out[n]
       const char *                            a string; of a result, `char *`, from malloc, or NULL
       const cpar_message *                    a message; of a result, `cpar_message *`, from cpar_message_of, or NULL

   A task gets its job for as long as it runs, and gives its result away. It may call cpar for messages, but no collective, which is an
   error of code STATE there, and may run on any rank: what it needs besides its job, all ranks have. It does not wait for another
   task, whose turn may come after its own. */

/** How a job or a result is passed. */
typedef enum {
    CPAR_PLAIN,  /**< by itself: a scalar or a struct */
    CPAR_STRING, /**< by a pointer to a string */
    CPAR_MESSAGE /**< by a pointer to a message */
} cpar_form;

/** What a job or a result is. */
typedef struct {
    cpar_form form; /**< by itself, or by a pointer */
    cpar_type type; /**< of a plain one; else the size is that of a pointer */
} cpar_passed;

/** A task. Made by CPAR_TASK, once for each function. */
typedef struct cpar_task {
    const char *name; /**< of the function */
    cpar_passed in;   /**< a job */
    cpar_passed out;  /**< a result */
    void (*run)(const void *in, void *out); /**< calls the function for the In at `in`, and puts the Out at `out` */
} cpar_task;

/** A job whose task failed. */
typedef struct {
    size_t job;      /**< its index */
    const char *why; /**< what it gave to cpar_task_fail */
} cpar_failure;

/** The jobs whose tasks failed. */
typedef struct {
    size_t count;           /**< of failures */
    const cpar_failure *at; /**< in the order of the jobs */
} cpar_failures;

/** The options of cpar_map. */
typedef struct {
    cpar_place at;      /**< where the call stands */
    int root;           /**< who has the jobs; rank 0 when not given */
    cpar_group *group;  /**< whose ranks take part; NULL: all */
    size_t chunk;       /**< how many jobs a rank takes at once; 0: as measured */
    bool everywhere;    /**< every rank gets the results */
    bool progress;      /**< the root shows how far it is, see cpar_progress */
    bool root_works;    /**< whether the root runs tasks too; true when not given */
    CPAR_OPTIONS_BY_NAME_(positional)
    cpar_failures *failures; /**< filled with the jobs that failed, which then are no error */
} cpar_mapping;

/** cpar_map(fn, jobs, n, results, .everywhere = true): sets results[i] = fn(jobs[i]) for all i < n, on all ranks.

    fn: a task. jobs, n, results: In[n] and Out[n], which matter at the root alone, results with .everywhere on every rank;
    both may be the same memory. Strings and messages among the results are the caller's, to free() and to cpar_free; cpar_source of a message tells which rank made it. A wrong type of
    jobs or results does not compile. Up to 4294967295 jobs.

    Collective; blocks until this rank finds nothing more to do, at the root until all results are there. Each job is
    done once, by whichever rank is free. Ranks of one node take jobs from each other in shared memory, so that nobody's help is
    needed, and a long job holds up no other. To other nodes the ranks of the root's node hand out jobs between
    tasks of theirs, in chunks that last 20 times as long as the handing out, and ahead of need. What remains: a rank in a long task answers only after it. So with
    tasks of more than some milliseconds, several nodes, and the root alone on its own, let the root be free: .root_works = false. A rank that waits for long sleeps in between.

    A task may fail by cpar_task_fail; the others go on. By default the first failure, in the order of the jobs, is raised at the root
    then, with .everywhere on every rank; with .failures the call succeeds, and tells all. The result of a job that failed is zero.
    Errors: TASK for tasks that failed; RANK for the root; ARGUMENT, MEMORY, at the root: then every rank gets the error; TYPE when a rank gives
    another task than the root; STATE within a task. */
CPAR_API int cpar_map_at(const cpar_task *task, const void *jobs, size_t n, void *results, const cpar_mapping *m);

/** cpar_task_fail(format, ...): notes, as printf would print it, why the task in which it is called fails. The task then
    returns what it likes. Only the first reason counts. Errors: STATE outside of a task. */
CPAR_API int cpar_task_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** cpar_failures_free(&failures): frees what a map has put there, and zeroes it. */
CPAR_API void cpar_failures_free(cpar_failures *failures);

/** cpar_message_of(value): a message made of a copy of the value: a job or a result. The caller's, to cpar_free; its source is
    this rank, its tag 0. NULL on error.
    Errors: ARGUMENT; MEMORY. */
CPAR_API cpar_message *cpar_message_of_at(cpar_view value, cpar_place at);

/** Ranks that wait for tasks. Valid at its root, from cpar_pool_open to cpar_pool_close. */
typedef struct cpar_pool cpar_pool;

/** A task that has been submitted, and its result. */
typedef struct cpar_future cpar_future;

/** cpar_pool_open(): the pool of all ranks, at the root. On the other ranks it runs the tasks that the root submits, and
    returns NULL when the root closes the pool.

    Options as those of a collective: .root, .group. Collective. While a pool is open its group has no other collective calls: at the root
    they are errors of code STATE. In a pool of one rank, tasks run when they are waited for, or asked whether they are done. The pool, and
    its futures until it is closed, are for the thread that opened it. NULL at the root too on error.
    Errors: RANK for the root; STATE within a task; MEMORY. */
CPAR_API cpar_pool *cpar_pool_open_at(const cpar_collective *c);

/** cpar_submit(pool, fn, job): has some rank run the task. Returns its future at once, the caller's to
    cpar_future_free; NULL on error.

    job: an In, which is copied. The root itself runs no tasks, unless it is alone. Work goes out, and results come in, while the root is in any call that
    waits, or takes a pool or a future.
    Errors: ARGUMENT for a string or a message that is NULL; MEMORY. */
CPAR_API cpar_future *cpar_submit_at(cpar_pool *pool, const cpar_task *task, const void *job, cpar_place at);

/** cpar_as_completed(pool): the next future that has come to its end and has not been returned by this before, in the order in which they
    end. Blocks until there is one. NULL when none is left. Those that were cancelled count, those freed do not. */
CPAR_API cpar_future *cpar_as_completed_at(cpar_pool *pool, cpar_place at);

/** cpar_result(f, T): the result, a T; strings and messages are the future's. Blocks until it is there. Zero on error.
    Errors: TASK when the task failed or was cancelled; TYPE when T is not the task's Out. */
CPAR_API const void *cpar_result_at(cpar_future *f, cpar_passed type, const void *otherwise, cpar_place at);

/** cpar_why(f): why the task failed, "cancelled" if it was; NULL if it did not fail. The future's. Blocks until it has come to its end. */
CPAR_API const char *cpar_why_at(cpar_future *f, cpar_place at);

/** cpar_done(f): whether it has come to its end. Never blocks. */
CPAR_API bool cpar_done_at(cpar_future *f, cpar_place at);

/** cpar_cancel(f): whether it could be cancelled, which it can until it goes out to a rank. */
CPAR_API bool cpar_cancel_at(cpar_future *f, cpar_place at);

/** cpar_index(f): the number of its submission to the pool, from 0. */
CPAR_API size_t cpar_index(const cpar_future *f);

/** cpar_future_free(f): ends a future. The task runs on, if it does not wait still. NULL is fine. */
CPAR_API void cpar_future_free(cpar_future *f);

/** cpar_pool_close(pool): blocks until all that was submitted has come to its end, and lets the other ranks go. The futures remain
    valid. NULL is fine. Errors: those that the other ranks met. */
CPAR_API int cpar_pool_close_at(cpar_pool *pool, cpar_place at);

/** cpar_progress(done, of): shows a line such as "[=====>    ] 12 of 36, 4/s, 6 s left" on standard error, if that comes to a
    terminal. The next one replaces it; 0 of 36 begins, and 36 of 36 erases it. For one rank to call, at any time. */
CPAR_API void cpar_progress(size_t done, size_t of);

/* ---- Groups -------------------------------------------------------------------------------- */

/** cpar_split(color, key, .group = g): a new group of all ranks that give the same color, in the order of
    their keys, and of their ranks where keys are equal.

    color: 0 or more; a rank that wants no company gives one of its own. key: any. Collective over all ranks, or those of g; blocks. Returns the group that this rank
    is in, the caller's to cpar_group_free; NULL on error, which as a .group would mean all ranks. Messages and collectives of a group never mix with
    those of others.
    Errors: ARGUMENT for a negative color (the others get their groups); MEMORY. */
CPAR_API cpar_group *cpar_split_at(int color, int key, const cpar_collective *c);

/** cpar_group_free(g): ends a group. Collective over it, blocks. NULL does nothing. cpar_finalize frees the groups
    that are left.
    Errors: STATE for a request of the group that is still open: then the group stays; and for a message in it that this
    rank never received, where MPI has it by then. */
CPAR_API int cpar_group_free_at(cpar_group *g, cpar_place at);

/* ---- Errors -------------------------------------------------------------------------------- */

/** The error codes: name, number, text. */
#define CPAR_ERRORS(X)                                                                             \
    X(TYPE, 1, "the types differ")                                                                 \
    X(LENGTH, 2, "the lengths differ")                                                             \
    X(RANK, 3, "no such rank")                                                                     \
    X(TAG, 4, "no such tag")                                                                       \
    X(ARGUMENT, 5, "an argument is wrong")                                                         \
    X(OP, 6, "the operation is not defined for the type")                                          \
    X(STATE, 7, "not possible now")                                                                \
    X(MEMORY, 8, "out of memory")                                                                  \
    X(WIRE, 9, "what arrived is not a message of this cpar")                                       \
    X(MPI, 10, "MPI failed")                                                                       \
    X(TASK, 11, "a task failed")

#define CPAR_ERROR_ENUM_(name, number, text) CPAR_ERROR_##name = number,
enum { CPAR_ERRORS(CPAR_ERROR_ENUM_) CPAR_SUCCESS = 0 };

/** A handler gets the code and the line, without newline, on the thread that met the error. If it
    returns, the failed call returns too. */
typedef void cpar_handler(int code, const char *line);

/** As a handler: print nothing, just return. */
#define CPAR_ERRORS_RETURN ((cpar_handler *)1)

/** cpar_on_error(handler): sets what happens on errors, for all threads; NULL restores the default: print the line on
    standard error, end the job with status 1. May be called before cpar_init. */
CPAR_API void cpar_on_error(cpar_handler *handler);

/** cpar_strerror(code): the text of a code; there is one for unknown codes too. Static. */
CPAR_API const char *cpar_strerror(int code);

/** cpar_last_error(): the code of this thread's last cpar call that could fail, 0 after success. */
CPAR_API int cpar_last_error(void);

#ifdef __cplusplus
}
#else
#include "cpar_macros.h"
#endif

#endif
