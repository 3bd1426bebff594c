/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decodes, encodes and prints every version of every message by the tables that are made of the
 * schema files (core/wire/schema/README.md); core/wire/messages.h has the structs.
 */
#ifndef CORE_WIRE_CODEC_H
#define CORE_WIRE_CODEC_H

#include "core/base/arena.h"
#include "core/base/span.h"
#include "core/wire/schema.h"

/* Kafka's limit on the length of a string, in the compact form too. */
#define WIRE_STRING_BYTES_MAX INT16_MAX

/* Decodes `bytes` as a whole into `message` (struct NAME of the schema wire_NAME). Spans of the
 * message lie in `bytes`, arrays in `arena`; fields that this version lacks get their defaults.
 *
 * Strict: an array's count is held against the bytes that are left before memory is taken, null
 * is taken only where the version has it, tagged fields come in order and fill their size,
 * unknown ones are skipped, and nothing may follow the message. Strings are any bytes: UTF-8 is
 * not looked at.
 *
 * Errors: ERR_UNSUPPORTED_VERSION (the schema has no such version), ERR_MALFORMED,
 * ERR_ARENA_FULL; `message` is then half filled. */
int wire_decode(const struct wire_schema *schema, int16_t version, struct span bytes,
                struct arena *arena, void *message);

/* The same for a message at the beginning of `bytes`; says how many bytes it was. */
int wire_decode_prefix(const struct wire_schema *schema, int16_t version, struct span bytes,
                       struct arena *arena, void *message, size_t *ret_used_bytes);

/* Decodes a message behind its 16-bit prefix: the version, or for a record's key its type. Errors
 * as of wire_decode; ERR_UNSUPPORTED_VERSION also for a key of another type. */
int wire_decode_record(const struct wire_schema *schema, struct span bytes, struct arena *arena,
                       void *message);

/* A place in encoded bytes where the caller puts bytes of its own. */
struct wire_split {
    size_t position; /* in the writer's bytes: what lies before it was written, the rest follows */
    size_t length;   /* of the bytes to put there */
};

/* Where messages are written, one behind the other. */
struct wire_writer {
    uint8_t *data;
    size_t capacity;
    size_t length; /* written; more than the capacity when that was not enough */
    struct wire_split *splits;
    uint32_t splits_capacity;
    uint32_t splits_count;
    size_t splits_bytes; /* of all splits together */
};

/* Writes `message`. What it may hold beyond the version is made to fit: fields that the version
 * lacks are left out, null is written as empty where the version has no null, and a string (a
 * text of ours, since none that was decoded is so long) is cut at WIRE_STRING_BYTES_MAX.
 *
 * A records field with a length but no data stands for bytes that the caller sends from
 * elsewhere: its length prefix is written, its bytes are not, and their place is noted in
 * `splits`.
 *
 * Errors: ERR_SHORT (capacity of bytes or splits; `length` says how much was needed). */
int wire_encode(const struct wire_schema *schema, int16_t version, const void *message,
                struct wire_writer *writer);

/* How many bytes the message has, those of splits included. */
size_t wire_size(const struct wire_schema *schema, int16_t version, const void *message);

/* The same with the 16-bit prefix that wire_decode_record reads. */
int wire_encode_record(const struct wire_schema *schema, int16_t version, const void *message,
                       struct wire_writer *writer);
size_t wire_record_size(const struct wire_schema *schema, int16_t version, const void *message);

/* Fills `message` with the schema's defaults. */
void wire_defaults(const struct wire_schema *schema, void *message);

/* Where text is printed to. */
struct wire_printer {
    void (*print)(void *context, struct span text);
    void *context;
    size_t bytes_max; /* how much of a bytes or records field is shown */
};

/* Prints the fields that `version` has as one line of JSON without white space: names in the
 * schema's order, bytes in hexadecimal (followed by "... N bytes" when cut), ids in base64url as
 * Kafka shows them, floating-point numbers as strings in hexadecimal notation, which is exact. What
 * is not UTF-8 in a string is shown as U+FFFD. */
void wire_print(const struct wire_schema *schema, int16_t version, const void *message,
                const struct wire_printer *printer);

#endif
