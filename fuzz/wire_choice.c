/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/wire_choice.h"

#include "tests/core/wire/sample.h"

/* They come last. */
static const struct wire_schema *const samples[] = {&wire_sample, &wire_sample_key,
                                                    &wire_sample_value, &wire_sample_optional};

uint32_t wire_choices_count(void)
{
    return wire_schemas_count + sizeof(samples) / sizeof(samples[0]);
}

const struct wire_schema *wire_choice(uint32_t index)
{
    return index < wire_schemas_count ? wire_schemas[index] : samples[index - wire_schemas_count];
}
