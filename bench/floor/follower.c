/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/floor/follower.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/floor/leader.h"
#include "bench/floor/socket.h"
#include "core/base/endian.h"

#define INPUT_BYTES ((size_t)1 << 20)

struct side {
    uint32_t number;
    int socket;
    struct topics topics; /* one, whose partitions are those of all of the leader's */
    struct partition *partitions;
    struct turn turn;
    uint8_t *input;
    size_t capacity;
    size_t length;
    uint64_t written; /* batches */
};

static _Noreturn void end(const struct side *side, const char *why)
{
    if (why != NULL)
        fprintf(stderr, "floor: follower %u: %s\n", side->number, why);
    _exit(why == NULL ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* The partition of that number, with its file when it is new. */
static struct partition *partition_of(struct side *side, uint32_t number)
{
    char name[32];
    if (number >= PARTITIONS_MAX)
        end(side, "there is no such partition");
    struct partition *partition = &side->partitions[number];
    if (partition->block.bytes > 0)
        return partition;
    *partition = (struct partition){.number = number, .turn_first = NO_BATCH};
    topics_name_file(number, name, sizeof(name));
    const int error = block_open(&partition->block, side->topics.folder, name,
                                 side->topics.block_bytes, side->topics.durable);
    if (error != 0)
        end(side, strerror(error));
    return partition;
}

/* Takes one whole frame off the input, from `at` on. Returns its length; 0 when there is none. */
static size_t take(struct side *side, size_t at)
{
    uint8_t *frame = side->input + at;
    const size_t left = side->length - at;
    const size_t length = left < FRAME_HEAD_BYTES ? 0 : get_be32(frame);
    if (left < FRAME_HEAD_BYTES + length || side->turn.count == TURN_BATCHES_MAX)
        return 0;
    struct partition *partition = partition_of(side, get_be32(frame + 4));
    const uint64_t position = get_be64(frame + 8);
    if (length > 0)
        turn_add(&side->turn, partition, frame + FRAME_HEAD_BYTES, (uint32_t)length, position);
    return FRAME_HEAD_BYTES + length;
}

/* Keeps what follows `at`, with room for the frame that begins there. */
static void keep(struct side *side, size_t at)
{
    side->length -= at;
    memmove(side->input, side->input + at, side->length);
    const size_t wanted =
        FRAME_HEAD_BYTES + (side->length < FRAME_HEAD_BYTES ? 0 : get_be32(side->input));
    if (wanted > side->capacity) {
        side->input = realloc(side->input, wanted);
        side->capacity = wanted;
        if (side->input == NULL)
            end(side, "out of memory");
    }
}

/* Receives once, writes what is whole, and acknowledges. */
static void run_turn(struct side *side)
{
    uint8_t ack[ACK_BYTES];
    const ssize_t got =
        recv(side->socket, side->input + side->length, side->capacity - side->length, 0);
    if (got <= 0)
        end(side, got == 0 || errno == ECONNRESET ? NULL : strerror(errno));
    side->length += (size_t)got;
    size_t at = 0;
    for (;;) {
        const size_t taken = take(side, at);
        at += taken;
        if (taken > 0)
            continue;
        if (side->turn.count == 0)
            break;
        const int error = turn_write(&side->turn);
        if (error != 0)
            end(side, strerror(error));
        side->written += side->turn.count;
        turn_clear(&side->turn);
        put_be64(ack, side->written);
        if (send(side->socket, ack, sizeof(ack), MSG_NOSIGNAL) != sizeof(ack))
            end(side, NULL);
    }
    keep(side, at);
}

_Noreturn void follower_run(const struct floor_options *options, uint32_t number, uint16_t port)
{
    char folder[PATH_MAX];
    struct side *side = calloc(1, sizeof(*side));
    if (side == NULL)
        _exit(EXIT_FAILURE);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    side->number = number;
    side->capacity = INPUT_BYTES;
    side->input = malloc(INPUT_BYTES);
    side->partitions = calloc(PARTITIONS_MAX, sizeof(side->partitions[0]));
    snprintf(folder, sizeof(folder), "%s/follower-%u", options->folder, number);
    const int error = topics_open(&side->topics, folder, options->block_bytes, options->durable);
    if (error != 0 || side->input == NULL || side->partitions == NULL)
        end(side, strerror(error != 0 ? error : ENOMEM));
    side->socket = socket_connect(port);
    if (side->socket < 0)
        end(side, strerror(errno));
    for (;;)
        run_turn(side);
}
