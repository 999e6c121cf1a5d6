#include "refusal.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

long requests_left = -1, mmaps_left = -1, mmaps_refused;

/* TEST_NO_SHARING=r: rank r is refused the memory that ranks share, when cpar starts. */
__attribute__((constructor)) static void refuse_at_start(void)
{
    const char *unlucky = getenv("TEST_NO_SHARING"), *openmpi = getenv("OMPI_COMM_WORLD_RANK"), *mpich = getenv("PMI_RANK"), *rank = openmpi ? openmpi : mpich;
    if (unlucky && rank && strcmp(unlucky, rank) == 0) mmaps_left = mmaps_refused = 0;
}

static bool refused(void)
{
    return requests_left >= 0 && requests_left-- == 0;
}

void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);
void *__wrap_aligned_alloc(size_t align, size_t bytes);
int __wrap_posix_memalign(void **memory, size_t align, size_t bytes);
char *__wrap_strdup(const char *s);
void *__wrap_mmap(void *memory, size_t bytes, int protection, int flags, int descriptor, off_t offset);

void *__wrap_malloc(size_t bytes)
{
    return refused() ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    return refused() ? NULL : __real_calloc(count, bytes);
}

void *__wrap_realloc(void *memory, size_t bytes)
{
    return refused() ? NULL : __real_realloc(memory, bytes);
}

void *__wrap_aligned_alloc(size_t align, size_t bytes)
{
    return refused() ? NULL : __real_aligned_alloc(align, bytes);
}

int __wrap_posix_memalign(void **memory, size_t align, size_t bytes)
{
    return refused() ? ENOMEM : __real_posix_memalign(memory, align, bytes);
}

char *__wrap_strdup(const char *s)
{
    return refused() ? NULL : __real_strdup(s);
}

void *__wrap_mmap(void *memory, size_t bytes, int protection, int flags, int descriptor, off_t offset)
{
    if (mmaps_left < 0 || mmaps_left-- > 0) return __real_mmap(memory, bytes, protection, flags, descriptor, offset);
    if (--mmaps_refused > 0) mmaps_left = 0;
    return MAP_FAILED;
}
