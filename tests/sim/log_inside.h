/* SPDX-License-Identifier: Apache-2.0 */
/* What a log keeps to itself, for tests that make it wrong. */
#ifndef TESTS_SIM_LOG_INSIDE_H
#define TESTS_SIM_LOG_INSIDE_H

#include "core/log/epochs.h"
#include "core/log/log.h"

/* The leader epochs that it knows; the file of its active segment, which is open, and its length.
 */
struct epochs *log_inside_epochs(struct log *log);
uint64_t log_inside_file(const struct log *log);
uint64_t log_inside_written(const struct log *log);

/* It is made to start at `start`, durably. */
void log_inside_start(struct log *log, int64_t start);

#endif
