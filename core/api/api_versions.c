/* SPDX-License-Identifier: Apache-2.0 */
/* ApiVersions (KIP-35, KIP-511): what this broker serves. */
#include "core/api/table.h"
#include "core/base/check.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

/* What clients may call themselves: [a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])? (KIP-511). */
static bool software_is_valid(struct span text)
{
    for (size_t i = 0; i < text.length; i++) {
        const uint8_t byte = text.data[i];
        const bool inner = byte == '-' || byte == '.';
        const bool alphanumeric = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                                  (byte >= '0' && byte <= '9');
        if (!alphanumeric && (!inner || i == 0 || i == text.length - 1))
            return false;
    }
    return text.length > 0;
}

/* Versions of Produce below the least that is served are advertised all the same, as Kafka 4 does:
 * librdkafka before 2.11 does not compress where it misses version 0 (KAFKA-18659). */
#define PRODUCE_ADVERTISED_MIN 0

/* The row of `api`; the answer to a request that is too new has only that of ApiVersions itself. */
static void row_fill(struct api_versions_response_api_key *row, int16_t key)
{
    const struct wire_api *api = wire_api_find(key);
    row->api_key = key;
    row->min_version = key == API_PRODUCE ? PRODUCE_ADVERTISED_MIN : api->version_min;
    row->max_version = api->version_max;
}

void api_versions_handle(struct broker *broker, struct request *request)
{
    (void)broker;
    const struct api_versions_request *body = request->body;
    struct api_versions_response *response = request_response(request);
    uint32_t count = 0;
    const struct api_entry *entries = api_all(&count);
    struct api_versions_response_api_key *rows = arena_array(&request->arena, count, sizeof(*rows));
    if (response == NULL || rows == NULL) {
        request_refuse(request, "there is no memory for a reply to it");
        return;
    }
    response->api_keys = rows;
    if (body == NULL) {
        response->error_code = ERR_UNSUPPORTED_VERSION;
        row_fill(&rows[0], API_API_VERSIONS);
        response->api_keys_count = 1;
    } else if (request->version >= 3 && (!software_is_valid(body->client_software_name) ||
                                         !software_is_valid(body->client_software_version))) {
        response->error_code = ERR_INVALID_REQUEST;
    } else {
        for (uint32_t i = 0; i < count; i++)
            row_fill(&rows[i], entries[i].key);
        response->api_keys_count = (int32_t)count;
    }
    request_reply(request, response);
}
