/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The constant tables that wiregen makes of the schema files: for each struct, what it is on the
 * wire in each version. Versions in which a struct looks the same share a plan. Indexes instead of
 * pointers keep the tables free of relocations, so that processes share their pages.
 */
#ifndef CORE_WIRE_SCHEMA_H
#define CORE_WIRE_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/span.h"

enum wire_kind {
    WIRE_BOOL,
    WIRE_INT8,
    WIRE_INT16,
    WIRE_UINT16,
    WIRE_INT32,
    WIRE_UINT32,
    WIRE_INT64,
    WIRE_FLOAT64,
    WIRE_UUID,
    WIRE_STRING,
    WIRE_BYTES,
    WIRE_RECORDS,
    WIRE_LIST,     /* an array of one of the kinds above */
    WIRE_ARRAY,    /* an array of structs */
    WIRE_STRUCT,   /* one struct, embedded */
    WIRE_OPTIONAL, /* one struct behind a pointer, or null */
};

/* How a step's lengths are written, and whether it may be null. */
#define WIRE_COMPACT  0x01
#define WIRE_NULLABLE 0x02

/* An array's count lies right behind its pointer. */
#define WIRE_COUNT_OFFSET(offset) ((offset) + sizeof(void *))

/* One field of a struct in one version. */
struct wire_step {
    uint8_t kind;
    uint8_t flags;
    uint16_t offset; /* in the struct */
    uint16_t child;  /* plan of the struct, or kind of a list's elements */
    uint16_t tag;
    uint16_t name; /* in wire_tables.names */
};

/* One struct in one version. */
struct wire_plan {
    uint16_t first;        /* step; the tagged ones follow, by tag */
    uint16_t count;        /* of fields that are always there */
    uint16_t tagged_count; /* of fields in the tag section */
    uint16_t least_bytes;  /* on the wire */
    uint16_t shape;
    bool flexible; /* there is a tag section */
};

/* A C struct in memory. */
struct wire_shape {
    const void *defaults; /* a struct to copy; NULL: all bytes are zero */
    size_t size;
};

struct wire_tables {
    const struct wire_step *steps;
    const struct wire_plan *plans;
    const struct wire_shape *shapes;
    const char *names;
};

/* A prefix that is the message's version. */
#define WIRE_PREFIX_VERSION (-1)

/* A message. */
struct wire_schema {
    const char *name;
    const struct wire_tables *tables;
    const uint16_t *plans; /* of version_min, version_min + 1 ... */
    size_t size;           /* of the C struct */
    uint16_t shape;
    int16_t version_min;
    int16_t version_max;
    int16_t prefix; /* of a persisted record: WIRE_PREFIX_VERSION, or a key's type */
};

/* A request with its response. */
struct wire_api {
    const char *name; /* Kafka's, such as "InitProducerId" */
    const struct wire_schema *request;
    const struct wire_schema *response;
    int16_t key;
    int16_t version_min;
    int16_t version_max;
    int16_t flexible_min; /* the first flexible version; INT16_MAX: none */
};

/* Every message, for what treats all alike. */
extern const struct wire_schema *const wire_schemas[];
extern const uint32_t wire_schemas_count;

/* By key. */
extern const struct wire_api wire_apis[];
extern const uint32_t wire_apis_count;

/* The API of a key, or NULL. */
const struct wire_api *wire_api_find(int16_t key);

/* The version of the header that stands before a request of `version`, and before its response. */
int16_t wire_request_header_version(const struct wire_api *api, int16_t version);
int16_t wire_response_header_version(const struct wire_api *api, int16_t version);

#endif
