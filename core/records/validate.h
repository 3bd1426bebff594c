/* SPDX-License-Identifier: Apache-2.0 */
/* Judging what a producer sent for one partition, before any of it is appended. */
#ifndef CORE_RECORDS_VALIDATE_H
#define CORE_RECORDS_VALIDATE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/records/batch.h"
#include "core/records/codec.h"

/* A compressed batch that has to be opened may not grow beyond this. */
#define RECORDS_DECOMPRESSED_BYTES_MAX (64u << 20)

/* What the topic and the request ask of a batch. */
struct batch_rules {
    uint64_t max_message_bytes;      /* max.message.bytes, of the batch as it was sent */
    int16_t produce_version;         /* of the request: before 7 there was no zstd */
    bool compacted;                  /* cleanup.policy contains compact: every record needs a key */
    bool log_append_time;            /* message.timestamp.type: the client's times do not matter */
    int64_t wall_ms;                 /* now, for the two that follow */
    int64_t timestamp_before_max_ms; /* message.timestamp.before.max.ms */
    int64_t timestamp_after_max_ms;  /* message.timestamp.after.max.ms */
    const struct codecs *codecs;     /* for compressed batches of compacted topics */
    struct arena *arena;             /* for what these decompress to */
};

/* Refused records that are named one by one; there may have been more. */
#define BATCH_FAULT_RECORDS_MAX 16

/* Why a batch was refused, as Produce 8 and later tell it. The texts are constants. */
struct batch_fault {
    const char *message;
    uint32_t records_count; /* 0: the fault is the batch's */
    struct {
        int32_t index;
        const char *message;
    } records[BATCH_FAULT_RECORDS_MAX];
};

/* Judges the `length` bytes that a client sent for one partition, which have to be exactly one
 * batch, as Kafka does (LogValidator, UnifiedLog, ProduceRequest), and stricter where records are
 * damaged. Records that are not compressed are all looked at; compressed ones are judged by their
 * header unless the topic is compacted. ERR_NONE: `ret_info` has the header; a latest time in it
 * that is not that of the records was put right in place, as Kafka does. Otherwise `ret_fault` says
 * why:
 *
 *   ERR_INVALID_RECORD                nothing, or not one whole batch of version 2; base offset not
 * 0; counts that disagree; a control batch; a producer without a sequence; damaged records; no key
 * where one is needed ERR_CORRUPT_MESSAGE               too short for a batch, or a wrong checksum
 *   ERR_MESSAGE_TOO_LARGE             beyond max.message.bytes, or when decompressed
 *   ERR_INVALID_TIMESTAMP             outside of the limits, or marked as the time of appending
 *   ERR_UNSUPPORTED_COMPRESSION_TYPE  unknown, zstd before Produce 7, or no library to open it
 *   ERR_INVALID_TXN_STATE             part of a transaction that never began */
int batch_validate(uint8_t *bytes, size_t length, const struct batch_rules *rules,
                   struct batch_info *ret_info, struct batch_fault *ret_fault);

#endif
