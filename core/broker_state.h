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
#include "core/meta/controller.h"
#include "core/meta/image.h"
#include "core/meta/producer_ids.h"
#include "core/refusals.h"
#include "core/unfinished.h"

struct boot;
struct cluster;
struct departure;
struct shutdown;
struct topic_conf;
struct coordinator;
struct fetch_sessions;
struct folder;
struct identity_check;

/*
 *     BOOTING ──▶ SERVING ──▶ STOPPING ──▶ STOPPED
 *        │           └ of a cluster: takes its leave first (core/departure.h)
 *        └──────────────────────▲ (it cannot start)
 */
enum broker_state { BROKER_BOOTING, BROKER_SERVING, BROKER_STOPPING, BROKER_STOPPED };

/* Limits of the configuration that are looked at for every connection or request. */
struct broker_limits {
    uint32_t connections;
    uint32_t connections_per_ip;
    uint64_t connection_idle_us; /* 0: no limit */
    uint32_t request_bytes;
    uint32_t receive_bytes; /* what is received into when nothing is known of a frame yet */
};

struct broker {
    struct memory memory;
    struct io io;
    const struct conf *conf;
    const struct codecs *codecs;
    enum broker_state state;
    struct broker_limits limits;
    struct boot *boot;           /* while booting, and what serving needs of it */
    struct departure *departure; /* while it takes its leave, before it stops; NULL: never asked */
    struct shutdown *shutdown;   /* while stopping */
    struct image_observer image_observer;
    uint64_t timer_us;       /* the deadline that the driver knows */
    bool stop_asked;         /* while booting: stop as soon as that has ended */
    bool folders_failed;     /* every data folder is offline */
    struct folder **folders; /* log.dirs, in their order */
    uint32_t folders_count;
    struct image image;            /* the one truth for metadata */
    struct controller *controller; /* through which alone it changes */
    struct producer_ids producer_ids;
    struct identity_check *identity;
    struct cluster *cluster;         /* links to the other nodes; NULL: this is the only one */
    struct coordinator *coordinator; /* consumer groups */
    struct fetch_sessions *fetch_sessions;
    struct map hosted; /* struct hosted_topic, by topic id */
    struct list sessions;
    struct list muted; /* sessions that wait for memory */
    uint32_t sessions_count;
    struct refusals refusals;
    struct unfinished unfinished;
};

/* The data folder that holds, or shall hold, the partition with this name ("topic-0"). */
struct folder *broker_folder_for(struct broker *broker, struct span partition_name);

/* The settings that count for a topic: its own, or else the node's; in a cluster, those that all
 * nodes judge alike are the cluster's (core/meta/agreement.h). */
void broker_topic_conf(const struct broker *broker, const struct meta_topic *topic,
                       struct topic_conf *ret_conf);

/* One key of a topic with these settings of its own, as clients are told of it. Texts are
 * borrowed. */
void broker_topic_describe(const struct broker *broker, const struct topic_override *overrides,
                           uint32_t overrides_count, enum topic_conf_key key,
                           struct conf_description *ret_description);

/* Takes up service: every session that connected meanwhile is heard. */
void broker_serve(struct broker *broker);

/* Ends the broker in order, or because it cannot go on. */
void broker_stop(struct broker *broker, bool failed);

#endif
