/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A broker alone: it runs over a disk, everything that it asks for happens at once, and one client
 * asks it one thing after the other. For looks at what would become of a disk.
 */
#ifndef SIM_BARE_H
#define SIM_BARE_H

#include "core/base/arena.h"
#include "core/broker.h"
#include "core/wire/codec.h"
#include "core/wire/messages.h"
#include "sim/files.h"

struct bare;

/* Starts a broker with the settings over the disk, which is borrowed; NULL when it does not come to
 * serve: `ret_reason` has what it said last. */
struct bare *bare_boot(const struct conf *conf, struct files *files, int64_t wall_ms,
                       char *ret_reason, size_t reason_bytes);

/* Ends it as a crash does. NULL is a no-op. */
void bare_free(struct bare *bare);

/* The reply to `request` (struct X_request), decoded into `arena`; NULL when none came or it can't
 * be read. */
const void *bare_ask(struct bare *bare, int16_t api_key, int16_t version, const void *request,
                     struct arena *arena);

#endif
