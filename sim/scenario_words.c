/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/scenario_words.h"

#define FIELD(of, member) \
    .offset = offsetof(struct of, member), .bytes = sizeof(((struct of *)0)->member)
#define LIST(of, items, items_count, item)                                                 \
    .type = WORD_LIST, .offset = offsetof(struct of, items), .bytes = sizeof(struct item), \
    .count_offset = offsetof(struct of, items_count)
#define FIXED(number)  \
    {                  \
        number, number \
    }
#define BIT(kind) (1u << (kind))

/* ---- Clients. ---- */

static const struct scenario_choice client_kinds[] = {
    {"producer", CLIENT_PRODUCER,
     "Produces to all partitions of a topic, and retries as librdkafka does.",
     "{\"kind\": \"producer\", \"acks\": \"all\", \"idempotent\": true}"},
    {"consumer", CLIENT_CONSUMER,
     "Reads all partitions of a topic from the first record on, without a group.",
     "{\"kind\": \"consumer\", \"count\": 2}"},
    {"member", CLIENT_MEMBER,
     "Reads as a member of a consumer group, and commits what it has read.",
     "{\"kind\": \"member\", \"count\": 3, \"life_ms\": [200, 2000]}"},
    {"admin", CLIENT_ADMIN,
     "Creates, deletes and recreates topics, and asks for everything there is to ask.",
     "{\"kind\": \"admin\", \"pause_us\": [10000, 50000]}"},
    {"hostile", CLIENT_HOSTILE, "Sends frames that no client should send.",
     "{\"kind\": \"hostile\", \"life_ms\": [10, 100]}"},
    {"silent", CLIENT_SILENT, "Connects, and sends nothing.",
     "{\"kind\": \"silent\", \"count\": 10}"},
    {"operator", CLIENT_OPERATOR,
     "Looks after the quorum as \"chronik cluster voter\" does: a voter whose disk is gone is "
     "removed, and a machine that should vote is added with the disk that it has now: one change "
     "after the other, or all that are due at once. Now and then it has a machine forgotten that "
     "is "
     "down.",
     "{\"kind\": \"operator\", \"pause_us\": [100000, 500000]}"},
    {0},
};

static const struct scenario_choice acks_choices[] = {
    {"all", -1, "Once every replica in sync has the records durable.",
     "{\"kind\": \"producer\", \"acks\": \"all\"}"},
    {"1", 1, "Once the leader has them.", "{\"kind\": \"producer\", \"acks\": \"1\"}"},
    {"0", 0, "Never: nothing is promised.", "{\"kind\": \"producer\", \"acks\": \"0\"}"},
    {0},
};

#define PRODUCERS BIT(CLIENT_PRODUCER)
#define READERS   (BIT(CLIENT_CONSUMER) | BIT(CLIENT_MEMBER))
#define ASKERS    (PRODUCERS | READERS | BIT(CLIENT_ADMIN))

static const struct scenario_word client_words[] = {
    {"kind", WORD_CHOICE, FIELD(scenario_client, kind), .is_required = true,
     .choices = client_kinds, .tells = "What the clients do.",
     .example = "{\"kind\": \"producer\"}"},
    {"count", WORD_NUMBER, FIELD(scenario_client, count), .least = 1, .most = SCENARIO_CLIENTS_MAX,
     .preset = FIXED(1), .tells = "How many there are.",
     .example = "{\"kind\": \"silent\", \"count\": 10}"},
    {"node", WORD_NUMBER, FIELD(scenario_client, node), .least = 1, .most = SCENARIO_NODES_MAX,
     .otherwise = "dealt out over all",
     .tells = "The number of the node that they connect to; the first is 1.",
     .example = "{\"kind\": \"consumer\", \"node\": 2}"},
    {"topic", WORD_NAME, FIELD(scenario_client, topic), .least = 1, .most = SCENARIO_NAME_MAX,
     .otherwise = "the first topic; admins: only topics of their own", .kinds = ASKERS,
     .tells = "The topic that they write to or read; admins delete it and make it again, too.",
     .example = "{\"kind\": \"producer\", \"topic\": \"orders\"}"},
    {"group", WORD_NAME, FIELD(scenario_client, group), .least = 1, .most = SCENARIO_NAME_MAX,
     .otherwise = "`group`", .kinds = BIT(CLIENT_MEMBER), .tells = "The consumer group.",
     .example = "{\"kind\": \"member\", \"group\": \"billing\"}"},
    {"acks", WORD_CHOICE, FIELD(scenario_client, acks), .preset = {-1, -1}, .choices = acks_choices,
     .kinds = PRODUCERS, .tells = "When a produce request is answered.",
     .example = "{\"kind\": \"producer\", \"acks\": \"1\"}"},
    {"idempotent", WORD_FLAG, FIELD(scenario_client, idempotent), .kinds = PRODUCERS,
     .tells = "They number their batches, so that a retry makes no duplicate; needs acks \"all\".",
     .example = "{\"kind\": \"producer\", \"idempotent\": true}"},
    {"sessions", WORD_FLAG, FIELD(scenario_client, sessions), .kinds = READERS,
     .tells = "They use fetch sessions (KIP-227).",
     .example = "{\"kind\": \"consumer\", \"sessions\": true}"},
    {"static", WORD_FLAG, FIELD(scenario_client, is_static), .kinds = BIT(CLIENT_MEMBER),
     .tells = "They have instance ids, so that one that comes again takes its old place (KIP-345).",
     .example = "{\"kind\": \"member\", \"static\": true}"},
    {"elections", WORD_FLAG, FIELD(scenario_client, elects_only), .kinds = BIT(CLIENT_ADMIN),
     .tells = "They have leaders elected, as kafka-leader-election does, and do nothing else; when "
              "the load is over, until each partition is led by the replica that is preferred.",
     .example = "{\"kind\": \"admin\", \"elections\": true}"},
    {"defaults", WORD_FLAG, FIELD(scenario_client, sets_defaults_only), .kinds = BIT(CLIENT_ADMIN),
     .tells = "They set what counts for all brokers of a cluster, as kafka-configs does with "
              "--entity-default, ask for it, and do nothing else.",
     .example = "{\"kind\": \"admin\", \"defaults\": true}"},
    {"deletions", WORD_FLAG, FIELD(scenario_client, deletes_only), .kinds = BIT(CLIENT_ADMIN),
     .tells = "They delete what is committed of the first topic, as kafka-delete-records does, and "
              "do nothing else.",
     .example = "{\"kind\": \"admin\", \"deletions\": true}"},
    {"in_flight", WORD_RANGE, FIELD(scenario_client, in_flight), .least = 1, .most = 1000,
     .otherwise = "the kind's own", .kinds = ASKERS,
     .tells = "Requests on a connection that are not answered yet, at most.",
     .example = "{\"kind\": \"producer\", \"in_flight\": [1, 5]}"},
    {"batch_records", WORD_RANGE, FIELD(scenario_client, batch_records), .least = 1, .most = 10000,
     .otherwise = "the kind's own", .kinds = PRODUCERS, .tells = "Records of a batch.",
     .example = "{\"kind\": \"producer\", \"batch_records\": [1, 50]}"},
    {"record_bytes", WORD_RANGE, FIELD(scenario_client, record_bytes), .least = 0, .most = 1 << 20,
     .above_zero = true, .otherwise = "the kind's own", .kinds = PRODUCERS,
     .tells = "The length of a record's value.",
     .example = "{\"kind\": \"producer\", \"record_bytes\": [0, 2000]}"},
    {"pause_us", WORD_RANGE, FIELD(scenario_client, pause_us), .least = 0, .most = SCENARIO_US_MAX,
     .above_zero = true, .otherwise = "the kind's own", .tells = "Between two actions of a client.",
     .example = "{\"kind\": \"producer\", \"pause_us\": [0, 500]}"},
    {"life_ms", WORD_RANGE, FIELD(scenario_client, life_ms), .least = 1, .most = SCENARIO_MS_MAX,
     .otherwise = "they stay",
     .kinds = BIT(CLIENT_MEMBER) | BIT(CLIENT_HOSTILE) | BIT(CLIENT_SILENT),
     .tells = "They go after so long, and others come in their place.",
     .example = "{\"kind\": \"hostile\", \"life_ms\": [10, 100]}"},
    {"timeout_ms", WORD_RANGE, FIELD(scenario_client, timeout_ms), .least = 1,
     .most = SCENARIO_MS_MAX, .otherwise = "the kind's own", .kinds = ASKERS,
     .tells = "A request without a reply for so long counts as lost, and its connection is closed.",
     .example = "{\"kind\": \"producer\", \"timeout_ms\": 2000}"},
    {"records", WORD_NUMBER, FIELD(scenario_client, records), .least = 1,
     .most = SCENARIO_RECORDS_MAX, .otherwise = "no end", .kinds = PRODUCERS,
     .tells = "Each stops after so many records.",
     .example = "{\"kind\": \"producer\", \"records\": 1000}"},
    {0},
};

/* ---- Faults. ---- */

static const struct scenario_choice fault_kinds[] = {
    {"crash", FAULT_CRASH, "The process is killed: what it has written stays.",
     "{\"kind\": \"crash\", \"every_ms\": [200, 600], \"lasts_ms\": [1, 50]}"},
    {"power_loss", FAULT_POWER_LOSS,
     "The machine loses power: what no sync has covered is kept, lost, torn at sectors or "
     "reordered.",
     "{\"kind\": \"power_loss\", \"when\": \"sync_in_flight\", \"nth\": [1, 40]}"},
    {"stop", FAULT_STOP, "The process is asked to end, as by SIGTERM.",
     "{\"kind\": \"stop\", \"at_ms\": 500}"},
    {"pause", FAULT_PAUSE, "The process stands still, as by SIGSTOP.",
     "{\"kind\": \"pause\", \"at_ms\": 500, \"lasts_ms\": 3000}"},
    {"slow_node", FAULT_SLOW_NODE, "All that the process does takes `factor` times as long.",
     "{\"kind\": \"slow_node\", \"at_ms\": 500, \"lasts_ms\": 800, \"factor\": 20}"},
    {"wall_jump", FAULT_WALL_JUMP,
     "The wall clock jumps by `jump_ms`, either way, and stays there.",
     "{\"kind\": \"wall_jump\", \"every_ms\": 300, \"jump_ms\": [1, 86400000]}"},
    {"clock_drift", FAULT_CLOCK_DRIFT,
     "The machine's clocks run too fast or too slow by `drift_ppm` parts in a million.",
     "{\"kind\": \"clock_drift\", \"at_ms\": 0, \"lasts_ms\": 2000, \"drift_ppm\": 10000}"},
    {"partition", FAULT_PARTITION,
     "Machines and clients fall into parts, drawn, between which nothing passes.",
     "{\"kind\": \"partition\", \"every_ms\": [300, 900], \"lasts_ms\": [50, 400]}"},
    {"one_way", FAULT_ONE_WAY,
     "The same with two parts, but one of the two directions still works.",
     "{\"kind\": \"one_way\", \"every_ms\": [300, 900], \"lasts_ms\": [50, 400]}"},
    {"reset", FAULT_RESET, "`percent` of the node's connections are cut, at any byte.",
     "{\"kind\": \"reset\", \"every_ms\": [20, 200], \"percent\": 50}"},
    {"half_open", FAULT_HALF_OPEN,
     "`percent` of the node's clients vanish without a word, and come again on other connections.",
     "{\"kind\": \"half_open\", \"every_ms\": [100, 300], \"percent\": [10, 90]}"},
    {"slow_link", FAULT_SLOW_LINK, "All latencies are `factor` times as long.",
     "{\"kind\": \"slow_link\", \"at_ms\": 500, \"lasts_ms\": 500, \"factor\": [2, 100]}"},
    {"write_error", FAULT_WRITE_ERROR, "`percent` of the writes fail with EIO, some after a part.",
     "{\"kind\": \"write_error\", \"at_ms\": 500, \"lasts_ms\": 100, \"percent\": 30}"},
    {"read_error", FAULT_READ_ERROR, "`percent` of the reads fail with EIO.",
     "{\"kind\": \"read_error\", \"at_ms\": 500, \"lasts_ms\": 100, \"path\": \".index\"}"},
    {"sync_error", FAULT_SYNC_ERROR,
     "`percent` of the syncs fail with EIO; later ones succeed, and yet a power loss takes what "
     "the "
     "failed one should have covered.",
     "{\"kind\": \"sync_error\", \"at_ms\": 500, \"lasts_ms\": 100, \"percent\": 100}"},
    {"open_error", FAULT_OPEN_ERROR,
     "`percent` of what opens, makes, renames, removes or truncates files fails with EIO.",
     "{\"kind\": \"open_error\", \"at_ms\": 500, \"lasts_ms\": 100}"},
    {"disk_full", FAULT_DISK_FULL,
     "The disk has `spare_bytes` left; a write beyond fails with ENOSPC.",
     "{\"kind\": \"disk_full\", \"at_ms\": 500, \"lasts_ms\": 1000, \"spare_bytes\": 4096}"},
    {"slow_disk", FAULT_SLOW_DISK, "All that the disk does takes `factor` times as long.",
     "{\"kind\": \"slow_disk\", \"at_ms\": 500, \"lasts_ms\": 800, \"factor\": 50}"},
    {"write_stall", FAULT_WRITE_STALL, "A write stalls its whole machine, for up to `stall_ms`.",
     "{\"kind\": \"write_stall\", \"at_ms\": 500, \"lasts_ms\": 800, \"stall_ms\": 300}"},
    {"bit_rot", FAULT_BIT_ROT,
     "A bit of a file flips that nobody has written to for a while, but for the last batch of a "
     "segment.",
     "{\"kind\": \"bit_rot\", \"at_ms\": 500}"},
    {"empty_disk", FAULT_EMPTY_DISK,
     "The machine of a cluster goes down, and comes back with a new disk, formatted and empty. It "
     "waits until nothing is lost by that: until all is in sync, and a majority of the voters is "
     "left that has all metadata. Topics need a `min.insync.replicas` of 2: where 1 is enough, the "
     "lost disk may come to be the only one that had everything.",
     "{\"kind\": \"empty_disk\", \"at_ms\": 500, \"lasts_ms\": [0, 1000]}"},
    {"old_disk", FAULT_OLD_DISK,
     "The same, but it comes back with the disk that it had before, as that was when it was taken "
     "out. It waits until there is one, too.",
     "{\"kind\": \"old_disk\", \"every_ms\": [1000, 3000], \"lasts_ms\": [0, 1000]}"},
    {"swap_disks", FAULT_SWAP_DISKS,
     "The machine and another one go down, and have each other's disk while it lasts, which is no "
     "time to serve.",
     "{\"kind\": \"swap_disks\", \"at_ms\": 500, \"lasts_ms\": [100, 1000]}"},
    {"cut_link", FAULT_CUT_LINK,
     "Nothing passes between the machine and another one; all others, and clients, reach both.",
     "{\"kind\": \"cut_link\", \"node\": 1, \"other_node\": 2, \"at_ms\": 500, \"lasts_ms\": 800}"},
    {"one_way_link", FAULT_ONE_WAY_LINK,
     "The same, but what the other one says still gets through.",
     "{\"kind\": \"one_way_link\", \"every_ms\": [300, 900], \"lasts_ms\": [50, 400]}"},
    {"other_file", FAULT_OTHER_FILE,
     "The process is asked to end, and starts again with another configuration file: what "
     "`differing` draws is drawn anew.",
     "{\"kind\": \"other_file\", \"every_ms\": [1000, 3000], \"lasts_ms\": [0, 1000]}"},
    {0},
};

static const struct scenario_choice moments[] = {
    {"write_in_flight", MOMENT_WRITE_IN_FLIGHT, "A write was asked for and has not happened.",
     "{\"kind\": \"power_loss\", \"when\": \"write_in_flight\"}"},
    {"sync_in_flight", MOMENT_SYNC_IN_FLIGHT, "A sync of a file was.",
     "{\"kind\": \"power_loss\", \"when\": \"sync_in_flight\"}"},
    {"folder_sync_in_flight", MOMENT_FOLDER_SYNC_IN_FLIGHT, "A sync of a folder was.",
     "{\"kind\": \"power_loss\", \"when\": \"folder_sync_in_flight\"}"},
    {"rename_in_flight", MOMENT_RENAME_IN_FLIGHT, "A rename was.",
     "{\"kind\": \"crash\", \"when\": \"rename_in_flight\"}"},
    {"read_in_flight", MOMENT_READ_IN_FLIGHT, "A read was.",
     "{\"kind\": \"crash\", \"when\": \"read_in_flight\"}"},
    {"send_in_flight", MOMENT_SEND_IN_FLIGHT,
     "Bytes for a client were handed over, and have not left.",
     "{\"kind\": \"reset\", \"when\": \"send_in_flight\"}"},
    {"booting", MOMENT_BOOTING, "The process has started, and the broker is not ready.",
     "{\"kind\": \"crash\", \"when\": \"booting\"}"},
    {"stopping", MOMENT_STOPPING, "The broker was asked to end, and has not.",
     "{\"kind\": \"power_loss\", \"when\": \"stopping\"}"},
    {0},
};

#define LINKS  (BIT(FAULT_CUT_LINK) | BIT(FAULT_ONE_WAY_LINK))
#define DISKS  (BIT(FAULT_EMPTY_DISK) | BIT(FAULT_OLD_DISK) | BIT(FAULT_SWAP_DISKS))
#define LIVES  (BIT(FAULT_CRASH) | BIT(FAULT_POWER_LOSS) | BIT(FAULT_STOP))
#define SPLITS (BIT(FAULT_PARTITION) | BIT(FAULT_ONE_WAY) | LINKS)
#define NET    (SPLITS | BIT(FAULT_SLOW_LINK))
#define ATOMIC (BIT(FAULT_WALL_JUMP) | BIT(FAULT_RESET) | BIT(FAULT_HALF_OPEN) | BIT(FAULT_BIT_ROT))
#define ERRORS \
    (BIT(FAULT_WRITE_ERROR) | BIT(FAULT_READ_ERROR) | BIT(FAULT_SYNC_ERROR) | BIT(FAULT_OPEN_ERROR))
#define ALL  (BIT(FAULT_KINDS) - 1)
#define CUTS (BIT(FAULT_RESET) | BIT(FAULT_HALF_OPEN))
#define SLOW (BIT(FAULT_SLOW_NODE) | BIT(FAULT_SLOW_LINK) | BIT(FAULT_SLOW_DISK))

static const struct scenario_word fault_words[] = {
    {"kind", WORD_CHOICE, FIELD(scenario_fault, kind), .is_required = true, .choices = fault_kinds,
     .tells = "What goes wrong.", .example = "{\"kind\": \"crash\", \"at_ms\": 700}"},
    {"node", WORD_NUMBER, FIELD(scenario_fault, node), .least = 1, .most = SCENARIO_NODES_MAX,
     .otherwise = "drawn each time", .kinds = ALL & ~BIT(FAULT_SLOW_LINK),
     .tells = "The number of the machine that it happens to; the first is 1. A partition has it "
              "alone in its part.",
     .example = "{\"kind\": \"pause\", \"node\": 1, \"at_ms\": 700}"},
    {"other_node", WORD_NUMBER, FIELD(scenario_fault, other_node), .least = 1,
     .most = SCENARIO_NODES_MAX, .otherwise = "drawn each time", .kinds = LINKS,
     .tells = "With `node`: the other machine of the link.",
     .example = "{\"kind\": \"cut_link\", \"node\": 1, \"other_node\": 2, \"at_ms\": 700}"},
    {"all_nodes", WORD_FLAG, FIELD(scenario_fault, hits_all_nodes), .kinds = ALL & ~(NET | DISKS),
     .tells = "It happens to all machines at once.",
     .example = "{\"kind\": \"power_loss\", \"all_nodes\": true, \"at_ms\": 700}"},
    {"count", WORD_RANGE, FIELD(scenario_fault, count), .least = 1, .most = SCENARIO_NODES_MAX,
     .preset = FIXED(1), .kinds = ALL & ~(NET | DISKS),
     .tells = "It happens to so many machines at once, drawn each time.",
     .example = "{\"kind\": \"power_loss\", \"count\": 2, \"at_ms\": 700}"},
    {"at_ms", WORD_RANGE, FIELD(scenario_fault, at_ms), .least = 0, .most = SCENARIO_MS_MAX,
     .otherwise = "",
     .tells = "It happens once, so long after the load began. Each fault has one of `at_ms`, "
              "`every_ms` and `when`.",
     .example = "{\"kind\": \"crash\", \"at_ms\": [500, 900]}"},
    {"at_us", WORD_RANGE, FIELD(scenario_fault, at_us), .least = 0, .most = SCENARIO_US_MAX,
     .otherwise = "", .tells = "As `at_ms`, to the microsecond: \"chronik sim shrink\" writes it.",
     .example = "{\"kind\": \"crash\", \"at_us\": 700123}"},
    {"every_ms", WORD_RANGE, FIELD(scenario_fault, every_ms), .least = 1, .most = SCENARIO_MS_MAX,
     .otherwise = "", .tells = "It happens again and again, with so much between two times.",
     .example = "{\"kind\": \"reset\", \"every_ms\": [50, 500]}"},
    {"when", WORD_CHOICE, FIELD(scenario_fault, when), .otherwise = "", .choices = moments,
     .tells = "It happens when such a moment comes on the machine.",
     .example = "{\"kind\": \"power_loss\", \"when\": \"rename_in_flight\"}"},
    {"nth", WORD_RANGE, FIELD(scenario_fault, nth), .least = 1, .most = 1000000, .preset = FIXED(1),
     .tells = "With `when`: which of these moments it is, counted from 1.",
     .example = "{\"kind\": \"crash\", \"when\": \"write_in_flight\", \"nth\": [1, 200]}"},
    {"again", WORD_FLAG, FIELD(scenario_fault, again),
     .tells = "With `when`: after it has happened it waits for the moment anew.",
     .example = "{\"kind\": \"crash\", \"when\": \"booting\", \"nth\": [1, 3], \"again\": true}"},
    {"from_ms", WORD_RANGE, FIELD(scenario_fault, from_ms), .least = 0, .most = SCENARIO_MS_MAX,
     .otherwise = "when the load begins", .tells = "With `every_ms` or `when`: not before.",
     .example = "{\"kind\": \"crash\", \"every_ms\": 300, \"from_ms\": 1000}"},
    {"to_ms", WORD_RANGE, FIELD(scenario_fault, to_ms), .least = 1, .most = SCENARIO_MS_MAX,
     .otherwise = "when the load ends", .tells = "With `every_ms` or `when`: not after.",
     .example = "{\"kind\": \"crash\", \"every_ms\": 300, \"to_ms\": 2000}"},
    {"lasts_ms", WORD_RANGE, FIELD(scenario_fault, lasts_ms), .least = 0, .most = SCENARIO_MS_MAX,
     .preset = {1, 100}, .kinds = ALL & ~ATOMIC,
     .tells = "Until it is over; a process that ended starts again then.",
     .example = "{\"kind\": \"crash\", \"at_ms\": 700, \"lasts_ms\": [0, 20]}"},
    {"flap_ms", WORD_RANGE, FIELD(scenario_fault, flap_ms), .least = 1, .most = SCENARIO_MS_MAX,
     .otherwise = "it stays", .kinds = SPLITS,
     .tells = "Until it is over it goes and comes again, each after so long.",
     .example = "{\"kind\": \"cut_link\", \"at_ms\": 700, \"lasts_ms\": 900, \"flap_ms\": [10, "
                "100]}"},
    {"parts", WORD_RANGE, FIELD(scenario_fault, amount), .least = 2, .most = SCENARIO_NODES_MAX,
     .preset = FIXED(2), .kinds = BIT(FAULT_PARTITION),
     .tells =
         "Into how many parts they fall; of more than two, each has a machine as long as there "
         "are some.",
     .example = "{\"kind\": \"partition\", \"at_ms\": 700, \"parts\": [2, 3]}"},
    {"percent", WORD_RANGE, FIELD(scenario_fault, amount), .least = 1, .most = 100,
     .preset = FIXED(30), .kinds = ERRORS | CUTS, .tells = "How many of a hundred are hit.",
     .example = "{\"kind\": \"write_error\", \"at_ms\": 700, \"percent\": [5, 60]}"},
    {"factor", WORD_RANGE, FIELD(scenario_fault, amount), .least = 2, .most = 10000,
     .preset = FIXED(10), .kinds = SLOW, .tells = "How many times as long everything takes.",
     .example = "{\"kind\": \"slow_disk\", \"at_ms\": 700, \"factor\": [2, 100]}"},
    {"jump_ms", WORD_RANGE, FIELD(scenario_fault, amount), .least = 1, .most = SCENARIO_MS_MAX,
     .preset = FIXED(3600000), .kinds = BIT(FAULT_WALL_JUMP), .tells = "How far the clock jumps.",
     .example = "{\"kind\": \"wall_jump\", \"at_ms\": 700, \"jump_ms\": 86400000}"},
    {"drift_ppm", WORD_RANGE, FIELD(scenario_fault, amount), .least = 1, .most = 500000,
     .preset = FIXED(20000), .kinds = BIT(FAULT_CLOCK_DRIFT),
     .tells = "How wrong the clocks run, in parts in a million.",
     .example = "{\"kind\": \"clock_drift\", \"at_ms\": 0, \"drift_ppm\": [1, 50000]}"},
    {"spare_bytes", WORD_RANGE, FIELD(scenario_fault, amount), .least = 0, .most = 1 << 30,
     .kinds = BIT(FAULT_DISK_FULL), .tells = "What is left on the disk.",
     .example = "{\"kind\": \"disk_full\", \"at_ms\": 700, \"spare_bytes\": [0, 100000]}"},
    {"stall_ms", WORD_RANGE, FIELD(scenario_fault, amount), .least = 1, .most = SCENARIO_MS_MAX,
     .preset = FIXED(200), .kinds = BIT(FAULT_WRITE_STALL), .tells = "How long a write may stall.",
     .example = "{\"kind\": \"write_stall\", \"at_ms\": 700, \"stall_ms\": 1000}"},
    {"path", WORD_TEXT, FIELD(scenario_fault, path), .least = 1, .most = SCENARIO_NAME_MAX,
     .otherwise = "any file", .kinds = ERRORS | BIT(FAULT_BIT_ROT),
     .tells = "Only files with this in their path.",
     .example = "{\"kind\": \"sync_error\", \"at_ms\": 700, \"path\": \"__cluster_metadata\"}"},
    {"draw", WORD_NUMBER, FIELD(scenario_fault, draw), .least = 1, .most = 1000000,
     .otherwise = "that of its turn",
     .tells = "Which of the seed's streams of chance the fault draws from: \"chronik sim shrink\" "
              "writes it, so that a fault does the same without the others.",
     .example = "{\"kind\": \"partition\", \"at_us\": 700123, \"draw\": 17}"},
    {0},
};

/* ---- All the others. ---- */

static const struct scenario_word node_words[] = {
    {"settings", WORD_SETTINGS, FIELD(scenario_node, settings), .most = SCENARIO_SETTINGS_MAX,
     .otherwise = "the defaults", .tells = "Settings of the broker (doc/CONFIGURATION.md).",
     .example = "{\"settings\": {\"log.segment.bytes\": 16384, \"num.partitions\": 3}}"},
    {0},
};

static const struct scenario_word topic_words[] = {
    {"name", WORD_NAME, FIELD(scenario_topic, name), .is_required = true, .least = 1,
     .most = SCENARIO_NAME_MAX, .tells = "Its name.", .example = "{\"name\": \"orders\"}"},
    {"partitions", WORD_NUMBER, FIELD(scenario_topic, partitions), .least = 1,
     .most = SCENARIO_PARTITIONS, .preset = FIXED(1), .tells = "How many it has.",
     .example = "{\"name\": \"orders\", \"partitions\": 3}"},
    {"replication_factor", WORD_NUMBER, FIELD(scenario_topic, replication_factor), .least = 1,
     .most = SCENARIO_NODES_MAX, .otherwise = "the node's",
     .tells = "How many nodes have each partition; the nodes are one cluster then.",
     .example = "{\"name\": \"orders\", \"replication_factor\": 3}"},
    {"config", WORD_CONFIG, FIELD(scenario_topic, config), .most = SCENARIO_SETTINGS_MAX,
     .otherwise = "the node's", .tells = "Settings of the topic (doc/CONFIGURATION.md).",
     .example = "{\"name\": \"orders\", \"config\": {\"retention.bytes\": 65536}}"},
    {0},
};

static const struct scenario_word expect_words[] = {
    {"acked_records", WORD_NUMBER, FIELD(scenario_expect, acked_least),
     .most = SCENARIO_RECORDS_MAX, .tells = "At least so many records are acknowledged.",
     .example = "{\"acked_records\": 500}"},
    {"consumed_records", WORD_NUMBER, FIELD(scenario_expect, consumed_least),
     .most = SCENARIO_RECORDS_MAX, .tells = "Consumers see at least so many records.",
     .example = "{\"consumed_records\": 500}"},
    {"steps", WORD_NUMBER, FIELD(scenario_expect, steps_most), .least = 1,
     .most = SCENARIO_RECORDS_MAX, .otherwise = "any number",
     .tells = "The brokers take at most so many steps together: who waits does not spin.",
     .example = "{\"steps\": 1000}"},
    {"errors", WORD_FLAG, FIELD(scenario_expect, errors_allowed),
     .tells = "Replies may have errors though there are no faults.",
     .example = "{\"errors\": true}"},
    {"latency_ms", WORD_NUMBER, FIELD(scenario_expect, latency_ms_most), .least = 1,
     .most = SCENARIO_MS_MAX, .otherwise = "the judge's own",
     .tells = "Without faults a request is answered within this.",
     .example = "{\"latency_ms\": 200}"},
    {"no_elections", WORD_FLAG, FIELD(scenario_expect, no_elections), .otherwise = "without faults",
     .tells = "From the load on nobody is elected, of a quorum or of a partition, whatever faults "
              "there are.",
     .example = "{\"no_elections\": true}"},
    {0},
};

static const struct scenario_word scenario_words[] = {
    {"$schema", WORD_NOTE, .otherwise = "",
     .tells = "Where an editor finds the schema that `chronik sim schema` prints.",
     .example = "\"$schema\": \"./scenario.schema.json\""},
    {"tells", WORD_TEXT, FIELD(scenario, tells), .is_required = true, .least = 1,
     .most = SCENARIO_TEXT_MAX, .tells = "What the scenario shows, and whence it comes.",
     .example = "\"tells\": \"A crash loses nothing that was acknowledged.\""},
    {"soak", WORD_FLAG, FIELD(scenario, is_soak),
     .tells = "It is long and quiet: a campaign runs it once, whatever its seeds.",
     .example = "\"soak\": true"},
    {"seed", WORD_NUMBER, FIELD(scenario, seed), .least = 1, .most = SCENARIO_SEED_MAX,
     .otherwise = "none",
     .tells = "It shows what this one seed does: a folder's campaign runs it once, with that.",
     .example = "\"seed\": 4711"},
    {"load_ms", WORD_RANGE, FIELD(scenario, load_ms), .least = 1, .most = SCENARIO_MS_MAX,
     .preset = {1000, 3000}, .tells = "How long clients work and faults come.",
     .example = "\"load_ms\": [500, 2000]"},
    {"settle_ms", WORD_NUMBER, FIELD(scenario, settle_ms), .least = 1, .most = SCENARIO_MS_MAX,
     .preset = FIXED(60000),
     .tells = "After the load, without faults: until then everything has to have ended well.",
     .example = "\"settle_ms\": 30000"},
    {"nodes", LIST(scenario, nodes, nodes_count, scenario_node), .object = OBJECT_NODE, .least = 1,
     .most = SCENARIO_NODES_MAX, .otherwise = "one, with the defaults",
     .tells = "Machines, each with a broker of its own.", .example = "\"nodes\": [{}, {}]"},
    {"cluster", WORD_FLAG, FIELD(scenario, is_cluster),
     .tells = "The nodes are one cluster: controller.quorum.voters of each names them all.",
     .example = "\"cluster\": true"},
    {"settings", WORD_SETTINGS, FIELD(scenario, settings), .most = SCENARIO_SETTINGS_MAX,
     .otherwise = "the defaults", .tells = "Settings of all brokers, but for what nodes set.",
     .example = "\"settings\": {\"min.insync.replicas\": 2}"},
    {"topics", LIST(scenario, topics, topics_count, scenario_topic), .object = OBJECT_TOPIC,
     .most = SCENARIO_TOPICS_MAX, .otherwise = "none",
     .tells = "Topics that every broker has before clients come.",
     .example = "\"topics\": [{\"name\": \"orders\", \"partitions\": 3}]"},
    {"clients", LIST(scenario, clients, clients_count, scenario_client), .object = OBJECT_CLIENT,
     .most = SCENARIO_ROWS_MAX, .otherwise = "none", .tells = "Who talks to the brokers.",
     .example = "\"clients\": [{\"kind\": \"silent\", \"count\": 10}]"},
    {"faults", LIST(scenario, faults, faults_count, scenario_fault), .object = OBJECT_FAULT,
     .most = SCENARIO_FAULTS_MAX, .otherwise = "none", .tells = "What goes wrong, and when.",
     .example = "\"faults\": [{\"kind\": \"crash\", \"at_ms\": 700}]"},
    {"differing", WORD_FLAG, FIELD(scenario, files_differ),
     .tells =
         "Each node has another file: the seed draws settings of each that no node has to have "
         "in common with others, where the scenario says nothing of them.",
     .example = "\"differing\": true"},
    {"knobs", WORD_FLAG, FIELD(scenario, draws_knobs),
     .tells = "The seed draws settings that the file does not name, among them tiny segments, and "
              "the ways of network and disk.",
     .example = "\"knobs\": true"},
    {"swarm", WORD_FLAG, FIELD(scenario, draws_faults),
     .tells = "The seed draws faults, besides those of the file.", .example = "\"swarm\": true"},
    {"expect", WORD_OBJECT, FIELD(scenario, expect), .object = OBJECT_EXPECT,
     .otherwise = "that no judge objects", .tells = "What the outcome has to be.",
     .example = "\"expect\": {\"acked_records\": 500}"},
    {0},
};

const struct scenario_object_info *scenario_object_info(enum scenario_object object)
{
    static const struct scenario_object_info infos[SCENARIO_OBJECTS] = {
        [OBJECT_SCENARIO] = {"scenario", "The scenario", "A file is one object with these words.",
                             sizeof(struct scenario), scenario_words, NULL},
        [OBJECT_NODE] = {"node", "Nodes",
                         "In `nodes`. They are machines n1, n2 and so on. They do not know of each "
                         "other, unless they are one `cluster`, or controller.quorum.voters names "
                         "others: then they listen for them at port 9093. Each has all topics.",
                         sizeof(struct scenario_node), node_words, NULL},
        [OBJECT_TOPIC] = {"topic", "Topics", "In `topics`.", sizeof(struct scenario_topic),
                          topic_words, NULL},
        [OBJECT_CLIENT] = {"client", "Clients", "In `clients`: some of one kind.",
                           sizeof(struct scenario_client), client_words, &client_words[0]},
        [OBJECT_FAULT] = {"fault", "Faults", "In `faults`: one of them, or a row of them.",
                          sizeof(struct scenario_fault), fault_words, &fault_words[0]},
        [OBJECT_EXPECT] = {"expectation", "Expectations", "In `expect`.",
                           sizeof(struct scenario_expect), expect_words, NULL},
    };
    return &infos[object];
}

const char *scenario_choice_name(const struct scenario_choice *choices, int value)
{
    for (; choices->name != NULL; choices++) {
        if (choices->value == value)
            return choices->name;
    }
    return NULL;
}
