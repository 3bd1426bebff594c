/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/floor/leader.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/floor/follower.h"
#include "bench/floor/pieces.h"
#include "bench/floor/socket.h"
#include "core/base/endian.h"

int leader_start(struct leader *leader, const struct floor_options *options)
{
    uint16_t port = 0;
    const int listener = options->followers == 0 ? -1 : socket_listen(&port);
    if (options->followers > 0 && listener < 0)
        return errno;
    for (uint32_t i = 0; i < options->followers; i++) {
        struct follower *follower = &leader->followers[i];
        follower->process = fork();
        if (follower->process == 0)
            follower_run(options, i + 1, port);
        if (follower->process < 0)
            return errno;
        /* One at a time, so that it is known which one it is. */
        follower->socket = socket_accept(listener);
        if (follower->socket < 0)
            return errno;
        leader->followers_count++;
    }
    if (listener >= 0)
        close(listener);
    return 0;
}

/* Doubles the ring. Returns 0; or -1 when memory is short. */
static int grow(struct leader *leader)
{
    const uint64_t capacity = leader->pending_capacity == 0 ? 1024 : 2 * leader->pending_capacity;
    struct pending *pending = malloc(capacity * sizeof(*pending));
    if (pending == NULL)
        return -1;
    for (uint64_t i = leader->acked; i < leader->sent; i++)
        pending[i & (capacity - 1)] = leader->pending[i & (leader->pending_capacity - 1)];
    free(leader->pending);
    leader->pending = pending;
    leader->pending_capacity = capacity;
    return 0;
}

int leader_wait(struct leader *leader, struct pending pending)
{
    if (leader->sent - leader->acked == leader->pending_capacity && grow(leader) != 0)
        return -1;
    leader->pending[leader->sent++ & (leader->pending_capacity - 1)] = pending;
    return 0;
}

/* Sends all of the pieces to a follower; waits while it has no room. Returns 0 or an errno. */
static int send_all(const struct follower *follower, struct iovec *pieces, int count)
{
    while (count > 0) {
        const struct msghdr message = {.msg_iov = pieces, .msg_iovlen = (size_t)count};
        const ssize_t sent = sendmsg(follower->socket, &message, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR)
            return errno;
        pieces_skip(&pieces, &count, sent > 0 ? (size_t)sent : 0);
    }
    return 0;
}

int leader_send(struct leader *leader, struct turn *turn)
{
    struct iovec pieces[IOV_MAX];
    int error = 0;
    for (uint32_t i = 0; i < leader->followers_count; i++) {
        for (uint32_t at = 0; at < turn->count && error == 0;) {
            int count = 0;
            for (; at < turn->count && count + 2 <= IOV_MAX; at++) {
                struct turn_batch *batch = &turn->batches[at];
                pieces[count++] = (struct iovec){batch->head, FRAME_HEAD_BYTES};
                pieces[count++] = (struct iovec){batch->data, batch->length};
            }
            error = send_all(&leader->followers[i], pieces, count);
        }
    }
    return error;
}

int leader_create(struct leader *leader, uint32_t partition)
{
    uint8_t head[FRAME_HEAD_BYTES] = {0};
    int error = 0;
    put_be32(head + 4, partition);
    for (uint32_t i = 0; i < leader->followers_count && error == 0; i++) {
        struct iovec piece = {head, sizeof(head)};
        error = send_all(&leader->followers[i], &piece, 1);
    }
    return error;
}

int leader_receive(struct leader *leader, uint32_t number)
{
    struct follower *follower = &leader->followers[number];
    uint8_t input[4096];
    memcpy(input, follower->input, follower->input_length);
    const ssize_t got = recv(follower->socket, input + follower->input_length,
                             sizeof(input) - follower->input_length, MSG_DONTWAIT);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : errno;
    if (got == 0)
        return ECONNRESET;
    const size_t length = follower->input_length + (size_t)got;
    const size_t whole = length / ACK_BYTES * ACK_BYTES;
    if (whole > 0)
        follower->acked = get_be64(input + whole - ACK_BYTES);
    follower->input_length = length - whole;
    memcpy(follower->input, input + whole, follower->input_length);
    return 0;
}

struct pending *leader_next(struct leader *leader)
{
    for (uint32_t i = 0; i < leader->followers_count; i++) {
        if (leader->followers[i].acked <= leader->acked)
            return NULL;
    }
    if (leader->acked == leader->sent)
        return NULL;
    return &leader->pending[leader->acked++ & (leader->pending_capacity - 1)];
}
