/* SPDX-License-Identifier: Apache-2.0 */
/* What an administrator sets for all brokers of a cluster, as by kafka-configs --entity-default. */
#include <stdio.h>

#include "core/api/resource.h"
#include "core/conf/topic_conf.h"
#include "sim/admin.h"
#include "sim/host.h"

#define NAME_BYTES 16
#define CHOICES    4

/* With write.caching.default nothing would be promised any more. */
static const struct {
    const char *key;
    const char *values[CHOICES]; /* the last one of each is refused */
} settings[] = {
    {"min.insync.replicas", {"1", "2", "3", "0"}},
    {"write.caching.default", {"false", "false", "false", "perhaps"}},
    {"log.segment.bytes", {"1024", "4096", "65536", "1"}}, /* and all of these */
};

#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

static void fill_alter(struct admin *admin, struct exchange *exchange)
{
    struct chance *rng = &admin->client.rng;
    struct incremental_alter_configs_request *request = (void *)(uintptr_t)exchange->request;
    request->resources = peer_take(exchange, sizeof(*request->resources));
    request->resources_count = 1;
    struct incremental_alter_configs_request_resource *resource = request->resources;
    resource->resource_type = RESOURCE_BROKER;
    resource->resource_name = SPAN("");
    resource->configs = peer_take(exchange, sizeof(*resource->configs));
    resource->configs_count = 1;
    const size_t place = chance_below(rng, chance_one_in(rng, 8) ? SETTINGS : SETTINGS - 1);
    const uint64_t choice = chance_below(rng, chance_one_in(rng, 8) ? CHOICES : CHOICES - 1);
    const bool deletes = chance_one_in(rng, 3);
    resource->configs[0].name = span_text(settings[place].key);
    resource->configs[0].config_operation = deletes ? CONF_DELETE : CONF_SET;
    resource->configs[0].value = deletes ? SPAN_NULL : span_text(settings[place].values[choice]);
    request->validate_only = chance_one_in(rng, 8);
}

/* Of all brokers, and of the one that is asked. */
static void fill_describe(struct admin *admin, struct exchange *exchange)
{
    struct chance *rng = &admin->client.rng;
    struct describe_configs_request *request = (void *)(uintptr_t)exchange->request;
    char *name = (char *)peer_take(exchange, NAME_BYTES);
    snprintf(name, NAME_BYTES, "%u", exchange->host->number);
    request->resources = peer_take(exchange, 2 * sizeof(*request->resources));
    request->resources_count = 2;
    for (int32_t i = 0; i < 2; i++) {
        request->resources[i].resource_type = RESOURCE_BROKER;
        request->resources[i].resource_name = i == 0 ? SPAN("") : span_text(name);
        request->resources[i].configuration_keys_count = -1;
    }
    request->include_synonyms = chance_one_in(rng, 2);
}

const struct admin_action admin_defaults[] = {
    {API_INCREMENTAL_ALTER_CONFIGS, 2, fill_alter, NULL},
    {API_DESCRIBE_CONFIGS, 1, fill_describe, NULL},
    {0},
};
