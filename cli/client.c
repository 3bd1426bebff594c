/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cli/allocator.h"
#include "cli/plain.h"
#include "core/base/endian.h"
#include "core/base/format.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

#define PORT_DEFAULT "9092"

__attribute__((format(printf, 2, 3))) static void say(struct client *client, const char *format,
                                                      ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(client->message, sizeof(client->message), format, arguments);
    va_end(arguments);
}

/* Leaves the message, and is the value that says so. */
#define FAIL(...) (say(__VA_ARGS__), -1)

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits until the socket is ready, at most until `deadline_ms`. Returns 0 or an errno. */
static int wait_for(int socket, short events, int64_t deadline_ms)
{
    struct pollfd poll_one = {.fd = socket, .events = events};
    for (;;) {
        const int64_t left_ms = deadline_ms - now_ms();
        if (left_ms <= 0)
            return ETIMEDOUT;
        const int ready = poll(&poll_one, 1, left_ms > INT32_MAX ? INT32_MAX : (int)left_ms);
        if (ready > 0)
            return 0;
        if (ready < 0 && errno != EINTR)
            return errno;
    }
}

/* Connects within the client's timeout. Returns a socket, or -1 with errno. */
static int connect_one(const struct client *client, const struct addrinfo *address)
{
    const int one = 1;
    int error = 0;
    socklen_t length = sizeof(error);
    const int opened = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (opened < 0)
        return -1;
    if (connect(opened, address->ai_addr, address->ai_addrlen) != 0) {
        error = errno;
        if (error == EINPROGRESS)
            error = wait_for(opened, POLLOUT, now_ms() + client->timeout_ms);
        if (error == 0 && getsockopt(opened, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
            error = errno;
    }
    if (error != 0) {
        close(opened);
        errno = error;
        return -1;
    }
    setsockopt(opened, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return opened;
}

/* Splits "host:port" or "[host]:port". Returns 0 or -1. */
static int split_address(struct span server, char *host, size_t host_size, char *port,
                         size_t port_size)
{
    const char *text = (const char *)server.data;
    const char *end = text + server.length;
    const char *host_end = memchr(text, ':', server.length);
    const char *rest;
    if (server.length > 0 && text[0] == '[') {
        host_end = memchr(text, ']', server.length);
        if (host_end == NULL)
            return -1;
        text++;
        rest = host_end + 1;
    } else {
        host_end = host_end == NULL ? end : host_end;
        rest = host_end;
    }
    if (rest < end && *rest != ':')
        return -1;
    const char *port_text = rest < end ? rest + 1 : PORT_DEFAULT;
    const size_t port_length = rest < end ? (size_t)(end - rest - 1) : strlen(PORT_DEFAULT);
    const size_t host_length = (size_t)(host_end - text);
    if (host_length == 0 || host_length >= host_size || port_length == 0 ||
        port_length >= port_size || strspn(port_text, "0123456789") < port_length)
        return -1;
    snprintf(host, host_size, "%.*s", (int)host_length, text);
    snprintf(port, port_size, "%.*s", (int)port_length, port_text);
    return 0;
}

/* Tries every address of one server. Returns 0; or -1 with client->message. */
static int connect_server(struct client *client, struct span server)
{
    char host[256];
    char port[6];
    struct addrinfo *found = NULL;
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    if (split_address(server, host, sizeof(host), port, sizeof(port)) != 0)
        return FAIL(client, "'%.*s' is not of the form host:port", SPAN_ARGS(server));
    const int lookup = getaddrinfo(host, port, &hints, &found);
    if (lookup != 0)
        return FAIL(client, "%.*s: %s", SPAN_ARGS(server),
                    lookup == EAI_SYSTEM ? strerror(errno) : gai_strerror(lookup));
    for (const struct addrinfo *at = found; at != NULL && client->socket < 0; at = at->ai_next)
        client->socket = connect_one(client, at);
    const int error = errno;
    freeaddrinfo(found);
    if (client->socket < 0)
        return FAIL(client, "%.*s: %s", SPAN_ARGS(server), strerror(error));
    snprintf(client->address, sizeof(client->address), "%.*s", SPAN_ARGS(server));
    return 0;
}

static int send_all(struct client *client, const uint8_t *data, size_t length, int64_t deadline_ms)
{
    while (length > 0) {
        const ssize_t sent = send(client->socket, data, length, MSG_NOSIGNAL);
        int error = sent < 0 ? errno : 0;
        if (error == EAGAIN || error == EINTR)
            error = wait_for(client->socket, POLLOUT, deadline_ms);
        if (error != 0)
            return error;
        if (sent > 0) {
            data += sent;
            length -= (size_t)sent;
        }
    }
    return 0;
}

/* Fills `data`. Returns 0, an errno, or -1 when the broker closed the connection. */
static int receive_all(struct client *client, uint8_t *data, size_t length, int64_t deadline_ms)
{
    while (length > 0) {
        const ssize_t received = recv(client->socket, data, length, 0);
        int error = received < 0 ? errno : 0;
        if (received == 0)
            return -1;
        if (error == EAGAIN || error == EINTR)
            error = wait_for(client->socket, POLLIN, deadline_ms);
        if (error != 0)
            return error;
        if (received > 0) {
            data += received;
            length -= (size_t)received;
        }
    }
    return 0;
}

static int fail_io(struct client *client, int error)
{
    if (error == -1)
        return FAIL(client,
                    "%s closed the connection; is it a Kafka listener without TLS and login?",
                    client->address);
    if (error == ETIMEDOUT)
        return FAIL(client, "%s did not answer within %d ms; --timeout allows more",
                    client->address, client->timeout_ms);
    return FAIL(client, "%s: %s", client->address, strerror(error));
}

/* A request with its length and header, in the arena; SPAN_NULL when that is full. */
static struct span encode_request(struct client *client, const struct wire_api *api,
                                  int16_t version, const void *body)
{
    const struct request_header header = {.request_api_key = api->key,
                                          .request_api_version = version,
                                          .correlation_id = ++client->correlation_id,
                                          .client_id = SPAN("chronik")};
    const int16_t header_version = wire_request_header_version(api, version);
    const size_t length = wire_size(&wire_request_header, header_version, &header) +
                          wire_size(api->request, version, body);
    uint8_t *frame = arena_take(&client->arena, 4 + length);
    if (frame == NULL || length > INT32_MAX)
        return SPAN_NULL;
    put_be32(frame, (uint32_t)length);
    struct wire_writer writer = {.data = frame, .capacity = 4 + length, .length = 4};
    if (wire_encode(&wire_request_header, header_version, &header, &writer) != ERR_NONE ||
        wire_encode(api->request, version, body, &writer) != ERR_NONE)
        return SPAN_NULL;
    return span_of(frame, 4 + length);
}

/* Receives one response frame. Returns 0; or -1 with client->message. */
static int receive_frame(struct client *client, int64_t deadline_ms, struct span *ret_frame)
{
    uint8_t prefix[4];
    int error = receive_all(client, prefix, sizeof(prefix), deadline_ms);
    if (error != 0)
        return fail_io(client, error);
    const uint32_t length = get_be32(prefix);
    if (length > CLIENT_RESPONSE_BYTES_MAX)
        return FAIL(client, "%s answers with something that is not Kafka's protocol",
                    client->address);
    uint8_t *frame = arena_take(&client->arena, length);
    if (frame == NULL)
        return FAIL(client, "out of memory");
    error = receive_all(client, frame, length, deadline_ms);
    if (error != 0)
        return fail_io(client, error);
    *ret_frame = span_of(frame, length);
    return 0;
}

static int call(struct client *client, const struct wire_api *api, int16_t version,
                const void *request, void *response)
{
    const int64_t deadline_ms = now_ms() + client->timeout_ms;
    const struct span sent = encode_request(client, api, version, request);
    struct response_header header = {0};
    struct span frame = SPAN_NULL;
    size_t used = 0;
    if (span_is_null(sent))
        return FAIL(client, "the request is too large");
    const int error = send_all(client, sent.data, sent.length, deadline_ms);
    if (error != 0)
        return fail_io(client, error);
    if (receive_frame(client, deadline_ms, &frame) != 0)
        return -1;
    if (wire_decode_prefix(&wire_response_header, wire_response_header_version(api, version), frame,
                           &client->arena, &header, &used) != ERR_NONE ||
        header.correlation_id != client->correlation_id)
        return FAIL(client, "%s answers with something that is not Kafka's protocol",
                    client->address);
    const struct span body = span_of(frame.data + used, frame.length - used);
    int decoded = wire_decode(api->response, version, body, &client->arena, response);
    /* A broker that lacks our version of ApiVersions answers in the oldest one (KIP-511). */
    if (decoded != ERR_NONE && api->key == API_API_VERSIONS && version > 0)
        decoded = wire_decode(api->response, 0, body, &client->arena, response);
    if (decoded != ERR_NONE)
        return FAIL(client, "%s answers %s with something else: %s", client->address, api->name,
                    error_text(decoded));
    return 0;
}

/* Asks which versions the broker serves. Returns 0; or -1 with client->message. */
static int ask_versions(struct client *client)
{
    const struct wire_api *api = wire_api_find(API_API_VERSIONS);
    const struct api_versions_request request = {.client_software_name = SPAN("chronik"),
                                                 .client_software_version = SPAN(CHRONIK_VERSION)};
    struct api_versions_response response = {0};
    int16_t version = api->version_max;
    if (call(client, api, version, &request, &response) != 0)
        return -1;
    if (response.error_code == ERR_UNSUPPORTED_VERSION) {
        version = 0;
        for (int32_t i = 0; i < response.api_keys_count; i++) {
            if (response.api_keys[i].api_key == API_API_VERSIONS &&
                response.api_keys[i].max_version > 0)
                version = response.api_keys[i].max_version;
        }
        if (call(client, api, version < api->version_max ? version : 0, &request, &response) != 0)
            return -1;
    }
    if (response.error_code != ERR_NONE)
        return FAIL(client, "%s: %s", client->address, error_text(response.error_code));
    for (int32_t i = 0; i < response.api_keys_count && client->apis_count < CLIENT_APIS_MAX; i++) {
        client->apis[client->apis_count].key = response.api_keys[i].api_key;
        client->apis[client->apis_count].version_min = response.api_keys[i].min_version;
        client->apis[client->apis_count].version_max = response.api_keys[i].max_version;
        client->apis_count++;
    }
    return 0;
}

int client_open(struct client *client, const char *servers, int timeout_ms)
{
    char reasons[CLIENT_MESSAGE_BYTES] = "";
    *client = (struct client){.socket = -1, .timeout_ms = timeout_ms};
    memory_init(&client->memory, allocator_process());
    arena_init(&client->arena, &client->memory, MEMORY_REQUEST, CLIENT_ARENA_BYTES_MAX);
    for (const char *at = servers; *at != '\0';) {
        const size_t length = strcspn(at, ",");
        if (length > 0 && connect_server(client, span_of(at, length)) == 0 &&
            ask_versions(client) == 0)
            return 0;
        if (client->socket >= 0)
            close(client->socket);
        client->socket = -1;
        const size_t written = strlen(reasons);
        snprintf(reasons + written, sizeof(reasons) - written, "%s%.*s", written == 0 ? "" : "; ",
                 (int)(sizeof(reasons) - written) - 4, client->message);
        at += length + (at[length] == ',');
    }
    return FAIL(client,
                "%.*s\n\"chronik broker\" starts a broker here; --bootstrap-server HOST:PORT names "
                "another",
                CLIENT_MESSAGE_BYTES - 120, reasons);
}

void client_close(struct client *client)
{
    if (client->socket >= 0)
        close(client->socket);
    client->socket = -1;
    arena_reset(&client->arena);
}

int client_version(struct client *client, int16_t key)
{
    const struct wire_api *api = wire_api_find(key);
    for (uint32_t i = 0; i < client->apis_count; i++) {
        if (client->apis[i].key != key)
            continue;
        const int16_t version = client->apis[i].version_max < api->version_max
                                    ? client->apis[i].version_max
                                    : api->version_max;
        if (version >= client->apis[i].version_min && version >= api->version_min)
            return version;
        return FAIL(client, "%s serves %s in versions %d to %d, we know %d to %d", client->address,
                    api->name, client->apis[i].version_min, client->apis[i].version_max,
                    api->version_min, api->version_max);
    }
    return FAIL(client, "%s does not serve %s", client->address, api->name);
}

int client_call(struct client *client, int16_t key, const void *request, void *response)
{
    const int version = client_version(client, key);
    if (version < 0)
        return -1;
    return call(client, wire_api_find(key), (int16_t)version, request, response);
}

/* What mends an error, where we know it. */
static const char *mend_of(int16_t error)
{
    switch (error) {
    case ERR_UNKNOWN_TOPIC_OR_PARTITION:
        return "chronik topic list shows those that there are";
    case ERR_INVALID_TOPIC_EXCEPTION:
        return "names are made of up to 249 letters, digits, '.', '_' and '-'";
    case ERR_TOPIC_ALREADY_EXISTS:
        return "--if-not-exists passes it over";
    case ERR_INVALID_REPLICATION_FACTOR:
        return "--replication-factor 1 works with any number of brokers";
    case ERR_INVALID_PARTITIONS:
        return "--partitions takes 1 or more";
    case ERR_TOPIC_DELETION_DISABLED:
        return "delete.topic.enable=true on the broker allows it";
    case ERR_TOPIC_AUTHORIZATION_FAILED:
    case ERR_CLUSTER_AUTHORIZATION_FAILED:
        return "the broker's administrator can allow it";
    case ERR_REQUEST_TIMED_OUT:
        return "try again, or allow more time with --timeout";
    default:
        return NULL;
    }
}

const char *client_error_text(struct client *client, int16_t error, struct span message)
{
    const char *mend = mend_of(error);
    struct span said = message.length == 0 ? span_text(error_text(error)) : message;
    /* A sentence of the broker's may have its full stop; ours goes on. */
    if (said.length > 1 && said.data[said.length - 1] == '.')
        said.length--;
    char *plain = arena_take(&client->arena, said.length);
    if (plain == NULL)
        return "out of memory";
    memcpy(plain, said.data, said.length);
    plain_make(plain, said.length);
    const struct span text =
        arena_format(&client->arena, "%.*s (%s)%s%s", (int)said.length, plain, error_name(error),
                     mend == NULL ? "" : "; ", mend == NULL ? "" : mend);
    return span_is_null(text) ? "out of memory" : (const char *)text.data;
}
