/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes on client connections, in any fragments, into a whole broker, which is killed and whose
 * disk fails on the way: the input is a tape (fuzz/tape.h). Whatever it is, the broker neither
 * aborts nor stops without a reason, and a client beside is still served. */
#include "fuzz/fuzz.h"
#include "fuzz/tape.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tape_stage stage;
    tape_begin(&stage);
    tape_play(&stage, span_of(data, size));
    tape_end(&stage);
    return 0;
}
