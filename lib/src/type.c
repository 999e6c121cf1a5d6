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

#define CPAR__SIZE(T) (UINT64_C(1) << sizeof(T))
#define CPAR__WHOLE   (CPAR__SIZE(char) | CPAR__SIZE(short) | CPAR__SIZE(int) | CPAR__SIZE(long) | CPAR__SIZE(long long))

/* On the path of every message, so no search of the list: by kind, a bit for each size. */
bool cpar__type_exists(cpar_type type)
{
    static const uint64_t sizes[] = {
        [CPAR_BOOL] = CPAR__SIZE(bool),
        [CPAR_CHAR] = CPAR__SIZE(char),
        [CPAR_SIGNED] = CPAR__WHOLE,
        [CPAR_UNSIGNED] = CPAR__WHOLE,
        [CPAR_FLOAT] = CPAR__SIZE(float) | CPAR__SIZE(double) | CPAR__SIZE(long double),
        [CPAR_COMPLEX] = CPAR__SIZE(float _Complex) | CPAR__SIZE(double _Complex) | CPAR__SIZE(long double _Complex),
        [CPAR_LOC] = CPAR__SIZE(cpar_loc),
    };
    if (type.kind == CPAR_STRUCT) return type.size > 0;
    return type.kind < sizeof sizes / sizeof *sizes && type.size < 64 && sizes[type.kind] >> type.size & 1;
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
