/* SPDX-License-Identifier: Apache-2.0 */
/* What a shard writes, and what comes back from it. */
#include "tests/core/coord/story.h"
#include "tests/support/runner.h"

/* clang-format off: a line of a story is a line here. */
static const struct story_row stories[] = {
    {"commits are seen when they are safe",
     "hold\n"
     "commit z t-0=5:note t-1=7\n"
     "offsets\n"
     "  t-0 pending 1\n"
     "  t-1 pending 1\n"
     "commit z t-0=6\n"
     "offsets\n"
     "  t-0 pending 2\n"
     "  t-1 pending 1\n"
     "stored\n"
     "  z committed: t-0 t-1\n"
     "offsets\n"
     "  t-0 = 5 \"note\" pending 1\n"
     "  t-1 = 7 \"\"\n"
     "stored\n"
     "  z committed: t-0\n"
     "offsets\n"
     "  t-0 = 6 \"\"\n"
     "  t-1 = 7 \"\"\n"},

    {"what happens in one turn shares a batch",
     "join a v=3\n"
     "+3000\n"
     "  a joined: gen 1 range leader a1 id a1 members a1()\n"
     "sync a assign=a1:p0 ; commit z t-9=9 gen=1\n"
     "  z commit: UNKNOWN_MEMBER_ID\n"
     "  a synced: range \"p0\"\n"
     "commit a t-0=5 t-1=7 ; commit a u-0=1:x ; leave a\n"
     "  a leave: NONE\n"
     "  a committed: t-0 t-1\n"
     "  a committed: u-0\n"
     "log\n"
     "  batch\n"
     "  0 g gen 1 range a1*=p0\n"
     "  batch\n"
     "  1 g t-0 = 5 \"\"\n"
     "  2 g t-1 = 7 \"\"\n"
     "  3 g u-0 = 1 \"x\"\n"
     "  4 g gen 2 -\n"},

    {"a note that is too long is refused alone, another comes back as it went",
     "commit z t-0=5:12345678 t-1=7:123456789 t-2=8:ü€\n"
     "  z committed: t-0 t-1 OFFSET_METADATA_TOO_LARGE t-2\n"
     "offsets\n"
     "  t-0 = 5 \"12345678\"\n"
     "  t-2 = 8 \"ü€\"\n"
     "commit z t-0=6:123456789\n"
     "  z committed: t-0 OFFSET_METADATA_TOO_LARGE\n"
     "offsets\n"
     "  t-0 = 5 \"12345678\"\n"
     "  t-2 = 8 \"ü€\"\n"},

    {"a commit that is larger than a batch may be is refused as a whole",
     "batch 120\n"
     "commit z t-0=1:a t-1=2:b\n"
     "  z committed: t-0 INVALID_COMMIT_OFFSET_SIZE t-1 INVALID_COMMIT_OFFSET_SIZE\n"
     "offsets\n"
     "commit z t-0=1:a\n"
     "  z committed: t-0\n"
     "offsets\n"
     "  t-0 = 1 \"a\"\n"},

    {"what a turn brings is spread over batches when it is too large for one",
     "batch 200\n"
     "hold\n"
     "commit z t-0=1 t-1=1 ; commit z t-0=2 t-1=2 ; commit z t-2=3\n"
     "log\n"
     "  batch\n"
     "  0 g t-0 = 1 \"\"\n"
     "  1 g t-1 = 1 \"\"\n"
     "  batch\n"
     "  2 g t-0 = 2 \"\"\n"
     "  3 g t-1 = 2 \"\"\n"
     "  4 g t-2 = 3 \"\"\n"
     "stored\n"
     "  z committed: t-0 t-1\n"
     "stored\n"
     "  z committed: t-0 t-1\n"
     "  z committed: t-2\n"
     "offsets\n"
     "  t-0 = 2 \"\"\n"
     "  t-1 = 2 \"\"\n"
     "  t-2 = 3 \"\"\n"},

    {"commits in another generation are refused",
     "join a v=3\n"
     "commit z t-0=1 gen=-1\n"
     "  z commit: UNKNOWN_MEMBER_ID\n"
     "+3000\n"
     "  a joined: gen 1 range leader a1 id a1 members a1()\n"
     "commit a t-0=1\n"
     "  a commit: REBALANCE_IN_PROGRESS\n"
     "sync a assign=a1:p0\n"
     "  a synced: range \"p0\"\n"
     "commit a t-0=2\n"
     "  a committed: t-0\n"
     "commit a t-0=3 gen=0\n"
     "  a commit: ILLEGAL_GENERATION\n"
     "join b v=3\n"
     "commit a t-0=4\n"
     "  a committed: t-0\n"
     "offsets\n"
     "  t-0 = 4 \"\"\n"},

    {"everything comes back from the records",
     "join a v=3 protocols=range:ta\n"
     "join b v=5 instance=two protocols=range:tb\n"
     "+6000\n"
     "  a joined: gen 1 range leader a1 id a1 members a1(ta) b1(tb)\n"
     "  b joined: gen 1 range leader a1 id b1\n"
     "sync a assign=a1:p0,b1:p1\n"
     "  a synced: range \"p0\"\n"
     "sync b\n"
     "  b synced: range \"p1\"\n"
     "commit a t-0=5:note\n"
     "  a committed: t-0\n"
     "commit b t-1=6\n"
     "  b committed: t-1\n"
     "reload\n"
     "state\n"
     "  Stable gen 1 range a1*=p0 b1=p1\n"
     "offsets\n"
     "  t-0 = 5 \"note\"\n"
     "  t-1 = 6 \"\"\n"
     "beat a\n"
     "  a beat: NONE\n"
     "sync b instance=two\n"
     "  b synced: range \"p1\"\n"
     "join a protocols=range:ta\n"
     "join b instance=two protocols=range:tb\n"
     "  a joined: gen 2 range leader a1 id a1 members a1(ta) b1(tb)\n"
     "  b joined: gen 2 range leader a1 id b1\n"},

    {"members that are gone after a reload time out",
     "join a v=3 session=10000\n"
     "join b v=3 session=20000\n"
     "+6000\n"
     "  a joined: gen 1 range leader a1 id a1 members a1() b1()\n"
     "  b joined: gen 1 range leader a1 id b1\n"
     "sync a assign=a1:p0,b1:p1\n"
     "  a synced: range \"p0\"\n"
     "sync b\n"
     "  b synced: range \"p1\"\n"
     "reload\n"
     "+9999\n"
     "state\n"
     "  Stable gen 1 range a1*=p0 b1=p1\n"
     "+1\n"
     "state\n"
     "  PreparingRebalance gen 1 range b1*=p1\n"
     "+10000\n"
     "state\n"
     "  Empty gen 2\n"
     "log\n"
     "  batch\n"
     "  0 g gen 1 range a1*=p0 b1=p1\n"
     "  batch\n"
     "  1 g gen 2 -\n"},

    {"a reload while a generation forms goes back to the last one that was stored",
     "join a v=3\n"
     "+3000\n"
     "  a joined: gen 1 range leader a1 id a1 members a1()\n"
     "sync a assign=a1:p0\n"
     "  a synced: range \"p0\"\n"
     "join b v=3\n"
     "join a\n"
     "  a joined: gen 2 range leader a1 id a1 members a1() b1()\n"
     "  b joined: gen 2 range leader a1 id b1\n"
     "beat a\n"
     "  a beat: NONE\n"
     "reload\n"
     "state\n"
     "  Stable gen 1 range a1*=p0\n"
     "beat a\n"
     "  a beat: ILLEGAL_GENERATION\n"
     "beat a gen=1\n"
     "  a beat: NONE\n"
     "beat b\n"
     "  b beat: UNKNOWN_MEMBER_ID\n"},

    {"whoever waits is sent away when the coordinator moves",
     "hold\n"
     "join a v=3\n"
     "join b v=3\n"
     "+6000\n"
     "  a joined: gen 1 range leader a1 id a1 members a1() b1()\n"
     "  b joined: gen 1 range leader a1 id b1\n"
     "sync b\n"
     "sync a assign=a1:p0,b1:p1\n"
     "reload\n"
     "  a sync: NOT_COORDINATOR\n"
     "  b sync: NOT_COORDINATOR\n"
     "state\n"
     "  Stable gen 1 range a1*=p0 b1=p1\n"},

    {"a parked JoinGroup and a commit are sent away when the coordinator moves",
     "join a v=3\n"
     "+3000\n"
     "  a joined: gen 1 range leader a1 id a1 members a1()\n"
     "sync a assign=a1:x\n"
     "  a synced: range \"x\"\n"
     "hold\n"
     "commit a t-0=5\n"
     "join b v=3\n"
     "reload\n"
     "  b join: NOT_COORDINATOR -\n"
     "  a committed: t-0 NOT_COORDINATOR\n"
     "offsets\n"
     "  t-0 = 5 \"\"\n"},

    {"a group above its limit after a reload rebalances",
     "join a v=3\n"
     "join b v=3\n"
     "+6000\n"
     "  a joined: gen 1 range leader a1 id a1 members a1() b1()\n"
     "  b joined: gen 1 range leader a1 id b1\n"
     "sync a assign=a1:p0,b1:p1\n"
     "  a synced: range \"p0\"\n"
     "sync b\n"
     "  b synced: range \"p1\"\n"
     "max 1\n"
     "reload\n"
     "state\n"
     "  PreparingRebalance gen 1 range a1*=p0 b1=p1\n"},

    {"offsets of an empty group expire after the retention, and then the group",
     "join a v=3\n"
     "+3000\n"
     "  a joined: gen 1 range leader a1 id a1 members a1()\n"
     "sync a assign=a1:p0\n"
     "  a synced: range \"p0\"\n"
     "commit a t-0=5 t-1=6\n"
     "  a committed: t-0 t-1\n"
     "+5000\n"
     "leave a\n"
     "  a leave: NONE\n"
     "log\n"
     "  batch\n"
     "  0 g gen 1 range a1*=p0\n"
     "  batch\n"
     "  1 g t-0 = 5 \"\"\n"
     "  2 g t-1 = 6 \"\"\n"
     "  batch\n"
     "  3 g gen 2 -\n"
     "+999999\n"
     "offsets\n"
     "  t-0 = 5 \"\"\n"
     "  t-1 = 6 \"\"\n"
     "+1\n"
     "offsets\n"
     "log\n"
     "  batch\n"
     "  4 g t-1 gone\n"
     "  5 g t-0 gone\n"
     "  6 g gone\n"
     "state\n"
     "  none\n"},

    {"a group that is in use keeps its offsets",
     "join a v=3 session=1800000\n"
     "+3000\n"
     "  a joined: gen 1 range leader a1 id a1 members a1()\n"
     "sync a assign=a1:p0\n"
     "  a synced: range \"p0\"\n"
     "commit a t-0=5\n"
     "  a committed: t-0\n"
     "+1700000\n"
     "beat a\n"
     "  a beat: NONE\n"
     "+1700000\n"
     "offsets\n"
     "  t-0 = 5 \"\"\n"},

    {"offsets of a simple group expire each after its own commit",
     "commit z t-0=5\n"
     "  z committed: t-0\n"
     "+500000\n"
     "commit z t-1=6\n"
     "  z committed: t-1\n"
     "+500000\n"
     "offsets\n"
     "  t-1 = 6 \"\"\n"
     "+499999\n"
     "offsets\n"
     "  t-1 = 6 \"\"\n"
     "+1\n"
     "offsets\n"
     "state\n"
     "  none\n"},

    {"a commit may bring its own expiry",
     "commit z t-0=5 expire=20000\n"
     "  z committed: t-0\n"
     "commit z t-1=5\n"
     "  z committed: t-1\n"
     "+19999\n"
     "offsets\n"
     "  t-0 = 5 \"\"\n"
     "  t-1 = 5 \"\"\n"
     "+1\n"
     "offsets\n"
     "  t-1 = 5 \"\"\n"},

    {"offsets do not expire while a commit is under way",
     "commit z t-0=5\n"
     "  z committed: t-0\n"
     "+999999\n"
     "hold\n"
     "commit z t-0=6\n"
     "+1\n"
     "offsets\n"
     "  t-0 = 5 \"\" pending 1\n"
     "stored\n"
     "  z committed: t-0\n"
     "offsets\n"
     "  t-0 = 6 \"\"\n"},

    {"what would expire is looked at again after a reload",
     "commit z t-0=5\n"
     "  z committed: t-0\n"
     "+600000\n"
     "reload\n"
     "+399999\n"
     "offsets\n"
     "  t-0 = 5 \"\"\n"
     "+10000\n"
     "offsets\n"
     "log\n"
     "  batch\n"
     "  0 g t-0 = 5 \"\"\n"
     "  batch\n"
     "  1 g t-0 gone\n"},

    {"a group without anything goes after a while",
     "join a\n"
     "  a join: MEMBER_ID_REQUIRED a1\n"
     "+10000\n"
     "state\n"
     "  Empty gen 0\n"
     "+10000\n"
     "state\n"
     "  none\n"},

    {"deleting a group deletes its offsets",
     "commit z t-0=5 t-1=6 u-0=7\n"
     "  z committed: t-0 t-1 u-0\n"
     "join a v=3\n"
     "delete\n"
     "  delete: NON_EMPTY_GROUP\n"
     "+3000\n"
     "  a joined: gen 1 range leader a1 id a1 members a1()\n"
     "sync a assign=a1:p0\n"
     "  a synced: range \"p0\"\n"
     "delete\n"
     "  delete: NON_EMPTY_GROUP\n"
     "leave a\n"
     "  a leave: NONE\n"
     "log\n"
     "  batch\n"
     "  0 g t-0 = 5 \"\"\n"
     "  1 g t-1 = 6 \"\"\n"
     "  2 g u-0 = 7 \"\"\n"
     "  batch\n"
     "  3 g gen 1 range a1*=p0\n"
     "  batch\n"
     "  4 g gen 2 -\n"
     "delete\n"
     "  delete: NONE\n"
     "state\n"
     "  none\n"
     "delete\n"
     "  delete: GROUP_ID_NOT_FOUND\n"
     "log\n"
     "  batch\n"
     "  5 g t-1 gone\n"
     "  6 g t-0 gone\n"
     "  7 g u-0 gone\n"
     "  8 g gone\n"
     "reload\n"
     "state\n"
     "  none\n"},

    {"deleting a group overtakes a commit that is not safe yet",
     "hold\n"
     "commit z t-0=5\n"
     "delete\n"
     "  delete: NONE\n"
     "stored\n"
     "  z committed: t-0\n"
     "stored\n"
     "reload\n"
     "offsets\n"
     "state\n"
     "  none\n"},

    {"a group that was deleted can begin anew",
     "commit z t-0=5\n"
     "  z committed: t-0\n"
     "delete\n"
     "  delete: NONE\n"
     "commit z t-0=9\n"
     "  z committed: t-0\n"
     "reload\n"
     "offsets\n"
     "  t-0 = 9 \"\"\n"},

    {"a deleted topic takes its offsets with it",
     "commit z t-0=5 t-1=6 u-0=7\n"
     "  z committed: t-0 t-1 u-0\n"
     "forget t\n"
     "offsets\n"
     "  u-0 = 7 \"\"\n"
     "forget x\n"
     "reload\n"
     "offsets\n"
     "  u-0 = 7 \"\"\n"},

    {"an assignment that is too large for the log starts another rebalance",
     "batch 240\n"
     "join a v=3\n"
     "+3000\n"
     "  a joined: gen 1 range leader a1 id a1 members a1()\n"
     "sync a assign=a1:01234567890123456789012345678901234567890123456789\n"
     "  a sync: UNKNOWN_SERVER_ERROR\n"
     "state\n"
     "  PreparingRebalance gen 1 range a1*\n"
     "join a\n"
     "  a joined: gen 2 range leader a1 id a1 members a1()\n"
     "sync a assign=a1:small\n"
     "  a synced: range \"small\"\n"},
};
/* clang-format on */

START_TEST(story)
{
    story_check(&stories[_i]);
}
END_TEST

SUITE(shard)
{
    TCase *tcase = tcase_create("stories");
    tcase_add_loop_test(tcase, story, 0, sizeof(stories) / sizeof(*stories));
    suite_add_tcase(suite, tcase);
}
