/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client in the world of tests/support/world.h: speaks the wire protocol through our own codec,
 * so that stories read as calls. One request at a time by client_call(), or pipelined by
 * client_send() and client_take().
 */
#ifndef TESTS_SUPPORT_CLIENT_H
#define TESTS_SUPPORT_CLIENT_H

#include "core/base/arena.h"
#include "core/wire/codec.h"
#include "core/wire/messages.h"
#include "tests/support/world.h"

struct client;

/* Connects to listener 0, or to this one. Everything that comes back lives until client_free(). */
struct client *client_new(struct world *world);
struct client *client_new_on(struct world *world, uint32_t listener);
void client_free(struct client *client);

struct world *client_world(const struct client *client);
uint64_t client_connection(const struct client *client);
struct arena *client_arena(struct client *client);

/* A request struct of the API with the schema's defaults. */
void *client_request(struct client *client, int16_t api_key);

/* Sends a request and runs the world until nothing happens; the decoded response, or NULL when
 * there is none (yet) or the connection was closed. */
void *client_call(struct client *client, int16_t api_key, int16_t version, const void *request);

/* Sends a request; returns its correlation id. */
int32_t client_send(struct client *client, int16_t api_key, int16_t version, const void *request);

/* The next response, to the oldest request that has none: aborts when its correlation id is another
 * one. NULL when no whole response has come. */
void *client_take(struct client *client);

/* Sends the frame of these bytes, whatever they are. */
void client_send_raw(struct client *client, struct span bytes);

/* The bytes of the last response that client_take() decoded, behind the size. */
struct span client_last_bytes(const struct client *client);

bool client_is_closed(const struct client *client);

#endif
