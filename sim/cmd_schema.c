/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/options.h"
#include "sim/cmd.h"
#include "sim/scenario_schema.h"

static const struct option no_options[] = {{0}};

static int run_schema(const struct cmd *cmd, int argc, char **argv)
{
    struct options options;
    const char *value = NULL;
    options_start(&options, cmd, argc, argv);
    switch (options_next(&options, &value)) {
    case OPTIONS_END:
        scenario_schema_print(stdout);
        return EXIT_CODE_DONE;
    case OPTIONS_EXIT:
        return options.exit_code;
    default:
        return options_mistake(cmd, "takes no argument");
    }
}

const struct cmd cmd_schema = {
    .program = "chronik sim",
    .name = "schema",
    .arguments = "",
    .summary = "print the JSON schema of scenarios, for editors",
    .help =
        "Prints the JSON schema (draft 2020-12) of scenario files. An editor that is told of it\n"
        "completes words, shows what they mean, and marks what is wrong.",
    .examples =
        "chronik sim schema >scenario.schema.json\n"
        "    Then \"$schema\": \"./scenario.schema.json\" in a scenario in the same folder.",
    .options = no_options,
    .run = run_schema,
};
