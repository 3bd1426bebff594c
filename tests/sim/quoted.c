/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/quoted.h"

#include <stdlib.h>

#include "sim/memory.h"

char *quoted(const char *text)
{
    char *copy = sim_text_copy(text, strlen(text));
    for (char *at = copy; *at != '\0'; at++) {
        if (*at == '\'')
            *at = '"';
    }
    return copy;
}

int quoted_parse(const char *text, struct scenario *ret_scenario, struct scenario_error *ret_error)
{
    char *json = quoted(text);
    const int result = scenario_parse(span_text(json), "story", ret_scenario, ret_error);
    free(json);
    return result;
}
