/* Lanes: on one node, envelopes go through memory that the ranks share, and not through MPI, which takes longer to hand over a short
   message than cpar's own part in it does. There are lanes where all ranks of the job are on one node, so that one place has all that may
   match a receive; payloads that do not fit inline are MPI's there too.

   A rank has a lane to each other: a ring of cells, which one side fills and the other empties. What comes out goes to the letter that was posted for it
   first, or else waits until one is: as MPI matches. */
#ifndef CPAR_LANE_H
#define CPAR_LANE_H

#include "runtime.h"

/* An envelope on its way through a lane, out or in. Its owner keeps it until it is there, or cancelled. */
typedef struct cpar__letter {
    enum { CPAR__LETTER_BLOCKED, CPAR__LETTER_POSTED, CPAR__LETTER_THERE, CPAR__LETTER_HELD } state; /* blocked: no room in the lane */
    uint32_t context;     /* which of which group's: what MPI has communicators for */
    int lane;             /* the other rank's, in the job; CPAR_ANY_SOURCE for any, then the actual one */
    int tag;              /* CPAR_ANY_TAG for any, then the actual one */
    unsigned char *bytes; /* to send; or room for CPAR__LANDING; when held, the lane's own */
    size_t length;
    const unsigned char *payload; /* to send, behind these */
    size_t payload_length;
    TAILQ_ENTRY(cpar__letter) link;
} cpar__letter;

/* Makes the lanes of the job, where they can be. Collective, in MPI. */
void cpar__lanes_open(void);
void cpar__lanes_close(void);

/* Whether there are more ranks than processors, so that who waits had better let others have one. */
extern bool cpar__crowded;

/* Finds out whether all ranks of a group are of this job, and so have lanes, and which. */
void cpar__lanes_join(cpar_group *g);

/* Bytes that a letter may have. */
size_t cpar__letter_most(void);

/* Sends a letter, or has it wait behind those that wait for the same lane. */
void cpar__letter_send(cpar__letter *l);

/* Posts a letter for what comes from l->lane. */
void cpar__letter_receive(cpar__letter *l);

/* Looks what has come and what can go. Whether this one is there, or held: then its lane waits until the letter is ended. */
bool cpar__letter_test(cpar__letter *l);

/* Ends one that is there or held, when what it holds has been used. */
void cpar__letter_end(cpar__letter *l);

/* Takes back one that is posted. False for any other. */
bool cpar__letter_cancel(cpar__letter *l);

/* Whether something has come for which nothing of that context is posted: from which lane, and under which tag. */
bool cpar__lanes_probe(uint32_t context, int *lane, int *tag);

#endif
