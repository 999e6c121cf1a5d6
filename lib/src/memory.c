#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static bool map_memory(cpar__shared *s, int descriptor, cpar__problem *p)
{
    void *memory = mmap(NULL, s->room, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (memory == MAP_FAILED) return cpar__note(p, CPAR_ERROR_MEMORY, "no memory for %zu bytes that ranks share: %s", s->room, strerror(errno));
    s->memory = memory;
    return true;
}

cpar__place_of_memory cpar__memory_make(cpar__shared *s, cpar__problem *p)
{
    const int descriptor = memfd_create("cpar", MFD_CLOEXEC);
    if (descriptor >= 0 && ftruncate(descriptor, (off_t)s->room) == 0)
        map_memory(s, descriptor, p);
    else
        cpar__note(p, CPAR_ERROR_MEMORY, "no memory for %zu bytes that ranks share: %s", s->room, strerror(errno));
    return (cpar__place_of_memory){ getpid(), descriptor };
}

bool cpar__memory_open(cpar__shared *s, cpar__place_of_memory at, cpar__problem *p)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%lld/fd/%lld", (long long)at.process, (long long)at.descriptor);
    const int descriptor = open(path, O_RDWR | O_CLOEXEC);
    if (descriptor < 0) return cpar__note(p, CPAR_ERROR_MEMORY, "the memory of another rank can't be opened: %s: %s", path, strerror(errno));
    const bool mapped = map_memory(s, descriptor, p);
    close(descriptor);
    return mapped;
}
