/* Fuzzes the reading of envelopes with libFuzzer: whatever is believed must be sound, and the same when written
   again. Built and run by scripts/fuzz.sh; corpus/ is what to start from. */
#include "error.h"
#include "type.h"
#include "wire.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int holds)
{
    if (!holds) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned char *arrived = malloc(size), again[CPAR__HEADER]; /* of just that size, so that reading on is seen */
    char name[CPAR__TYPE_TEXT];
    cpar__envelope e;

    if (size) memcpy(arrived, data, size);
    const char *wrong = cpar__envelope_read(&e, arrived, size);
    if (wrong)
        demand(strlen(wrong) > 0);
    else {
        const uint64_t total = e.count * e.type.size;
        demand(size >= e.header && cpar__type_exists(e.type) && strlen(cpar__type_name(e.type, name)) > 0);
        demand(total / e.type.size == e.count && total <= CPAR__BYTES_MAX);
        demand(e.sequence ? e.sequence <= INT32_MAX && size < e.header + total : size == e.header + total);
        demand(e.operation < CPAR__OPERATION_COUNT);
        demand(!e.error || (e.type.kind == CPAR_CHAR && !e.sequence));
        demand(cpar__envelope_write(&e, again) == e.header);
        demand(memcmp(again, arrived, e.header) == 0);
    }
    free(arrived);
    return 0;
}
