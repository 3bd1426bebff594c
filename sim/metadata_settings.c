/* SPDX-License-Identifier: Apache-2.0 */
/* What brokers of a cluster tell of the settings on which all nodes agree. */
#include "core/api/resource.h"
#include "core/base/format.h"
#include "core/conf/topic_conf.h"
#include "core/wire/error.h"
#include "sim/metadata_answers.h"
#include "sim/parts.h"

static bool is_agreed(struct span name)
{
    for (size_t i = 0; i < CONF_AGREED; i++) {
        if (span_equal(name, span_text(conf_key_info(conf_agreed_keys[i])->name)))
            return true;
    }
    return false;
}

/* A setting of a broker, or of all. */
static void setting_told(struct judge *judge, const struct exchange *exchange,
                         const struct image *image,
                         const struct describe_configs_response_result_config *told)
{
    const struct span agreed = meta_config(&image->configs, told->name);
    const int source = span_is_null(agreed) ? CONF_SOURCE_DEFAULT : CONF_SOURCE_CLUSTER;
    if (!is_agreed(told->name))
        return;
    judge->judged++;
    if (!span_is_null(agreed) && !span_equal(agreed, told->value))
        judge_object(
            judge, "DescribeConfigs of %s tells that %.*s is %.*s, and the metadata log says %.*s",
            exchange->host->name, SPAN_ARGS(told->name), SPAN_ARGS(told->value), SPAN_ARGS(agreed));
    if (exchange->version >= 1 && told->config_source != source)
        metadata_differs(judge, exchange, told->name, "a source", told->config_source, source);
}

void metadata_settings_replied(struct judge *judge, const struct exchange *exchange,
                               const struct describe_configs_response_result *result)
{
    const struct image *image = metadata_truth(judge, exchange, SPAN(""));
    if (image == NULL || !exchange->host->conf.is_cluster || result->error_code != ERR_NONE ||
        result->resource_type != RESOURCE_BROKER)
        return;
    for (int32_t i = 0; i < result->configs_count; i++)
        setting_told(judge, exchange, image, &result->configs[i]);
    judge->judged++;
    if (result->resource_name.length == 0 && result->configs_count != (int32_t)image->configs.count)
        metadata_differs(judge, exchange, SPAN("all brokers"), "settings", result->configs_count,
                         image->configs.count);
}
