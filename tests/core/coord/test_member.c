/* SPDX-License-Identifier: Apache-2.0 */
/* Leaving, what is refused, limits, and who may commit. */
#include "tests/core/coord/story.h"
#include "tests/support/runner.h"

/* clang-format off: a line of a story is a line here. */
static const struct story_row stories[] = {
    {"members leave, several at once",
     "join a v=3\n"
     "join b v=5 instance=two\n"
     "join c v=3\n"
     "join d v=5 instance=four\n"
     "+6000\n"
     "  a joined: gen 1 range leader a1 id a1 members a1() b1() c1() d1()\n"
     "  b joined: gen 1 range leader a1 id b1\n"
     "  c joined: gen 1 range leader a1 id c1\n"
     "  d joined: gen 1 range leader a1 id d1\n"
     "leave instance=two c instance=nobody d\n"
     "  two leave: NONE\n"
     "  c leave: NONE\n"
     "  nobody leave: UNKNOWN_MEMBER_ID\n"
     "  d leave: NONE\n"
     "state\n"
     "  PreparingRebalance gen 1 range a1*\n"
     "join a\n"
     "  a joined: gen 2 range leader a1 id a1 members a1()\n"
     "leave a\n"
     "  a leave: NONE\n"
     "state\n"
     "  Empty gen 3\n"},

    {"an id that was given out can leave", "join a\n"
                                           "  a join: MEMBER_ID_REQUIRED a1\n"
                                           "leave a\n"
                                           "  a leave: NONE\n"
                                           "state\n"
                                           "  Empty gen 0\n"},

    {"a parked member is answered when it is removed",
     "join a v=3\n"
     "join b v=5 instance=two\n"
     "+1000\n"
     "leave instance=two\n"
     "  b join: UNKNOWN_MEMBER_ID -\n"
     "  two leave: NONE\n"
     "+5000\n"
     "  a joined: gen 1 range leader a1 id a1 members a1()\n"},

    {"stale generations and strangers are refused",
     "join a v=3\n"
     "+3000\n"
     "  a joined: gen 1 range leader a1 id a1 members a1()\n"
     "sync a assign=a1:p0\n"
     "  a synced: range \"p0\"\n"
     "beat a gen=0\n"
     "  a beat: ILLEGAL_GENERATION\n"
     "beat a gen=2\n"
     "  a beat: ILLEGAL_GENERATION\n"
     "beat a id=x\n"
     "  a beat: UNKNOWN_MEMBER_ID\n"
     "sync a gen=0\n"
     "  a sync: ILLEGAL_GENERATION\n"
     "sync a id=x\n"
     "  a sync: UNKNOWN_MEMBER_ID\n"
     "join a id=x\n"
     "  a join: UNKNOWN_MEMBER_ID a2\n"
     "may a commit gen=0\n"
     "  a commit: ILLEGAL_GENERATION\n"
     "may a commit id=x\n"
     "  a commit: UNKNOWN_MEMBER_ID\n"
     "leave b\n"
     "  b leave: UNKNOWN_MEMBER_ID\n"},

    {"SyncGroup before the generation is formed",
     "join a v=3\n"
     "+1000\n"
     "sync a id=x gen=0\n"
     "  a sync: UNKNOWN_MEMBER_ID\n"
     "+2000\n"
     "  a joined: gen 1 range leader a1 id a1 members a1()\n"
     "join b v=3\n"
     "sync a\n"
     "  a sync: REBALANCE_IN_PROGRESS\n"},

    {"protocols have to fit", "join a v=3 protocols=range,sticky\n"
                              "join b v=3 protocols=sticky,other\n"
                              "join c v=3 protocols=other\n"
                              "  c join: INCONSISTENT_GROUP_PROTOCOL -\n"
                              "join d v=3 type=connect protocols=range\n"
                              "  d join: INCONSISTENT_GROUP_PROTOCOL -\n"
                              "+6000\n"
                              "  a joined: gen 1 sticky leader a1 id a1 members a1() b1()\n"
                              "  b joined: gen 1 sticky leader a1 id b1\n"
                              "sync a protocol=range\n"
                              "  a sync: INCONSISTENT_GROUP_PROTOCOL\n"
                              "sync a type=connect\n"
                              "  a sync: INCONSISTENT_GROUP_PROTOCOL\n"
                              "sync a type=consumer protocol=sticky assign=a1:x\n"
                              "  a synced: sticky \"x\"\n"},

    {"a group needs a protocol and its type", "join a v=3 protocols=\n"
                                              "  a join: INCONSISTENT_GROUP_PROTOCOL -\n"
                                              "join b v=3 type=\n"
                                              "  b join: INCONSISTENT_GROUP_PROTOCOL -\n"
                                              "state\n"
                                              "  Empty gen 0\n"},

    {"the preferred protocol has the most votes",
     "join a v=3 protocols=range,sticky\n"
     "join b v=3 protocols=sticky,range\n"
     "join c v=3 protocols=sticky,range\n"
     "+6000\n"
     "  a joined: gen 1 sticky leader a1 id a1 members a1() b1() c1()\n"
     "  b joined: gen 1 sticky leader a1 id b1\n"
     "  c joined: gen 1 sticky leader a1 id c1\n"},

    {"votes that are equal go the first member's way",
     "join a v=3 protocols=sticky,range\n"
     "join b v=3 protocols=range,sticky\n"
     "+6000\n"
     "  a joined: gen 1 sticky leader a1 id a1 members a1() b1()\n"
     "  b joined: gen 1 sticky leader a1 id b1\n"},

    {"session timeouts have bounds", "join a v=3 session=5999\n"
                                     "  a join: INVALID_SESSION_TIMEOUT\n"
                                     "join b v=3 session=1800001\n"
                                     "  b join: INVALID_SESSION_TIMEOUT\n"
                                     "join c v=3 session=1800000\n"},

    {"a full group refuses newcomers", "max 2\n"
                                       "join a v=3\n"
                                       "join b v=3\n"
                                       "join c v=3\n"
                                       "  c join: GROUP_MAX_SIZE_REACHED -\n"
                                       "+6000\n"
                                       "  a joined: gen 1 range leader a1 id a1 members a1() b1()\n"
                                       "  b joined: gen 1 range leader a1 id b1\n"
                                       "join c v=3\n"
                                       "  c join: GROUP_MAX_SIZE_REACHED -\n"
                                       "sync a assign=a1:x\n"
                                       "  a synced: range \"x\"\n"
                                       "join a\n"
                                       "join c\n"
                                       "  c join: MEMBER_ID_REQUIRED c1\n"
                                       "state\n"
                                       "  PreparingRebalance gen 1 range a1*=x b1 pending 1\n"},

    {"a full group still lets in who waits already",
     "max 1\n"
     "join a\n"
     "  a join: MEMBER_ID_REQUIRED a1\n"
     "join a\n"
     "join a\n"
     "  a join: REBALANCE_IN_PROGRESS a1\n"
     "join b v=3\n"
     "  b join: GROUP_MAX_SIZE_REACHED -\n"
     "+3000\n"
     "  a joined: gen 1 range leader a1 id a1 members a1()\n"},

    {"a group above its limit lets go of the last that join again",
     "join a v=3\n"
     "join b v=3\n"
     "join c v=3\n"
     "+6000\n"
     "  a joined: gen 1 range leader a1 id a1 members a1() b1() c1()\n"
     "  b joined: gen 1 range leader a1 id b1\n"
     "  c joined: gen 1 range leader a1 id c1\n"
     "sync a assign=a1:x\n"
     "  a synced: range \"x\"\n"
     "sync b\n"
     "  b synced: range \"\"\n"
     "sync c\n"
     "  c synced: range \"\"\n"
     "max 2\n"
     "join a\n"
     "join b\n"
     "join c\n"
     "  c join: GROUP_MAX_SIZE_REACHED -\n"
     "  a joined: gen 2 range leader a1 id a1 members a1() b1()\n"
     "  b joined: gen 2 range leader a1 id b1\n"
     "state\n"
     "  CompletingRebalance gen 2 range a1*=x b1\n"},

    {"commits: who may", "may z commit gen=-1\n"
                         "  z commit: NONE\n"
                         "may z commit gen=3 id=x\n"
                         "  z commit: UNKNOWN_MEMBER_ID\n"
                         "join a v=3\n"
                         "may z commit gen=-1\n"
                         "  z commit: UNKNOWN_MEMBER_ID\n"
                         "+3000\n"
                         "  a joined: gen 1 range leader a1 id a1 members a1()\n"
                         "may a commit\n"
                         "  a commit: REBALANCE_IN_PROGRESS\n"
                         "sync a assign=a1:x\n"
                         "  a synced: range \"x\"\n"
                         "may a commit\n"
                         "  a commit: NONE\n"
                         "may a commit gen=0\n"
                         "  a commit: ILLEGAL_GENERATION\n"
                         "may z commit gen=-1\n"
                         "  z commit: UNKNOWN_MEMBER_ID\n"
                         "join b v=3\n"
                         "may a commit\n"
                         "  a commit: NONE\n"
                         "may b commit gen=1\n"
                         "  b commit: UNKNOWN_MEMBER_ID\n"},

    {"a commit counts as a heartbeat", "join a v=3\n"
                                       "+3000\n"
                                       "  a joined: gen 1 range leader a1 id a1 members a1()\n"
                                       "sync a assign=a1:x\n"
                                       "  a synced: range \"x\"\n"
                                       "+6000\n"
                                       "may a commit\n"
                                       "  a commit: NONE\n"
                                       "+6000\n"
                                       "beat a\n"
                                       "  a beat: NONE\n"},

    {"the connection of a newcomer that cannot come back goes",
     "join a v=3\n"
     "+3000\n"
     "  a joined: gen 1 range leader a1 id a1 members a1()\n"
     "sync a assign=a1:x\n"
     "  a synced: range \"x\"\n"
     "join b v=3\n"
     "beat a\n"
     "  a beat: REBALANCE_IN_PROGRESS\n"
     "drop b\n"
     "+0\n"
     "state\n"
     "  PreparingRebalance gen 1 range a1*=x\n"},

    {"the connection of a member that knows its id goes",
     "join a v=3\n"
     "+3000\n"
     "  a joined: gen 1 range leader a1 id a1 members a1()\n"
     "sync a assign=a1:x\n"
     "  a synced: range \"x\"\n"
     "join b\n"
     "  b join: MEMBER_ID_REQUIRED b1\n"
     "join b\n"
     "drop b\n"
     "join a\n"
     "  a joined: gen 2 range leader a1 id a1 members a1() b1()\n"
     "state\n"
     "  CompletingRebalance gen 2 range a1*=x b1\n"
     "join b\n"
     "  b joined: gen 2 range leader a1 id b1\n"
     "sync b\n"
     "drop b\n"
     "sync a assign=a1:x,b1:y\n"
     "  a synced: range \"x\"\n"
     "sync b\n"
     "  b synced: range \"y\"\n"},
};
/* clang-format on */

START_TEST(story)
{
    story_check(&stories[_i]);
}
END_TEST

SUITE(member)
{
    TCase *tcase = tcase_create("stories");
    tcase_add_loop_test(tcase, story, 0, sizeof(stories) / sizeof(*stories));
    suite_add_tcase(suite, tcase);
}
