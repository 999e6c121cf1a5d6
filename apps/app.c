#include "app.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void *app_allocate(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size);
    if (p) return p;
    fprintf(stderr, "%s: no memory for %zu times %zu bytes\n", program_invocation_short_name, count, size);
    cpar_abort(1);
}

int app_refuse(const char *format, ...)
{
    if (cpar_rank() == 0) {
        char line[512];
        va_list args;
        va_start(args, format);
        vsnprintf(line, sizeof line, format, args);
        va_end(args);
        fprintf(stderr, "%s: %s\n", program_invocation_short_name, line);
    }
    return 2;
}

int app_refuse_option(int option, char **argv)
{
    return app_refuse("%s: %s; --help tells all", argv[optind - 1], option == ':' ? "its value is missing" : "no such option, or one without a value");
}

bool app_number(const char *what, const char *text, long least, long most, long *out)
{
    char *end;
    errno = 0;
    *out = strtol(text, &end, 10);
    if (end != text && !*end && !errno && *out >= least && *out <= most) return true;
    app_refuse("%s: '%s' is not accepted, whole numbers from %ld to %ld are", what, text, least, most);
    return false;
}

bool app_decimal(const char *what, const char *text, double least, double most, double *out)
{
    char *end;
    *out = strtod(text, &end);
    if (end != text && !*end && *out >= least && *out <= most) return true;
    app_refuse("%s: '%s' is not accepted, numbers from %g to %g are", what, text, least, most);
    return false;
}
