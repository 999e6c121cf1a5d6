/* Memory that processes share. It belongs to no file, so that nothing is left of it, however a job ends: one process makes it, and the
   others open it through that process's entry in /proc. */
#ifndef CPAR_MEMORY_H
#define CPAR_MEMORY_H

#include "runtime.h"

/* Where another process finds it. */
typedef struct {
    int64_t process, descriptor;
} cpar__place_of_memory;

/* Makes s->room bytes, zeroes, at s->memory. The descriptor is to be closed when all others have opened it; -1 with a problem noted. */
cpar__place_of_memory cpar__memory_make(cpar__shared *s, cpar__problem *p);

/* Opens what another process has made. */
bool cpar__memory_open(cpar__shared *s, cpar__place_of_memory at, cpar__problem *p);

#endif
