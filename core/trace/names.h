/* SPDX-License-Identifier: Apache-2.0 */
/* What kinds of events and effects are called where people read about them. */
#ifndef CORE_TRACE_NAMES_H
#define CORE_TRACE_NAMES_H

#include "core/effect.h"
#include "core/event.h"

/* "TURN_END" for EVENT_TURN_END, "RECEIVE" for EFFECT_RECEIVE. Static. */
const char *trace_event_name(enum event_kind kind);
const char *trace_effect_name(enum effect_kind kind);

#endif
