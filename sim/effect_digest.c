/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/effect_digest.h"

#include "core/trace/digest.h"

uint64_t effect_digest(const struct effect *effect)
{
    struct trace_digest digest;
    trace_digest_init(&digest);
    trace_digest_effect(&digest, effect);
    return digest.value;
}
