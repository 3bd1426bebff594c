/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a seed draws besides chance itself: sizes and limits so small that rolls, snapshots and full
 * buffers happen in a run of a second, and the ways of the network and the disks.
 */
#ifndef SIM_KNOBS_H
#define SIM_KNOBS_H

#include "sim/sim.h"

/* The settings of a machine: the scenario's, under them (where it draws knobs) drawn ones. Owned by
 * the caller, who gives them back by settings_list_free(). */
void knobs_settings(struct sim *sim, const struct settings_list *own,
                    struct settings_list *ret_all);

/* Draws the ways of the network and the machines. */
void knobs_draw(struct sim *sim);

#endif
