/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/log_inside.h"

#include "core/log/internal.h"

struct epochs *log_inside_epochs(struct log *log)
{
    return &log->epochs;
}

uint64_t log_inside_file(const struct log *log)
{
    return log_active(log)->file;
}

uint64_t log_inside_written(const struct log *log)
{
    return log_active(log)->written_bytes;
}

void log_inside_start(struct log *log, int64_t start)
{
    log->start = start;
    log->start_durable = start;
}
