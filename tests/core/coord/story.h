/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stories about one consumer group, told in text: a line without indentation is something that
 * happens, the indented lines below it are what the clients hear. story_check() makes everything
 * happen and compares what was heard with what the story says.
 *
 *     join a               JoinGroup of client a, under the member id that it knows; after it:
 *                          v=5 (version), session=10000, rebalance=60000 (ms), type=consumer,
 *                          protocols=range:x,sticky (name:metadata), instance=i, id=LABEL or
 *                          id=-, name=clientid
 *     sync a assign=a1:x   SyncGroup, with assignments by member; gen=N, protocol=P, type=T,
 *                          instance=i, id=LABEL
 *     beat a               Heartbeat; gen=N, instance=i, id=LABEL
 *     leave a b            LeaveGroup of several; instance=i for one by its instance id alone
 *     may a commit         whether the client would be let commit; gen=N, id=LABEL, instance=i
 *     drop a               the connection of a's parked requests goes
 *     +500                 so many milliseconds pass
 *     commit a t-0=5:note  OffsetCommit, several partitions at once; gen=N, expire=MS
 *     offsets              shows what is committed
 *     delete               DeleteGroups
 *     forget t             topic t is deleted
 *     log                  shows the records since it was last asked for, batch by batch
 *     reload               another broker takes over: everything comes back from the records
 *     batch N              the largest batch that the log takes
 *     hold                 records do not become safe at once from here on
 *     stored, lost ERROR   the oldest record is safe, or is lost
 *     state                shows the group
 *     max N, delay N       group.max.size, group.initial.rebalance.delay.ms
 *
 * Several of them with ';' between make one turn. Member ids are shown as labels: a2 is the second
 * id that client a was given.
 */
#ifndef TESTS_CORE_COORD_STORY_H
#define TESTS_CORE_COORD_STORY_H

/* One row of a table of stories. */
struct story_row {
    const char *name;
    const char *text;
};

/* Fails with both texts when what happens is not what `row` says. */
void story_check(const struct story_row *row);

#endif
