/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/runner.h"

#include <stdio.h>
#include <stdlib.h>

enum { SUITES_MAX = 128 };

static struct entry {
    const char *name;
    void (*fill)(Suite *suite);
} entries[SUITES_MAX];

static int entry_count;

void runner_add(const char *name, void (*fill)(Suite *suite))
{
    if (entry_count == SUITES_MAX)
        abort();
    entries[entry_count++] = (struct entry){name, fill};
}

int main(void)
{
    if (entry_count == 0) {
        printf("1..0 # SKIP no file of tests is linked\n");
        return 0;
    }
    SRunner *runner = srunner_create(NULL);
    for (int i = 0; i < entry_count; i++) {
        Suite *suite = suite_create(entries[i].name);
        entries[i].fill(suite);
        srunner_add_suite(runner, suite);
    }
    /* Check writes the plan, the cases and why one failed as TAP to standard output. */
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
