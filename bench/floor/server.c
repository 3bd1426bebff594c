/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/floor/server.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench/floor/admin.h"
#include "bench/floor/data.h"
#include "bench/floor/socket.h"
#include "core/base/endian.h"
#include "core/wire/messages.h"

#define EVENTS_MAX 256

/* What an event is about: a socket's number, or one of these. */
#define ABOUT_LISTENER UINT32_MAX
#define ABOUT_FOLLOWER (UINT32_MAX - FOLLOWERS_MAX) /* and what comes behind it */

static int watch(const struct floor *floor, int operation, int socket, uint32_t events,
                 uint32_t about)
{
    struct epoll_event event = {.events = events, .data.u32 = about};
    return epoll_ctl(floor->epoll, operation, socket, &event) == 0 ? 0 : errno;
}

int server_start(struct floor *floor)
{
    int error = 0;
    floor->port = floor->options.port;
    floor->listener = socket_listen(&floor->port);
    floor->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (floor->listener < 0 || floor->epoll < 0)
        return errno;
    error = watch(floor, EPOLL_CTL_ADD, floor->listener, EPOLLIN, ABOUT_LISTENER);
    for (uint32_t i = 0; i < floor->leader.followers_count && error == 0; i++)
        error = watch(floor, EPOLL_CTL_ADD, floor->leader.followers[i].socket, EPOLLIN,
                      ABOUT_FOLLOWER + i);
    return error;
}

static void accept_one(struct floor *floor)
{
    const int socket = socket_accept(floor->listener);
    struct link *link = socket < 0 || socket >= LINKS_MAX ? NULL : calloc(1, sizeof(*link));
    if (link == NULL || link_compact(link, 0) != 0 ||
        watch(floor, EPOLL_CTL_ADD, socket, EPOLLIN, (uint32_t)socket) != 0) {
        free(link);
        if (socket >= 0)
            close(socket);
        return;
    }
    link->socket = socket;
    floor->links[socket] = link;
}

/* Closes a connection; it goes at the turn's end, when nothing of it is needed any more. */
static void drop(struct floor *floor, struct link *link)
{
    if (link->socket < 0)
        return;
    floor->links[link->socket] = NULL;
    close(link->socket);
    link->socket = -1;
    floor_touch(floor, link);
}

/* Gives a closed connection back, unless replies for it are under way. */
static void give_back(struct floor *floor, struct link *link)
{
    if (link->pending > 0)
        return;
    for (uint32_t i = 0; i < floor->waiting_count; i++) {
        if (floor->waiting[i] == link)
            floor->waiting[i--] = floor->waiting[--floor->waiting_count];
    }
    free(link->input);
    free(link->output);
    free(link);
}

/* Sends the turn's batches on, and writes them. Returns 0 or an errno. */
static int flush(struct floor *floor)
{
    struct turn *turn = &floor->turn;
    int error = leader_send(&floor->leader, turn);
    if (error == 0)
        error = turn_write(turn);
    for (uint32_t i = 0; i < turn->partitions_count && floor->leader.followers_count == 0; i++)
        turn->partitions[i]->visible = turn->partitions[i]->end;
    turn_clear(turn);
    return error;
}

/* Returns 0; or -1 when the connection is to be closed. */
static int dispatch(struct floor *floor, struct link *link, uint8_t *frame, size_t length)
{
    if (length < 10)
        return -1;
    const int16_t client_id = (int16_t)get_be16(frame + 8);
    const size_t head = 10 + (client_id < 0 ? 0 : (size_t)client_id);
    struct data_request request = {
        .api = (int16_t)get_be16(frame),
        .version = (int16_t)get_be16(frame + 2),
        .correlation_id = (int32_t)get_be32(frame + 4),
        .at = head > length ? NULL : frame + head,
        .end = frame + length,
    };
    if (request.api == API_PRODUCE && request.version >= DATA_PRODUCE_MIN &&
        request.version <= DATA_PRODUCE_MAX)
        return data_produce(floor, link, &request);
    if (request.api == API_FETCH && request.version == DATA_FETCH)
        return data_fetch(floor, link, &request);
    return admin_answer(floor, link, span_of(frame, length));
}

/* Handles whole requests. Returns 0 or an errno, which ends the program. */
static int handle(struct floor *floor, struct link *link)
{
    int error = 0;
    while (error == 0 && link->input_length - link->used >= 4) {
        uint8_t *frame = link->input + link->used;
        const size_t length = get_be32(frame);
        if (length > FRAME_BYTES_MAX || link->wait.partition != NULL) {
            drop(floor, link);
            break;
        }
        if (link->input_length - link->used < 4 + length)
            break;
        if (floor->turn.count == TURN_BATCHES_MAX)
            error = flush(floor);
        if (dispatch(floor, link, frame + 4, length) != 0) {
            drop(floor, link);
            break;
        }
        link->used += 4 + length;
    }
    return error;
}

/* Replies that followers have let go. */
static void release(struct floor *floor)
{
    for (const struct pending *next; (next = leader_next(&floor->leader)) != NULL;) {
        struct link *link = next->link;
        next->partition->visible = next->end;
        if (link == NULL)
            continue;
        link->pending--;
        floor_touch(floor, link);
        if (link->socket >= 0 &&
            data_put_produced(link, next->partition, next->correlation_id, next->base_offset) != 0)
            drop(floor, link);
    }
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Answers the fetches that something has come for, or whose time is over. Returns how long the next
 * one waits, in milliseconds; -1: none does. */
static int wake(struct floor *floor)
{
    const int64_t at_ns = floor->waiting_count == 0 ? 0 : now_ns();
    int64_t next_ns = INT64_MAX;
    for (uint32_t i = 0; i < floor->waiting_count; i++) {
        struct link *link = floor->waiting[i];
        const struct link_wait *wait = &link->wait;
        if (wait->offset >= wait->partition->visible && wait->until_ns > at_ns) {
            next_ns = wait->until_ns < next_ns ? wait->until_ns : next_ns;
            continue;
        }
        floor->waiting[i--] = floor->waiting[--floor->waiting_count];
        floor_touch(floor, link);
        if (data_put_fetched(link) != 0)
            drop(floor, link);
    }
    return next_ns == INT64_MAX ? -1 : (int)((next_ns - at_ns) / 1000000 + 1);
}

/* Sends replies, and frees what was used of the input. */
static void settle(struct floor *floor)
{
    for (uint32_t i = 0; i < floor->dirty_count; i++) {
        struct link *link = floor->dirty[i];
        const bool was_full = link->full;
        if (link->socket >= 0 && link_send(link) != 0)
            drop(floor, link);
        const size_t left = link->input_length - link->used;
        const size_t wanted = left < 4 ? 4 : 4 + get_be32(link->input + link->used);
        if (link->socket >= 0 && link_compact(link, wanted) != 0)
            drop(floor, link);
        if (link->socket >= 0 && link->full != was_full)
            watch(floor, EPOLL_CTL_MOD, link->socket, EPOLLIN | (link->full ? EPOLLOUT : 0),
                  (uint32_t)link->socket);
        link->dirty = false;
        if (link->socket < 0)
            give_back(floor, link);
    }
    floor->dirty_count = 0;
}

/* Returns 0 or an errno, which ends the program. */
static int on_event(struct floor *floor, uint32_t about, uint32_t events)
{
    if (about == ABOUT_LISTENER) {
        accept_one(floor);
        return 0;
    }
    if (about >= ABOUT_FOLLOWER)
        return leader_receive(&floor->leader, about - ABOUT_FOLLOWER);
    struct link *link = floor->links[about];
    if (link == NULL)
        return 0;
    floor_touch(floor, link);
    if ((events & ~(uint32_t)EPOLLOUT) == 0)
        return 0;
    if (link_receive(link) != 0) {
        drop(floor, link);
        return 0;
    }
    return handle(floor, link);
}

int server_run(struct floor *floor)
{
    struct epoll_event events[EVENTS_MAX];
    int wait_ms = -1;
    for (;;) {
        const int count = epoll_wait(floor->epoll, events, EVENTS_MAX, wait_ms);
        int error = 0;
        for (int i = 0; i < count && error == 0; i++)
            error = on_event(floor, events[i].data.u32, events[i].events);
        if (error == 0)
            error = flush(floor);
        if (error != 0)
            return error;
        release(floor);
        wait_ms = wake(floor);
        settle(floor);
    }
}
