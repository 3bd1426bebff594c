/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that an effect points at have to stay as they are until it completes. */
#ifndef SIM_EFFECT_DIGEST_H
#define SIM_EFFECT_DIGEST_H

#include <stdint.h>

#include "core/effect.h"

/* A digest of everything that the effect points at and that the core may not change: the pieces and
 * bytes of WRITE and SEND, paths. Taken when the effect is asked for and again when it happens. */
uint64_t effect_digest(const struct effect *effect);

#endif
