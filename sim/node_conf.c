/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/node_conf.h"

#include <stdio.h>

static const char *setting_of(const struct settings_list *settings, const char *key)
{
    for (uint32_t i = 0; i < settings->count; i++) {
        if (strcmp(settings->items[i].key, key) == 0)
            return settings->items[i].value;
    }
    return NULL;
}

bool node_conf_fill(struct conf *conf, uint32_t number, const struct settings_list *settings,
                    struct span host_name)
{
    char text[16];
    const bool has_peers = setting_of(settings, "controller.quorum.voters") != NULL;
    snprintf(text, sizeof(text), "%u", number);
    bool good = conf_set(conf, SPAN("node.id"), span_text(text), 0) == 0;
    good = conf_set(conf, SPAN("listeners"),
                    has_peers ? SPAN("PLAINTEXT://:9092,CONTROLLER://:9093")
                              : SPAN("PLAINTEXT://:9092"),
                    0) == 0 &&
           good;
    if (has_peers)
        good =
            conf_set(conf, SPAN("controller.listener.names"), SPAN("CONTROLLER"), 0) == 0 && good;
    for (uint32_t i = 0; i < settings->count; i++)
        good = conf_set(conf, span_text(settings->items[i].key),
                        span_text(settings->items[i].value), i + 1) == 0 &&
               good;
    return conf_check(conf, host_name) == 0 && good;
}
