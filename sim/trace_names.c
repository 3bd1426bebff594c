/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/trace_names.h"

static const char *const events[] = {
    [EVENT_START] = "start", [EVENT_ACCEPTED] = "accepted", [EVENT_COMPLETED] = "completed",
    [EVENT_TIMER] = "timer", [EVENT_STOP] = "stop",         [EVENT_TURN_END] = "turn_end",
};

static const char *const effects[] = {
    [EFFECT_LISTEN] = "listen",
    [EFFECT_WATCH] = "watch",
    [EFFECT_RECEIVE] = "receive",
    [EFFECT_SEND] = "send",
    [EFFECT_CLOSE] = "close",
    [EFFECT_OPEN] = "open",
    [EFFECT_CLOSE_FILE] = "close_file",
    [EFFECT_READ] = "read",
    [EFFECT_WRITE] = "write",
    [EFFECT_SYNC] = "sync",
    [EFFECT_TRUNCATE] = "truncate",
    [EFFECT_RESERVE] = "reserve",
    [EFFECT_LIST] = "list",
    [EFFECT_MAKE_FOLDER] = "make_folder",
    [EFFECT_RENAME] = "rename",
    [EFFECT_REMOVE] = "remove",
    [EFFECT_SYNC_FOLDER] = "sync_folder",
    [EFFECT_TIMER] = "timer",
    [EFFECT_LOG] = "log",
    [EFFECT_READY] = "ready",
    [EFFECT_STOPPED] = "stopped",
    [EFFECT_CONNECT] = "connect",
};

const char *trace_event_name(enum event_kind kind)
{
    return events[kind];
}

const char *trace_effect_name(enum effect_kind kind)
{
    return effects[kind];
}
