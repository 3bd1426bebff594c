/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that enters the core. A driver delivers any number of events, then EVENT_TURN_END. */
#ifndef CORE_EVENT_H
#define CORE_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/span.h"

enum event_kind {
    EVENT_START,     /* the first event, once */
    EVENT_ACCEPTED,  /* a listener has a new connection */
    EVENT_COMPLETED, /* an effect ended: done, or why not */
    EVENT_TIMER,     /* the deadline of the last EFFECT_TIMER has come; early or late is harmless */
    EVENT_STOP,      /* the operator asks for an orderly end */
    EVENT_TURN_END,  /* all that had arrived was delivered: write, sync and send now */
};

#define START_ENTROPY_BYTES 32

/* What EFFECT_LIST found: one entry of a folder, without "." and "..". */
struct folder_entry {
    struct span name;
    uint64_t size_bytes; /* 0 for folders */
    bool is_folder;
};

struct event {
    enum event_kind kind;
    uint64_t mono_us; /* CLOCK_BOOTTIME never goes back, runs on while we stand still */
    int64_t wall_ms;  /* Unix time; may jump either way */
    union {
        struct {
            uint8_t entropy[START_ENTROPY_BYTES];
        } start;
        struct {
            uint64_t connection; /* chosen by the driver, never used again */
            uint32_t listener;   /* the one that EFFECT_LISTEN named */
            struct span peer;    /* "address:port", borrowed for the step */
        } accepted;
        struct completion {
            uint64_t effect; /* its id */
            int error;       /* ERR_NONE, or an internal code of core/wire/error.def */
            uint64_t count;  /* bytes done; the file's size (OPEN); the port (LISTEN);
                                  the connection (CONNECT) */
            const struct folder_entry *entries; /* LIST: sorted by name, borrowed for the step */
            uint32_t entries_count;
        } completed;
    };
};

#endif
