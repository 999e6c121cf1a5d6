/* cpar_print: a gather of texts. */
#include "collective.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The formatted text with its newline, the caller's to free, and its length; NULL and a problem when that fails. */
static char *format_line(cpar__problem *p, size_t *bytes, const char *format, va_list args)
{
    *bytes = 0;
    va_list again;
    va_copy(again, args);
    const int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length < 0) {
        cpar__note(p, CPAR_ERROR_ARGUMENT, "the format can't be printed: %s", strerror(errno));
        return NULL;
    }
    char *text = malloc((size_t)length + 2);
    if (!text) {
        cpar__note(p, CPAR_ERROR_MEMORY, "no memory for a text of %d bytes", length);
        return NULL;
    }
    vsnprintf(text, (size_t)length + 1, format, args);
    *bytes = (size_t)length;
    if (length > 0 && text[length - 1] != '\n') text[(*bytes)++] = '\n';
    return text;
}

int cpar_print_at(cpar_place at, const char *format, ...)
{
    const cpar__call call = cpar__collective_call(at, CPAR__PRINT, NULL, 0);
    cpar__problem problem;
    cpar__begin(&problem);
    if (!cpar__check_collective(&problem, &call)) return cpar__raise(&call, &problem);

    size_t length;
    va_list args;
    va_start(args, format);
    char *text = format_line(&problem, &length, format, args);
    va_end(args);

    const cpar_view value = { .data = text, .count = length, .type = { CPAR_CHAR, 1 } };
    cpar_message *m = cpar__gather(&call, &value, &problem);
    const size_t bytes = cpar_bytes(m);
    if (m && (fwrite(m->data, 1, bytes, stdout) != bytes || fflush(stdout) != 0))
        cpar__note(&problem, CPAR_ERROR_STATE, "standard output: %s", strerror(errno));
    cpar_free(m);
    free(text);
    return cpar__raise(&call, &problem);
}
