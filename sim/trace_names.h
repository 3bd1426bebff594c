/* SPDX-License-Identifier: Apache-2.0 */
/* The words by which traces name what goes in and out of a broker. */
#ifndef SIM_TRACE_NAMES_H
#define SIM_TRACE_NAMES_H

#include "core/effect.h"
#include "core/event.h"

/* "completed", "turn_end"; "write", "sync_folder". */
const char *trace_event_name(enum event_kind kind);
const char *trace_effect_name(enum effect_kind kind);

#endif
