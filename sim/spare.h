/* SPDX-License-Identifier: Apache-2.0 */
/* Which disk a cluster can do without, as it must if it is to be taken out for good. */
#ifndef SIM_SPARE_H
#define SIM_SPARE_H

#include "sim/host.h"

/* True when nothing is lost with the machine's disk: every partition has a leader and all replicas
 * in sync, on the disks that they are known by, one at least beside this; and a majority of the
 * voters is left that has all of the metadata that is committed, or may be by what this machine has
 * acknowledged. */
bool spare_disk(const struct sim *sim, const struct host *host);

#endif
