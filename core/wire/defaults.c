/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core/wire/codec.h"

void wire_defaults(const struct wire_schema *schema, void *message)
{
    const void *defaults = schema->tables->shapes[schema->shape].defaults;

    if (defaults != NULL)
        memcpy(message, defaults, schema->size);
    else
        memset(message, 0, schema->size);
}
