/* Pools: what the end of cpar does with them. */
#ifndef CPAR_POOL_H
#define CPAR_POOL_H

#include "error.h"

/* At the end: notes the pools that are still open, waits for the tasks that run in them, and lets their ranks go. */
void cpar__abandon_pools(cpar__problem *p);

#endif
