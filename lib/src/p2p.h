/* Checks of what point-to-point and collective calls are given. */
#ifndef CPAR_P2P_H
#define CPAR_P2P_H

#include "transfer.h"

/* Each notes a problem and returns false when the argument is not acceptable. */
bool cpar__check_view(cpar__problem *p, const cpar_view *v);
bool cpar__check_memory(cpar__problem *p, const cpar_view *v); /* a view that is to be filled */
bool cpar__check_rank(cpar__problem *p, const char *what, int rank);

/* Whether what arrived fits a view's memory: the type, and the count or, for the same length, just that
   count. Else notes what came and what was asked for. */
bool cpar__fits(cpar__problem *p, const cpar__envelope *e, const cpar_view *v, bool same_length);

#endif
