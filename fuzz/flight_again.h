/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a flight record's reader takes, its writer writes so that the reader takes it for the
 * same: what is written of it a second time equals the first. */
#ifndef FUZZ_FLIGHT_AGAIN_H
#define FUZZ_FLIGHT_AGAIN_H

#include "core/base/span.h"

/* Aborts where that is not so, in a record as far as it can be read. */
void flight_again(struct span record);

#endif
