/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/floor/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/format.h"

#define BLOCK_BYTES_MIN (1 << 20)
#define BLOCK_BYTES_MAX (1 << 30)

static const char help[] =
    "Usage: floor --folder FOLDER [OPTION]...\n"
    "\n"
    "The least program that \"chronik bench\" can be pointed at, to measure what a machine gives: "
    "it\n"
    "is no broker. It receives, checks CRC-32C, sets offsets, writes into the page cache, "
    "replies,\n"
    "and answers a fetch by sendfile(), all in one thread, whatever has come meanwhile at once. A\n"
    "partition's log is one file, written over and over; nothing is read again after a restart,\n"
    "nothing is looked at but the checksum, and a client that does what chronik bench does not is\n"
    "turned away. What a broker does beyond this it does for its users; how much slower that "
    "makes\n"
    "it is what make bench-compare tells.\n"
    "\n"
    "  --folder FOLDER    where the files go; it is made, and what is in it is written over\n"
    "  --port N           on 127.0.0.1; default: any, and the first line of output tells which\n"
    "  --durable          writes into space that is reserved and was never written, and syncs "
    "once\n"
    "                     a turn and partition before the replies\n"
    "  --replicas 1|3     3: with two processes that follow: they write what this one received,\n"
    "                     and acknowledge once a turn; acks=all waits for both\n"
    "  --block-bytes N    of each partition's file; default: 67108864\n"
    "  --help             this\n"
    "\n"
    "When it can be used it prints \"floor ready: 127.0.0.1:PORT\" and the numbers of its "
    "processes.\n";

enum { OPTION_FOLDER = 1, OPTION_PORT, OPTION_DURABLE, OPTION_REPLICAS, OPTION_BLOCK, OPTION_HELP };

static const struct option rows[] = {
    {"folder", required_argument, NULL, OPTION_FOLDER},
    {"port", required_argument, NULL, OPTION_PORT},
    {"durable", no_argument, NULL, OPTION_DURABLE},
    {"replicas", required_argument, NULL, OPTION_REPLICAS},
    {"block-bytes", required_argument, NULL, OPTION_BLOCK},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

/* The number, or -1 with a word about it. */
static int64_t number_of(const char *text, int64_t least, int64_t most)
{
    int64_t number;
    if (parse_int64(span_text(text), &number) == 0 && number >= least && number <= most)
        return number;
    fprintf(stderr, "floor: %s is not a number from %lld to %lld\n", text, (long long)least,
            (long long)most);
    return -1;
}

/* Returns 0 or -1. */
static int take(struct floor_options *options, int option)
{
    int64_t number = 0;
    if (option == OPTION_FOLDER) {
        options->folder = optarg;
    } else if (option == OPTION_PORT) {
        number = number_of(optarg, 0, UINT16_MAX);
        options->port = (uint16_t)number;
    } else if (option == OPTION_DURABLE) {
        options->durable = true;
    } else if (option == OPTION_REPLICAS) {
        number = number_of(optarg, 1, 3);
        options->followers = number == 3 ? 2 : 0;
        if (number == 2) {
            fprintf(stderr, "floor: --replicas is 1 or 3\n");
            return -1;
        }
    } else if (option == OPTION_BLOCK) {
        number = number_of(optarg, BLOCK_BYTES_MIN, BLOCK_BYTES_MAX);
        options->block_bytes = (uint64_t)number;
    }
    return number < 0 ? -1 : 0;
}

bool floor_options_read(struct floor_options *options, int argc, char **argv, int *ret_code)
{
    int option;
    *options = (struct floor_options){.block_bytes = 64 << 20};
    *ret_code = EXIT_FAILURE;
    while ((option = getopt_long(argc, argv, "", rows, NULL)) != -1) {
        if (option == OPTION_HELP) {
            fputs(help, stdout);
            *ret_code = EXIT_SUCCESS;
            return false;
        }
        if (option == '?' || take(options, option) != 0)
            return false;
    }
    if (options->folder == NULL || optind < argc) {
        fprintf(stderr, "floor: it takes --folder FOLDER; --help tells more\n");
        return false;
    }
    return true;
}
