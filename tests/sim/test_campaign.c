/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/campaign.h"
#include "tests/support/runner.h"

static char folder[] = "/tmp/chronik-campaign.XXXXXX";

static void put(const char *name, const char *text)
{
    char path[200];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
}

static void take_away(const char *name)
{
    char path[200];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    ck_assert_int_eq(remove(path), 0);
}

static void make_folder(void)
{
    char path[200];
    memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/in", folder);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    put("b.json", "{\"tells\": \"b\"}");
    put("in/a.json", "{\"tells\": \"a\"}");
    put("c.json", "{\"tells\": \"c\", \"soak\": true}");
    put("d.json", "{\"tells\": \"d\", \"seed\": 77}");
    put("README", "no scenario");
    put(".json", "neither");
}

static void remove_folder(void)
{
    take_away("b.json");
    take_away("in/a.json");
    take_away("c.json");
    take_away("d.json");
    take_away("README");
    take_away(".json");
    take_away("in");
    ck_assert_int_eq(rmdir(folder), 0);
}

/* The runs as text: "c1 b2 a3". */
static const char *runs_of(struct campaign *campaign, uint64_t first, uint64_t last, bool each)
{
    static char text[200];
    size_t length = 0;
    campaign->seed_first = first;
    campaign->seed_last = last;
    campaign->each = each;
    text[0] = '\0';
    for (uint64_t i = 0; i < campaign_runs(campaign); i++) {
        uint64_t seed;
        const struct campaign_scenario *item = campaign_run(campaign, i, &seed);
        length +=
            (size_t)snprintf(text + length, sizeof(text) - length, "%s%s%llu", i == 0 ? "" : " ",
                             item->scenario.name, (unsigned long long)seed);
    }
    return text;
}

START_TEST(seeds_are_dealt_out)
{
    struct campaign campaign;
    make_folder();
    ck_assert_int_eq(campaign_load(&campaign, folder, stderr), 0);
    ck_assert_uint_eq(campaign.count, 4);
    ck_assert_str_eq(runs_of(&campaign, 1, 1, false), "c1 d77 a1");
    ck_assert_str_eq(runs_of(&campaign, 4, 8, false), "c4 d77 b4 a5 b6 a7 b8");
    ck_assert_str_eq(runs_of(&campaign, 1, 1, true), "c1 d77 b1 a1");
    ck_assert_str_eq(runs_of(&campaign, 4, 6, true), "c4 d77 b4 a4 b5 a5 b6 a6");
    campaign.seed_first = 0;
    campaign.seed_last = INT64_MAX;
    ck_assert_uint_gt(campaign_runs(&campaign), CAMPAIGN_RUNS_MAX);
    campaign_free(&campaign);
    remove_folder();
}
END_TEST

START_TEST(a_soak_runs_once)
{
    struct campaign campaign;
    char path[200];
    make_folder();
    snprintf(path, sizeof(path), "%s/c.json", folder);
    ck_assert_int_eq(campaign_load(&campaign, path, stderr), 0);
    ck_assert_str_eq(runs_of(&campaign, 3, 9, true), "c3");
    ck_assert_str_eq(runs_of(&campaign, 3, 9, false), "c3");
    campaign_free(&campaign);
    remove_folder();
}
END_TEST

START_TEST(all_mistakes_are_told)
{
    struct campaign campaign;
    char *said = NULL;
    size_t length = 0;
    make_folder();
    put("b.json", "{");
    put("in/a.json", "[]");
    FILE *errors = open_memstream(&said, &length);
    ck_assert_int_eq(campaign_load(&campaign, folder, errors), -1);
    campaign_free(&campaign);
    ck_assert_int_eq(fclose(errors), 0);
    ck_assert_ptr_nonnull(strstr(said, "/b.json:1:"));
    ck_assert_ptr_nonnull(strstr(said, "/in/a.json:1:1: a scenario is an object"));
    free(said);
    remove_folder();
}
END_TEST

START_TEST(nothing_is_no_campaign)
{
    struct campaign campaign;
    char *said = NULL;
    char path[200];
    size_t length = 0;
    make_folder();
    snprintf(path, sizeof(path), "%s/in", folder);
    take_away("in/a.json");
    FILE *errors = open_memstream(&said, &length);
    ck_assert_int_eq(campaign_load(&campaign, path, errors), -1);
    campaign_free(&campaign);
    ck_assert_int_eq(campaign_load(&campaign, "/nowhere/at/all", errors), -1);
    campaign_free(&campaign);
    ck_assert_int_eq(fclose(errors), 0);
    ck_assert_ptr_nonnull(strstr(said, "/in: there is no scenario in it"));
    ck_assert_ptr_nonnull(strstr(said, "/nowhere/at/all: No such file or directory\n"));
    free(said);
    put("in/a.json", "");
    remove_folder();
}
END_TEST

SUITE(campaign)
{
    TCase *tcase = tcase_create("campaign");
    tcase_add_test(tcase, seeds_are_dealt_out);
    tcase_add_test(tcase, a_soak_runs_once);
    tcase_add_test(tcase, all_mistakes_are_told);
    tcase_add_test(tcase, nothing_is_no_campaign);
    suite_add_tcase(suite, tcase);
}
