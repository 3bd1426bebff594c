/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/scenario.h"

#include <stdlib.h>

void settings_list_free(struct settings_list *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        free(list->items[i].key);
        free(list->items[i].value);
    }
    free(list->items);
    *list = (struct settings_list){0};
}

void scenario_free(struct scenario *scenario)
{
    settings_list_free(&scenario->settings);
    for (uint32_t i = 0; i < scenario->nodes_count; i++)
        settings_list_free(&scenario->nodes[i].settings);
    for (uint32_t i = 0; i < scenario->topics_count; i++) {
        free(scenario->topics[i].name);
        settings_list_free(&scenario->topics[i].config);
    }
    for (uint32_t i = 0; i < scenario->clients_count; i++) {
        free(scenario->clients[i].topic);
        free(scenario->clients[i].group);
    }
    for (uint32_t i = 0; i < scenario->faults_count; i++)
        free(scenario->faults[i].path);
    free(scenario->nodes);
    free(scenario->topics);
    free(scenario->clients);
    free(scenario->faults);
    free(scenario->name);
    free(scenario->tells);
    *scenario = (struct scenario){0};
}
