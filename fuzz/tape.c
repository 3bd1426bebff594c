/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/tape.h"

#include <stdlib.h>

#include "core/base/endian.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"
#include "fuzz/faults.h"
#include "tests/support/client.h"

#define FAULTS_MAX  4
#define STARTS_MAX  16 /* of one tape: nothing else takes as long */
#define MINUTE_MS   60000
#define TIME_MAX_MS (12 * 60 * (int64_t)MINUTE_MS) /* likewise: something is always due */
#define PATIENCE_MS 5000

static void must(bool condition)
{
    if (!condition)
        abort();
}

static uint16_t take(struct span *tape, size_t bytes)
{
    uint16_t value = 0;
    for (; bytes > 0; bytes--) {
        value = (uint16_t)(value << 8);
        if (tape->length > 0) {
            value |= tape->data[0];
            *tape = span_of(tape->data + 1, tape->length - 1);
        }
    }
    return value;
}

static struct span take_span(struct span *tape, size_t length)
{
    const struct span taken = span_of(tape->data, length < tape->length ? length : tape->length);
    *tape = span_of(tape->data + taken.length, tape->length - taken.length);
    return taken;
}

static bool disk_is_sound(const struct tape_stage *stage)
{
    return stage->faults_count == 0 && !stage->disk_is_small;
}

static void set_capacity(struct tape_stage *stage, uint64_t kibibytes)
{
    stage->disk_is_small = kibibytes > 0;
    world_set_capacity(stage->node.world, kibibytes == 0 ? UINT64_MAX : kibibytes * 1024);
}

static void connect_all(struct tape_stage *stage)
{
    for (int i = 0; i < TAPE_CONNECTIONS; i++) {
        stage->connections[i] = world_connect(stage->node.world, 0);
        stage->paused[i] = false;
    }
    world_run(stage->node.world);
}

/* After the process ended. A small disk may keep the next from starting: it gets room. */
static void start(struct tape_stage *stage)
{
    stage->starts_count++;
    stage->faults_count = 0;
    stage->holds_count = 0;
    if (!node_start(&stage->node)) {
        must(!disk_is_sound(stage));
        node_kill(&stage->node);
        set_capacity(stage, 0);
        must(node_start(&stage->node));
    }
    connect_all(stage);
}

/* An end in order; whoever reads nothing does not keep the broker from it. */
static void stop(struct tape_stage *stage)
{
    world_release(stage->node.world);
    world_stop(stage->node.world);
    world_run(stage->node.world);
    must(world_is_stopped(stage->node.world));
    node_stop(&stage->node);
}

static void fail(struct tape_stage *stage, uint8_t which, uint8_t skip)
{
    if (stage->faults_count == FAULTS_MAX)
        return;
    stage->faults_count++;
    fault_add(stage->node.world, which, skip);
}

static void hold(struct tape_stage *stage, uint8_t which)
{
    if (stage->holds_count == FAULTS_MAX)
        return;
    stage->holds_count++;
    fault_hold(stage->node.world, which);
}

static void release(struct tape_stage *stage)
{
    stage->holds_count = 0;
    world_release(stage->node.world);
    world_run(stage->node.world);
}

static void send(struct tape_stage *stage, uint8_t connection, struct span bytes)
{
    if (!world_client_is_closed(stage->node.world, stage->connections[connection]))
        world_client_send(stage->node.world, stage->connections[connection], bytes);
}

static void reconnect(struct tape_stage *stage, uint8_t connection)
{
    world_client_close(stage->node.world, stage->connections[connection]);
    stage->connections[connection] = world_connect(stage->node.world, 0);
    stage->paused[connection] = false;
}

static void pause(struct tape_stage *stage, uint8_t connection)
{
    stage->paused[connection] = !stage->paused[connection];
    world_client_pause(stage->node.world, stage->connections[connection],
                       stage->paused[connection]);
}

static void end_process(struct tape_stage *stage, uint8_t action)
{
    if (action == TAPE_STOP)
        stop(stage);
    else if (action == TAPE_POWER_LOSS)
        node_power_loss(&stage->node);
    else
        node_kill(&stage->node);
}

static void pass_time(struct tape_stage *stage, int64_t ms)
{
    const int64_t left_ms = TIME_MAX_MS - stage->passed_ms;
    if (ms > left_ms)
        ms = left_ms;
    stage->passed_ms += ms;
    world_advance_ms(stage->node.world, ms);
}

/* What concerns the broker or its disk. */
static void act(struct tape_stage *stage, uint8_t action, struct span *tape)
{
    struct world *world = stage->node.world;
    if (action == TAPE_MILLISECONDS) {
        pass_time(stage, take(tape, 2));
    } else if (action == TAPE_MINUTES) {
        pass_time(stage, (int64_t)take(tape, 1) * MINUTE_MS);
    } else if (action == TAPE_RECEIVE_MAX) {
        world_set_receive_max(world, take(tape, 1));
    } else if (action == TAPE_KILL || action == TAPE_STOP || action == TAPE_POWER_LOSS) {
        if (stage->starts_count < STARTS_MAX) {
            end_process(stage, action);
            start(stage);
        }
    } else if (action == TAPE_FAIL) {
        const uint8_t which = (uint8_t)take(tape, 1);
        fail(stage, which, (uint8_t)take(tape, 1));
    } else if (action == TAPE_HOLD) {
        hold(stage, (uint8_t)take(tape, 1));
    } else if (action == TAPE_RELEASE) {
        release(stage);
    } else if (action == TAPE_CAPACITY) {
        set_capacity(stage, take(tape, 2));
    }
}

void tape_begin(struct tape_stage *stage)
{
    /* Offsets expire, connections wait for memory, and snapshots are due within a few actions. */
    static const char *const settings[] = {"offsets.retention.minutes",
                                           "60",
                                           "queued.max.request.bytes",
                                           "200000",
                                           "socket.request.max.bytes",
                                           "150000",
                                           "metadata.log.max.record.bytes.between.snapshots",
                                           "500",
                                           NULL};
    *stage = (struct tape_stage){0};
    node_init(&stage->node, 1, settings);
    start(stage);
}

void tape_play(struct tape_stage *stage, struct span tape)
{
    while (tape.length > 0) {
        const uint8_t action = (uint8_t)take(&tape, 1);
        const uint8_t connection = action % TAPE_CONNECTIONS;
        if (action < TAPE_SEND + TAPE_CONNECTIONS)
            send(stage, connection, take_span(&tape, take(&tape, 2)));
        else if (action >= TAPE_CLOSE && action < TAPE_CLOSE + TAPE_CONNECTIONS)
            reconnect(stage, connection);
        else if (action >= TAPE_PAUSE && action < TAPE_PAUSE + TAPE_CONNECTIONS)
            pause(stage, connection);
        else
            act(stage, action, &tape);
        world_run(stage->node.world);
        must(!disk_is_sound(stage) || !world_is_stopped(stage->node.world));
    }
}

/* One more client, beside those of the tape; it may have to wait until the memory that they hold is
 * taken back from them. */
static bool good_client_is_served(struct node *node)
{
    struct client *client = client_new(node->world);
    client_send(client, API_API_VERSIONS, 0, client_request(client, API_API_VERSIONS));
    world_advance_ms(node->world, PATIENCE_MS);
    const bool stopped = world_is_stopped(node->world);
    const struct api_versions_response *response = stopped ? NULL : client_take(client);
    must(stopped || (response != NULL && response->error_code == ERR_NONE));
    world_client_close(node->world, client_connection(client));
    client_free(client);
    return !stopped;
}

void tape_end(struct tape_stage *stage)
{
    release(stage);
    world_set_receive_max(stage->node.world, 0);
    if (!good_client_is_served(&stage->node)) {
        must(!disk_is_sound(stage));
        node_kill(&stage->node);
        start(stage);
        must(good_client_is_served(&stage->node));
    }
    node_free(&stage->node);
}
