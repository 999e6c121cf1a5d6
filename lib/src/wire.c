#include "wire.h"

#include "error.h"
#include "type.h"

#include <string.h>

enum { SHORT_FORM = 192 };

static bool is_short(const cpar__envelope *e)
{
    return !(e->sequence || e->what || e->which) && e->type.size <= UINT16_MAX && e->count <= UINT32_MAX;
}

size_t cpar__envelope_write(const cpar__envelope *e, unsigned char *out)
{
    if (is_short(e)) {
        const uint64_t all = (SHORT_FORM + e->type.kind) | CPAR__WIRE_VERSION << 8 | e->type.size << 16 | e->count << 32;
        memcpy(out, &all, CPAR__SHORT_HEADER);
        return CPAR__SHORT_HEADER;
    }
    const uint8_t head[4] = { 'c', 'p', CPAR__WIRE_VERSION, (uint8_t)e->type.kind };
    memcpy(out, head, 4);
    memcpy(out + 4, &e->type.size, 4);
    memcpy(out + 8, &e->count, 8);
    memcpy(out + 16, &e->sequence, 4);
    memcpy(out + 20, &e->what, 4);
    memcpy(out + 24, &e->which, 8);
    return CPAR__HEADER;
}

static const char *read_short(cpar__envelope *e, const unsigned char *in)
{
    uint16_t size;
    uint32_t count;
    if (in[1] != CPAR__WIRE_VERSION) return "its header is of another version";
    memcpy(&size, in + 2, 2);
    memcpy(&count, in + 4, 4);
    *e = (cpar__envelope){ .type = { in[0] - SHORT_FORM, size }, .count = count, .header = CPAR__SHORT_HEADER };
    return NULL;
}

static const char *read_long(cpar__envelope *e, const unsigned char *in)
{
    if (in[0] != 'c' || in[1] != 'p') return "it has no header";
    if (in[2] != CPAR__WIRE_VERSION) return "its header is of another version";

    e->type.kind = in[3];
    memcpy(&e->type.size, in + 4, 4);
    memcpy(&e->count, in + 8, 8);
    memcpy(&e->sequence, in + 16, 4);
    memcpy(&e->what, in + 20, 4);
    memcpy(&e->which, in + 24, 8);
    e->header = CPAR__HEADER;

    if (is_short(e)) return "its header is longer than it is written";
    if (e->zero) return "its header has other than zero where zero stands";
    if (e->operation >= CPAR__OPERATION_COUNT) return "its header tells of no operation of cpar";
    if (e->sequence > INT32_MAX) return "its header tells of an impossible sequence";
    return NULL;
}

const char *cpar__envelope_read(cpar__envelope *e, const unsigned char *in, size_t arrived)
{
    const bool is_short_one = arrived > 0 && in[0] >= SHORT_FORM;
    if (arrived < (is_short_one ? CPAR__SHORT_HEADER : CPAR__HEADER)) return "it is shorter than a header";
    const char *wrong = is_short_one ? read_short(e, in) : read_long(e, in);
    if (wrong) return wrong;

    _Static_assert(SIZE_MAX / 2 > CPAR__BYTES_MAX, "what is believed of a length fits size_t");
    if (!cpar__type_exists(e->type)) return "its header tells of no type of C";
    uint64_t total;
    if (__builtin_mul_overflow(e->count, e->type.size, &total) || total > CPAR__BYTES_MAX) return "its header tells of an impossible length";

    const uint64_t inlined = arrived - e->header;
    if (e->sequence ? inlined >= total : inlined != total) return "its length is not what its header tells";
    if (e->error && (e->sequence || e->type.kind != CPAR_CHAR)) return "its header tells of an error without a text";
    return NULL;
}

static bool ends_program(const cpar__envelope *e)
{
    return e->operation == CPAR__FINALIZE || e->operation == CPAR__EXIT;
}

bool cpar__envelope_same_call(const cpar__envelope *a, const cpar__envelope *b)
{
    if (ends_program(a) && ends_program(b)) return a->turn == b->turn;
    return a->operation == b->operation && a->reduction == b->reduction && a->root == b->root && a->turn == b->turn;
}

uint64_t cpar__wire_fingerprint(void)
{
    const uint16_t order = 0x0102;
    const uint64_t facts[] = { CPAR__WIRE_VERSION, CPAR__LANDING, *(const unsigned char *)&order, (char)-1 < 0,
        sizeof(bool), sizeof(short), sizeof(int), sizeof(long), sizeof(long long), sizeof(void *), sizeof(float),
        sizeof(double), sizeof(long double) };
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (size_t i = 0; i < sizeof facts; i++) hash = (hash ^ ((const unsigned char *)facts)[i]) * 1099511628211u;
    return hash;
}
