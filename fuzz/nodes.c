/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/nodes.h"

#include <stdlib.h>
#include <string.h>

#include "core/broker_state.h"
#include "core/cluster.h"

struct node nodes[NODES_MAX + 1];

static int32_t nodes_count;
static const uint8_t *input;
static size_t input_bytes;

/* What a node hears in its next turn. */
static struct heard {
    struct turn_task task;
    struct node *node;
    struct peer_message message;
} heard;

void must(bool condition)
{
    if (!condition)
        abort();
}

size_t input_left(void)
{
    return input_bytes;
}

void input_end(void)
{
    input_bytes = 0;
}

uint8_t next_byte(void)
{
    if (input_bytes == 0)
        return 0;
    input_bytes--;
    return *input++;
}

int64_t next_number(int64_t truth)
{
    const uint8_t byte = next_byte();
    if (byte < 0xf0)
        return truth + (int64_t)(byte % 16) - (byte % 16 > 8 ? 16 : 0);
    static const int64_t others[] = {-1, 0, INT64_MAX, INT64_MIN, INT32_MAX, INT64_MAX / 2};
    return others[byte % 6];
}

void nodes_advance(int64_t ms)
{
    for (int64_t at = 0; at < ms; at += 50) {
        for (int32_t id = 1; id <= nodes_count; id++) {
            if (nodes[id].broker != NULL)
                world_advance_ms(nodes[id].world, 50);
        }
    }
}

void nodes_begin(int32_t count, const char *folders, const uint8_t *data, size_t size)
{
    static const char *const ids[] = {NULL, "1", "2", "3"};
    static const char *const hosts[] = {NULL, "n1", "n2", "n3"};
    static const char *const voters[] = {NULL, NULL, "1@n1:9093,2@n2:9093",
                                         "1@n1:9093,2@n2:9093,3@n3:9093"};
    nodes_count = count;
    input = data;
    input_bytes = size;
    for (int32_t id = 1; id <= count; id++) {
        const char *const settings[] = {
            "node.id",
            ids[id],
            "listeners",
            "PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093",
            "controller.listener.names",
            "CONTROLLER",
            "controller.quorum.voters",
            voters[count],
            folders == NULL ? NULL : "log.dirs",
            folders,
            NULL,
        };
        node_init(&nodes[id], (uint64_t)id, settings);
        node_format(&nodes[id], id, "the-cluster");
    }
    for (int32_t id = 1; id <= count; id++) {
        for (int32_t other = 1; other <= count; other++) {
            if (other != id)
                world_add_host(nodes[id].world, hosts[other], nodes[other].world);
        }
    }
    for (int32_t id = 1; id <= count; id++)
        node_start(&nodes[id]);
    nodes_advance(3000);
    must(world_is_ready(nodes[1].world));
}

void nodes_end(void)
{
    for (int32_t id = 1; id <= nodes_count; id++)
        node_free(&nodes[id]);
}

static void hear(struct turn_task *task)
{
    struct cluster *cluster = heard.node->broker->cluster;
    (void)task;
    (void)cluster->observer.received(&cluster->observer, &heard.message);
}

void nodes_hear(struct node *node, int32_t from, int16_t type, struct span body)
{
    must(body.length <= NODES_MESSAGE_BYTES);
    struct buffer *buffer = buffer_new(&node->broker->memory, MEMORY_STATE, NODES_MESSAGE_BYTES);
    if (body.length > 0)
        memcpy(buffer->data, body.data, body.length);
    heard.node = node;
    heard.message = (struct peer_message){
        .node_id = from,
        .type = type,
        .version = PEER_VERSION_HIGHEST,
        .body = span_of(buffer->data, body.length),
        .buffer = buffer,
    };
    list_init(&heard.task.place);
    io_at_turn_end(&node->broker->io, &heard.task, hear);
    world_advance_ms(node->world, 1);
    buffer_release(buffer);
}

void nodes_hear_message(struct node *node, int32_t from, int16_t type,
                        const struct wire_schema *schema, const void *message)
{
    uint8_t room[NODES_MESSAGE_BYTES];
    const size_t size = wire_size(schema, PEER_VERSION_HIGHEST, message);
    must(size <= sizeof(room));
    struct wire_writer writer = {.data = room, .capacity = size};
    wire_encode(schema, PEER_VERSION_HIGHEST, message, &writer);
    nodes_hear(node, from, type, span_of(room, size));
}
