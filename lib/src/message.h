/* Received messages: what is known of them, and their data. Plain C. */
#ifndef CPAR_MESSAGE_H
#define CPAR_MESSAGE_H

#include <cpar.h>

struct cpar_message {
    int source, tag;
    cpar_type type;
    size_t count;
    unsigned char *data; /* in the same allocation, with one NUL behind it */
    int parts;           /* a gather's ranks, else 0 */
    size_t *starts;      /* parts + 1 elements, in the same allocation: where each rank's part starts, and the end */
    size_t room;         /* bytes of the allocation */
};

/* A message with room for count elements, NULL when memory is out. The bytes must fit size_t with
   a page to spare, which holds for all that a checked view or envelope tells. */
cpar_message *cpar__message_new(cpar_type type, size_t count);

/* The same, with room for where so many parts start. */
cpar_message *cpar__message_of_parts(cpar_type type, size_t count, int parts);

/* Frees what cpar_free has kept for the next long message. */
void cpar__messages_end(void);

#endif
