/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/bench_histogram.h"

#include <string.h>

#include "tests/support/runner.h"

static struct histogram histogram;

static void reset(void)
{
    memset(&histogram, 0, sizeof(histogram));
}

START_TEST(of_nothing_all_is_zero)
{
    ck_assert_uint_eq(histogram_quantile_ns(&histogram, 500), 0);
    ck_assert_uint_eq(histogram_quantile_ns(&histogram, 1000), 0);
}
END_TEST

START_TEST(small_times_are_exact)
{
    for (uint64_t i = 1; i <= 100; i++)
        histogram_add(&histogram, i);
    ck_assert_uint_eq(histogram_quantile_ns(&histogram, 10), 1);
    ck_assert_uint_eq(histogram_quantile_ns(&histogram, 500), 50);
    ck_assert_uint_eq(histogram_quantile_ns(&histogram, 990), 99);
    ck_assert_uint_eq(histogram_quantile_ns(&histogram, 999), 100);
    ck_assert_uint_eq(histogram.max_ns, 100);
}
END_TEST

/* Each alone: what comes out is no less, and at most a 64th more. */
START_TEST(every_magnitude_is_close)
{
    for (uint64_t time_ns = 1; time_ns < UINT64_MAX / 3; time_ns = time_ns * 3 + 1) {
        reset();
        histogram_add(&histogram, time_ns);
        histogram_add(&histogram, UINT64_MAX);
        const uint64_t found_ns = histogram_quantile_ns(&histogram, 500);
        ck_assert_uint_ge(found_ns, time_ns);
        ck_assert_uint_le(found_ns - time_ns, time_ns / 64);
        ck_assert_uint_eq(histogram_quantile_ns(&histogram, 1000), UINT64_MAX);
    }
}
END_TEST

START_TEST(no_quantile_exceeds_the_longest)
{
    histogram_add(&histogram, 1000001);
    ck_assert_uint_eq(histogram_quantile_ns(&histogram, 500), 1000001);
}
END_TEST

SUITE(bench_histogram)
{
    TCase *tcase = tcase_create("histogram");
    tcase_add_checked_fixture(tcase, reset, NULL);
    tcase_add_test(tcase, of_nothing_all_is_zero);
    tcase_add_test(tcase, small_times_are_exact);
    tcase_add_test(tcase, every_magnitude_is_close);
    tcase_add_test(tcase, no_quantile_exceeds_the_longest);
    suite_add_tcase(suite, tcase);
}
