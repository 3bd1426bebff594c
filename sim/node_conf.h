/* SPDX-License-Identifier: Apache-2.0 */
/* The settings of a node: what the simulator decides for every one, and a scenario's own. */
#ifndef SIM_NODE_CONF_H
#define SIM_NODE_CONF_H

#include "core/conf/conf.h"
#include "sim/scenario.h"

/* Fills a conf that is at its defaults, for the node of this number, and checks it. A node for
 * which controller.quorum.voters is set gets a listener for peers at port 9093. Places of findings
 * count a scenario's settings from 1. False when something was refused. */
bool node_conf_fill(struct conf *conf, uint32_t number, const struct settings_list *settings,
                    struct span host_name);

#endif
