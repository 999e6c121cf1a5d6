/* Requests for memory of cpar's own, some of which are refused. The linker's --wrap leads cpar's calls here: so what uses this is built
   with a static library. */
#ifndef REFUSAL_H
#define REFUSAL_H

#include <stddef.h>
#include <sys/types.h>

/* Requests until one is refused; negative: none is. */
extern long requests_left;

/* As long for mmap, on its own account, and how many are refused then. */
extern long mmaps_left, mmaps_refused;

/* Those that are never refused. */
void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *memory, size_t bytes);
void *__real_aligned_alloc(size_t align, size_t bytes);
int __real_posix_memalign(void **memory, size_t align, size_t bytes);
char *__real_strdup(const char *s);
void *__real_mmap(void *memory, size_t bytes, int protection, int flags, int descriptor, off_t offset);

#endif
