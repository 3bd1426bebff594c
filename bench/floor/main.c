/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor: what a machine gives to the design of a broker that does nothing but what it must.
 *
 *      epoll_wait ──▶ of each connection: one recv, its requests checked and placed
 *          ▲                       │
 *          │          to each follower: one gathered send of what was received
 *          │          to each partition's file: one gathered write, and a sync if told
 *          │                       │
 *          └── one send for each connection ◀── fetches woken, acknowledgements taken
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/floor/server.h"
#include "cli/allocator.h"

#define ARENA_BYTES_MAX (16u << 20)

/* Returns 0 or an errno. */
static int start(struct floor *floor)
{
    const struct floor_options *options = &floor->options;
    int error =
        topics_open(&floor->topics, options->folder, options->block_bytes, options->durable);
    if (error == 0)
        error = leader_start(&floor->leader, options);
    if (error == 0)
        error = server_start(floor);
    return error;
}

int main(int argc, char **argv)
{
    struct floor *floor = calloc(1, sizeof(*floor));
    int code = EXIT_FAILURE;
    if (floor == NULL || !floor_options_read(&floor->options, argc, argv, &code))
        return code;
    signal(SIGPIPE, SIG_IGN);
    memory_init(&floor->memory, allocator_process());
    arena_init(&floor->arena, &floor->memory, MEMORY_REQUEST, ARENA_BYTES_MAX);
    int error = start(floor);
    if (error == 0) {
        printf("floor ready: 127.0.0.1:%u processes %d", floor->port, getpid());
        for (uint32_t i = 0; i < floor->leader.followers_count; i++)
            printf(" %d", floor->leader.followers[i].process);
        printf("\n");
        fflush(stdout);
        error = server_run(floor);
    }
    fprintf(stderr, "floor: %s\n", strerror(error));
    return EXIT_FAILURE;
}
