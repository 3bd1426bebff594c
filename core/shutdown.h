/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The orderly end: connections are closed, then the partitions' logs, then the metadata WAL, then
 * the data folders, whose last act is the mark that spares the next start a recovery.
 */
#ifndef CORE_SHUTDOWN_H
#define CORE_SHUTDOWN_H

#include <stdbool.h>

struct broker;

/* Begins; ends in EFFECT_STOPPED. `failed`: nothing on disk is trusted or touched any more, the
 * broker stops at once and the next start recovers. */
void shutdown_start(struct broker *broker, bool failed);

/* Gives back what ending holds; a no-op when there is nothing. */
void shutdown_free(struct broker *broker);

#endif
