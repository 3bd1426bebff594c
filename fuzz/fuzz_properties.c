/* SPDX-License-Identifier: Apache-2.0 */
/* Any file of settings: read, taken over, checked together, and described; and each of its settings
 * as one of a topic. */
#include <stdlib.h>

#include "cli/properties.h"
#include "core/base/check.h"
#include "core/conf/conf.h"
#include "core/conf/topic_conf.h"
#include "fuzz/fuzz.h"

struct run {
    struct memory memory;
    struct conf conf;
    struct topic_override overrides[8];
    uint32_t overrides_count;
    bool refused;
};

static void *take(void *context, size_t size)
{
    (void)context;
    return calloc(1, size);
}

static void give(void *context, void *block, size_t size)
{
    (void)context;
    (void)size;
    free(block);
}

/* What is said is one line that ends. */
static void report(void *context, bool is_refused, uint32_t place, struct span text)
{
    struct run *run = context;
    (void)place;
    run->refused = run->refused || is_refused;
    CHECK(text.length > 0);
    for (size_t i = 0; i < text.length; i++)
        CHECK(text.data[i] >= ' ');
}

static void set(void *context, uint32_t line, struct span key, struct span value)
{
    struct run *run = context;
    struct span message = SPAN_NULL;
    struct span altered = SPAN_NULL;
    conf_set(&run->conf, key, value, line);
    const int accepted = topic_conf_check(key, value, &run->conf.arena, &message);
    CHECK(accepted == 0 || message.length > 0 || span_is_null(message));
    const int8_t operation = (int8_t)(value.length % 4);
    if (topic_conf_alter(&run->conf, run->overrides, run->overrides_count, operation, key, value,
                         &run->conf.arena, &altered, &message) != 0 ||
        span_is_null(altered) || run->overrides_count == 8)
        return;
    /* What was made of a valid setting is one. */
    CHECK(topic_conf_check(key, altered, &run->conf.arena, &message) == 0);
    run->overrides[run->overrides_count++] = (struct topic_override){
        arena_copy(&run->conf.arena, key), arena_copy(&run->conf.arena, altered)};
}

static void check_result(const struct run *run)
{
    const struct conf *conf = &run->conf;
    CHECK(conf->listeners_count > 0 && conf->folders_count > 0 && conf->node_id >= 0);
    for (uint32_t i = 0; i < conf->listeners_count; i++)
        CHECK(conf->listeners[i].name.length > 0 && conf->listeners[i].advertised_host.length > 0);
    CHECK(conf->is_cluster == (conf->peer_listeners_count > 0));
    CHECK(!conf->is_cluster || conf->voters_count > 0);
    for (uint32_t i = 0; i < conf->voters_count; i++)
        CHECK(conf->voters[i].host.length > 0 && conf->voters[i].port > 0);
}

/* The settings are those of a topic and of a cluster at once: whatever they say, all nodes come to
 * the same result, without looking at their own. */
static void check_agreed(const struct run *run)
{
    struct topic_conf_agreed agreed;
    struct conf_description description;
    topic_conf_agree(run->overrides, run->overrides_count, run->overrides, run->overrides_count,
                     &agreed);
    CHECK(agreed.min_insync_replicas > 0);
    CHECK((int64_t)agreed.min_insync_replicas ==
          conf_agreed(CONF_MIN_INSYNC_REPLICAS, run->overrides, run->overrides_count));
    for (size_t i = 0; i < CONF_AGREED; i++) {
        conf_describe(&run->conf, conf_agreed_keys[i], &description);
        conf_describe_agreed(run->overrides, run->overrides_count, (int)conf_agreed_keys[i],
                             &description);
        CHECK(description.synonyms_count > 0 && !span_is_null(description.value));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run *run = calloc(1, sizeof(*run));
    uint32_t line = 0;
    CHECK(run != NULL);
    memory_init(&run->memory, (struct allocator){.allocate = take, .release = give});
    conf_init(&run->conf, &run->memory, report, run);
    const char *wrong = properties_read(span_of(data, size), set, run, &line);
    CHECK((wrong == NULL) == (line == 0));
    if (conf_check(&run->conf, SPAN("host")) == 0 && !run->refused)
        check_result(run);
    for (int key = 0; key < CONF_KEYS; key++) {
        struct conf_description description;
        conf_describe(&run->conf, (enum conf_key)key, &description);
    }
    for (int key = 0; key < TOPIC_CONF_KEYS; key++) {
        struct conf_description description;
        topic_conf_describe(&run->conf, run->overrides, run->overrides_count,
                            (enum topic_conf_key)key, &description);
        CHECK(!span_is_null(description.value));
    }
    struct topic_conf topic;
    topic_conf_resolve(&run->conf, run->overrides, run->overrides_count, &topic);
    check_agreed(run);
    conf_free(&run->conf);
    free(run);
    return 0;
}
