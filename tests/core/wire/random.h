/* SPDX-License-Identifier: Apache-2.0 */
/* Messages by chance, and whether two are equal: both by the schema's tables, for any message. */
#ifndef TESTS_CORE_WIRE_RANDOM_H
#define TESTS_CORE_WIRE_RANDOM_H

#include "core/base/arena.h"
#include "core/base/rng.h"
#include "core/wire/schema.h"

/* A message of `schema` whose fields in `version` hold values by chance, often the extreme ones,
 * with null where it may be; its other fields have their defaults. */
void *random_message(const struct wire_schema *schema, int16_t version, struct rng *rng,
                     struct arena *arena);

/* The most elements of a random array, and bytes of a random span. */
#define RANDOM_ITEMS_MAX 3
#define RANDOM_BYTES_MAX 150

/* The first field of the message, as `version` has it, in which two differ; NULL if none. */
const char *random_difference(const struct wire_schema *schema, int16_t version, const void *a,
                              const void *b);

#endif
