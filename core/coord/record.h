/* SPDX-License-Identifier: Apache-2.0 */
/* The records of __consumer_offsets in Kafka's own format
 * (core/wire/schema/consumer_offsets.kp). */
#ifndef CORE_COORD_RECORD_H
#define CORE_COORD_RECORD_H

#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/span.h"
#include "core/coord/group.h"
#include "core/coord/offsets.h"
#include "core/wire/messages.h"

struct coord_record {
    struct span key;
    struct span value; /* null: a tombstone, which deletes the key */
};

/* The record of one committed offset; `value` NULL: its tombstone. In `arena`; a null key when
 * there is no room. */
struct coord_record record_of_offset(struct arena *arena, struct span group_id, struct span topic,
                                     int32_t partition, const struct offset_value *value);

/* The record of a group as it is now, with its members and their assignments. */
struct coord_record record_of_group(struct arena *arena, const struct group *group);

/* The tombstone of a group. */
struct coord_record record_of_no_group(struct arena *arena, struct span group_id);

enum coord_record_kind {
    COORD_RECORD_OTHER, /* of a later release or of another group protocol: not ours to read */
    COORD_RECORD_OFFSET,
    COORD_RECORD_GROUP,
};

struct coord_entry {
    enum coord_record_kind kind;
    bool deleted; /* a tombstone: there is a key only */
    struct span group_id;
    struct span topic;
    int32_t partition;
    struct offset_value offset;
    struct group_metadata_value group;
};

/* Reads a record; what it holds lies in the record and in `arena`. Errors: ERR_MALFORMED,
 * ERR_UNSUPPORTED_VERSION, ERR_ARENA_FULL. */
int record_read(struct span key, struct span value, struct arena *arena,
                struct coord_entry *ret_entry);

#endif
