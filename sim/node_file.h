/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration file of a machine: what the scenario says, and where files differ what is drawn
 * for each. Nobody keeps files of a cluster the same for ever.
 */
#ifndef SIM_NODE_FILE_H
#define SIM_NODE_FILE_H

#include "sim/chance.h"
#include "sim/sim.h"

/* The settings of the machine with this number, drawn from `rng` where files differ. Owned by the
 * caller, who gives them back by settings_list_free(). */
void node_file_draw(struct sim *sim, struct chance *rng, uint32_t number,
                    struct settings_list *ret_settings);

#endif
