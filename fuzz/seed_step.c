/* SPDX-License-Identifier: Apache-2.0 */
/* seed_step FOLDER: writes the seeds of fuzz_step: the story of tests/e2e/story.h in rounds that
 * together have each API in each version, and the stories of fuzz/seed_stories.h. */
#include <stdio.h>

#include "core/wire/schema.h"
#include "fuzz/faults.h"
#include "fuzz/recording.h"
#include "fuzz/seed_stories.h"

static struct recording recording;

static const struct {
    const char *name;
    seed_story *tell;
} stories[] = {
    {"cluster", seed_cluster},
    {"topics", seed_topics},
    {"topics-refused", seed_topics_refused},
    {"configs", seed_configs},
    {"limits", seed_limits},
    {"protocol", seed_protocol},
    {"memory", seed_memory},
    {"log-rolls", seed_log_rolls},
    {"log-expires", seed_log_expires},
    {"log-settings", seed_log_settings},
    {"disk-full", seed_disk_full},
    {"disk-hangs", seed_disk_hangs},
    {"log-behind", seed_log_behind},
    {"offsets", seed_offsets},
    {"producers", seed_producers},
    {"fetch-waits", seed_fetch_waits},
    {"fetch-crowd", seed_fetch_crowd},
    {"fetch-session", seed_fetch_session},
    {"group-members", seed_group_members},
    {"group-waits", seed_group_waits},
    {"group-silent", seed_group_silent},
    {"group-unwritten", seed_group_unwritten},
    {"group-untaken", seed_group_untaken},
    {"group-static", seed_group_static},
    {"group-refused", seed_group_refused},
    {"group-expires", seed_group_expires},
};

static int rounds_count(void)
{
    int count = 0;
    for (uint32_t i = 0; i < wire_apis_count; i++) {
        const int versions = wire_apis[i].version_max - wire_apis[i].version_min + 1;
        count = versions > count ? versions : count;
    }
    return count;
}

static void round_record(const char *folder, int round)
{
    char name[32];
    recording_begin(&recording);
    for (unsigned i = 0; i < story_steps_count; i++) {
        const struct story_step *step = &story_steps[i];
        const struct wire_api *api = wire_api_find(step->api_key);
        const int newest = api->version_max - api->version_min;
        const int16_t version = (int16_t)(api->version_min + (round < newest ? round : newest));
        const void *response = recording_call(&recording, 0, step->api_key, version,
                                              recording_request(&recording, step->api_key));
        if (response == NULL) {
            /* Members of a new group are waited for. */
            recording_act(&recording, TAPE_MILLISECONDS, 5000, 2);
            response = recording_response(&recording, 0, step->api_key, version);
        }
        if (response != NULL && step->learn != NULL)
            step->learn(&recording.story, response);
    }
    snprintf(name, sizeof(name), "round-%02d", round);
    recording_end(&recording, folder, name);
}

static void fault_record(const char *folder, uint8_t which)
{
    char name[32];
    recording_begin(&recording);
    seed_log_fault(&recording, which);
    snprintf(name, sizeof(name), "log-fault-%02u", which);
    recording_end(&recording, folder, name);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: seed_step FOLDER\n", stderr);
        return 2;
    }
    for (int round = 0; round < rounds_count(); round++)
        round_record(argv[1], round);
    for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++) {
        recording_begin(&recording);
        stories[i].tell(&recording);
        recording_end(&recording, argv[1], stories[i].name);
    }
    for (uint8_t which = 0; which < FAULTS; which++)
        fault_record(argv[1], which);
    return 0;
}
