/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From EVENT_START to service. Every step needs the one before:
 *
 *     IDENTITY ──▶ FOLDERS ──▶ METADATA ──▶ LISTENERS ──▶ REGISTRATION ──▶ SERVING
 *        └────────────┴────────────┴────────────┴──────────────┴──▶ the broker stops, saying why
 *
 * Connections that arrive before service wait. Afterwards the logs that lie in the data folders are
 * loaded one by one, so that retention reaches those that nobody asks for.
 */
#ifndef CORE_BOOT_H
#define CORE_BOOT_H

#include <stdbool.h>

struct broker;

/* Begins with the folders' identity; ends in broker_serve() or broker_stop(). */
void boot_start(struct broker *broker);

/* True while a boot waits for other nodes: it may be broken off. */
bool boot_is_waiting(const struct broker *broker);

/* Gives back what booting holds; a no-op when there is nothing. */
void boot_free(struct broker *broker);

#endif
