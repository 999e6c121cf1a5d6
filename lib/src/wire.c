#include "wire.h"

#include "error.h"
#include "type.h"

#include <string.h>

void cpar__envelope_write(const cpar__envelope *e, unsigned char *out)
{
    const uint8_t head[4] = { 'c', 'p', CPAR__WIRE_VERSION, (uint8_t)e->type.kind };
    memcpy(out, head, 4);
    memcpy(out + 4, &e->type.size, 4);
    memcpy(out + 8, &e->count, 8);
    memcpy(out + 16, &e->sequence, 4);
    memcpy(out + 20, &e->what, 4);
    memcpy(out + 24, &e->which, 8);
}

const char *cpar__envelope_read(cpar__envelope *e, const unsigned char *in, size_t arrived)
{
    if (arrived < CPAR__HEADER) return "it is shorter than a header";
    if (in[0] != 'c' || in[1] != 'p') return "it has no header";
    if (in[2] != CPAR__WIRE_VERSION) return "its header is of another version";

    e->type.kind = in[3];
    memcpy(&e->type.size, in + 4, 4);
    memcpy(&e->count, in + 8, 8);
    memcpy(&e->sequence, in + 16, 4);
    memcpy(&e->what, in + 20, 4);
    memcpy(&e->which, in + 24, 8);

    _Static_assert(SIZE_MAX / 2 > CPAR__BYTES_MAX, "what is believed of a length fits size_t");
    if (e->zero) return "its header has other than zero where zero stands";
    if (e->operation >= CPAR__OPERATION_COUNT) return "its header tells of no operation of cpar";
    if (!cpar__type_exists(e->type)) return "its header tells of no type of C";
    if (e->sequence > INT32_MAX) return "its header tells of an impossible sequence";
    uint64_t total;
    if (__builtin_mul_overflow(e->count, e->type.size, &total) || total > CPAR__BYTES_MAX) return "its header tells of an impossible length";

    const uint64_t inlined = arrived - CPAR__HEADER;
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
