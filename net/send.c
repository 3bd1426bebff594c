/* SPDX-License-Identifier: Apache-2.0 */
/* Sending pieces: gathered from memory, or straight from a file's pages. */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/uio.h>

#include "core/base/check.h"
#include "core/wire/error.h"
#include "net/state.h"

/* Pieces in memory handed to the system at a time; its own limit is UIO_MAXIOV, 1024. */
#define SEND_PIECES_MAX 256

/* What one connection may send before others have their turn: a peer that reads as fast as we send
 * would otherwise keep the loop to itself for a whole reply. */
#define SEND_BYTES_PER_TURN ((uint64_t)4 * 1024 * 1024)

/* Skips what was sent, and pieces of no length. */
static void advance(struct connection *connection, size_t length)
{
    connection->sent += length;
    while (connection->piece < connection->pieces_count) {
        const size_t left = connection->pieces[connection->piece].length - connection->within;
        if (length < left) {
            connection->within += length;
            return;
        }
        length -= left;
        connection->piece++;
        connection->within = 0;
    }
    CHECK(length == 0);
}

/* Sends the pieces in memory up to the next one in a file, as far as the socket takes them. */
static ssize_t send_memory(const struct net *net, const struct connection *connection)
{
    struct iovec gathered[SEND_PIECES_MAX];
    size_t count = 0;
    size_t within = connection->within;
    uint32_t i = connection->piece;
    for (; i < connection->pieces_count && count < SEND_PIECES_MAX; i++) {
        const struct piece *piece = &connection->pieces[i];
        if (piece->length == 0)
            continue;
        if (piece->data == NULL)
            break;
        gathered[count++] = (struct iovec){
            .iov_base = (void *)(uintptr_t)(piece->data + within),
            .iov_len = piece->length - within,
        };
        within = 0;
    }
    const struct msghdr message = {.msg_iov = gathered, .msg_iovlen = count};
    /* With more to come, the last packet waits for what fills it. */
    const int more = i < connection->pieces_count ? MSG_MORE : 0;
    return net->options.calls->sendmsg(connection->fd, &message, MSG_NOSIGNAL | more);
}

/* Sends from the file of the piece under way. A file that ends before its piece is EIO; one that is
 * not at hand yet EINPROGRESS. */
static ssize_t send_file(const struct net *net, const struct connection *connection)
{
    const struct piece *piece = &connection->pieces[connection->piece];
    size_t length = piece->length - connection->within;
    if (length > SEND_BYTES_PER_TURN)
        length = SEND_BYTES_PER_TURN;
    off_t offset = (off_t)(piece->offset + connection->within);
    const int file = net->options.file_range(net->options.context, connection->id, piece->file,
                                             (uint64_t)offset, &length);
    if (file < 0) {
        errno = file == NET_FILE_LATER ? EINPROGRESS : EIO;
        return -1;
    }
    const ssize_t sent = net->options.calls->sendfile(connection->fd, file, &offset, length);
    if (sent == 0) {
        errno = EIO;
        return -1;
    }
    return sent;
}

static void finish(const struct net *net, struct connection *connection, int error)
{
    const uint64_t effect = connection->send;
    connection->send = 0;
    connection->pieces = NULL;
    net_complete(net, effect, error, connection->sent);
}

/* Has the send go on in the next net_wait(). Without memory for that it goes on at once. */
static bool park(struct net *net, struct connection *connection)
{
    if (net->parked_count == net->parked_capacity) {
        const uint32_t capacity = net->parked_capacity == 0 ? 16 : net->parked_capacity * 2;
        uint64_t *parked = reallocarray(net->parked, capacity, sizeof(*parked));
        if (parked == NULL)
            return false;
        net->parked = parked;
        net->parked_capacity = capacity;
    }
    net->parked[net->parked_count++] = connection->id;
    connection->parked = true;
    return true;
}

/* What was promised with an end is not sent after it, however long the process stood still between
 * the promise and here. The clock is that of cli/loop.c. */
static bool is_too_late(const struct net *net, const struct connection *connection)
{
    struct timespec now;
    if (connection->send_until_us == UINT64_MAX)
        return false;
    net->options.calls->clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000 >=
           connection->send_until_us;
}

void send_continue(struct net *net, struct connection *connection)
{
    const uint64_t before = connection->sent;
    while (connection->piece < connection->pieces_count) {
        if (is_too_late(net, connection)) {
            finish(net, connection, ERR_CLOSED);
            return;
        }
        if (connection->sent - before >= SEND_BYTES_PER_TURN && park(net, connection))
            return;
        const bool from_file = connection->pieces[connection->piece].data == NULL;
        const ssize_t sent = from_file ? send_file(net, connection) : send_memory(net, connection);
        if (sent >= 0) {
            advance(connection, (size_t)sent);
            continue;
        }
        if (errno == EINTR)
            continue;
        if (errno == EAGAIN) {
            connection->writable = false;
            return;
        }
        if (errno == EINPROGRESS) {
            connection->file_awaited = true;
            return;
        }
        finish(net, connection, errno == EIO ? ERR_IO : ERR_CLOSED);
        return;
    }
    finish(net, connection, ERR_NONE);
}

void connection_send(struct net *net, const struct effect *effect)
{
    struct connection *connection = connection_find(net, effect->send.connection);
    if (connection == NULL) {
        net_complete(net, effect->id, ERR_CLOSED, 0);
        return;
    }
    CHECK(connection->send == 0);
    connection->send = effect->id;
    connection->pieces = effect->send.pieces;
    connection->pieces_count = effect->send.pieces_count;
    connection->send_until_us = effect->send.until_us;
    connection->piece = 0;
    connection->within = 0;
    connection->sent = 0;
    advance(connection, 0);
    if (connection->writable)
        send_continue(net, connection);
}

void net_continue(struct net *net, uint64_t id)
{
    struct connection *connection = connection_find(net, id);
    if (connection == NULL || !connection->file_awaited)
        return;
    connection->file_awaited = false;
    if (connection->writable)
        send_continue(net, connection);
}

void send_continue_parked(struct net *net)
{
    /* A send that gives way again is for the next time. */
    const uint32_t count = net->parked_count;
    for (uint32_t i = 0; i < count; i++) {
        struct connection *connection = connection_find(net, net->parked[i]);
        if (connection == NULL)
            continue;
        connection->parked = false;
        if (connection->send != 0)
            send_continue(net, connection);
    }
    if (count == 0)
        return;
    net->parked_count -= count;
    memmove(net->parked, net->parked + count, net->parked_count * sizeof(*net->parked));
}
