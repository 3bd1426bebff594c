/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/campaign.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>

#include "sim/memory.h"
#include "sim/scenario_parse.h"

static bool runs_once(const struct campaign_scenario *item)
{
    return item->scenario.is_soak || item->scenario.seed != 0;
}

static int load_file(struct campaign *campaign, const char *path, FILE *errors)
{
    struct scenario scenario;
    char *text = NULL;
    if (campaign->count == CAMPAIGN_SCENARIOS_MAX) {
        fprintf(errors, "%s: these are more than %d scenarios\n", path, CAMPAIGN_SCENARIOS_MAX);
        return -1;
    }
    if (scenario_load(path, &scenario, &text, errors) != 0)
        return -1;
    campaign->items =
        sim_allocate(campaign->items, (campaign->count + 1) * sizeof(*campaign->items));
    campaign->items[campaign->count++] = (struct campaign_scenario){
        .path = sim_text_copy(path, strlen(path)), .text = text, .scenario = scenario};
    campaign->once_count += runs_once(&campaign->items[campaign->count - 1]);
    return 0;
}

static bool is_scenario(const FTSENT *entry, bool is_root)
{
    static const char ending[] = ".json";
    const size_t length = entry->fts_namelen;
    const size_t ending_length = sizeof(ending) - 1;
    return entry->fts_info == FTS_F &&
           (is_root || (length > ending_length &&
                        strcmp(entry->fts_name + length - ending_length, ending) == 0));
}

static int load_tree(struct campaign *campaign, FTS *tree, FILE *errors)
{
    int result = 0;
    FTSENT *entry;
    while ((entry = fts_read(tree)) != NULL) {
        const bool is_root = entry->fts_level == FTS_ROOTLEVEL;
        if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS) {
            fprintf(errors, "%s: %s\n", entry->fts_path, strerror(entry->fts_errno));
            result = -1;
        } else if (is_scenario(entry, is_root) &&
                   load_file(campaign, entry->fts_path, errors) != 0) {
            result = -1;
        }
    }
    return result;
}

static int order(const void *a, const void *b)
{
    const struct campaign_scenario *one = a;
    const struct campaign_scenario *other = b;
    if (runs_once(one) != runs_once(other))
        return runs_once(one) ? -1 : 1;
    return strcmp(one->path, other->path);
}

int campaign_load(struct campaign *campaign, const char *path, FILE *errors)
{
    char *name = sim_text_copy(path, strlen(path));
    char *const roots[] = {name, NULL};
    *campaign = (struct campaign){.seed_first = 1, .seed_last = 1};
    FTS *tree = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, NULL);
    int result = -1;
    if (tree == NULL) {
        fprintf(errors, "%s: %s\n", path, strerror(errno));
    } else {
        result = load_tree(campaign, tree, errors);
        fts_close(tree);
    }
    free(name);
    if (result == 0 && campaign->count == 0) {
        fprintf(errors, "%s: there is no scenario in it (a file that ends in .json)\n", path);
        result = -1;
    }
    if (campaign->count > 0)
        qsort(campaign->items, campaign->count, sizeof(*campaign->items), order);
    return result;
}

void campaign_free(struct campaign *campaign)
{
    for (uint32_t i = 0; i < campaign->count; i++) {
        free(campaign->items[i].path);
        free(campaign->items[i].text);
        scenario_free(&campaign->items[i].scenario);
    }
    free(campaign->items);
    *campaign = (struct campaign){0};
}

uint64_t campaign_runs(const struct campaign *campaign)
{
    const uint64_t others = campaign->count - campaign->once_count;
    const uint64_t seeds = campaign->seed_last - campaign->seed_first + 1;
    if (others == 0)
        return campaign->once_count;
    if (!campaign->each)
        return campaign->once_count + seeds;
    /* What would not fit is past the limit as well. */
    return campaign->once_count + (seeds > CAMPAIGN_RUNS_MAX ? seeds : seeds * others);
}

const struct campaign_scenario *campaign_run(const struct campaign *campaign, uint64_t run,
                                             uint64_t *ret_seed)
{
    const uint64_t others = campaign->count - campaign->once_count;
    *ret_seed = campaign->seed_first;
    if (run < campaign->once_count) {
        const struct campaign_scenario *item = &campaign->items[run];
        if (item->scenario.seed != 0)
            *ret_seed = item->scenario.seed;
        return item;
    }
    run -= campaign->once_count;
    *ret_seed += campaign->each ? run / others : run;
    const uint64_t number = campaign->each ? run % others : *ret_seed % others;
    return &campaign->items[campaign->once_count + number];
}
