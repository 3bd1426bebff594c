/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes on client connections, in any fragments, into a whole broker in a world of memory. The
 * input is a tape of actions:
 *
 *     0x00–0x03  connection 0–3 sends: length (16 bits), then so many bytes
 *     0x10–0x13  connection 0–3 is closed by its client, and opened anew
 *     0x20       time passes: milliseconds (16 bits)
 *     0x21       receives bring at most so many bytes (8 bits; 0: no limit)
 *     0x22       kill -9 and a new start
 *     others     nothing
 *
 * Whatever it is, the broker neither aborts nor stops, and a client beside it is still served.
 */
#include <stdlib.h>

#include "core/base/endian.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"
#include "fuzz/fuzz.h"
#include "tests/support/client.h"
#include "tests/support/node.h"

#define CONNECTIONS 4

struct tape {
    const uint8_t *at;
    size_t left;
};

static uint16_t take16(struct tape *tape)
{
    uint8_t bytes[2] = {0, 0};
    for (size_t i = 0; i < sizeof(bytes) && tape->left > 0; i++) {
        bytes[i] = *tape->at++;
        tape->left--;
    }
    return get_be16(bytes);
}

static struct span take_span(struct tape *tape, size_t length)
{
    const size_t taken = length < tape->left ? length : tape->left;
    const struct span span = span_of(tape->at, taken);
    tape->at += taken;
    tape->left -= taken;
    return span;
}

static void must(bool condition)
{
    if (!condition)
        abort();
}

static void good_client_is_served(struct node *node)
{
    struct client *client = client_new(node->world);
    const struct api_versions_response *response =
        client_call(client, API_API_VERSIONS, 0, client_request(client, API_API_VERSIONS));
    must(response != NULL && response->error_code == ERR_NONE);
    world_client_close(node->world, client_connection(client));
    client_free(client);
}

static void connect_all(struct node *node, uint64_t connections[CONNECTIONS])
{
    for (int i = 0; i < CONNECTIONS; i++)
        connections[i] = world_connect(node->world, 0);
    world_run(node->world);
}

static void act(struct node *node, uint64_t connections[CONNECTIONS], struct tape *tape)
{
    const uint8_t action = take_span(tape, 1).data[0];
    if (action < CONNECTIONS) {
        const struct span bytes = take_span(tape, take16(tape));
        if (!world_client_is_closed(node->world, connections[action]))
            world_client_send(node->world, connections[action], bytes);
    } else if (action >= 0x10 && action < 0x10 + CONNECTIONS) {
        world_client_close(node->world, connections[action - 0x10]);
        connections[action - 0x10] = world_connect(node->world, 0);
    } else if (action == 0x20) {
        world_advance_ms(node->world, take16(tape));
    } else if (action == 0x21) {
        const struct span limit = take_span(tape, 1);
        world_set_receive_max(node->world, limit.length == 0 ? 0 : limit.data[0]);
    } else if (action == 0x22) {
        node_kill(node);
        must(node_start(node));
        connect_all(node, connections);
    }
    world_run(node->world);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct node node;
    uint64_t connections[CONNECTIONS];
    struct tape tape = {data, size};
    node_init(&node, 1, NULL);
    must(node_start(&node));
    connect_all(&node, connections);
    while (tape.left > 0)
        act(&node, connections, &tape);
    must(!world_is_stopped(node.world));
    world_set_receive_max(node.world, 0);
    good_client_is_served(&node);
    node_free(&node);
    return 0;
}
