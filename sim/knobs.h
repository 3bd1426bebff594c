/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a seed draws besides chance itself: sizes and limits so small that rolls, snapshots and full
 * buffers happen in a run of a second, and the ways of the network and the disks.
 */
#ifndef SIM_KNOBS_H
#define SIM_KNOBS_H

#include "sim/sim.h"

/* Settings that are the same on all machines, where the scenario draws knobs. Owned by the caller,
 * who gives them back by settings_list_free(). */
void knobs_settings_draw(struct sim *sim, struct settings_list *ret_drawn);

/* The settings of a machine: its own, under them the scenario's, and under these the drawn ones.
 * Owned by the caller, who gives them back by settings_list_free(). */
void knobs_settings(const struct scenario *scenario, const struct settings_list *own,
                    const struct settings_list *drawn, struct settings_list *ret_all);

/* Draws the ways of the network and the machines. */
void knobs_draw(struct sim *sim);

#endif
