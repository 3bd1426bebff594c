/* SPDX-License-Identifier: Apache-2.0 */
/* Reading who controls the cluster. For core/conf alone. */
#ifndef CORE_CONF_VOTERS_H
#define CORE_CONF_VOTERS_H

#include "core/conf/conf.h"

/* Fills conf->voters and conf->is_cluster from controller.quorum.voters, and checks them against
 * node.id, process.roles and controller.quorum.bootstrap.servers; see conf_check. Returns 0; or -1
 * when something was refused. */
int conf_check_voters(struct conf *conf);

#endif
