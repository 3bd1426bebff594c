/* SPDX-License-Identifier: Apache-2.0 */
/* chronik random-uuid: an id for a new cluster, as kafka-storage random-uuid makes it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "cli/cmd.h"
#include "cli/options.h"
#include "core/base/rng.h"
#include "core/base/uuid.h"

static const struct option no_options[] = {{0}};

static int run(const struct cmd *cmd, int argc, char **argv)
{
    struct options parser;
    const char *value;
    options_start(&parser, cmd, argc, argv);
    const int found = options_next(&parser, &value);
    if (found == OPTIONS_EXIT)
        return parser.exit_code;
    if (found != OPTIONS_END)
        return options_mistake(cmd, "there is nothing to be told: %s", value);
    struct rng rng;
    if (getrandom(rng.state, sizeof(rng.state), 0) != (ssize_t)sizeof(rng.state)) {
        fprintf(stderr, "chronik random-uuid: %s\n", strerror(errno));
        return EXIT_CODE_FAILED;
    }
    printf("%s\n", uuid_text(rng_uuid(&rng)).text);
    return EXIT_CODE_DONE;
}

const struct cmd cmd_random_uuid = {
    .program = "chronik",
    .name = "random-uuid",
    .arguments = "",
    .summary = "make an id for a new cluster",
    .help = "Prints a random id, in Kafka's form of 22 letters, digits, \"-\" and \"_\".",
    .examples = "chronik format --cluster-id \"$(chronik random-uuid)\" server.properties\n"
                "    see \"chronik help format\"",
    .options = no_options,
    .run = run,
};
