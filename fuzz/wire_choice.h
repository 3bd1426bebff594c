/* SPDX-License-Identifier: Apache-2.0 */
/* Which messages fuzz_wire knows: all of the protocol, and the sample that has every type. */
#ifndef FUZZ_WIRE_CHOICE_H
#define FUZZ_WIRE_CHOICE_H

#include "core/wire/schema.h"

uint32_t wire_choices_count(void);

/* The schema of a number below that count. */
const struct wire_schema *wire_choice(uint32_t index);

#endif
