/* Types as they travel: a kind and a size. Plain C, knows nothing of MPI. */
#ifndef CPAR_TYPE_H
#define CPAR_TYPE_H

#include <cpar.h>

enum { CPAR__TYPE_TEXT = 64 };

bool cpar__type_same(cpar_type a, cpar_type b);

/* Whether C has such a type here. */
bool cpar__type_exists(cpar_type type);

/* Writes "double", "struct of 24 bytes"; returns `text`, which has CPAR__TYPE_TEXT chars. */
const char *cpar__type_name(cpar_type type, char *text);

#endif
