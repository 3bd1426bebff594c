/* SPDX-License-Identifier: Apache-2.0 */
/* Settings from a text of lines, with the findings as text: for the tables of these tests. */
#ifndef TESTS_CORE_CONF_SETTINGS_H
#define TESTS_CORE_CONF_SETTINGS_H

#include "core/conf/conf.h"
#include "tests/support/heap.h"

struct settings {
    struct heap heap;
    struct memory memory;
    struct conf conf;
    int result;          /* -1 when anything was refused */
    char findings[4096]; /* lines such as "refused 2: what is wrong" */
};

/* Sets every line "key=value" of `lines` with its number as the place, then checks them together,
 * on a host named broker.example. */
void settings_read(struct settings *settings, const char *lines);

/* Gives the memory back and asserts that none is left. */
void settings_free(struct settings *settings);

#endif
