/* SPDX-License-Identifier: Apache-2.0 */
/* Failures of a disk, by a number. */
#ifndef FUZZ_FAULTS_H
#define FUZZ_FAULTS_H

#include "tests/support/world.h"

#define FAULTS 13

/* One effect on files fails: of the kind that `which` says (any number), after the next `skip` of
 * that kind. */
void fault_add(struct world *world, uint8_t which, uint8_t skip);

/* Effects of that kind hang until world_release(). */
void fault_hold(struct world *world, uint8_t which);

#endif
