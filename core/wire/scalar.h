/* SPDX-License-Identifier: Apache-2.0 */
/* What the codec's parts share about single values. */
#ifndef CORE_WIRE_SCALAR_H
#define CORE_WIRE_SCALAR_H

#include "core/wire/schema.h"

/* The bytes of a scalar kind in memory: that many on the wire too, unless it is a span. */
static inline size_t wire_scalar_size(unsigned kind)
{
    static const uint8_t sizes[] = {
        [WIRE_BOOL] = sizeof(bool),         [WIRE_INT8] = sizeof(int8_t),
        [WIRE_INT16] = sizeof(int16_t),     [WIRE_UINT16] = sizeof(uint16_t),
        [WIRE_INT32] = sizeof(int32_t),     [WIRE_UINT32] = sizeof(uint32_t),
        [WIRE_INT64] = sizeof(int64_t),     [WIRE_FLOAT64] = sizeof(double),
        [WIRE_UUID] = sizeof(struct uuid),  [WIRE_STRING] = sizeof(struct span),
        [WIRE_BYTES] = sizeof(struct span), [WIRE_RECORDS] = sizeof(struct span),
    };
    return sizes[kind];
}

/* The plan of a message in a version that it has. */
static inline const struct wire_plan *wire_plan_of(const struct wire_schema *schema,
                                                   int16_t version)
{
    return &schema->tables->plans[schema->plans[version - schema->version_min]];
}

#endif
