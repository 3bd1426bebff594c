/* SPDX-License-Identifier: Apache-2.0 */
/* Reading listeners and what belongs to them. For core/conf alone. */
#ifndef CORE_CONF_LISTENERS_H
#define CORE_CONF_LISTENERS_H

#include "core/base/span.h"
#include "core/conf/conf.h"

/* Fills conf->listeners and conf->peer_listeners from listeners, advertised.listeners,
 * listener.security.protocol.map and controller.listener.names, and from the voters, which are read
 * before; see conf_check. Returns 0; or -1 when something was refused. */
int conf_check_listeners(struct conf *conf);

#endif
