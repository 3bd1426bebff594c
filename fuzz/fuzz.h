/* SPDX-License-Identifier: Apache-2.0 */
/* What a fuzz target defines; the names are libFuzzer's. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Runs one input from a clean state; returns 0. What must never happen ends in abort(). */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
