/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/chance.h"

#include "tests/support/runner.h"

#define KEPT_BYTES 64

/* As many bytes as one round of decisions takes. */
#define ROUND_BYTES 12

static void round_of(struct chance *chance, uint64_t ret_drawn[static 6])
{
    ret_drawn[0] = chance_below(chance, 256);
    ret_drawn[1] = chance_below(chance, 257);
    ret_drawn[2] = chance_between(chance, 7, 7); /* no decision */
    ret_drawn[3] = chance_one_in(chance, 3);
    ret_drawn[4] = chance_draw(chance);
    ret_drawn[5] = chance_between(chance, 5, UINT64_C(1) << 48);
}

START_TEST(a_seed_alone_gives_the_same_numbers_for_ever)
{
    const struct chance_source source = {.seed = 7};
    struct chance chance;
    uint64_t drawn[6];
    chance_stream(&chance, &source, "test", 3);
    round_of(&chance, drawn);
    ck_assert_uint_eq(drawn[0], 54);
    ck_assert_uint_eq(drawn[4], UINT64_C(6099778221114511652));
}
END_TEST

START_TEST(a_tape_decides_and_then_the_seed_does)
{
    static const uint8_t bytes[] = {200, 1, 0, 3, 0xab, 0, 0, 0, 0, 1, 2, 0xee};
    struct chance_tape tape = {.left = span_of(bytes, sizeof(bytes))};
    const struct chance_source source = {.seed = 7, .tape = &tape};
    struct chance taped;
    struct chance seeded;
    uint64_t drawn[6];
    chance_stream(&taped, &source, "test", 0);
    chance_stream(&seeded, &(struct chance_source){.seed = 7}, "test", 0);
    round_of(&taped, drawn);
    ck_assert_uint_eq(drawn[0], 200);
    ck_assert_uint_eq(drawn[1], 256);
    ck_assert_uint_eq(drawn[2], 7);
    ck_assert_uint_eq(drawn[3], 1);
    ck_assert_uint_eq(drawn[4], UINT64_C(0xabababababababab));
    ck_assert_uint_eq(drawn[5], 5 + 0x0102);
    /* A byte is left, and two are wanted: it is over, and the stream is where it would be. */
    round_of(&seeded, drawn);
    ck_assert_uint_eq(chance_below(&taped, 1000), chance_below(&seeded, 1000));
    ck_assert_uint_eq(tape.left.length, 0);
    ck_assert_uint_eq(chance_below(&taped, 9), chance_below(&seeded, 9));
}
END_TEST

START_TEST(what_a_seed_decides_is_kept_as_a_tape)
{
    uint8_t kept[2 * ROUND_BYTES - 2];
    struct chance_tape record = {.kept = kept, .kept_limit = sizeof(kept)};
    struct chance chance;
    uint64_t drawn[2][6];
    uint64_t again[6];
    chance_stream(&chance, &(struct chance_source){.seed = 9, .tape = &record}, "test", 0);
    round_of(&chance, drawn[0]);
    ck_assert_uint_eq(record.kept_length, ROUND_BYTES - 1);
    round_of(&chance, drawn[1]);
    round_of(&chance, again); /* there is no room: neither is anything of it kept */
    ck_assert_uint_eq(record.kept_length, 2 * (ROUND_BYTES - 1));
    struct chance_tape tape = {.left = span_of(kept, record.kept_length)};
    chance_stream(&chance, &(struct chance_source){.seed = 1, .tape = &tape}, "test", 0);
    for (size_t i = 0; i < 2; i++) {
        round_of(&chance, again);
        ck_assert_mem_eq(again, drawn[i], sizeof(again));
    }
}
END_TEST

SUITE(chance)
{
    TCase *tcase = tcase_create("chance");
    tcase_add_test(tcase, a_seed_alone_gives_the_same_numbers_for_ever);
    tcase_add_test(tcase, a_tape_decides_and_then_the_seed_does);
    tcase_add_test(tcase, what_a_seed_decides_is_kept_as_a_tape);
    suite_add_tcase(suite, tcase);
}
