/* SPDX-License-Identifier: Apache-2.0 */
/* Java's hash of a string, by which Kafka places groups. */
#ifndef CORE_COORD_JAVA_HASH_H
#define CORE_COORD_JAVA_HASH_H

#include <stdint.h>

#include "core/base/span.h"

/* Σ unit[i] × 31^(n-1-i), modulo 2^32, over the UTF-16 units of a text in UTF-8; each byte that
 * is no UTF-8 counts as U+FFFD. */
int32_t java_hash(struct span text);

#endif
