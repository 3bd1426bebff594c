/* SPDX-License-Identifier: Apache-2.0 */
/* A cluster that has run for a while, for judges that ask brokers what they believe. */
#ifndef TESTS_SIM_RAN_H
#define TESTS_SIM_RAN_H

#include "sim/sim.h"

#define RAN_NODES 3

/* One partition of "orders", with a replica on each node, to which somebody writes; nobody has
 * objected. The caller's, for sim_free(). */
struct sim *ran(void);

#endif
