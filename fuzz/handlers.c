/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does the corpus of fuzz_step reach the handler of every API in every version that is served, with
 * a request that could be decoded? Replays it and looks on: the linker gives us the calls of
 * api_find() (--wrap), by which each request finds its handler. TAP, a case for each API.
 */
#include <stdbool.h>
#include <stdio.h>

#include "core/api/table.h"
#include "core/base/check.h"
#include "core/wire/schema.h"
#include "fuzz/corpus.h"

#define KEYS_MAX     128
#define VERSIONS_MAX 32

const struct api_entry *__real_api_find(int16_t key);
const struct api_entry *__wrap_api_find(int16_t key);

static bool reached[KEYS_MAX][VERSIONS_MAX];

static void note_and_handle(struct broker *broker, struct request *request)
{
    const int16_t key = request->api->key;
    CHECK(key < KEYS_MAX && request->version < VERSIONS_MAX);
    if (request->body != NULL)
        reached[key][request->version] = true;
    __real_api_find(key)->handler(broker, request);
}

const struct api_entry *__wrap_api_find(int16_t key)
{
    static struct api_entry entry = {.handler = note_and_handle};
    entry.key = key;
    return __real_api_find(key) == NULL ? NULL : &entry;
}

/* Prints the case of one API; true when it is right. */
static bool report(unsigned number, const struct wire_api *api)
{
    int missing = 0;
    for (int16_t version = api->version_min; version <= api->version_max; version++) {
        if (reached[api->key][version])
            continue;
        printf("# %s version %d: no input of the corpus reaches its handler\n", api->name, version);
        missing++;
    }
    printf("%sok %u - %s: versions %d to %d reach their handler\n", missing == 0 ? "" : "not ",
           number, api->name, api->version_min, api->version_max);
    return missing == 0;
}

int main(void)
{
    uint32_t count = 0;
    const struct api_entry *entries = api_all(&count);
    bool right = true;
    printf("1..%u\n", count);
    if (corpus_replay("step") <= 0)
        return 1;
    for (uint32_t i = 0; i < count; i++)
        right = report(i + 1, wire_api_find(entries[i].key)) && right;
    return right ? 0 : 1;
}
