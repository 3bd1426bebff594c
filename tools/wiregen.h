/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of wiregen, which turns the schema files (core/wire/schema/README.md) into C:
 * wiregen_parse.c reads and judges them, wiregen_plan.c works out what each version has,
 * wiregen_emit.c writes. It runs while building and lives for a moment, so nothing is ever freed.
 */
#ifndef TOOLS_WIREGEN_H
#define TOOLS_WIREGEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* In the order of the table in wiregen_parse.c. */
enum type {
    TYPE_BOOL,
    TYPE_INT8,
    TYPE_INT16,
    TYPE_UINT16,
    TYPE_INT32,
    TYPE_UINT32,
    TYPE_INT64,
    TYPE_FLOAT64,
    TYPE_UUID,
    TYPE_STRING,
    TYPE_BYTES,
    TYPE_RECORDS,
    TYPE_STRUCT,
};

struct type_info {
    const char *name;      /* in schema files */
    const char *c;         /* the C type */
    const char *wire_kind; /* the enumerator of core/wire/schema.h */
    int64_t min;           /* of a default; min = max = 0: no integer */
    int64_t max;
    unsigned least;         /* bytes on the wire */
    unsigned least_compact; /* in flexible versions */
};

extern const struct type_info type_infos[];

/* A range of versions, both ends included; empty when first > last. */
struct versions {
    int first;
    int last;
};

static inline bool versions_have(struct versions versions, int version)
{
    return version >= versions.first && version <= versions.last;
}

struct shape;

struct field {
    struct field *next;
    const char *name;
    enum type type;
    bool array;
    bool nullable; /* in the versions `null` */
    bool plain;
    bool has_default; /* an integer or true: default_value */
    bool default_null;
    int64_t default_value;
    int tag; /* -1: none */
    struct versions versions;
    struct versions null;
    struct shape *shape; /* of TYPE_STRUCT */
    const char *file;
    int line;
};

/* A C struct. */
struct shape {
    struct shape *next; /* in the order of declaration: children before parents */
    const char *name;
    struct field *fields;
    struct versions versions; /* of the message that it is in, as far as it is there */
    unsigned index;
    bool zero; /* all defaults are zero bytes */
};

struct message {
    struct message *next;
    const char *name;
    struct shape *shape;
    struct versions versions;
    int flexible; /* the first flexible version; INT_MAX: none */
    int prefix;   /* of a record's key; -1: the version */
};

struct api {
    struct api *next;
    const char *name;
    int key;
    struct versions versions;
    int flexible;
    struct message *request;
    struct message *response;
    const char *file;
    int line;
};

struct schema {
    struct shape *shapes;
    struct message *messages;
    struct api *apis; /* by key */
};

/* Says what is wrong in FILE:LINE form and ends the program. */
_Noreturn void fail_at(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Memory, zeroed, or the end of the program. */
void *take(size_t size);

/* Text put together as printf does. */
char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Reads one file into `schema`. */
void parse_file(struct schema *schema, const char *file);

/* What one field is in one version. */
struct step {
    const struct field *field;
    bool compact;
    bool nullable;
    unsigned child; /* index of the plan, for structs */
};

/* What one struct is in some versions: plans of different versions that are equal are one. */
struct plan {
    struct plan *next;
    const struct shape *shape;
    unsigned index;
    unsigned first; /* step */
    unsigned steps_count;
    unsigned tagged_count; /* of these, the last ones, by tag */
    struct step *steps;
    bool flexible;
    unsigned least; /* bytes */
};

/* The plan of `shape` in `version`, which is made when there is none like it. */
struct plan *plan_of(const struct shape *shape, int version, bool flexible);

/* All plans, in the order of their indexes. */
const struct plan *plans_all(void);

/* Marks the structs whose defaults are all zero bytes; before anything is written. */
void find_zero_shapes(struct schema *schema);

/* STEM.h and STEM.c; the latter includes the former by this path. */
void emit_header(FILE *out, const struct schema *schema, const char *stem);
void emit_source(FILE *out, const struct schema *schema, const char *stem);

#endif
