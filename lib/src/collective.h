/* Collectives that the library itself uses too. */
#ifndef CPAR_COLLECTIVE_H
#define CPAR_COLLECTIVE_H

#include "p2p.h"

/* Returns when every rank has called it. Notes what went wrong. */
void cpar__barrier(const cpar__call *call, cpar__problem *p);

/* Gathers at call->peer, see cpar_gather. Where a problem is noted already, the value is not
   looked at, and the root told. The message, or NULL; notes what went wrong. */
cpar_message *cpar__gather(const cpar__call *call, const cpar_view *value, cpar__problem *p);

#endif
