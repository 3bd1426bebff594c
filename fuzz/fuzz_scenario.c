/* SPDX-License-Identifier: Apache-2.0 */
/* Any scenario file: read, or refused with a reason and a place that is in it. */
#include <stdlib.h>

#include "core/base/check.h"
#include "fuzz/fuzz.h"
#include "sim/scenario_parse.h"
#include "sim/scenario_words.h"

/* The text's lines, and the characters of its longest one. */
static void measure(struct span text, uint32_t *ret_lines, uint32_t *ret_columns)
{
    uint32_t columns = 0;
    *ret_lines = 1;
    *ret_columns = 0;
    for (size_t i = 0; i < text.length; i++) {
        columns = text.data[i] == '\n' ? 0 : columns + 1;
        *ret_lines += text.data[i] == '\n';
        if (columns > *ret_columns)
            *ret_columns = columns;
    }
}

static void check_error(struct span text, const struct scenario_error *error)
{
    uint32_t lines;
    uint32_t columns;
    measure(text, &lines, &columns);
    CHECK(error->text[0] != '\0');
    CHECK(error->line >= 1 && error->line <= lines);
    CHECK(error->column >= 1 && error->column <= columns + 1);
}

static void check_range(struct range range, uint64_t most)
{
    CHECK(range.least <= range.most && range.most <= most);
}

static void check_scenario(const struct scenario *scenario)
{
    uint32_t clients = 0;
    CHECK(scenario->tells != NULL && scenario->tells[0] != '\0');
    CHECK(scenario->nodes_count >= 1 && scenario->nodes_count <= SCENARIO_NODES_MAX);
    check_range(scenario->load_ms, SCENARIO_MS_MAX);
    for (uint32_t i = 0; i < scenario->topics_count; i++)
        CHECK(scenario->topics[i].name != NULL && scenario->topics[i].partitions >= 1);
    for (uint32_t i = 0; i < scenario->clients_count; i++) {
        const struct scenario_client *client = &scenario->clients[i];
        clients += client->count;
        CHECK(client->count >= 1 && client->node <= scenario->nodes_count);
        CHECK(client->kind < CLIENT_KINDS && client->acks >= -1 && client->acks <= 1);
        CHECK(!client->idempotent || client->acks == -1);
        check_range(client->record_bytes, 1 << 20);
    }
    CHECK(clients <= SCENARIO_CLIENTS_MAX);
    for (uint32_t i = 0; i < scenario->faults_count; i++) {
        const struct scenario_fault *fault = &scenario->faults[i];
        CHECK(fault->kind < FAULT_KINDS && fault->when < MOMENT_KINDS);
        CHECK(fault->node <= scenario->nodes_count);
        check_range(fault->lasts_ms, SCENARIO_MS_MAX);
        check_range(fault->nth, 1000000);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct span text = span_of(data, size);
    struct scenario scenario;
    struct scenario_error error;
    if (scenario_parse(text, "fuzz", &scenario, &error) != 0) {
        check_error(text, &error);
        return 0;
    }
    check_scenario(&scenario);
    scenario_free(&scenario);
    return 0;
}
