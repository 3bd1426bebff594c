/* SPDX-License-Identifier: Apache-2.0 */
/* Reading listeners and what belongs to them. For core/conf alone. */
#ifndef CORE_CONF_LISTENERS_H
#define CORE_CONF_LISTENERS_H

#include "core/base/span.h"
#include "core/conf/conf.h"

/* Fills conf->listeners from listeners, advertised.listeners, listener.security.protocol.map and
 * controller.listener.names; see conf_check. Returns 0; or -1 when something was refused. */
int conf_check_listeners(struct conf *conf, struct span host_name);

#endif
