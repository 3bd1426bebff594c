/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "sim/memory.h"
#include "tests/sim/trial.h"

#define TAPE_BYTES ((size_t)1 << 20)

static void begin(struct trial *trial)
{
    trial_init(trial, 2);
    trial_add(trial, CLIENT_PRODUCER, 1)->records = 50;
    trial_add(trial, CLIENT_CONSUMER, 1);
    trial->scenario.load_ms = (struct range){50, 100};
    trial->scenario.draws_knobs = true;
    trial->scenario.draws_faults = true;
}

/* What was kept of a run steers another one to the same end, event by event. */
START_TEST(a_tape_gives_the_run_that_it_was_kept_of)
{
    uint8_t *kept = sim_allocate(NULL, TAPE_BYTES);
    struct chance_tape record = {.kept = kept, .kept_limit = TAPE_BYTES};
    struct trial first;
    struct trial again;
    begin(&first);
    first.tape = &record;
    trial_run(&first, (uint64_t)_i);
    ck_assert_uint_gt(record.kept_length, 100);
    ck_assert_uint_lt(record.kept_length, TAPE_BYTES);
    struct chance_tape tape = {.left = span_of(kept, record.kept_length)};
    begin(&again);
    again.tape = &tape;
    trial_run(&again, (uint64_t)_i);
    ck_assert_uint_eq(again.steps, first.steps);
    ck_assert_uint_eq(again.digest, first.digest);
    ck_assert_uint_eq(tape.left.length, 0);
    free(kept);
}
END_TEST

SUITE(sim)
{
    TCase *tcase = tcase_create("tape");
    tcase_add_loop_test(tcase, a_tape_gives_the_run_that_it_was_kept_of, 1, 6);
    suite_add_tcase(suite, tcase);
}
