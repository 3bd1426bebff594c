/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kafka_bytes HOST PORT [FOLDER]: sends the broker there a request of every API in every version
 * that we serve. Its answer has to carry the error code that is expected, and to be the same bytes
 * when it was decoded and is encoded again. With FOLDER it has to be what is captured there too, in
 * a file API-vVERSION.bin of header and body; a file that is missing is made. Captures have
 * fillers in the place of what no two runs have alike. TAP, and how many versions were right.
 */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/base/check.h"
#include "core/base/endian.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"
#include "tests/e2e/story.h"

#define ARENA_BYTES_MAX    ((size_t)64 << 20)
#define FRAME_BYTES_MAX    (1u << 20)
#define FRAME_SIZE_BYTES   4
#define TIMEOUT_S          20
#define TRIES              100
#define TRY_PAUSE_MS       200
#define KEYS_MAX           128
#define FOLDER_BYTES       1000000
#define VERSIONS_MAX       32
#define ERROR_FIELD        "error_code\":"
#define NO_ANSWER          (-2)
#define NOT_THE_SAME_BYTES (-3)

struct run {
    const char *host;
    const char *port;
    const char *folder;     /* of captures; NULL: there are none */
    int socket;             /* -1: not connected */
    int32_t correlation_id; /* of the last request */
    struct memory memory;
    struct arena arena;
    struct story story;
    unsigned right; /* versions */
    unsigned total;
    unsigned number; /* of the last line of TAP */
    bool seen[KEYS_MAX][VERSIONS_MAX];
};

struct text {
    char bytes[1 << 16];
    size_t length;
};

static void *heap_take(void *context, size_t size)
{
    (void)context;
    return calloc(1, size);
}

static void heap_give(void *context, void *block, size_t size)
{
    (void)context;
    (void)size;
    free(block);
}

static void *take(struct run *run, size_t size)
{
    void *piece = arena_take(&run->arena, size);
    CHECK(piece != NULL);
    return piece;
}

static void hang_up(struct run *run)
{
    if (run->socket >= 0)
        close(run->socket);
    run->socket = -1;
}

static void dial(struct run *run)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    const struct timeval timeout = {.tv_sec = TIMEOUT_S};
    struct addrinfo *found = NULL;
    if (getaddrinfo(run->host, run->port, &hints, &found) != 0)
        return;
    run->socket = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (run->socket >= 0 &&
        (setsockopt(run->socket, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) != 0 ||
         connect(run->socket, found->ai_addr, found->ai_addrlen) != 0))
        hang_up(run);
    freeaddrinfo(found);
}

static bool send_all(const struct run *run, struct span bytes)
{
    for (size_t sent = 0; sent < bytes.length;) {
        const ssize_t more =
            send(run->socket, bytes.data + sent, bytes.length - sent, MSG_NOSIGNAL);
        if (more <= 0)
            return false;
        sent += (size_t)more;
    }
    return true;
}

static bool receive_all(const struct run *run, uint8_t *data, size_t length)
{
    return recv(run->socket, data, length, MSG_WAITALL) == (ssize_t)length;
}

/* The request as a frame. */
static struct span encode(struct run *run, const struct wire_api *api, int16_t version,
                          const void *request)
{
    const int16_t header_version = wire_request_header_version(api, version);
    /* The same in every run, however often the broker has to be asked. */
    run->correlation_id = api->key * VERSIONS_MAX + version;
    const struct request_header header = {
        .request_api_key = api->key,
        .request_api_version = version,
        .correlation_id = run->correlation_id,
        .client_id = SPAN("kafka-bytes"),
    };
    const size_t size = FRAME_SIZE_BYTES +
                        wire_size(&wire_request_header, header_version, &header) +
                        wire_size(api->request, version, request);
    struct wire_writer writer = {
        .data = take(run, size), .capacity = size, .length = FRAME_SIZE_BYTES};
    CHECK(wire_encode(&wire_request_header, header_version, &header, &writer) == ERR_NONE);
    CHECK(wire_encode(api->request, version, request, &writer) == ERR_NONE);
    put_be32(writer.data, (uint32_t)(size - FRAME_SIZE_BYTES));
    return span_of(writer.data, size);
}

/* Sends the request; the answer's header and body, or SPAN_NULL when none comes. */
static struct span call(struct run *run, struct span frame)
{
    uint8_t prefix[FRAME_SIZE_BYTES];
    if (run->socket < 0)
        dial(run);
    if (run->socket >= 0 && send_all(run, frame) && receive_all(run, prefix, sizeof(prefix)) &&
        get_be32(prefix) <= FRAME_BYTES_MAX) {
        const size_t length = get_be32(prefix);
        uint8_t *answer = take(run, length);
        if (receive_all(run, answer, length))
            return span_of(answer, length);
    }
    hang_up(run);
    return SPAN_NULL;
}

/* Decodes header and body and encodes them again; whether the bytes are the same. */
static bool is_the_same_again(struct run *run, const struct wire_api *api, int16_t version,
                              struct span answer, void *response)
{
    const int16_t header_version = wire_response_header_version(api, version);
    struct response_header header;
    size_t used = 0;
    if (wire_decode_prefix(&wire_response_header, header_version, answer, &run->arena, &header,
                           &used) != ERR_NONE ||
        header.correlation_id != run->correlation_id ||
        wire_decode(api->response, version, span_of(answer.data + used, answer.length - used),
                    &run->arena, response) != ERR_NONE)
        return false;
    struct wire_writer writer = {.data = take(run, answer.length), .capacity = answer.length};
    return wire_encode(&wire_response_header, header_version, &header, &writer) == ERR_NONE &&
           wire_encode(api->response, version, response, &writer) == ERR_NONE &&
           span_equal(answer, span_of(writer.data, writer.length));
}

static void gather(void *context, struct span piece)
{
    struct text *text = context;
    CHECK(piece.length < sizeof(text->bytes) - text->length);
    memcpy(text->bytes + text->length, piece.data, piece.length);
    text->length += piece.length;
    text->bytes[text->length] = '\0';
}

/* The first error code in a response that is not 0, wherever it is; 0 when there is none. */
static int first_error(const struct wire_api *api, int16_t version, const void *response,
                       struct text *text)
{
    const struct wire_printer printer = {.print = gather, .context = text, .bytes_max = 16};
    text->length = 0;
    wire_print(api->response, version, response, &printer);
    for (const char *at = text->bytes; (at = strstr(at, ERROR_FIELD)) != NULL;) {
        at += strlen(ERROR_FIELD);
        const int error = (int)strtol(at, NULL, 10);
        if (error != ERR_NONE)
            return error;
    }
    return ERR_NONE;
}

/* What a broker says while it is not done yet with what it was told before. */
static bool is_passing(int error)
{
    return error == ERR_UNKNOWN_TOPIC_OR_PARTITION || error == ERR_UNKNOWN_TOPIC_ID ||
           error == ERR_LEADER_NOT_AVAILABLE || error == ERR_NOT_LEADER_OR_FOLLOWER ||
           error == ERR_COORDINATOR_LOAD_IN_PROGRESS || error == ERR_COORDINATOR_NOT_AVAILABLE ||
           error == ERR_NOT_COORDINATOR;
}

static void replace(uint8_t *bytes, size_t length, struct span old, int filler)
{
    for (size_t at = 0; old.length != 0 && at + old.length <= length; at++) {
        if (memcmp(bytes + at, old.data, old.length) == 0)
            memset(bytes + at, filler, old.length);
    }
}

/* The same for the place and the size of the data folder, which are of any length. */
static struct span level_folders(struct run *run, const struct wire_api *api, int16_t version,
                                 struct span answer)
{
    const int16_t header_version = wire_response_header_version(api, version);
    struct response_header header;
    size_t used = 0;
    struct describe_log_dirs_response response;
    CHECK(wire_decode_prefix(&wire_response_header, header_version, answer, &run->arena, &header,
                             &used) == ERR_NONE);
    CHECK(wire_decode(api->response, version, span_of(answer.data + used, answer.length - used),
                      &run->arena, &response) == ERR_NONE);
    for (int32_t i = 0; i < response.results_count; i++) {
        response.results[i].log_dir = SPAN("/data");
        response.results[i].total_bytes = FOLDER_BYTES;
        response.results[i].usable_bytes = FOLDER_BYTES;
    }
    const size_t size = used + wire_size(api->response, version, &response);
    struct wire_writer writer = {.data = take(run, size), .capacity = size};
    CHECK(wire_encode(&wire_response_header, header_version, &header, &writer) == ERR_NONE);
    CHECK(wire_encode(api->response, version, &response, &writer) == ERR_NONE);
    return span_of(writer.data, writer.length);
}

/* The answer with fillers for what no two runs have alike: ids drawn by chance, and how far the
 * broker's metadata was. */
static struct span level(struct run *run, const struct wire_api *api, int16_t version,
                         struct span answer)
{
    if (api->key == API_DESCRIBE_LOG_DIRS)
        return level_folders(run, api, version, answer);
    const struct span epoch = span_of(run->story.features_epoch, sizeof(run->story.features_epoch));
    const struct uuid *topic_id = &run->story.topic_id;
    uint8_t *bytes = take(run, answer.length);
    memcpy(bytes, answer.data, answer.length);
    if (!uuid_is_zero(*topic_id))
        replace(bytes, answer.length, span_of(topic_id->bytes, sizeof(topic_id->bytes)), 't');
    replace(bytes, answer.length, run->story.member, 'm');
    if (api->key == API_API_VERSIONS)
        replace(bytes, answer.length, epoch, 0);
    return span_of(bytes, answer.length);
}

static bool capture(const char *path, struct span answer)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return false;
    const bool written = fwrite(answer.data, 1, answer.length, file) == answer.length;
    return fclose(file) == 0 && written;
}

/* Whether the answer is the one that was captured; now it is, if none was. */
static bool is_as_captured(struct run *run, const struct wire_api *api, int16_t version,
                           struct span answer)
{
    static uint8_t captured[FRAME_BYTES_MAX];
    char path[4096];
    if (run->folder == NULL)
        return true;
    answer = level(run, api, version, answer);
    snprintf(path, sizeof(path), "%s/%s-v%d.bin", run->folder, api->name, version);
    bool right = false;
    FILE *file = fopen(path, "rb");
    if (file != NULL) {
        const size_t length = fread(captured, 1, sizeof(captured), file);
        fclose(file);
        right = span_equal(answer, span_of(captured, length));
    } else if (errno == ENOENT) {
        right = capture(path, answer);
    }
    if (!right)
        printf("# %s: the answer is not what it has\n", path);
    return right;
}

/* Asks until the answer is the expected one, or will not be; returns its error code. */
static int ask(struct run *run, const struct story_step *step, const struct wire_api *api,
               int16_t version, int expected, struct text *text, struct span *ret_answer)
{
    const struct timespec pause = {.tv_nsec = TRY_PAUSE_MS * 1000000L};
    int error = NO_ANSWER;
    text->length = 0;
    for (int i = 0; i < TRIES; i++) {
        void *request = take(run, api->request->size);
        void *response = take(run, api->response->size);
        wire_defaults(api->request, request);
        if (step->ask != NULL)
            step->ask(&run->story, request);
        *ret_answer = call(run, encode(run, api, version, request));
        if (span_is_null(*ret_answer))
            return NO_ANSWER;
        if (!is_the_same_again(run, api, version, *ret_answer, response))
            return NOT_THE_SAME_BYTES;
        error = first_error(api, version, response, text);
        if (error == expected && step->learn != NULL)
            step->learn(&run->story, response);
        if (error == expected || !is_passing(error))
            break;
        nanosleep(&pause, NULL);
    }
    return error;
}

static void explain(int error, int expected, const struct text *text)
{
    if (error == NO_ANSWER)
        printf("# the broker closes the connection\n");
    else if (error == NOT_THE_SAME_BYTES)
        printf("# the answer is other bytes when it is decoded and encoded again\n");
    else
        printf("# error %d (%s) instead of %d: %s\n", error, error_name(error), expected,
               text->bytes);
}

static void take_step(struct run *run, const struct story_step *step, int round)
{
    static struct text text;
    const struct wire_api *api = wire_api_find(step->api_key);
    const int newest = api->version_max - api->version_min;
    const int16_t version = (int16_t)(api->version_min + (round < newest ? round : newest));
    const int expected = version >= step->error_version_min ? step->error : ERR_NONE;
    struct span answer = SPAN_NULL;
    const int error = ask(run, step, api, version, expected, &text, &answer);
    bool right = error == expected;
    const bool repeated =
        (expected != ERR_NONE && !step->shows_error) || run->seen[api->key][version];
    if (repeated && right)
        return;
    if (!repeated && right)
        right = is_as_captured(run, api, version, answer);
    printf("%s %u - %s version %d%s\n", right ? "ok" : "not ok", ++run->number, api->name, version,
           repeated ? " once more" : "");
    if (error != expected)
        explain(error, expected, &text);
    if (right)
        run->right++;
    run->seen[api->key][version] = true;
    fflush(stdout);
}

int main(int count, char **arguments)
{
    static struct run run = {.socket = -1};
    int rounds = 0;
    if (count != 3 && count != 4) {
        fprintf(stderr, "usage: kafka_bytes HOST PORT [FOLDER]\n");
        return 2;
    }
    run.host = arguments[1];
    run.port = arguments[2];
    run.folder = arguments[3];
    memory_init(&run.memory, (struct allocator){.allocate = heap_take, .release = heap_give});
    arena_init(&run.arena, &run.memory, MEMORY_REQUEST, ARENA_BYTES_MAX);
    for (uint32_t i = 0; i < wire_apis_count; i++) {
        const int versions = wire_apis[i].version_max - wire_apis[i].version_min + 1;
        CHECK(wire_apis[i].key < KEYS_MAX && wire_apis[i].version_max < VERSIONS_MAX);
        run.total += (unsigned)versions;
        rounds = versions > rounds ? versions : rounds;
    }
    for (int round = 0; round < rounds; round++) {
        arena_reset(&run.arena);
        story_begin(&run.story, &run.arena, round);
        for (unsigned i = 0; i < story_steps_count; i++)
            take_step(&run, &story_steps[i], round);
    }
    arena_reset(&run.arena);
    hang_up(&run);
    printf("# %u of %u versions\n1..%u\n", run.right, run.total, run.number);
    return run.right == run.total && run.number == run.total ? 0 : 1;
}
