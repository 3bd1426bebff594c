/* SPDX-License-Identifier: Apache-2.0 */
#include "core/trace/names.h"

#include "core/base/check.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const event_names[] = {
    [EVENT_START] = "START", [EVENT_ACCEPTED] = "ACCEPTED", [EVENT_COMPLETED] = "COMPLETED",
    [EVENT_TIMER] = "TIMER", [EVENT_STOP] = "STOP",         [EVENT_TURN_END] = "TURN_END",
};

static const char *const effect_names[] = {
    [EFFECT_LISTEN] = "LISTEN",
    [EFFECT_WATCH] = "WATCH",
    [EFFECT_RECEIVE] = "RECEIVE",
    [EFFECT_SEND] = "SEND",
    [EFFECT_CLOSE] = "CLOSE",
    [EFFECT_OPEN] = "OPEN",
    [EFFECT_CLOSE_FILE] = "CLOSE_FILE",
    [EFFECT_READ] = "READ",
    [EFFECT_WRITE] = "WRITE",
    [EFFECT_SYNC] = "SYNC",
    [EFFECT_TRUNCATE] = "TRUNCATE",
    [EFFECT_RESERVE] = "RESERVE",
    [EFFECT_LIST] = "LIST",
    [EFFECT_MAKE_FOLDER] = "MAKE_FOLDER",
    [EFFECT_RENAME] = "RENAME",
    [EFFECT_REMOVE] = "REMOVE",
    [EFFECT_SYNC_FOLDER] = "SYNC_FOLDER",
    [EFFECT_TIMER] = "TIMER",
    [EFFECT_LOG] = "LOG",
    [EFFECT_READY] = "READY",
    [EFFECT_STOPPED] = "STOPPED",
};

_Static_assert(COUNT(event_names) == EVENT_TURN_END + 1, "every event has a name");
_Static_assert(COUNT(effect_names) == EFFECT_STOPPED + 1, "every effect has a name");

const char *trace_event_name(enum event_kind kind)
{
    CHECK((unsigned)kind < COUNT(event_names));
    return event_names[kind];
}

const char *trace_effect_name(enum effect_kind kind)
{
    CHECK((unsigned)kind < COUNT(effect_names));
    return effect_names[kind];
}
