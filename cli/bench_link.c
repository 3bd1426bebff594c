/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/bench_link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "core/base/endian.h"

#define INPUT_BYTES_MIN ((size_t)64 * 1024)
#define SENDS_MAX       64 /* frames in one call, unless each is sent by itself */

static int fail(struct bench_link *link, const char *why)
{
    char address[sizeof(link->client.address)];
    memcpy(address, link->client.address, sizeof(address));
    snprintf(link->client.message, sizeof(link->client.message), "%s: %s", address, why);
    return -1;
}

int bench_link_open(struct bench_link *link, const struct bench_plan *plan,
                    const struct bench_topic *topic, const struct bench_partition *partition,
                    int16_t api, uint32_t depth)
{
    *link = (struct bench_link){.depth = depth, .sends_max = plan->apart ? 1 : SENDS_MAX};
    if (client_open(&link->client, partition->leader, plan->timeout_ms) != 0)
        return -1;
    const int version = client_version(&link->client, api);
    if (version < 0 || bench_topic_offsets(&link->client, plan, partition->number, &link->log_start,
                                           &link->log_end) != 0)
        return -1;
    link->place = (struct bench_place){.topic = plan->topic,
                                       .topic_id = topic->id,
                                       .partition = partition->number,
                                       .version = (int16_t)version};
    link->slots = calloc(depth, sizeof(link->slots[0]));
    link->input = malloc(INPUT_BYTES_MIN);
    link->input_capacity = INPUT_BYTES_MIN;
    return link->slots == NULL || link->input == NULL ? fail(link, "out of memory") : 0;
}

void bench_link_close(struct bench_link *link)
{
    for (uint32_t i = 0; link->slots != NULL && i < link->depth; i++)
        bench_frame_free(&link->slots[i].frame);
    for (uint32_t i = 0; i < link->shared_count; i++)
        bench_frame_free(&link->shared[i]);
    free(link->shared);
    free(link->slots);
    free(link->input);
    client_close(&link->client);
}

int bench_link_share(struct bench_link *link, uint32_t count)
{
    link->shared = calloc(count, sizeof(link->shared[0]));
    if (link->shared == NULL)
        return fail(link, "out of memory");
    link->shared_count = count;
    return 0;
}

struct bench_slot *bench_link_begin(struct bench_link *link)
{
    if (link->flying == link->depth)
        return NULL;
    struct bench_slot *slot = &link->slots[(link->first + link->flying) % link->depth];
    slot->sends =
        link->shared_count == 0 ? &slot->frame : &link->shared[link->begun % link->shared_count];
    link->flying++;
    link->unsent++;
    link->begun++;
    return slot;
}

/* The unsent frames, as many as one call takes. Returns how many, with their bytes. */
static uint32_t gather(struct bench_link *link, struct iovec *pieces)
{
    uint32_t count = 0;
    for (uint32_t i = link->flying - link->unsent; i < link->flying && count < link->sends_max;
         i++) {
        const struct bench_frame *frame = link->slots[(link->first + i) % link->depth].sends;
        const size_t skipped = count == 0 ? link->sent_bytes : 0;
        pieces[count++] =
            (struct iovec){.iov_base = frame->data + skipped, .iov_len = frame->length - skipped};
    }
    return count;
}

int bench_link_send(struct bench_link *link)
{
    while (link->unsent > 0) {
        struct iovec pieces[SENDS_MAX];
        const struct msghdr message = {.msg_iov = pieces, .msg_iovlen = gather(link, pieces)};
        const ssize_t sent = sendmsg(link->client.socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR)
            continue;
        link->waits_to_write = sent < 0 && errno == EAGAIN;
        if (link->waits_to_write)
            return 0;
        if (sent < 0)
            return fail(link, strerror(errno));
        size_t left = (size_t)sent;
        for (size_t i = 0; i < message.msg_iovlen && left >= pieces[i].iov_len; i++) {
            left -= pieces[i].iov_len;
            link->unsent--;
            link->sent_bytes = 0;
        }
        link->sent_bytes += left;
    }
    link->waits_to_write = false;
    return 0;
}

int bench_link_receive(struct bench_link *link)
{
    const ssize_t got = recv(link->client.socket, link->input + link->input_length,
                             link->input_capacity - link->input_length, MSG_DONTWAIT);
    if (got == 0)
        return fail(link, "the broker closed the connection");
    if (got < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : fail(link, strerror(errno));
    link->input_length += (size_t)got;
    return 0;
}

/* Keeps what follows `at`, with room for a frame of `length` bytes in all. Returns 0 or -1. */
static int keep(struct bench_link *link, size_t at, size_t length)
{
    link->input_length -= at;
    memmove(link->input, link->input + at, link->input_length);
    if (length <= link->input_capacity)
        return 0;
    if (length > CLIENT_RESPONSE_BYTES_MAX)
        return fail(link, "answers with something that is not Kafka's protocol");
    uint8_t *more = realloc(link->input, length);
    if (more == NULL)
        return fail(link, "out of memory");
    link->input = more;
    link->input_capacity = length;
    return 0;
}

int bench_link_reply(struct bench_link *link, size_t *at, struct span *ret_reply)
{
    const size_t left = link->input_length - *at;
    const size_t length = left < 4 ? 4 : 4 + (size_t)get_be32(link->input + *at);
    if (left < 4 || length > left)
        return keep(link, *at, length);
    *ret_reply = span_of(link->input + *at + 4, length - 4);
    *at += length;
    return 1;
}

struct bench_slot *bench_link_end(struct bench_link *link)
{
    if (link->flying - link->unsent == 0)
        return NULL;
    struct bench_slot *slot = &link->slots[link->first];
    link->first = (link->first + 1) % link->depth;
    link->flying--;
    return slot;
}
