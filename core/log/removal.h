/* SPDX-License-Identifier: Apache-2.0 */
/* Files and folders that a data folder gets rid of. */
#ifndef CORE_LOG_REMOVAL_H
#define CORE_LOG_REMOVAL_H

#include <stdint.h>

#include "core/base/span.h"

struct folder;

/* Renames `path` to `path_aside` (both copied) now, and removes it after `delay_ms`. */
void removal_start(struct folder *folder, struct span path, struct span path_aside,
                   int64_t delay_ms);

/* True while something at `path` is on its way out and has not given its name up yet. */
bool removal_holds_name(const struct folder *folder, struct span path);

/* Removes what an earlier process had renamed. */
void removal_leftover(struct folder *folder, struct span path);

/* Gives the memory of what is under way back, for folder_free(). */
void removals_free(struct folder *folder);

#endif
