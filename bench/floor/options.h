/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of bench/floor. */
#ifndef BENCH_FLOOR_OPTIONS_H
#define BENCH_FLOOR_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct floor_options {
    const char *folder;
    uint16_t port;        /* 0: any */
    uint32_t followers;   /* 0 or 2 */
    uint64_t block_bytes; /* of each partition's file */
    bool durable;
};

/* Reads the command line. Returns true when there is something to run, else the program's
 * *ret_code. */
bool floor_options_read(struct floor_options *options, int argc, char **argv, int *ret_code);

#endif
