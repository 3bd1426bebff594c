/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formatting the data folders of a node: a core of its own, which a loop steps as it does a broker,
 * from EVENT_START to EFFECT_STOPPED, and which does nothing else.
 */
#ifndef CORE_META_FORMAT_H
#define CORE_META_FORMAT_H

#include "core/effect.h"
#include "core/event.h"
#include "core/meta/identity.h"

struct format;

/* `folders` and what `wish` points at are borrowed, and outlive it. Never NULL. */
struct format *format_new(struct allocator allocator, const struct span *folders,
                          uint32_t folders_count, const struct identity_wish *wish);

/* One step; EFFECT_STOPPED has `failed` when a folder was refused or could not be written, which
 * was logged by then. */
void format_step(struct format *format, const struct event *event, struct effects *effects);

/* True when the folder with this number was new, and has an identity now. */
bool format_was_new(const struct format *format, uint32_t folder);

struct memory *format_memory(struct format *format);
void format_free(struct format *format);

#endif
