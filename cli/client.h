/* SPDX-License-Identifier: Apache-2.0 */
/* A small client of Kafka's protocol for commands: one connection, one request at a time. */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/span.h"
#include "core/wire/schema.h"

#define CLIENT_APIS_MAX           256
#define CLIENT_MESSAGE_BYTES      512
#define CLIENT_RESPONSE_BYTES_MAX (100 << 20)
#define CLIENT_ARENA_BYTES_MAX    (400u << 20)

struct client {
    struct memory memory;
    struct arena arena; /* what responses are decoded into, and texts of commands */
    int timeout_ms;     /* of connecting to one address, and of each call */
    int socket;         /* -1: not connected */
    int32_t correlation_id;
    uint32_t apis_count;
    struct {
        int16_t key;
        int16_t version_min;
        int16_t version_max;
    } apis[CLIENT_APIS_MAX];            /* what the broker serves */
    char address[300];                  /* that is connected to */
    char message[CLIENT_MESSAGE_BYTES]; /* what went wrong in the last call, and what to do */
};

/*
 * Connects to the first of `servers` ("host:port", comma-separated; an IPv6 address in brackets;
 * port 9092 where none is given) that answers, and asks which versions it serves. Returns 0; or -1
 * with client->message. To be closed either way.
 */
int client_open(struct client *client, const char *servers, int timeout_ms);
void client_close(struct client *client);

/* The newest version of an API that both sides know. Returns it; or -1 with client->message. */
int client_version(struct client *client, int16_t key);

/* Sends a request (struct X_request) in that version and fills `response` (struct X_response),
 * whose texts and arrays live until client_close(). Returns 0; or -1 with client->message, and then
 * the connection is of no more use. */
int client_call(struct client *client, int16_t key, const void *request, void *response);

/* The sentence for an error code in a response, with what to do where we know it. `message` is what
 * the broker said itself (null: nothing) and comes first. Lives until client_close(). */
const char *client_error_text(struct client *client, int16_t error, struct span message);

#endif
