/* The envelope: the header in front of every message, on the wire of this version. Plain C, does no
   communication and believes nothing that it reads.

   A message of `count` elements is one MPI message, the header and the payload behind it, when the
   payload fits inline; else it is the header and as much of the payload as the sender likes, and the rest follows
   as messages of their own under the tag `sequence`. Nodes are homogeneous (checked when cpar starts), so numbers
   are in the machine's byte order:

     offset 0  2 bytes  magic "cp"
            2  1        version
            3  1        kind of the elements (cpar_kind)
            4  4        bytes of one element
            8  8        count of elements
           16  4        sequence: the tag of the messages with the rest of the payload, 0 when there is none
           20  1        operation: 0 for a message, else which collective (cpar__operation)
           21  1        error: 0, else the sender's error code, and the payload is a text about it
           22  1        reduction: of a collective that combines, by which operation; else 0
           23  1        zero
           24  4        root: of a collective that has one, else 0; at exit the program's status
           28  4        turn: of a collective, which call of its group's it is; else 0

   Where all from the sequence on is zero, as of each short message, and the two numbers have room, the header is

     offset 0  1 byte   192 + kind of the elements
            1  1        version
            2  2        bytes of one element
            4  4        count of elements */
#ifndef CPAR_WIRE_H
#define CPAR_WIRE_H

#include <cpar.h>

enum {
    CPAR__WIRE_VERSION = 4,
    CPAR__HEADER = 32, /* bytes, or fewer */
    CPAR__SHORT_HEADER = 8,
    /* Receives land in a buffer of one size, which all ranks agree on; senders' own limits for inline
       payloads are at most CPAR__INLINE_MAX. Chosen to stay within Open MPI's eager limit over TCP,
       64 KiB with its own headers. */
    CPAR__INLINE_MAX = 60 * 1024,
    CPAR__LANDING = CPAR__HEADER + CPAR__INLINE_MAX
};

/* No message is longer: more than any machine's memory, and far from overflowing. */
#define CPAR__BYTES_MAX ((uint64_t)1 << 47)

typedef struct {
    cpar_type type;
    uint64_t count;
    uint32_t sequence;
    /* As on the wire, for they are moved at once: a processor waits when it loads wider than it has just stored. */
    union {
        struct {
            uint8_t operation, error, reduction, zero;
        };
        uint32_t what;
    };
    union {
        struct {
            uint32_t root, turn;
        };
        uint64_t which;
    };
    size_t header; /* of one that was read: bytes on the wire */
} cpar__envelope;

/* Writes up to CPAR__HEADER bytes. Returns how many. */
size_t cpar__envelope_write(const cpar__envelope *e, unsigned char *out);

/* Reads the envelope at the head of `arrived` bytes. Returns NULL when all in it is sound: then the
   type exists, count * size does not overflow, and exactly all of the payload, or a part of it
   and a sequence to receive the rest under, is there. To write it would give the same bytes. Otherwise returns what is wrong. */
const char *cpar__envelope_read(cpar__envelope *e, const unsigned char *in, size_t arrived);

/* Whether two envelopes are of the same call of a collective, or both of messages. Finalize meets exit, of any status. */
bool cpar__envelope_same_call(const cpar__envelope *a, const cpar__envelope *b);

/* A number that differs between builds or machines which could not read each other. */
uint64_t cpar__wire_fingerprint(void);

#endif
