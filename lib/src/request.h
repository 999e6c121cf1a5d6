/* Requests: transfers whose owner is the program, between its calls. */
#ifndef CPAR_REQUEST_H
#define CPAR_REQUEST_H

#include "p2p.h"

/* At the end: notes the requests that are still open, cancels the receives, and leaves the rest to go
   on without an owner. */
void cpar__abandon_requests(cpar__problem *p);

/* Notes a problem where a request of the group is open. */
bool cpar__check_no_requests(cpar__problem *p, const cpar_group *g);

#endif
