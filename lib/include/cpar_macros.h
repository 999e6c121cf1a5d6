/* The macros of cpar.h, which includes this file in C. First the calls, each one line; below them
   how a value of any type becomes a cpar_view, and how misuse becomes a compiler's error. */
#ifndef CPAR_MACROS_H
#define CPAR_MACROS_H

/* ---- The calls ----------------------------------------------------------------------------- */

#define cpar_init(argc, ...)                    cpar_init_at((argc), &(cpar_start){ .at = CPAR_HERE, .argv = __VA_ARGS__ })
#define cpar_finalize()                         cpar_finalize_at(CPAR_HERE)
#define cpar_rank(...)                          cpar_rank_at(CPAR_ROOTLESS_(__VA_ARGS__))
#define cpar_size(...)                          cpar_size_at(CPAR_ROOTLESS_(__VA_ARGS__))
#define cpar_get_processor_name()               cpar_get_processor_name_at(CPAR_HERE)
#define cpar_barrier(...)                       cpar_barrier_at(CPAR_ROOTLESS_(__VA_ARGS__))
#define cpar_print(...)                         cpar_print_at(CPAR_HERE, __VA_ARGS__)

#define cpar_send(value, ...)                   cpar_send_view_(CPAR_VALUE_AT_(value), CPAR_P2P_(.rank = __VA_ARGS__))
#define cpar_receive(...)                       cpar_receive_at(CPAR_P2P_(.rank = __VA_ARGS__))
#define cpar_receive_into(memory, ...)          cpar_receive_into_view_(cpar_put_view(CPAR_ROOM_, CPAR_MEMORY(memory)), CPAR_P2P_(.rank = __VA_ARGS__))
#define cpar_exchange(value, destination, ...)  cpar_exchange_view_(CPAR_VALUE_AT_(value), (destination), CPAR_P2P_(.rank = __VA_ARGS__))

#define cpar_isend(value, ...)                  cpar_isend_view_(CPAR_VALUE_AT_(value), CPAR_P2P_(.rank = __VA_ARGS__))
#define cpar_ireceive(...)                      cpar_ireceive_at(CPAR_P2P_(.rank = __VA_ARGS__))
#define cpar_wait(r)                            cpar_wait_at((r), CPAR_HERE)
#define cpar_test(r, m)                         cpar_test_at((r), (m), CPAR_HERE)
#define cpar_wait_any(rs, n, i)                 cpar_wait_any_at((rs), (n), (i), CPAR_HERE)
#define cpar_wait_all(rs, n)                    cpar_wait_all_at((rs), (n), CPAR_HERE)

#define cpar_is(m, T)                           cpar_is_at((m), CPAR_TYPE_NAMED(T))
#define cpar_as(m, T)                           ((const T *)cpar_as_at((m), CPAR_TYPE_NAMED(T), CPAR_HERE))
#define cpar_value(m, T)                        (*(const T *)cpar_value_at((m), CPAR_TYPE_NAMED(T), &(T){ 0 }, CPAR_HERE))
#define cpar_text(m)                            cpar_text_at((m), CPAR_HERE)
#define cpar_part(m, rank, T, count)            ((const T *)cpar_part_at((m), (rank), CPAR_TYPE_NAMED(T), (count), CPAR_HERE))

#define cpar_broadcast(memory, ...)             cpar_broadcast_at(CPAR_MEMORY(memory), CPAR_COLLECTIVE_(.root = __VA_ARGS__))
#define cpar_broadcast_message(value, ...)      cpar_broadcast_message_at(CPAR_VALUE(value), CPAR_COLLECTIVE_(.root = __VA_ARGS__))
#define cpar_scatter(view, ...)                 cpar_scatter_at(CPAR_VALUE(view), CPAR_COLLECTIVE_(.root = __VA_ARGS__))
#define cpar_gather(value, ...)                 cpar_gather_at(CPAR_VALUE(value), CPAR_COLLECTIVE_(.root = __VA_ARGS__))
#define cpar_allgather(...)                                                                        \
    cpar_allgather_at(CPAR_VALUE(CPAR_FIRST_(__VA_ARGS__, )), CPAR_ROOTLESS_(CPAR_REST_(__VA_ARGS__, )))
#define cpar_alltoall(views, ...)                                                                  \
    cpar_alltoall_at((views), CPAR_FIRST_(__VA_ARGS__, ), CPAR_ROOTLESS_(CPAR_REST_(__VA_ARGS__, )))

#define cpar_reduce(in, out, op, ...)                                                              \
    cpar_reduce_at(CPAR_VALUE(in), CPAR_MEMORY(out), (op), CPAR_COLLECTIVE_(.root = __VA_ARGS__))
#define cpar_allreduce(in, out, ...)                                                               \
    cpar_allreduce_at(CPAR_VALUE(in), CPAR_MEMORY(out), CPAR_FIRST_(__VA_ARGS__, ), CPAR_ROOTLESS_(CPAR_REST_(__VA_ARGS__, )))
#define cpar_scan(in, out, ...)                                                                    \
    cpar_scan_at(CPAR_VALUE(in), CPAR_MEMORY(out), CPAR_FIRST_(__VA_ARGS__, ), CPAR_ROOTLESS_(CPAR_REST_(__VA_ARGS__, )))

#define cpar_map(fn, jobs, n, ...)                                                                 \
    CPAR_WITH_DEFAULT_(cpar_map_at(&cpar_task_##fn, (jobs),                                        \
        (n) * CPAR_JOBS_ARE_OF_THE_TASKS_TYPE_(CPAR_POINTS_TO_(jobs, const cpar_in_##fn) || CPAR_POINTS_TO_(jobs, cpar_in_##fn) \
                  || (CPAR_FORM_(*(jobs)) != CPAR_PLAIN && (int)CPAR_FORM_(*(jobs)) == (int)cpar_form_##fn)) \
            * CPAR_RESULTS_ARE_OF_THE_TASKS_TYPE_(CPAR_POINTS_TO_(CPAR_FIRST_(__VA_ARGS__, ), cpar_out_##fn)), \
        CPAR_FIRST_(__VA_ARGS__, ), &(cpar_mapping){ .at = CPAR_HERE, .root_works = true, CPAR_REST_(__VA_ARGS__, ) }))
#define cpar_message_of(value)                  cpar_message_of_at(CPAR_VALUE(value), CPAR_HERE)
#define cpar_pool_open(...)                     cpar_pool_open_at(CPAR_COLLECTIVE_(__VA_ARGS__))
#define cpar_submit(pool, fn, job)              cpar_submit_at((pool), &cpar_task_##fn, cpar_job_##fn(&(cpar_in_##fn){ 0 }, (job)), CPAR_HERE)
#define cpar_as_completed(pool)                 cpar_as_completed_at((pool), CPAR_HERE)
#define cpar_result(f, T)                       (*(T const *)cpar_result_at((f), (cpar_passed)CPAR_PASSED_(T), &(T){ 0 }, CPAR_HERE))
#define cpar_why(f)                             cpar_why_at((f), CPAR_HERE)
#define cpar_done(f)                            cpar_done_at((f), CPAR_HERE)
#define cpar_cancel(f)                          cpar_cancel_at((f), CPAR_HERE)
#define cpar_pool_close(pool)                   cpar_pool_close_at((pool), CPAR_HERE)

#define cpar_split(color, ...)                                                                     \
    cpar_split_at((color), CPAR_FIRST_(__VA_ARGS__, ), CPAR_ROOTLESS_(CPAR_REST_(__VA_ARGS__, )))
#define cpar_group_free(g)                      cpar_group_free_at((g), CPAR_HERE)

/** cpar_array(p, n): the view of n elements at p, an array or a pointer. See cpar_view. */
#define cpar_array(p, n)                                                                           \
    ((cpar_view){ .data = (p), .count = (n), .type = CPAR_TYPE(*(p)), .constant = CPAR_IS_CONST_(p) })
/** cpar_struct(s): the view of the one struct s, an lvalue. See cpar_view. */
#define cpar_struct(...)                        cpar_array(&(__VA_ARGS__), 1)

/** CPAR_TASK(fn, In, Out); makes a task of the function `Out fn(In)`. At file scope. */
#define CPAR_TASK(fn, In, Out)                                                                     \
    typedef In cpar_in_##fn;                                                                       \
    typedef Out cpar_out_##fn;                                                                     \
    enum { cpar_form_##fn = CPAR_FORM_(*(cpar_in_##fn *)cpar_nowhere_) };                          \
    static void cpar_run_##fn(const void *in, void *out)                                           \
    {                                                                                              \
        *(cpar_out_##fn *)out = fn(*(cpar_in_##fn const *)in);                                     \
    }                                                                                              \
    __attribute__((unused)) static inline const void *cpar_job_##fn(cpar_in_##fn *room, In job)    \
    {                                                                                              \
        *room = job;                                                                               \
        return room;                                                                               \
    }                                                                                              \
    static const cpar_task cpar_task_##fn = { #fn, CPAR_PASSED_(cpar_in_##fn), CPAR_PASSED_(cpar_out_##fn), cpar_run_##fn }; \
    __attribute__((constructor)) static void cpar_register_##fn(void)                              \
    {                                                                                              \
        cpar_register_task_(&cpar_task_##fn);                                                      \
    }                                                                                              \
    _Static_assert(1, "ends in a semicolon")

/* ---- Options ------------------------------------------------------------------------------- */

#define CPAR_HERE             ((cpar_place){ __FILE__, __LINE__ })
#define CPAR_P2P_(...)        (&(cpar_p2p){ .at = CPAR_HERE, __VA_ARGS__ })
#define CPAR_COLLECTIVE_(...) (&(cpar_collective){ .at = CPAR_HERE, __VA_ARGS__ })
#define CPAR_ROOTLESS_(...)   CPAR_COLLECTIVE_(.root = 0, __VA_ARGS__)
/* For a call with an option that is not zero when not given, which compilers warn of where it is given. */
#ifdef __clang__
#define CPAR_MAY_BE_GIVEN_TWICE_ _Pragma("clang diagnostic ignored \"-Winitializer-overrides\"")
#else
#define CPAR_MAY_BE_GIVEN_TWICE_ _Pragma("GCC diagnostic ignored \"-Woverride-init\"")
#endif
#define CPAR_WITH_DEFAULT_(call)                                                                   \
    __extension__({                                                                                \
        _Pragma("GCC diagnostic push") CPAR_MAY_BE_GIVEN_TWICE_ int cpar_code_ = (call);           \
        _Pragma("GCC diagnostic pop") cpar_code_;                                                  \
    })
#define CPAR_FIRST_(x, ...)   x
#define CPAR_REST_(x, ...)    __VA_ARGS__

/* ---- Types --------------------------------------------------------------------------------- */

/* The scalars of C: type, kind, and a name for the function that puts a view of one. */
#define CPAR_SCALARS(X)                                                                            \
    X(bool, CPAR_BOOL, bool)                                                                       \
    X(char, CPAR_CHAR, char)                                                                       \
    X(signed char, CPAR_SIGNED, signed_char)                                                       \
    X(unsigned char, CPAR_UNSIGNED, unsigned_char)                                                 \
    X(short, CPAR_SIGNED, short)                                                                   \
    X(unsigned short, CPAR_UNSIGNED, unsigned_short)                                               \
    X(int, CPAR_SIGNED, int)                                                                       \
    X(unsigned, CPAR_UNSIGNED, unsigned)                                                           \
    X(long, CPAR_SIGNED, long)                                                                     \
    X(unsigned long, CPAR_UNSIGNED, unsigned_long)                                                 \
    X(long long, CPAR_SIGNED, long_long)                                                           \
    X(unsigned long long, CPAR_UNSIGNED, unsigned_long_long)                                       \
    X(float, CPAR_FLOAT, float)                                                                    \
    X(double, CPAR_FLOAT, double)                                                                  \
    X(long double, CPAR_FLOAT, long_double)                                                        \
    X(float _Complex, CPAR_COMPLEX, float_complex)                                                 \
    X(double _Complex, CPAR_COMPLEX, double_complex)                                               \
    X(long double _Complex, CPAR_COMPLEX, long_double_complex)

#define CPAR_CASE_KIND_(T, kind, name) T: kind,
#define CPAR_KIND_(x) _Generic((x), CPAR_SCALARS(CPAR_CASE_KIND_) cpar_loc: CPAR_LOC, default: CPAR_STRUCT)

/* 1, or a compiler's error that shows the macro's name. (A _Static_assert inside sizeof(struct)
   would do too, but clang 14 then takes compound literals in it for file scope.) */
#define CPAR_ELEMENTS_ARE_SCALARS_OR_STRUCTS_(ok)   sizeof(char[(ok) ? 1 : -1])
#define CPAR_PASS_x_BY_ADDRESS_OR_cpar_array_(ok)   sizeof(char[(ok) ? 1 : -1])

/* 5 is the class of pointers, and of arrays, which decay. */
#define CPAR_IS_POINTER_(x) (__builtin_classify_type(x) == 5)
#define CPAR_IS_VOID_(x)    __builtin_types_compatible_p(__typeof__(x), void)
#define CPAR_IS_CONST_(p)   _Generic(1 ? (p) : (void *)1, const void *: 1, default: 0)

/* For expressions that are only ever asked for their type. Declared, never defined. */
extern void *const cpar_nowhere_;

/** The cpar_type of an expression, or of a type named. */
#define CPAR_TYPE(x)                                                                               \
    ((cpar_type){ CPAR_KIND_(x),                                                                   \
        sizeof(x) * CPAR_ELEMENTS_ARE_SCALARS_OR_STRUCTS_(!CPAR_IS_VOID_(x) && !CPAR_IS_POINTER_(x)) })
#define CPAR_TYPE_NAMED(T) CPAR_TYPE(*(T *)cpar_nowhere_)

/* ---- Jobs and results ---------------------------------------------------------------------- */

#define CPAR_FORM_(x)                                                                              \
    _Generic((x), char *: CPAR_STRING, const char *: CPAR_STRING,                                  \
        cpar_message *: CPAR_MESSAGE, const cpar_message *: CPAR_MESSAGE, default: CPAR_PLAIN)

/* The cpar_passed of a type named, in a constant's initializer too. */
#define CPAR_PASSED_(T)                                                                            \
    { CPAR_FORM_(*(T *)cpar_nowhere_), { CPAR_KIND_(*(T *)cpar_nowhere_),                                            \
        sizeof(T) * CPAR_JOBS_AND_RESULTS_ARE_SCALARS_STRUCTS_STRINGS_OR_MESSAGES_(                \
            CPAR_FORM_(*(T *)cpar_nowhere_) != CPAR_PLAIN || !CPAR_IS_POINTER_(*(T *)cpar_nowhere_)) } }
#define CPAR_JOBS_AND_RESULTS_ARE_SCALARS_STRUCTS_STRINGS_OR_MESSAGES_(ok) sizeof(char[(ok) ? 1 : -1])
#define CPAR_JOBS_ARE_OF_THE_TASKS_TYPE_(ok)    sizeof(char[(ok) ? 1 : -1])
#define CPAR_RESULTS_ARE_OF_THE_TASKS_TYPE_(ok) sizeof(char[(ok) ? 1 : -1])
#define CPAR_POINTS_TO_(p, T)                   __builtin_types_compatible_p(__typeof__(&*(p)), T *)

/* Lists a task, so that a pool's ranks find it by its number in the list. */
CPAR_API void cpar_register_task_(const cpar_task *task);

/* ---- Values to send ------------------------------------------------------------------------ */

/* Each puts the view of a value into `room`, member by member, and returns that: a view that is passed on by value is copied by loads
   that are wider than the stores just before, for which a processor waits. What messages are sent and received with takes views by
   their address, therefore. */
#define CPAR_PUT_SCALAR_(T, kind_, name)                                                           \
    static inline const cpar_view *cpar_put_##name(cpar_view *room, T x)                           \
    {                                                                                              \
        room->count = 1;                                                                           \
        room->type.kind = kind_;                                                                   \
        room->type.size = sizeof x;                                                                \
        room->constant = room->scalar = true;                                                      \
        __builtin_memcpy(room->here.bytes, &x, sizeof x);                                          \
        return room;                                                                               \
    }
CPAR_SCALARS(CPAR_PUT_SCALAR_)

/* A string with its NUL. NULL becomes one char at NULL, which is an error where it is sent. */
static inline const cpar_view *cpar_put_string(cpar_view *room, const char *s)
{
    room->data = s;
    room->count = s ? __builtin_strlen(s) + 1 : 1;
    room->type.kind = CPAR_CHAR;
    room->type.size = 1;
    room->constant = true;
    return room;
}

static inline const cpar_view *cpar_put_view(cpar_view *room, cpar_view v)
{
    room->data = v.data;
    room->count = v.count;
    room->type.kind = v.type.kind;
    room->type.size = v.type.size;
    room->constant = v.constant;
    room->exact = v.exact;
    room->scalar = v.scalar;
    if (v.scalar) room->here = v.here;
    return room;
}

/* Declared, never defined: what is neither scalar, string nor view ends here, in the compiler. */
struct cpar_wrap_arrays_in_cpar_array_and_structs_in_cpar_struct {
    char unused;
};
const cpar_view *cpar_wrap_arrays_in_cpar_array_and_structs_in_cpar_struct(
    cpar_view *room, struct cpar_wrap_arrays_in_cpar_array_and_structs_in_cpar_struct x);

#define CPAR_CASE_PUT_(T, kind, name) T: cpar_put_##name,
#define CPAR_ROOM_                    (&(cpar_view){ .data = 0 })

/** The view of any scalar, string or view, and its address. */
#define CPAR_VALUE(x) (*CPAR_VALUE_AT_(x))
#define CPAR_VALUE_AT_(x)                                                                          \
    _Generic((x), CPAR_SCALARS(CPAR_CASE_PUT_)                                                     \
        char *: cpar_put_string, const char *: cpar_put_string,                                    \
        cpar_view: cpar_put_view,                                                                  \
        default: cpar_wrap_arrays_in_cpar_array_and_structs_in_cpar_struct)(CPAR_ROOM_, x)

CPAR_API int cpar_send_view_(const cpar_view *value, const cpar_p2p *c);
CPAR_API int cpar_receive_into_view_(const cpar_view *memory, const cpar_p2p *c);
CPAR_API cpar_message *cpar_exchange_view_(const cpar_view *value, int destination, const cpar_p2p *c);
CPAR_API cpar_request *cpar_isend_view_(const cpar_view *value, const cpar_p2p *c);

/* ---- Memory to fill ------------------------------------------------------------------------ */

/* x is a view or a pointer; each macro picks the one and puts a harmless constant for the other. */
#define CPAR_AS_POINTER_(x) _Generic((x), cpar_view: (char *)0, default: (x))
#define CPAR_AS_VIEW_(x)    _Generic((x), cpar_view: (x), default: (cpar_view){ .exact = true })
#define CPAR_NOT_ARRAY_(x)                                                                         \
    __builtin_types_compatible_p(__typeof__(CPAR_AS_POINTER_(x)), __typeof__(&*CPAR_AS_POINTER_(x)))

static inline cpar_view cpar_view_memory(cpar_view v, void *p, cpar_type type)
{
    return v.exact ? (cpar_view){ .data = p, .count = 1, .type = type, .exact = true } : v;
}

/** The view of &x, to be filled with exactly one element, or of a view. */
#define CPAR_MEMORY(x)                                                                             \
    cpar_view_memory(CPAR_AS_VIEW_(x), CPAR_AS_POINTER_(x),                                        \
        (cpar_type){ CPAR_KIND_(*CPAR_AS_POINTER_(x)), sizeof(*CPAR_AS_POINTER_(x)) *              \
            CPAR_PASS_x_BY_ADDRESS_OR_cpar_array_(                                                 \
                CPAR_NOT_ARRAY_(x) && !CPAR_IS_VOID_(*CPAR_AS_POINTER_(x)) && !CPAR_IS_POINTER_(*CPAR_AS_POINTER_(x))) })

#endif
