/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wire/messages.h"

const struct wire_api *wire_api_find(int16_t key)
{
    uint32_t first = 0;
    uint32_t end = wire_apis_count;

    while (first < end) {
        const uint32_t middle = first + (end - first) / 2;
        if (wire_apis[middle].key == key)
            return &wire_apis[middle];
        if (wire_apis[middle].key < key)
            first = middle + 1;
        else
            end = middle;
    }
    return NULL;
}

int16_t wire_request_header_version(const struct wire_api *api, int16_t version)
{
    return version >= api->flexible_min ? 2 : 1;
}

/* A client that asks for the versions cannot know ours, so it reads the oldest header (KIP-511). */
int16_t wire_response_header_version(const struct wire_api *api, int16_t version)
{
    return api->key != API_API_VERSIONS && version >= api->flexible_min ? 1 : 0;
}
