/* SPDX-License-Identifier: Apache-2.0 */
/* What a broker consists of; for the core's own files only. */
#ifndef CORE_BROKER_STATE_H
#define CORE_BROKER_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/list.h"
#include "core/base/map.h"
#include "core/base/memory.h"
#include "core/broker.h"
#include "core/io.h"

struct boot;
struct coordinator;
struct fetch_sessions;
struct folder;
struct meta;

/*
 *     BOOTING ──▶ SERVING ──▶ STOPPING ──▶ STOPPED
 *        └──────────────────────▲ (it cannot start)
 */
enum broker_state { BROKER_BOOTING, BROKER_SERVING, BROKER_STOPPING, BROKER_STOPPED };

/* Limits of the configuration that are looked at for every connection or request. */
struct broker_limits {
    uint32_t connections;
    uint64_t connection_idle_us; /* 0: no limit */
    uint32_t request_bytes;
};

struct broker {
    struct memory memory;
    struct io io;
    const struct conf *conf;
    const struct codecs *codecs;
    enum broker_state state;
    struct broker_limits limits;
    struct boot *boot;                /* while booting or stopping */
    struct folder **folders;          /* log.dirs, in their order */
    uint32_t folders_count;
    struct meta *meta;                /* the one truth for metadata */
    struct coordinator *coordinator;  /* consumer groups */
    struct fetch_sessions *fetch_sessions;
    struct map hosted;                /* struct hosted_topic, by topic id */
    struct list sessions;
    struct list muted;                /* sessions that wait for memory */
    uint32_t sessions_count;
};

#endif
