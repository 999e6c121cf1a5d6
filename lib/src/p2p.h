/* Checks of what calls are given, and what blocking and nonblocking point-to-point share. */
#ifndef CPAR_P2P_H
#define CPAR_P2P_H

#include "transfer.h"

/* Each notes a problem and returns false when the argument is not acceptable. */
bool cpar__check_view(cpar__problem *p, const cpar_view *v);
bool cpar__check_memory(cpar__problem *p, const cpar_view *v); /* a view that is to be filled */
bool cpar__check_rank(cpar__problem *p, const cpar_group *g, const char *what, int rank);

/* The checks of a whole call. */
bool cpar__check_send(cpar__problem *p, const cpar__call *call, const cpar_view *v);
bool cpar__check_receive(cpar__problem *p, const cpar__call *call);

void cpar__fill_call(cpar__call *call, const cpar_p2p *c, cpar__operation operation, int peer);

/* Sends a copy, which goes on without an owner, so that nobody waits: to this rank itself, for a receive that only comes
   later, and to others in answers. */
bool cpar__send_copy(const cpar__call *call, int peer, const cpar_view *v, cpar__problem *p);

/* Receives what nobody has received in a group that comes to its end, and notes it. Only what has arrived by now can be
   seen. */
void cpar__discard_unreceived(const cpar__call *at_end, const cpar_group *g, cpar__problem *p);

#endif
