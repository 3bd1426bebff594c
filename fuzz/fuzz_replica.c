/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever another node says about replicas and leases: two brokers follow one another, and each is
 * told things that the other never said. Nothing aborts, high watermarks stay within their logs,
 * and both brokers end. The input is a sequence of actions:
 *
 *     to whom (bit 7) and what (the rest: an enum action), then bytes for its fields: small numbers
 *     are meant from where things really are, so that some of what is said fits
 */
#include "core/broker_state.h"
#include "core/cluster.h"
#include "core/meta/identity.h"
#include "core/meta/writer.h"
#include "core/partition.h"
#include "core/records/builder.h"
#include "core/replica/replicas.h"
#include "core/wire/error.h"
#include "fuzz/fuzz.h"
#include "fuzz/nodes.h"
#include "tests/support/client.h"
#include "tests/support/produce.h"

#define NODES       2
#define PARTITIONS  2
#define TYPE_FIRST  (PEER_MESSAGE_FIRST + 64) /* replication's, then leases' */
#define TYPE_LEASE  (PEER_MESSAGE_FIRST + 48)
#define ACTIONS_MAX 64
#define TOPIC       SPAN("t")

enum action {
    FOLLOW,
    PLACE,
    APPEND,
    MARK,
    ACK,
    ASK,
    GRANT,
    RAW,
    PRODUCE,
    WAIT,
    CUT,
    SLEEP,
    STOP,
    FAIL
};

/* Values of an action from here on are failures of a disk. */
#define FAILURES 0x78

static const struct uuid topic_id = {{1, 2, 3, 4, 5, 6, 0x40, 8, 0x80}};

/* ---- Two brokers that are one cluster ---- */

static int topic_prepare(struct meta_proposal *proposal, const struct image *image,
                         struct meta_writer *writer)
{
    static int32_t brokers[PARTITIONS][NODES] = {{1, 2}, {2, 1}};
    struct meta_record topic = meta_record_of(META_RECORD_TOPIC);
    (void)proposal;
    (void)image;
    topic.body.topic.name = TOPIC;
    topic.body.topic.topic_id = topic_id;
    int error = meta_write(writer, &topic);
    for (int32_t i = 0; i < PARTITIONS && error == ERR_NONE; i++) {
        struct meta_record record = meta_record_of(META_RECORD_PARTITION);
        struct partition_record *partition = &record.body.partition;
        partition->topic_id = topic_id;
        partition->partition_id = i;
        partition->replicas = partition->isr = brokers[i];
        partition->replicas_count = partition->isr_count = NODES;
        partition->leader = brokers[i][0];
        partition->leader_epoch = partition->partition_epoch = 0;
        error = meta_write(writer, &record);
    }
    return error;
}

static void topic_done(struct meta_proposal *proposal, int error)
{
    (void)proposal;
    must(error == ERR_NONE);
}

static void begin(const uint8_t *data, size_t size)
{
    static struct meta_proposal creation = {.prepare = topic_prepare, .done = topic_done};
    nodes_begin(NODES, "/a,/b", data, size);
    controller_propose(nodes[1].broker->controller, &creation);
    nodes_advance(300);
}

/* ---- What is said ---- */

/* A batch that may be the log's next one. */
static struct span next_batch(uint8_t *room, size_t capacity, int32_t epoch, int64_t end_offset)
{
    struct batch_builder builder;
    const uint8_t kind = next_byte();
    batch_builder_start(&builder, room, capacity, 1700000000000, kind % 16 == 15);
    for (int i = 0; i <= kind % 4; i++)
        batch_builder_add(&builder, 1700000000000, SPAN_NULL, SPAN("value"));
    const size_t length = batch_builder_finish(&builder);
    batch_patch(room, next_number(end_offset), (int32_t)next_number(epoch));
    if (kind >= 0xf0)
        room[next_byte() % length] ^= (uint8_t)(1 + next_byte() % 255);
    return span_of(room, kind >= 0xe0 && kind < 0xf0 ? length - 1 : length);
}

static void say_grant(struct node *node, int32_t from)
{
    const int64_t asked_us = next_number((int64_t)node->broker->io.now_us);
    const int64_t end_offset = next_number(node->broker->image.end_offset);
    nodes_hear_message(node, from, TYPE_LEASE + 1, &wire_lease_granted,
                       &(struct lease_granted){asked_us, end_offset});
}

static void speak(struct node *node, int32_t from, enum action action)
{
    uint8_t room[1024];
    const int32_t index = next_byte() % (PARTITIONS + 1);
    const struct partition *partition = partition_hosted(node->broker, topic_id, index);
    const struct meta_topic *topic = image_topic(&node->broker->image, TOPIC);
    const struct meta_broker *broker = image_broker(&node->broker->image, from);
    const int32_t real_epoch =
        topic != NULL && index < PARTITIONS ? image_partition(topic, index)->leader_epoch : 0;
    const int32_t epoch = (int32_t)next_number(real_epoch);
    const int64_t end = partition == NULL ? 0 : log_end(partition->log);
    const int64_t broker_epoch = next_number(broker == NULL ? 0 : broker->epoch);
    struct replica_follow_partition follow = {topic_id, index, epoch, next_number(end),
                                              (int32_t)next_number(real_epoch)};
    struct replica_place_partition place = {topic_id,
                                            index,
                                            epoch,
                                            next_number(end),
                                            (int8_t)(next_byte() % 5),
                                            (int32_t)next_number(real_epoch),
                                            next_number(end)};
    struct replica_mark_partition mark = {topic_id, index, epoch, next_number(end), next_number(0)};
    struct replica_ack_partition ack = {topic_id,         index,         epoch, next_number(end),
                                        next_number(end), mark.log_start};
    switch (action) {
    case FOLLOW:
        nodes_hear_message(node, from, TYPE_FIRST, &wire_replica_follow,
                           &(struct replica_follow){broker_epoch, &follow, 1});
        return;
    case PLACE:
        nodes_hear_message(node, from, TYPE_FIRST + 1, &wire_replica_place,
                           &(struct replica_place){&place, 1});
        return;
    case APPEND:
        nodes_hear_message(node, from, TYPE_FIRST + 2, &wire_replica_append,
                           &(struct replica_append){
                               topic_id, index, epoch, next_number(end), mark.high_watermark,
                               mark.log_start, next_batch(room, sizeof(room), real_epoch, end)});
        return;
    case MARK:
        nodes_hear_message(node, from, TYPE_FIRST + 3, &wire_replica_mark,
                           &(struct replica_mark){&mark, 1});
        return;
    case ACK:
        nodes_hear_message(node, from, TYPE_FIRST + 4, &wire_replica_ack,
                           &(struct replica_ack){broker_epoch, &ack, 1});
        return;
    case ASK:
        nodes_hear_message(node, from, TYPE_LEASE, &wire_lease_ask,
                           &(struct lease_ask){broker_epoch, next_number(0)});
        return;
    default:
        say_grant(node, from);
        return;
    }
}

static void speak_raw(struct node *node, int32_t from)
{
    uint8_t room[256];
    const int16_t type = (int16_t)(TYPE_FIRST - 16 + next_byte() % 24);
    const uint32_t length = next_byte();
    for (uint32_t i = 0; i < length; i++)
        room[i] = next_byte();
    nodes_hear(node, from, type, span_of(room, length));
}

static void produce_some(struct node *node)
{
    if (!world_is_ready(node->world))
        return;
    struct client *client = client_new(node->world);
    struct produce_request *request =
        produce_of(client, TOPIC, (int16_t)(next_byte() % 2 == 0 ? 1 : -1),
                   batch_of(client, 1 + next_byte() % 4, SPAN("0123456789")));
    request->topic_data[0].partition_data[0].index = next_byte() % PARTITIONS;
    client_send(client, API_PRODUCE, PRODUCE_VERSION, request);
    world_advance_ms(node->world, 1);
    client_free(client);
}

/* The process stands still, and the other one hears nothing of it. */
static void sleep_for(int32_t id, int64_t ms)
{
    for (int64_t at = 0; at < ms; at += 500)
        world_advance_ms(nodes[NODES + 1 - id].world, 500);
    world_sleep_ms(nodes[id].world, ms);
    nodes_advance(50);
}

static void stop(struct node *node)
{
    world_stop(node->world);
    for (int i = 0; i < 100 && !world_is_stopped(node->world); i++)
        nodes_advance(50);
    node_kill(node);
    node_start(node);
    nodes_advance(50);
}

static void act(void)
{
    const uint8_t byte = next_byte();
    const int32_t id = byte < 0x80 ? 1 : 2;
    const uint8_t value = byte & 0x7f;
    const enum action action = value < FAILURES ? (enum action)(value % FAIL) : FAIL;
    struct node *node = &nodes[id];
    switch (action) {
    case RAW:
        speak_raw(node, NODES + 1 - id);
        break;
    case PRODUCE:
        produce_some(node);
        break;
    case WAIT:
        nodes_advance((int64_t)next_byte() * 50);
        break;
    case CUT: /* one process ends, and begins again */
        node_kill(node);
        node_start(node);
        nodes_advance(50);
        break;
    case SLEEP:
        sleep_for(id, (int64_t)(next_byte() % 40) * 1000);
        break;
    case STOP:
        stop(node);
        break;
    case FAIL: /* of two data folders; the other has the metadata log */
        world_mend(node->world);
        world_fail(node->world, EFFECT_SYNC, "t-", next_byte() % 4, 1, ERR_IO, 0);
        break;
    default:
        speak(node, NODES + 1 - id, action);
        break;
    }
}

static void look(const struct node *node)
{
    const int32_t other = NODES + 1 - node->conf.node_id;
    struct replica_follower_status follower;
    if (node->broker->cluster != NULL) /* it is only asked: whatever is said, it can be told of */
        (void)replicas_node_status(node->broker->cluster->replicas, other);
    for (int32_t i = 0; i < PARTITIONS; i++) {
        const struct partition *partition = partition_hosted(node->broker, topic_id, i);
        if (partition != NULL && !partition->is_cut && log_state(partition->log) == LOG_READY)
            must(partition->high_watermark <= log_end(partition->log));
        if (partition != NULL && partition->leading != NULL &&
            replica_leader_follower(partition->leading, 0, &follower))
            must(follower.node_id == other && follower.end_offset >= -1 &&
                 follower.behind_us >= -1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    begin(data, size);
    for (int i = 0; i < ACTIONS_MAX && input_left() > 0; i++) {
        act();
        for (int32_t id = 1; id <= NODES; id++) {
            if (world_is_stopped(nodes[id].world))
                input_end();
            else
                look(&nodes[id]);
        }
    }
    nodes_end();
    return 0;
}
