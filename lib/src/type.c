#include "type.h"

#include <stdio.h>

/* In the order of cpar_macros.h, where the more usual name of two equal types comes first. */
#define CPAR__ROW(T, kind, name) { { kind, sizeof(T) }, #T },
static const struct {
    cpar_type type;
    const char *name;
} scalars[] = { CPAR_SCALARS(CPAR__ROW) };

static const char *scalar_name(cpar_type type)
{
    for (size_t i = 0; i < sizeof scalars / sizeof *scalars; i++)
        if (cpar__type_same(scalars[i].type, type)) return scalars[i].name;
    return NULL;
}

bool cpar__type_same(cpar_type a, cpar_type b)
{
    return a.kind == b.kind && a.size == b.size;
}

/* On the path of every message, so no search of the table. */
bool cpar__type_exists(cpar_type type)
{
    const size_t size = type.size;
    switch (type.kind) {
    case CPAR_BOOL: return size == sizeof(bool);
    case CPAR_CHAR: return size == 1;
    case CPAR_SIGNED:
    case CPAR_UNSIGNED: return size == 1 || size == sizeof(short) || size == sizeof(int) || size == sizeof(long) || size == sizeof(long long);
    case CPAR_FLOAT: return size == sizeof(float) || size == sizeof(double) || size == sizeof(long double);
    case CPAR_COMPLEX: return size == 2 * sizeof(float) || size == 2 * sizeof(double) || size == 2 * sizeof(long double);
    case CPAR_STRUCT: return size > 0;
    case CPAR_LOC: return size == sizeof(cpar_loc);
    default: return false;
    }
}

const char *cpar__type_name(cpar_type type, char *text)
{
    const char *name = scalar_name(type);
    if (name)
        snprintf(text, CPAR__TYPE_TEXT, "%s", name);
    else if (type.kind == CPAR_LOC)
        snprintf(text, CPAR__TYPE_TEXT, "cpar_loc");
    else if (type.kind == CPAR_STRUCT)
        snprintf(text, CPAR__TYPE_TEXT, "struct of %u bytes", (unsigned)type.size);
    else
        snprintf(text, CPAR__TYPE_TEXT, "kind %u of %u bytes", (unsigned)type.kind, (unsigned)type.size);
    return text;
}
