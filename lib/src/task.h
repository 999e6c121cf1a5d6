/* Tasks: running one, how jobs of any length are packed, and parcels, in which results and failures travel. Plain C, does no
   communication and believes nothing that it reads. */
#ifndef CPAR_TASK_H
#define CPAR_TASK_H

#include "error.h"
#include "type.h"

/* Whether this thread is in a task. */
bool cpar__in_task(void);

/* Notes a problem where it is. */
bool cpar__check_no_task(cpar__problem *p);

/* Runs the task for the In at `in`, and puts the Out at `out`. Returns NULL, or why it failed, then with zeroes at `out`: this
   thread's, until its next task. */
const char *cpar__task_run(const cpar_task *task, const void *in, void *out);

/* Writes "double", "string" or "message"; returns `text`, which has CPAR__TYPE_TEXT chars. */
const char *cpar__passed_name(const cpar_passed *passed, char *text);

/* A number that differs between tasks of different names or types. */
uint64_t cpar__task_fingerprint(const cpar_task *task);

/* The number of a task in the list of all that the program has, and the task of a number; NULL for none. */
uint32_t cpar__task_number(const cpar_task *task);
const cpar_task *cpar__task_of(uint32_t number);

/* ---- Jobs that are packed: a plain one is itself, others are an item -------------------------- */

/* What stands in front of a string or a message; the data follow. */
typedef struct {
    cpar_type type;
    uint64_t count;
} cpar__item;

/* The bytes of the job at `in`, a multiple of an item's for those that are not plain; 0, with a problem noted, for NULL. */
size_t cpar__job_size(const cpar_passed *passed, const void *in, cpar__problem *p);
void cpar__job_pack(const cpar_passed *passed, const void *in, unsigned char *out);

/* Runs the task for a packed job of so many bytes, which are not to be trusted. As cpar__task_run; notes a problem for a job that is none, or
   without memory, and returns "". */
const char *cpar__job_run(const cpar_task *task, const unsigned char *job, size_t bytes, void *out, cpar__problem *p);

/* ---- Parcels --------------------------------------------------------------------------------- */

typedef struct {
    unsigned char *bytes;
    size_t used, room;
    size_t last; /* where the last record starts */
    int rank;    /* who does the jobs */
} cpar__parcel;

/* Adds the result of a job, at `out`, which is given away; or why it failed. False, with a problem noted, where memory is out. */
bool cpar__parcel_result(cpar__parcel *parcel, const cpar_passed *passed, uint64_t job, void *out, cpar__problem *p);
bool cpar__parcel_failure(cpar__parcel *parcel, uint64_t job, const char *why, cpar__problem *p);

/* Adds how many jobs this rank has done. */
bool cpar__parcel_tally(cpar__parcel *parcel, uint64_t done, cpar__problem *p);

/* Opens the parcels that stand one behind the other: results go to results[n], failures to the list, which grows. Notes a problem where
   something else stands, or where memory is out. */
typedef struct {
    unsigned char *results;
    uint64_t n, done; /* jobs: there are, and all ranks have done */
    uint64_t given;   /* results, failures among them, in these parcels */
    const cpar_passed *passed;
    cpar_failures failed;
} cpar__harvest;
bool cpar__parcel_open(const unsigned char *bytes, size_t size, cpar__harvest *harvest, cpar__problem *p);

/* Sorts the failures, frees them. */
void cpar__failures_sort(cpar_failures *failures);

#endif
