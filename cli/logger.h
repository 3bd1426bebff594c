/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines for the operator: time, level, text, one line each. */
#ifndef CLI_LOGGER_H
#define CLI_LOGGER_H

#include <stdbool.h>

#include "core/effect.h"

/* Longer lines are cut. */
#define LOGGER_LINE_BYTES_MAX 4096

struct logger {
    int fd;
    enum log_level most; /* what is less important is left out */
    bool colour;
};

/* Lines go to `fd`; with colour when that is a terminal and NO_COLOR is not set. */
void logger_init(struct logger *logger, int fd, struct span level);

/* Writes one line: "2026-11-23T07:30:00.123Z WARN  text". Bytes of `text` that could upset a
 * terminal or forge another line are written as \xNN. */
void logger_write(const struct logger *logger, enum log_level level, struct span text);

#endif
