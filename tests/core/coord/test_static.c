/* SPDX-License-Identifier: Apache-2.0 */
/* Members that keep their place while they are away (KIP-345). */
#include "tests/core/coord/story.h"
#include "tests/support/runner.h"

/* clang-format off: a line of a story is a line here. */
static const struct story_row stories[] = {
    {"a static member comes back without a rebalance",
     "join a v=5 instance=one\n"
     "join b v=5 instance=two\n"
     "+6000\n"
     "  a joined: gen 1 range leader a1 id a1 members a1() b1()\n"
     "  b joined: gen 1 range leader a1 id b1\n"
     "sync a assign=a1:p0,b1:p1\n"
     "  a synced: range \"p0\"\n"
     "sync b\n"
     "  b synced: range \"p1\"\n"
     "join b id=- instance=two\n"
     "  b joined: gen 1 range leader a1 id b2\n"
     "beat b id=b1 instance=two\n"
     "  b beat: FENCED_INSTANCE_ID\n"
     "beat b id=b1\n"
     "  b beat: UNKNOWN_MEMBER_ID\n"
     "sync b\n"
     "  b synced: range \"p1\"\n"
     "sync b id=b1 instance=two gen=1\n"
     "  b sync: FENCED_INSTANCE_ID\n"
     "state\n"
     "  Stable gen 1 range a1*=p0 b2=p1\n"},

    {"a static leader comes back: an old client follows, a new one may skip the assignment",
     "join a v=5 instance=one protocols=range:t\n"
     "join b v=5 instance=two protocols=range:u\n"
     "+6000\n"
     "  a joined: gen 1 range leader a1 id a1 members a1(t) b1(u)\n"
     "  b joined: gen 1 range leader a1 id b1\n"
     "sync a assign=a1:p0,b1:p1\n"
     "  a synced: range \"p0\"\n"
     "sync b\n"
     "  b synced: range \"p1\"\n"
     "join a id=- v=5 instance=one protocols=range:t\n"
     "  a joined: gen 1 range leader a1 id a2\n"
     "sync a\n"
     "  a synced: range \"p0\"\n"
     "join a id=- v=9 instance=one protocols=range:t\n"
     "  a joined: gen 1 range leader a3 id a3 members b1(u) a3(t) skip\n"
     "join b id=- v=9 instance=two protocols=range:u\n"
     "  b joined: gen 1 range leader a3 id b2\n"},

    {"a static member that comes back with another protocol starts a rebalance",
     "join a v=5 instance=one protocols=range,sticky\n"
     "join b v=5 instance=two protocols=range,sticky\n"
     "+6000\n"
     "  a joined: gen 1 range leader a1 id a1 members a1() b1()\n"
     "  b joined: gen 1 range leader a1 id b1\n"
     "sync a assign=a1:p0,b1:p1\n"
     "  a synced: range \"p0\"\n"
     "sync b\n"
     "  b synced: range \"p1\"\n"
     "join b id=- instance=two protocols=sticky\n"
     "join a instance=one protocols=range,sticky\n"
     "  a joined: gen 2 sticky leader a1 id a1 members a1() b2()\n"
     "  b joined: gen 2 sticky leader a1 id b2\n"},

    {"a static member that comes back while completing starts another rebalance",
     "join a v=5 instance=one\n"
     "join b v=5 instance=two\n"
     "+6000\n"
     "  a joined: gen 1 range leader a1 id a1 members a1() b1()\n"
     "  b joined: gen 1 range leader a1 id b1\n"
     "sync b\n"
     "join b id=- instance=two\n"
     "  b sync: FENCED_INSTANCE_ID\n"
     "join a instance=one\n"
     "  a joined: gen 2 range leader a1 id a1 members a1() b2()\n"
     "  b joined: gen 2 range leader a1 id b2\n"},

    {"a static member that comes back while preparing fences the one that waits",
     "join a v=5 instance=one\n"
     "join b v=5 instance=two\n"
     "+3000\n"
     "join b id=- instance=two\n"
     "  b join: FENCED_INSTANCE_ID b1\n"
     "+3000\n"
     "  a joined: gen 1 range leader a1 id a1 members a1() b2()\n"
     "  b joined: gen 1 range leader a1 id b2\n"
     "state\n"
     "  CompletingRebalance gen 1 range a1* b2\n"},

    {"a static member's return that cannot be stored is told so",
     "hold\n"
     "join a v=9 instance=one\n"
     "+3000\n"
     "  a joined: gen 1 range leader a1 id a1 members a1()\n"
     "sync a assign=a1:p0\n"
     "stored\n"
     "  a synced: range \"p0\"\n"
     "join a id=- v=9 instance=one\n"
     "lost NOT_COORDINATOR\n"
     "  a join: NOT_COORDINATOR -\n"
     "join a id=- v=9 instance=one\n"
     "stored\n"
     "stored\n"
     "  a joined: gen 1 range leader a2 id a2 members a2() skip\n"
     "sync a\n"
     "  a synced: range \"p0\"\n"},

    {"a static member that comes back still has to sync",
     "join a v=5 instance=one rebalance=20000 session=90000\n"
     "join b v=5 instance=two rebalance=20000 session=90000\n"
     "+6000\n"
     "  a joined: gen 1 range leader a1 id a1 members a1() b1()\n"
     "  b joined: gen 1 range leader a1 id b1\n"
     "sync a assign=a1:p0,b1:p1\n"
     "  a synced: range \"p0\"\n"
     "+5000\n"
     "join b id=- instance=two rebalance=20000 session=90000\n"
     "  b joined: gen 1 range leader a1 id b2\n"
     "+14999\n"
     "state\n"
     "  Stable gen 1 range a1*=p0 b2=p1\n"
     "+1\n"
     "state\n"
     "  PreparingRebalance gen 1 range a1*=p0\n"},

    {"a rebalance overtakes a static member's return",
     "hold\n"
     "join a v=5 instance=one\n"
     "join b v=5 instance=two\n"
     "+6000\n"
     "  a joined: gen 1 range leader a1 id a1 members a1() b1()\n"
     "  b joined: gen 1 range leader a1 id b1\n"
     "sync a assign=a1:p0,b1:p1\n"
     "sync b\n"
     "stored\n"
     "  a synced: range \"p0\"\n"
     "  b synced: range \"p1\"\n"
     "join b id=- instance=two\n"
     "join c v=3\n"
     "stored\n"
     "join a instance=one\n"
     "  a joined: gen 2 range leader a1 id a1 members a1() b2() c1()\n"
     "  b joined: gen 2 range leader a1 id b2\n"
     "  c joined: gen 2 range leader a1 id c1\n"},

    {"static members that stay away keep their place until their session ends",
     "join a v=5 instance=one rebalance=5000 session=30000\n"
     "join b v=5 instance=two rebalance=5000 session=30000\n"
     "+6000\n"
     "  a joined: gen 1 range leader a1 id a1 members a1() b1()\n"
     "  b joined: gen 1 range leader a1 id b1\n"
     "sync a assign=a1:p0,b1:p1\n"
     "  a synced: range \"p0\"\n"
     "sync b\n"
     "  b synced: range \"p1\"\n"
     "join a instance=one rebalance=5000 session=30000\n"
     "+5000\n"
     "  a joined: gen 2 range leader a1 id a1 members a1() b1()\n"
     "state\n"
     "  CompletingRebalance gen 2 range a1*=p0 b1=p1\n"
     "sync a assign=a1:p0,b1:p1\n"
     "  a synced: range \"p0\"\n"
     "+25000\n"
     "state\n"
     "  PreparingRebalance gen 2 range a1*=p0\n"},

    {"no static member joins again: the group waits for their sessions to end",
     "join a v=5 instance=one rebalance=5000 session=30000\n"
     "join b v=3 rebalance=5000 session=30000\n"
     "+6000\n"
     "  a joined: gen 1 range leader a1 id a1 members a1() b1()\n"
     "  b joined: gen 1 range leader a1 id b1\n"
     "sync a assign=a1:p0,b1:p1\n"
     "  a synced: range \"p0\"\n"
     "sync b\n"
     "  b synced: range \"p1\"\n"
     "leave b\n"
     "  b leave: NONE\n"
     "state\n"
     "  PreparingRebalance gen 1 range a1*=p0\n"
     "+5000\n"
     "state\n"
     "  PreparingRebalance gen 1 range a1*=p0\n"
     "+25000\n"
     "state\n"
     "  Empty gen 2\n"},
};
/* clang-format on */

START_TEST(story)
{
    story_check(&stories[_i]);
}
END_TEST

SUITE(static_members)
{
    TCase *tcase = tcase_create("stories");
    tcase_add_loop_test(tcase, story, 0, sizeof(stories) / sizeof(*stories));
    suite_add_tcase(suite, tcase);
}
