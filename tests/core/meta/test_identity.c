/* SPDX-License-Identifier: Apache-2.0 */
#include "core/meta/identity.h"

#include "core/wire/error.h"
#include "tests/support/runner.h"
#include "tests/support/world.h"

#define GOOD                                                                         \
    "#\n#Mon Nov 23 "                                                                \
    "2026\ncluster.id=AAAAAAAAAAAAAAAAAAAAAA\ndirectory.id=QUFBQUFBQUFBQUFBQUFBQQ\n" \
    "node.id=7\nversion=1\n"
#define OTHER_CLUSTER \
    "cluster.id=other\ndirectory.id=QkFBQUFBQUFBQUFBQUFBQQ\nnode.id=7\nversion=1\n"

static struct world *world;
static struct io *io;
static struct log_waiter waiter;
static int woken;
static int woken_with;
static struct identity_check *check;

static void wake(struct log_waiter *by, int error)
{
    (void)by;
    woken++;
    woken_with = error;
}

static void set_up(void)
{
    world = world_new(3);
    io = world_boot_io(world);
    waiter.wake = wake;
}

static void tear_down(void)
{
    world_free(world);
}

/* Checks so many data folders: how that ended, or -1. */
static int run_for(uint32_t folders, const struct identity_wish *wish)
{
    static const struct span paths[] = {SPAN("/data/one"), SPAN("/data/two")};
    woken = 0;
    check = identity_check_new(io, paths, folders, wish);
    identity_check_run(check, &waiter);
    world_advance_ms(world, 1);
    world_run(world);
    return woken == 0 ? -1 : woken_with;
}

/* The same for node 7 of its own. */
static int run(uint32_t folders)
{
    const struct identity_wish wish = {.node_id = 7, .formats = true};
    return run_for(folders, &wish);
}

static void restart(void)
{
    world_power_loss(world);
    io = world_boot_io(world);
}

static const struct {
    const char *what;
    const char *text;
    bool is_good;
} texts[] = {
    {"kafka's own", GOOD, true},
    {"blanks and carriage returns",
     "  version = 1 \r\n node.id=0\r\n cluster.id=x\r\ndirectory.id=QUFBQUFBQUFBQUFBQUFBQQ", true},
    {"keys that we do not know", GOOD "more=1\n", true},
    {"empty", "", false},
    {"no version", "cluster.id=x\ndirectory.id=QUFBQUFBQUFBQUFBQUFBQQ\nnode.id=7\n", false},
    {"an old version", "version=0\ncluster.id=x\nbroker.id=7\n", false},
    {"no cluster", "version=1\ndirectory.id=QUFBQUFBQUFBQUFBQUFBQQ\nnode.id=7\n", false},
    {"an empty cluster", "version=1\ncluster.id=\ndirectory.id=QUFBQUFBQUFBQUFBQUFBQQ\nnode.id=7\n",
     false},
    {"a cluster with blanks",
     "version=1\ncluster.id=a b\ndirectory.id=QUFBQUFBQUFBQUFBQUFBQQ\nnode.id=7\n", false},
    {"no node", "version=1\ncluster.id=x\ndirectory.id=QUFBQUFBQUFBQUFBQUFBQQ\n", false},
    {"a negative node",
     "version=1\ncluster.id=x\ndirectory.id=QUFBQUFBQUFBQUFBQUFBQQ\nnode.id=-1\n", false},
    {"a node beyond 32 bits",
     "version=1\ncluster.id=x\ndirectory.id=QUFBQUFBQUFBQUFBQUFBQQ\nnode.id=2147483648\n", false},
    {"no directory", "version=1\ncluster.id=x\nnode.id=7\n", false},
    {"a broken directory", "version=1\ncluster.id=x\ndirectory.id=QUFB\nnode.id=7\n", false},
    {"no equals sign", GOOD "what\n", false},
};

START_TEST(files_are_read)
{
    struct identity identity;
    const char *why = NULL;
    const int error = identity_parse(span_text(texts[_i].text), &identity, &why);
    ck_assert_msg((error == ERR_NONE) == texts[_i].is_good, "%s", texts[_i].what);
    ck_assert((why == NULL) == texts[_i].is_good);
}
END_TEST

START_TEST(a_file_comes_back_as_it_was)
{
    struct identity identity = {.cluster_id = "my-cluster", .node_id = 12};
    struct identity back;
    const char *why;
    char text[IDENTITY_BYTES_MAX];
    identity.directory_id.bytes[3] = 9;
    const size_t length = identity_print(&identity, text, sizeof(text));
    ck_assert_int_eq(identity_parse(span_of(text, length), &back, &why), ERR_NONE);
    ck_assert_str_eq(back.cluster_id, "my-cluster");
    ck_assert_int_eq(back.node_id, 12);
    ck_assert(uuid_equal(back.directory_id, identity.directory_id));
}
END_TEST

START_TEST(an_empty_folder_is_given_an_identity_that_lasts)
{
    char id[IDENTITY_CLUSTER_ID_MAX + 1] = "";
    world_put_file(world, ".lock", SPAN(""));
    world_put_folder(world, "lost+found");
    world_put_file(world, IDENTITY_FILE ".part",
                   SPAN("cluster.id=half of a file that is long "
                        "enough to stand out behind a shorter one, "
                        "if nobody cuts it before it is written"));
    ck_assert_int_eq(run(1), ERR_NONE);
    memcpy(id, identity_cluster_id(check).data, identity_cluster_id(check).length);
    ck_assert_uint_eq(strlen(id), 22);
    restart();
    ck_assert_int_eq(run(1), ERR_NONE);
    ck_assert(span_equal(identity_cluster_id(check), span_text(id)));
    ck_assert(span_is_null(world_file(world, IDENTITY_FILE ".part")));
    identity_check_free(check);
}
END_TEST

START_TEST(an_identity_is_durable_when_it_is_reported)
{
    for (uint64_t seed = 0; seed < 40; seed++) {
        char id[IDENTITY_CLUSTER_ID_MAX + 1] = "";
        world_free(world);
        world = world_new(seed);
        io = world_boot_io(world);
        ck_assert_int_eq(run(1), ERR_NONE);
        memcpy(id, identity_cluster_id(check).data, identity_cluster_id(check).length);
        restart();
        ck_assert_int_eq(run(1), ERR_NONE);
        ck_assert_msg(span_equal(identity_cluster_id(check), span_text(id)), "seed %d", (int)seed);
    }
}
END_TEST

START_TEST(an_end_at_any_effect_is_mended_by_the_next_start)
{
    for (uint64_t effects = 0; effects < 16; effects++) {
        for (uint64_t seed = 0; seed < 8; seed++) {
            world_free(world);
            world = world_new(seed);
            io = world_boot_io(world);
            world_allow(world, effects);
            (void)run(1);
            restart();
            world_allow(world, UINT64_MAX);
            ck_assert_int_eq(run(1), ERR_NONE);
        }
    }
}
END_TEST

START_TEST(a_new_folder_joins_the_cluster_of_the_others)
{
    world_put_file(world, IDENTITY_FILE, SPAN(GOOD));
    ck_assert_int_eq(run(2), ERR_NONE);
    ck_assert(span_equal(identity_cluster_id(check), SPAN("AAAAAAAAAAAAAAAAAAAAAA")));
    restart();
    ck_assert_int_eq(run(2), ERR_NONE);
    /* The second folder stays where it belongs. */
    world_put_file(world, IDENTITY_FILE, SPAN(OTHER_CLUSTER));
    ck_assert_int_ne(run(2), ERR_NONE);
    ck_assert(world_logged(world, "/data/two/meta.properties"));
    ck_assert(world_logged(world, "another cluster"));
}
END_TEST

START_TEST(a_folder_of_another_node_is_refused)
{
    world_put_file(world, IDENTITY_FILE,
                   SPAN("cluster.id=x\ndirectory.id=QUFBQUFBQUFBQUFBQUFBQQ\nnode.id=8\nversion=1"));
    ck_assert_int_ne(run(1), ERR_NONE);
    ck_assert(world_logged(world, "/data/one/meta.properties"));
    ck_assert(world_logged(world, "another node.id"));
    ck_assert(world_logged(world, "mend="));
}
END_TEST

START_TEST(a_folder_with_files_but_without_identity_is_refused)
{
    world_put_file(world, "holiday.jpg", SPAN("x"));
    ck_assert_int_ne(run(1), ERR_NONE);
    ck_assert(world_logged(world, "not empty"));
    ck_assert(span_is_null(world_file(world, IDENTITY_FILE)));
}
END_TEST

START_TEST(a_file_that_cannot_be_read_is_refused)
{
    world_put_file(world, IDENTITY_FILE, SPAN(GOOD));
    world_fail(world, EFFECT_READ, IDENTITY_FILE, 0, 1, ERR_IO, 0);
    ck_assert_int_ne(run(1), ERR_NONE);
    ck_assert(world_logged(world, "operation=read"));
    world_fail(world, EFFECT_OPEN, IDENTITY_FILE, 0, 1, ERR_IO, 0);
    ck_assert_int_ne(run(1), ERR_NONE);
    ck_assert(world_logged(world, "operation=open"));
}
END_TEST

static const enum effect_kind steps[] = {EFFECT_OPEN, EFFECT_WRITE, EFFECT_SYNC, EFFECT_RENAME,
                                         EFFECT_SYNC_FOLDER};

START_TEST(a_folder_that_cannot_be_written_is_refused)
{
    const uint32_t skip = steps[_i] == EFFECT_OPEN ? 1 : 0;
    world_fail(world, steps[_i], NULL, skip, 1, ERR_NO_SPACE, 0);
    ck_assert_int_eq(run(1), ERR_NO_SPACE);
    ck_assert(world_logged(world, "NO_SPACE"));
    ck_assert_int_eq(run(1), ERR_NONE);
}
END_TEST

START_TEST(a_node_of_a_cluster_is_not_formatted_by_itself)
{
    const struct identity_wish wish = {.node_id = 7};
    ck_assert_int_ne(run_for(1, &wish), ERR_NONE);
    ck_assert(world_logged(world, "run chronik format"));
    ck_assert(span_is_null(world_file(world, IDENTITY_FILE)));
    world_put_file(world, IDENTITY_FILE, SPAN(GOOD));
    ck_assert_int_eq(run_for(1, &wish), ERR_NONE);
    ck_assert(!identity_was_new(check, 0));
    ck_assert_int_ne(run_for(2, &wish), ERR_NONE);
    ck_assert(world_logged(world, "/data/two/meta.properties"));
}
END_TEST

START_TEST(all_folders_are_formatted_or_none)
{
    struct identity_wish wish = {
        .node_id = 7, .cluster_id = SPAN("mine"), .formats = true, .all_new = true};
    ck_assert_int_eq(run_for(2, &wish), ERR_NONE);
    ck_assert(identity_was_new(check, 0) && identity_was_new(check, 1));
    ck_assert(span_equal(identity_cluster_id(check), SPAN("mine")));
    ck_assert_int_ne(run_for(2, &wish), ERR_NONE);
    ck_assert(world_logged(world, "formatted already"));
    wish.all_new = false;
    ck_assert_int_eq(run_for(2, &wish), ERR_NONE);
    ck_assert(!identity_was_new(check, 0));
    wish.cluster_id = SPAN("another");
    ck_assert_int_ne(run_for(2, &wish), ERR_NONE);
    ck_assert(world_logged(world, "it belongs to another cluster\""));
}
END_TEST

START_TEST(a_cluster_has_a_sound_id)
{
    static const struct {
        struct span id;
        bool is_sound;
    } ids[] = {
        {SPAN("AAAAAAAAAAAAAAAAAAAAAA"), true},
        {SPAN("my-cluster"), true},
        {SPAN(""), false},
        {SPAN("a b"), false},
        {SPAN("a\\b"), false},
        {SPAN("a\n"), false},
        {SPAN("0123456789012345678901234567890123456789012345678901234567890123"), true},
        {SPAN("01234567890123456789012345678901234567890123456789012345678901234"), false},
    };
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
        ck_assert_int_eq(identity_cluster_id_is_sound(ids[i].id), ids[i].is_sound);
}
END_TEST

SUITE(identity)
{
    TCase *tcase = tcase_create("identity");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, files_are_read, 0, sizeof(texts) / sizeof(texts[0]));
    tcase_add_test(tcase, a_file_comes_back_as_it_was);
    tcase_add_test(tcase, an_empty_folder_is_given_an_identity_that_lasts);
    tcase_add_test(tcase, an_identity_is_durable_when_it_is_reported);
    tcase_add_test(tcase, an_end_at_any_effect_is_mended_by_the_next_start);
    tcase_add_test(tcase, a_new_folder_joins_the_cluster_of_the_others);
    tcase_add_test(tcase, a_folder_of_another_node_is_refused);
    tcase_add_test(tcase, a_folder_with_files_but_without_identity_is_refused);
    tcase_add_test(tcase, a_file_that_cannot_be_read_is_refused);
    tcase_add_loop_test(tcase, a_folder_that_cannot_be_written_is_refused, 0,
                        sizeof(steps) / sizeof(steps[0]));
    tcase_add_test(tcase, a_node_of_a_cluster_is_not_formatted_by_itself);
    tcase_add_test(tcase, all_folders_are_formatted_or_none);
    tcase_add_test(tcase, a_cluster_has_a_sound_id);
    suite_add_tcase(suite, tcase);
}
