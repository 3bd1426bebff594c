/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records of the metadata WAL. They are Kafka's: the value of each record of a batch is a frame
 * of three unsigned varints (frame version, record type, record version) and a body by the schema
 * (core/wire/schema/metadata_records.kp), so that Kafka's own tools can read them.
 */
#ifndef CORE_META_RECORD_H
#define CORE_META_RECORD_H

#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/span.h"
#include "core/wire/messages.h"

enum meta_record_type {
    META_RECORD_REGISTER_BROKER = 0,
    META_RECORD_UNREGISTER_BROKER = 1,
    META_RECORD_TOPIC = 2,
    META_RECORD_PARTITION = 3,
    META_RECORD_CONFIG = 4,
    META_RECORD_PARTITION_CHANGE = 5,
    META_RECORD_REMOVE_TOPIC = 9,
    META_RECORD_PRODUCER_IDS = 15,
    META_RECORD_REGISTRATION_CHANGE = 17,
};

/* In a partition change: the leader stays, and with it the leader epoch. A record that names a
 * leader raises the epoch, even when it names the one that there is. */
#define META_LEADER_UNCHANGED (-2)
#define META_NO_LEADER        (-1)

struct meta_record {
    enum meta_record_type type;
    union meta_record_body {
        struct register_broker_record register_broker;
        struct unregister_broker_record unregister_broker;
        struct topic_record topic;
        struct partition_record partition;
        struct config_record config;
        struct partition_change_record partition_change;
        struct remove_topic_record remove_topic;
        struct producer_ids_record producer_ids;
        struct broker_registration_change_record registration_change;
    } body;
};

/* A record of a type with the schema's defaults. */
struct meta_record meta_record_of(enum meta_record_type type);

/* Reads a frame. Spans of the result lie in `frame`, arrays in `arena`. Errors:
 * ERR_CORRUPT_MESSAGE, ERR_UNSUPPORTED_VERSION (a frame, type or version of a later release),
 * ERR_ARENA_FULL. */
int meta_record_decode(struct span frame, struct arena *arena, struct meta_record *ret_record);

/* The frame of `record` in `arena`; SPAN_NULL when there is no room. */
struct span meta_record_encode(const struct meta_record *record, struct arena *arena);

#endif
