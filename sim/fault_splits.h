/* SPDX-License-Identifier: Apache-2.0 */
/* Faults that keep ends of the network apart: partitions and links, for good or again and again. */
#ifndef SIM_FAULT_SPLITS_H
#define SIM_FAULT_SPLITS_H

#include "sim/fault_kinds.h"

/* Draws who is kept apart from whom, and does it. */
void split_begins(struct fault_window *window);

/* Takes it back. */
void split_ends(struct fault_window *window);

#endif
