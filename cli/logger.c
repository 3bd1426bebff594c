/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/logger.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const struct {
    const char *word;   /* in lines */
    const char *name;   /* in settings */
    const char *colour; /* SGR */
} levels[] = {
    [LOG_ERROR] = {"ERROR", "error", "\033[31m"},
    [LOG_WARN] = {"WARN ", "warn", "\033[33m"},
    [LOG_INFO] = {"INFO ", "info", "\033[32m"},
    [LOG_DEBUG] = {"DEBUG", "debug", "\033[2m"},
};

#define COLOUR_OFF "\033[0m"

void logger_init(struct logger *logger, int fd, struct span level)
{
    const char *no_colour = getenv("NO_COLOR");
    *logger = (struct logger){.fd = fd, .most = LOG_INFO};
    logger->colour = isatty(fd) && (no_colour == NULL || no_colour[0] == '\0');
    for (enum log_level i = LOG_ERROR; i <= LOG_DEBUG; i++) {
        if (span_equal(level, span_text(levels[i].name)))
            logger->most = i;
    }
}

/* Writes the beginning of a line and returns its length. */
static size_t print_head(const struct logger *logger, enum log_level level, char *line, size_t size)
{
    struct timespec now;
    struct tm date;
    char time_text[32];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &date);
    strftime(time_text, sizeof(time_text), "%Y-%m-%dT%H:%M:%S", &date);
    const int length = snprintf(line, size, "%s.%03ldZ %s%s%s ", time_text, now.tv_nsec / 1000000,
                                logger->colour ? levels[level].colour : "", levels[level].word,
                                logger->colour ? COLOUR_OFF : "");
    return (size_t)length;
}

void logger_write(const struct logger *logger, enum log_level level, struct span text)
{
    if (level > logger->most)
        return;
    static const char digits[] = "0123456789abcdef";
    char line[LOGGER_LINE_BYTES_MAX];
    size_t length = print_head(logger, level, line, sizeof(line));
    for (size_t i = 0; i < text.length && length + 5 < sizeof(line); i++) {
        const uint8_t byte = text.data[i];
        if (byte >= 0x20 && byte != 0x7f) {
            line[length++] = (char)byte;
            continue;
        }
        line[length++] = '\\';
        line[length++] = 'x';
        line[length++] = digits[byte >> 4];
        line[length++] = digits[byte & 15];
    }
    line[length++] = '\n';
    /* One write, so that lines of several processes do not mix; a log that cannot be written is no
     * reason to stop. */
    ssize_t written;
    do {
        written = write(logger->fd, line, length);
    } while (written < 0 && errno == EINTR);
}
