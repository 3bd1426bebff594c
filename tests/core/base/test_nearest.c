/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/nearest.h"
#include "tests/support/runner.h"

static const char *const names[] = {"broker", "topic", "dump", "set", "format", "former"};

static const struct {
    const char *wrong;
    const char *meant;
} cases[] = {
    {"broker", "broker"}, {"brokr", "broker"},    {"brokers", "broker"}, {"borker", "broker"},
    {"tpoic", NULL},      {"topics", "topic"},    {"dmp", "dump"},       {"sett", "set"},
    {"formar", "format"}, {"forme", "former"},    {"x", NULL},           {"", NULL},
    {"producer", NULL},   {"brrokker", "broker"},
};

START_TEST(nearest_is_at_most_a_third_off)
{
    struct nearest nearest;
    nearest_start(&nearest, span_text(cases[_i].wrong));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        nearest_consider(&nearest, names[i]);
    ck_assert_pstr_eq(nearest.name, cases[_i].meant);
}
END_TEST

START_TEST(very_long_names_resemble_nothing)
{
    char name[NEAREST_NAME_MAX + 2];
    memset(name, 'a', sizeof(name));
    name[NEAREST_NAME_MAX + 1] = '\0';
    struct nearest nearest;
    nearest_start(&nearest, span_text(name));
    nearest_consider(&nearest, name);
    ck_assert_ptr_null(nearest.name);
    name[NEAREST_NAME_MAX] = '\0';
    nearest_start(&nearest, span_text(name));
    nearest_consider(&nearest, name);
    ck_assert_ptr_eq(nearest.name, name);
}
END_TEST

SUITE(nearest)
{
    TCase *tcase = tcase_create("nearest");
    tcase_add_loop_test(tcase, nearest_is_at_most_a_third_off, 0, sizeof(cases) / sizeof(cases[0]));
    tcase_add_test(tcase, very_long_names_resemble_nothing);
    suite_add_tcase(suite, tcase);
}
