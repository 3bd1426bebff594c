/* SPDX-License-Identifier: Apache-2.0 */
/* Finds every error code in a reply, of whatever API and version. */
#ifndef SIM_REPLY_ERRORS_H
#define SIM_REPLY_ERRORS_H

#include "sim/peer.h"

/* Calls `found` for each error code of the reply that is not 0. */
void reply_errors(const struct exchange *exchange, void (*found)(void *context, int16_t error),
                  void *context);

#endif
