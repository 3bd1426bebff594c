/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder with all that a cluster on this host needs, for "chronik cluster try":
 *
 *     cluster              its id, how many nodes, their ports; written last
 *     node-1.properties    the settings of node 1, for whoever wants to change them
 *     node-1.log           what it logs
 *     node-1/              its data
 */
#ifndef CLI_CLUSTER_FOLDER_H
#define CLI_CLUSTER_FOLDER_H

#include <limits.h>
#include <stdint.h>

#include "cli/cmd.h"
#include "core/base/uuid.h"
#include "core/conf/conf.h"

#define CLUSTER_NODES_MAX     CONF_VOTERS_MAX
#define CLUSTER_NODES_DEFAULT 3
#define CLUSTER_PORT_DEFAULT  9092
#define CLUSTER_PORTS_APART   10000 /* of clients and of other nodes */

/* "node-16.properties" and the like. */
#define CLUSTER_NAME_BYTES 32

struct cluster_folder {
    /* In, and out as they are */
    const char *path;
    uint32_t nodes;      /* 0: as it is, or CLUSTER_NODES_DEFAULT */
    uint16_t port;       /* of node 1 for clients, the others follow; 0: as it is, or the default */
    uint16_t peers_port; /* of node 1 for other nodes; 0: as it is, or CLUSTER_PORTS_APART more */
    /* Out */
    struct uuid_text id;
};

/* Makes the folder if there is none, and writes the files of a new cluster; or reads what one that
 * is there consists of, which has to be what was asked for. It is the current directory afterwards.
 * Returns an exit code; what is wrong was said in the name of `cmd`. */
int cluster_folder_open(struct cluster_folder *folder, const struct cmd *cmd);

/* The name in the folder of something of a node's, as "node-1.log"; `number` from 1. */
void cluster_folder_name(uint32_t number, const char *suffix, char out[static CLUSTER_NAME_BYTES]);

#endif
