/*
 * log.c - puts the number in front and the line together.
 *
 * Room: util.
 */
#include "util/log.h"

#include <stdarg.h>
#include <stdio.h>

void sp_log(const sp_log_t *log, sp_level_t level, int number, const char *format,
            ...)
{
    char line[1024];
    va_list args;
    int head;

    if (!log || !log->write || level > log->level) {
        return;
    }
    head = snprintf(line, sizeof(line), "SP%04d: ", number);
    va_start(args, format);
    vsnprintf(line + head, sizeof(line) - (size_t)head, format, args);
    va_end(args);
    log->write(log->baton, level, line);
}

void sp_log_stderr(void *baton, sp_level_t level, const char *line)
{
    (void)baton;
    (void)level;
    fprintf(stderr, "%s\n", line);
}
