/* SPDX-License-Identifier: Apache-2.0 */
/* The main() of every runner of unit tests, and how a file of tests joins it. */
#ifndef TESTS_SUPPORT_RUNNER_H
#define TESTS_SUPPORT_RUNNER_H

#include <check.h>

/* Adds a suite to this program's; only SUITE calls it. */
void runner_add(const char *name, void (*fill)(Suite *suite));

/* Defines the suite of a file: the body adds test cases to `suite`. It registers itself before
 * main(), in the order in which the files are linked. */
#define SUITE(name)                                                      \
    static void suite_##name(Suite *suite);                              \
    __attribute__((constructor)) static void suite_##name##_enlist(void) \
    {                                                                    \
        runner_add(#name, suite_##name);                                 \
    }                                                                    \
    static void suite_##name(Suite *suite)

#endif
