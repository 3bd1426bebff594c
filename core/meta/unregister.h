/* SPDX-License-Identifier: Apache-2.0 */
/* Forgetting a broker that will not come back. */
#ifndef CORE_META_UNREGISTER_H
#define CORE_META_UNREGISTER_H

#include "core/meta/topics.h"

/* Writes the record that forgets a broker. ERR_BROKER_ID_NOT_REGISTERED; ERR_INVALID_REQUEST, and
 * why in *ret_message, for one that is not fenced: it is running; and for one that may hold what no
 * other replica does, since nobody would notice when its number comes back with an empty disk. */
int brokers_unregister(const struct topics_context *context, int32_t broker_id,
                       struct span *ret_message);

#endif
