/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends what no client should: requests with flipped bits, with sizes that lie, cut off,
 * overwritten, of versions that nobody has, a byte at a time, many at once without reading a reply;
 * and bytes that are none.
 *
 *     AWAY ─▶ SENDING ──┬─▶ SENDING ...
 *       ▲        │      ├─▶ DRIBBLING: a byte at a time
 *       │        │      └─▶ SILENT: what was begun is never finished
 *       └────────┴── the broker closed, or its life is over
 *
 * It mangles what an administrator would ask under names of its own, so that nothing of others
 * changes even where a request comes through.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/check.h"
#include "core/base/endian.h"
#include "sim/admin.h"
#include "sim/memory.h"

#define SIZE_BYTES      4
#define VERSION_AT      (SIZE_BYTES + 2)
#define LIFE_MS_MOST    ((uint64_t)300)
#define FLIPS_MOST      8
#define GARBAGE_BYTES   400
#define FLOOD_MOST      100
#define PAUSE_US_MOST   ((uint64_t)10000)
#define DRIBBLE_US_MOST ((uint64_t)5000)

struct hostile {
    struct admin admin;
    struct task task;
    struct task life_task;
    uint8_t *bytes; /* what is sent next, or byte by byte */
    size_t length;
    size_t sent;
    bool is_silent;
    bool is_ended;
};

static void due(struct task *task);
static void life_due(struct task *task);

static struct chance *rng_of(struct hostile *hostile)
{
    return &hostile->admin.client.rng;
}

static void later(struct hostile *hostile, uint64_t delay_us)
{
    struct sim *sim = hostile->admin.client.sim;
    queue_put(&sim->queue, &hostile->task, sim->now_us + delay_us, due);
}

static void send_bytes(struct hostile *hostile, size_t length)
{
    peer_send_raw(hostile->admin.contact.peer, span_of(hostile->bytes, length));
}

static void resize(struct hostile *hostile, size_t length)
{
    hostile->bytes = sim_allocate(hostile->bytes, length);
    hostile->length = length;
}

/* ---- What it does to a request. ---- */

static void flip_bits(struct hostile *hostile)
{
    const uint64_t flips = chance_between(rng_of(hostile), 1, FLIPS_MOST);
    for (uint64_t i = 0; i < flips; i++)
        hostile->bytes[chance_below(rng_of(hostile), hostile->length)] ^=
            (uint8_t)(1U << chance_below(rng_of(hostile), 8));
    send_bytes(hostile, hostile->length);
}

static void lie_about_size(struct hostile *hostile)
{
    static const uint32_t sizes[] = {0,         1,         7,          100000000,
                                     104857601, INT32_MAX, 0x80000000, UINT32_MAX};
    const size_t place = chance_below(rng_of(hostile), sizeof(sizes) / sizeof(sizes[0]) + 1);
    put_be32(hostile->bytes, place < sizeof(sizes) / sizeof(sizes[0])
                                 ? sizes[place]
                                 : (uint32_t)chance_below(rng_of(hostile), 2 * hostile->length));
    send_bytes(hostile, hostile->length);
}

static void begin_only(struct hostile *hostile)
{
    send_bytes(hostile, chance_between(rng_of(hostile), 1, hostile->length - 1));
    hostile->is_silent = true;
}

static void overwrite(struct hostile *hostile)
{
    static const uint8_t fills[] = {0x00, 0x7f, 0x80, 0xff};
    const size_t at = chance_between(rng_of(hostile), SIZE_BYTES, hostile->length - 1);
    const size_t count = chance_between(rng_of(hostile), 1, 9);
    const uint8_t fill = fills[chance_below(rng_of(hostile), sizeof(fills))];
    for (size_t i = at; i < hostile->length && i < at + count; i++)
        hostile->bytes[i] = fill;
    send_bytes(hostile, hostile->length);
}

/* The size is right, but there is less or more than the request has. */
static void cut_or_extend(struct hostile *hostile)
{
    const size_t before = hostile->length;
    resize(hostile, chance_between(rng_of(hostile), SIZE_BYTES + 1, 2 * before));
    for (size_t i = before; i < hostile->length; i++)
        hostile->bytes[i] = (uint8_t)chance_noise(rng_of(hostile));
    put_be32(hostile->bytes, (uint32_t)(hostile->length - SIZE_BYTES));
    send_bytes(hostile, hostile->length);
}

static void change_version(struct hostile *hostile)
{
    put_be16(hostile->bytes + VERSION_AT, (uint16_t)(chance_below(rng_of(hostile), 40) - 10));
    send_bytes(hostile, hostile->length);
}

static void send_garbage(struct hostile *hostile)
{
    resize(hostile, chance_between(rng_of(hostile), 1, GARBAGE_BYTES));
    for (size_t i = 0; i < hostile->length; i++)
        hostile->bytes[i] = (uint8_t)chance_noise(rng_of(hostile));
    if (hostile->length > SIZE_BYTES && chance_one_in(rng_of(hostile), 2))
        put_be32(hostile->bytes, (uint32_t)(hostile->length - SIZE_BYTES));
    send_bytes(hostile, hostile->length);
}

/* A right request, many times, and no reply is read. */
static void flood(struct hostile *hostile)
{
    const uint64_t count = chance_between(rng_of(hostile), 1, FLOOD_MOST);
    channel_pause(peer_channel(hostile->admin.contact.peer), true);
    for (uint64_t i = 0; i < count; i++)
        send_bytes(hostile, hostile->length);
}

/* A right request too; due() sends it. */
static void dribble(struct hostile *hostile)
{
    hostile->sent = 0;
}

static void (*const attacks[])(struct hostile *hostile) = {
    dribble,   flood,      flip_bits,     flip_bits,      lie_about_size,
    overwrite, begin_only, cut_or_extend, change_version, send_garbage,
};
#define RIGHT_REQUESTS 2 /* attacks that leave the request as it is come first */

/* ---- Its life. ---- */

/* A bit more could ask for a million partitions: such requests stay as they are. */
static bool is_costly(const struct admin_action *action)
{
    return action->api_key == API_CREATE_TOPICS || action->api_key == API_CREATE_PARTITIONS;
}

static void attack(struct hostile *hostile)
{
    struct admin *admin = &hostile->admin;
    const struct admin_action *action = admin_draw(admin);
    struct exchange *exchange = admin_request(admin, action);
    const struct span frame = peer_frame(exchange);
    resize(hostile, frame.length);
    memcpy(hostile->bytes, frame.data, frame.length);
    hostile->sent = frame.length;
    peer_forget(exchange);
    const size_t count = is_costly(action) ? RIGHT_REQUESTS : sizeof(attacks) / sizeof(attacks[0]);
    attacks[chance_below(rng_of(hostile), count)](hostile);
    sim_count(admin->client.sim, TALLY_hostile_frames);
}

static void due(struct task *task)
{
    struct hostile *hostile = container_of(task, struct hostile, task);
    struct client *client = &hostile->admin.client;
    if (!hostile->admin.contact.is_open || hostile->is_silent)
        return;
    if (hostile->sent < hostile->length) {
        peer_send_raw(hostile->admin.contact.peer, span_of(hostile->bytes + hostile->sent++, 1));
        later(hostile, chance_between(&client->rng, 1, DRIBBLE_US_MOST));
        return;
    }
    attack(hostile);
    later(hostile, client_draw(client, client->plan->pause_us, 1, PAUSE_US_MOST));
}

static void life_due(struct task *task)
{
    contact_drop(&container_of(task, struct hostile, life_task)->admin.contact);
}

static void on_opened(struct contact *contact)
{
    struct hostile *hostile = container_of(contact, struct hostile, admin.contact);
    struct client *client = &hostile->admin.client;
    hostile->length = hostile->sent = 0;
    hostile->is_silent = false;
    contact->failures = 0; /* it expects no better */
    queue_put(&client->sim->queue, &hostile->life_task,
              client->sim->now_us +
                  1000 * client_draw(client, client->plan->life_ms, 1, LIFE_MS_MOST),
              life_due);
    later(hostile, chance_below(&client->rng, PAUSE_US_MOST));
}

/* Nothing that it sends is matched with a reply. */
static void on_exchange(struct contact *contact, const struct exchange *exchange)
{
    (void)contact;
    (void)exchange;
    CHECK(false);
}

static const struct contact_events events_of_contacts = {
    .opened = on_opened, .received = on_exchange, .lost = on_exchange};

static void start(struct client *client)
{
    struct hostile *hostile = (struct hostile *)client;
    admin_init(&hostile->admin);
    contact_start(&hostile->admin.contact, client, client->host, &events_of_contacts);
}

static void settle(struct client *client)
{
    struct hostile *hostile = (struct hostile *)client;
    queue_cancel(&client->sim->queue, &hostile->task);
    queue_cancel(&client->sim->queue, &hostile->life_task);
    contact_end(&hostile->admin.contact);
    hostile->is_ended = true;
}

static bool is_done(const struct client *client)
{
    return ((const struct hostile *)client)->is_ended;
}

static void explain(const struct client *client, char *ret_text, size_t text_bytes)
{
    (void)client;
    snprintf(ret_text, text_bytes, "is still there");
}

static void end(struct client *client)
{
    free(((struct hostile *)client)->bytes);
}

const struct client_type client_hostile = {
    .name = "hostile",
    .size = sizeof(struct hostile),
    .start = start,
    .settle = settle,
    .is_done = is_done,
    .explain = explain,
    .free = end,
};
