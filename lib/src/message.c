#include "message.h"

#include "error.h"
#include "type.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

/* An over-aligned type's size is a multiple of its alignment, so the largest power of two in the size
   is enough for any type of that size; a page is as far as this goes. */
static size_t alignment(size_t size)
{
    const size_t power = size & -size, least = _Alignof(max_align_t), page = 4096;
    return power < least ? least : power > page ? page : power;
}

static size_t round_up(size_t n, size_t power)
{
    return (n + power - 1) & -power;
}

/* The memory of the message freed last is kept for the next one that needs at least half of it, of the long ones and of those of some length each.
   Fresh memory costs a page fault every 4 KiB, which takes about as long as receiving into it; and malloc is quick for what is short only. */
enum { MEDIUM = 1000, LONG = 128 * 1024, LONGEST_KEPT = 65 * 1024 * 1024 };
static _Atomic(cpar_message *) kept_long, kept_medium;

/* Where one of that size is kept; NULL for nowhere. */
static _Atomic(cpar_message *) *keeper(size_t room)
{
    if (room < MEDIUM || room > LONGEST_KEPT) return NULL;
    return room < LONG ? &kept_medium : &kept_long;
}

static cpar_message *take_kept(size_t align, size_t room)
{
    _Atomic(cpar_message *) *kept = keeper(room);
    cpar_message *m = kept ? atomic_exchange(kept, NULL) : NULL;
    if (m && (room > m->room || room < m->room / 2 || (uintptr_t)m % align)) {
        free(m);
        m = NULL;
    }
    return m;
}

void cpar__messages_end(void)
{
    free(atomic_exchange(&kept_long, NULL));
    free(atomic_exchange(&kept_medium, NULL));
}

/* Long ones come in huge pages where the kernel has them to give: one page fault where else there are 512, and one page to look
   up when MPI copies from process to process. */
enum { HUGE_PAGE = 2 << 20, HUGE_FROM = 4 << 20 };

static void *allocate(size_t align, size_t room)
{
    if (room < HUGE_FROM) return align == _Alignof(max_align_t) ? malloc(room) : aligned_alloc(align, room);
    void *memory;
    if (posix_memalign(&memory, HUGE_PAGE, room)) return NULL;
    madvise(memory, room, MADV_HUGEPAGE); /* a wish: without it the memory is as good as any */
    return memory;
}

cpar_message *cpar__message_of_parts(cpar_type type, size_t count, int parts)
{
    const size_t align = alignment(type.size), head = round_up(sizeof(cpar_message), align), end = head + count * type.size + 1,
                 starts = round_up(end, sizeof(size_t)), starts_end = parts ? starts + ((size_t)parts + 1) * sizeof(size_t) : end;
    size_t room = round_up(starts_end, align);

    cpar_message *m = take_kept(align, room);
    if (m)
        room = m->room;
    else
        m = allocate(align, room);
    if (!m) return NULL;
    unsigned char *const memory = (unsigned char *)m;
    *m = (cpar_message){ .type = type, .count = count, .data = memory + head, .parts = parts, .room = room };
    if (parts) m->starts = (size_t *)(void *)(memory + starts);
    m->data[count * type.size] = 0;
    return m;
}

cpar_message *cpar__message_new(cpar_type type, size_t count)
{
    return cpar__message_of_parts(type, count, 0);
}

void cpar_free(cpar_message *m)
{
    if (!m) return;
    _Atomic(cpar_message *) *kept = keeper(m->room);
    free(kept ? atomic_exchange(kept, m) : m);
}

int cpar_source(const cpar_message *m)
{
    return m ? m->source : -1;
}

int cpar_tag(const cpar_message *m)
{
    return m ? m->tag : -1;
}

size_t cpar_count(const cpar_message *m)
{
    return m ? m->count : 0;
}

size_t cpar_bytes(const cpar_message *m)
{
    return m ? m->count * m->type.size : 0;
}

bool cpar_is_at(const cpar_message *m, cpar_type type)
{
    return m && cpar__type_same(m->type, type);
}

/* Whether m, not NULL, may be read as elements of `type`. */
static bool check_type(cpar__problem *p, const cpar_message *m, cpar_type type)
{
    char held[CPAR__TYPE_TEXT], asked[CPAR__TYPE_TEXT];
    return cpar__type_same(m->type, type)
        || cpar__note(p, CPAR_ERROR_TYPE, "the message holds %zu %s, asked for %s", m->count,
            cpar__type_name(m->type, held), cpar__type_name(type, asked));
}

const void *cpar_as_at(const cpar_message *m, cpar_type type, cpar_place at)
{
    cpar__problem problem;
    cpar__begin(&problem);
    if (m && check_type(&problem, m, type)) return m->data;
    cpar__raise(&(cpar__call){ .at = at, .operation = CPAR__AS }, &problem);
    return NULL;
}

const void *cpar_value_at(const cpar_message *m, cpar_type type, const void *otherwise, cpar_place at)
{
    cpar__problem problem;
    cpar__begin(&problem);
    if (!m)
        cpar__note(&problem, CPAR_ERROR_ARGUMENT, "the message is NULL");
    else if (check_type(&problem, m, type) && m->count != 1)
        cpar__note(&problem, CPAR_ERROR_LENGTH, "the message holds %zu elements, asked for 1", m->count);
    return cpar__raise(&(cpar__call){ .at = at, .operation = CPAR__VALUE }, &problem) ? otherwise : m->data;
}

const char *cpar_text_at(const cpar_message *m, cpar_place at)
{
    cpar__problem problem;
    cpar__begin(&problem);
    if (m && check_type(&problem, m, (cpar_type){ CPAR_CHAR, 1 })) return (const char *)m->data;
    cpar__raise(&(cpar__call){ .at = at, .operation = CPAR__TEXT }, &problem);
    return NULL;
}

const void *cpar_part_at(const cpar_message *m, int rank, cpar_type type, size_t *count, cpar_place at)
{
    cpar__problem problem;
    cpar__begin(&problem);
    if (count) *count = 0;
    if (m && !m->parts)
        cpar__note(&problem, CPAR_ERROR_ARGUMENT, "the message has no parts, it does not come from a gather");
    else if (m && (rank < 0 || rank >= m->parts))
        cpar__note(&problem, CPAR_ERROR_RANK, "there are parts of ranks 0 to %d, none of %d", m->parts - 1, rank);
    else if (m && check_type(&problem, m, type)) {
        if (count) *count = m->starts[rank + 1] - m->starts[rank];
        return m->data + m->starts[rank] * type.size;
    }
    cpar__raise(&(cpar__call){ .at = at, .operation = CPAR__PART }, &problem);
    return NULL;
}
