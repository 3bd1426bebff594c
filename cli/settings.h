/* SPDX-License-Identifier: Apache-2.0 */
/* The node's settings from a file and from --set; what is wrong is said with its place. */
#ifndef CLI_SETTINGS_H
#define CLI_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/conf/conf.h"

#define SETTINGS_OPTIONS_MAX 256

struct settings {
    struct conf conf;
    FILE *out;        /* findings, a line each */
    const char *path; /* of the file; NULL: none was read */
    const char *options[SETTINGS_OPTIONS_MAX];
    uint32_t options_count;
    uint32_t lines[CONF_KEYS]; /* where the file sets each key; 0: it does not */
    bool refused;              /* something was, and said */
};

/* All keys at their defaults. What is found wrong goes to `out`, with its place in front. Texts are
 * counted in `memory`. */
void settings_init(struct settings *settings, struct memory *memory, FILE *out);
void settings_free(struct settings *settings);

/* Takes a file of settings over (cli/properties.h); once, before the options. `path` outlives
 * `settings`. All that is wrong sets `refused`: there is no file, its syntax, a value. */
void settings_file(struct settings *settings, const char *path);

/* Takes "key=value" from the command line over, in the syntax of one line of a file; it counts more
 * than the file. `text` outlives `settings`. */
void settings_option(struct settings *settings, const char *text);

/* Checks all settings together, on this host. Returns 0; or -1 when anything was refused. */
int settings_check(struct settings *settings);

#endif
