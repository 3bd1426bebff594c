/* SPDX-License-Identifier: Apache-2.0 */
/* Tables for whoever looks after a cluster, and may be tired: what is wrong comes with why. */
#include "cli/cluster_print.h"

#include <stdlib.h>
#include <string.h>

#include "cli/plain.h"
#include "cli/topic_print.h"
#include "core/base/format.h"

#define ADDRESS_WIDTH_MIN 15
#define NODES_WIDTH_MIN   12

/* Of partitions, and of streams, that are not as they should be. */
#define ROWS_MAX 20

typedef struct describe_quorum_response_topic_partition_current_voter voter_of_quorum;

/* ---- Pieces ---- */

struct age {
    char text[16];
};

/* A duration; "never" for a negative one. */
static struct age age_of(int64_t ms)
{
    struct age age;
    if (ms < 0)
        snprintf(age.text, sizeof(age.text), "never");
    else if (ms < 10000)
        snprintf(age.text, sizeof(age.text), "%.1f s", (double)ms / 1000);
    else if (ms < 120000)
        snprintf(age.text, sizeof(age.text), "%lld s", (long long)ms / 1000);
    else if (ms < 7200000)
        snprintf(age.text, sizeof(age.text), "%lld min", (long long)ms / 60000);
    else
        snprintf(age.text, sizeof(age.text), "%lld h", (long long)ms / 3600000);
    return age;
}

static const char *plural(int32_t count)
{
    return count == 1 ? "" : "s";
}

static void print_more(FILE *out, int32_t rows)
{
    if (rows > 0)
        fprintf(out, "  ... and %d more: --all shows them\n", rows);
}

/* ---- Brokers ---- */

/* "host:port"; returns its width. Nowhere when `out` is NULL. */
static int print_address(FILE *out, const struct describe_cluster_response_broker *broker)
{
    const bool is_ipv6 =
        broker->host.length > 0 && memchr(broker->host.data, ':', broker->host.length) != NULL;
    char text[300];
    const int width = snprintf(text, sizeof(text), "%s%.*s%s:%d", is_ipv6 ? "[" : "",
                               SPAN_ARGS(broker->host), is_ipv6 ? "]" : "", broker->port);
    const int shown = width < (int)sizeof(text) ? width : (int)sizeof(text) - 1;
    if (out != NULL)
        plain_print(out, span_of(text, (size_t)shown));
    return shown;
}

static void print_brokers(FILE *out, const struct cluster_view *view)
{
    const struct describe_cluster_response *cluster = view->cluster;
    int width = ADDRESS_WIDTH_MIN;
    for (int32_t i = 0; i < cluster->brokers_count; i++) {
        const int needed = print_address(NULL, &cluster->brokers[i]);
        width = needed > width ? needed : width;
    }
    fprintf(out, "  BROKER  %-*s  REPLICAS   LEADS  OUT OF SYNC\n", width, "ADDRESS");
    for (int32_t i = 0; i < cluster->brokers_count; i++) {
        const struct describe_cluster_response_broker *broker = &cluster->brokers[i];
        const struct cluster_counts counts = cluster_count_broker(view, broker->broker_id);
        const struct broker_answer *answer = cluster_answer(view, broker->broker_id);
        fprintf(out, "  %6d  ", broker->broker_id);
        fprintf(out, "%*s  %8d  %6d  %11d", width - print_address(out, broker), "",
                counts.partitions, counts.leads, counts.lags);
        if (broker->broker_id == cluster_controller(view))
            fputs("  controller", out);
        if (broker->is_fenced)
            fputs("  fenced", out);
        if (!span_is_null(broker->rack)) {
            fputs("  rack ", out);
            plain_print(out, broker->rack);
        }
        if (answer != NULL && answer->why != NULL) {
            fputs("  does not tell: ", out);
            plain_print(out, span_text(answer->why));
        }
        fputc('\n', out);
    }
}

/* ---- The nodes that keep the metadata ---- */

/* How far each node's log is next to the longest, and when it was heard before the latest one was:
 * the clock here may be another one. */
static void print_replica(FILE *out, quorum_of_response quorum, voter_of_quorum voter,
                          const char *role)
{
    const bool is_leader = voter.replica_id == quorum->leader_id;
    int64_t end = voter.log_end_offset;
    int64_t heard_ms = voter.last_fetch_timestamp;
    for (int32_t i = 0; i < quorum->current_voters_count; i++) {
        if (quorum->current_voters[i].log_end_offset > end)
            end = quorum->current_voters[i].log_end_offset;
        if (quorum->current_voters[i].last_fetch_timestamp > heard_ms)
            heard_ms = quorum->current_voters[i].last_fetch_timestamp;
    }
    fprintf(out, "  %6d  %-8s  %10lld  ", voter.replica_id, is_leader ? "leader" : role,
            (long long)voter.log_end_offset);
    if (voter.log_end_offset < 0)
        fprintf(out, "%10s", "unknown");
    else
        fprintf(out, "%10lld", (long long)(end - voter.log_end_offset));
    if (is_leader)
        fputc('\n', out);
    else if (voter.last_fetch_timestamp < 0)
        fputs("       never\n", out);
    else
        fprintf(out, "  %6s ago\n", age_of(heard_ms - voter.last_fetch_timestamp).text);
}

static void print_quorum(FILE *out, quorum_of_response quorum)
{
    fprintf(out, "metadata: term %d, committed %lld\n", quorum->leader_epoch,
            (long long)quorum->high_watermark);
    fputs("    NODE  ROLE         LOG END      BEHIND       HEARD\n", out);
    for (int32_t i = 0; i < quorum->current_voters_count; i++)
        print_replica(out, quorum, quorum->current_voters[i], "voter");
    for (int32_t i = 0; i < quorum->observers_count; i++) {
        const struct describe_quorum_response_topic_partition_observer *observer =
            &quorum->observers[i];
        print_replica(out, quorum,
                      (voter_of_quorum){
                          .replica_id = observer->replica_id,
                          .log_end_offset = observer->log_end_offset,
                          .last_fetch_timestamp = observer->last_fetch_timestamp,
                      },
                      "observer");
    }
}

/* ---- Partitions ---- */

/* Why a replica is not in sync. */
static const char *replica_state(const struct cluster_view *view, int32_t id)
{
    const struct describe_cluster_response_broker *broker = cluster_broker(view, id);
    const struct broker_answer *answer = cluster_answer(view, id);
    if (broker == NULL)
        return view->knows_fenced ? "is not registered" : "out of sync";
    if (broker->is_fenced)
        return "fenced";
    if (answer == NULL)
        return "out of sync";
    return answer->why != NULL ? "does not tell" : "catches up";
}

/* What is to be said of one follower, if anything: "3 fenced, lag 5432 for 14 s". `separator` comes
 * before it, and is another one afterwards. */
static void print_follower(FILE *out, const struct cluster_view *view,
                           const struct partition_view *partition, int32_t id, bool shows_all,
                           const char **separator)
{
    follower_told follower = partition_follower(partition, id);
    const bool is_in_sync = partition_has_in_sync(partition, id);
    const int64_t lag = partition_lag(partition, follower);
    if (is_in_sync && !shows_all && !partition_is_behind(partition, follower))
        return;
    fprintf(out, "%s%d ", *separator, id);
    *separator = "; ";
    if (!is_in_sync)
        fprintf(out, "%s%s", replica_state(view, id), view->answers == NULL ? "" : ", ");
    if (view->answers != NULL && lag < 0)
        fputs("lag unknown", out);
    else if (view->answers != NULL)
        fprintf(out, "lag %lld", (long long)lag);
    if (follower != NULL && follower->behind_ms > 0)
        fprintf(out, " for %s", age_of(follower->behind_ms).text);
}

static void print_wait(FILE *out, const struct partition_view *partition)
{
    partition_told told = partition->told;
    switch (partition_waits_for(partition)) {
    case WAIT_ELIGIBLE:
        fputs("until one of these is back: ", out);
        topic_print_nodes(out, told->eligible_leader_replicas,
                          told->eligible_leader_replicas_count);
        break;
    case WAIT_LAST_KNOWN:
        fputs("until who led last is back: ", out);
        topic_print_nodes(out, told->last_known_elr, told->last_known_elr_count);
        break;
    case WAIT_OPERATOR:
        fputs("all in sync lost data: only an unclean election gives it a leader", out);
        break;
    case WAIT_UNKNOWN:
        break;
    }
}

/* Ids of brokers, or "none", in a column. */
static void print_nodes(FILE *out, const int32_t *nodes, int32_t count)
{
    int width = topic_print_nodes(out, nodes, count);
    if (width == 0)
        width = fprintf(out, "none");
    fprintf(out, "%*s  ", width < NODES_WIDTH_MIN ? NODES_WIDTH_MIN - width : 0, "");
}

static void print_partition(FILE *out, const struct cluster_view *view,
                            const struct partition_view *partition, int width, bool shows_all)
{
    partition_of_metadata meta = partition->meta;
    const char *separator = "";
    fputs("  ", out);
    plain_print(out, partition->topic);
    fprintf(out, "%*s  %9d  ", width - (int)partition->topic.length, "", meta->partition_index);
    if (partition_is_leaderless(partition))
        fprintf(out, "%6s  ", "none");
    else
        fprintf(out, "%6d  ", meta->leader_id);
    print_nodes(out, meta->replica_nodes, meta->replica_nodes_count);
    print_nodes(out, meta->isr_nodes, meta->isr_nodes_count);
    if (partition_is_leaderless(partition)) {
        print_wait(out, partition);
    } else {
        for (int32_t i = 0; i < meta->replica_nodes_count; i++) {
            if (meta->replica_nodes[i] != meta->leader_id)
                print_follower(out, view, partition, meta->replica_nodes[i], shows_all, &separator);
        }
    }
    fputc('\n', out);
}

static bool is_troubled(const struct partition_view *partition)
{
    if (partition_is_leaderless(partition) || partition_is_under_replicated(partition))
        return true;
    for (int32_t i = 0; i < partition->meta->isr_nodes_count; i++) {
        if (partition_is_behind(partition,
                                partition_follower(partition, partition->meta->isr_nodes[i])))
            return true;
    }
    return false;
}

/* The worst first: those without a leader, then those of which a follower lacks most. */
static int by_trouble(const void *a, const void *b)
{
    const struct partition_view *one = *(const struct partition_view *const *)a;
    const struct partition_view *other = *(const struct partition_view *const *)b;
    const int64_t lag = partition_lag_most(one);
    const int64_t other_lag = partition_lag_most(other);
    if (partition_is_leaderless(one) != partition_is_leaderless(other))
        return partition_is_leaderless(one) ? -1 : 1;
    if (lag != other_lag)
        return lag > other_lag ? -1 : 1;
    return (one > other) - (one < other);
}

static void print_partitions(FILE *out, const struct cluster_view *view, bool shows_all)
{
    const struct partition_view **rows =
        calloc((size_t)view->partitions_count + 1, sizeof(const struct partition_view *));
    int width = (int)strlen("TOPIC");
    int32_t count = 0;
    for (int32_t i = 0; rows != NULL && i < view->partitions_count; i++) {
        if (shows_all || is_troubled(&view->partitions[i]))
            rows[count++] = &view->partitions[i];
    }
    const int32_t shown = count < ROWS_MAX || shows_all ? count : ROWS_MAX;
    if (count > 0 && !shows_all)
        qsort(rows, (size_t)count, sizeof(*rows), by_trouble);
    for (int32_t i = 0; i < shown; i++)
        width = (int)rows[i]->topic.length > width ? (int)rows[i]->topic.length : width;
    if (count > 0)
        fprintf(out, "  %-*s  PARTITION  LEADER  REPLICAS      IN SYNC       WHY\n", width,
                "TOPIC");
    for (int32_t i = 0; i < shown; i++)
        print_partition(out, view, rows[i], width, shows_all);
    print_more(out, count - shown);
    free(rows);
}

/* All followers of partitions that have a leader, in one line. */
static void print_lag(FILE *out, const struct cluster_view *view)
{
    const struct partition_view *worst = NULL;
    int32_t worst_id = -1;
    int64_t most = 0;
    int32_t followers = 0;
    int32_t lag = 0;
    int32_t unknown = 0;
    for (int32_t i = 0; i < view->partitions_count; i++) {
        const struct partition_view *partition = &view->partitions[i];
        partition_of_metadata meta = partition->meta;
        for (int32_t k = 0; k < meta->replica_nodes_count; k++) {
            const int32_t id = meta->replica_nodes[k];
            follower_told follower = partition_follower(partition, id);
            if (id == meta->leader_id || partition_is_leaderless(partition))
                continue;
            followers++;
            if (partition_has_in_sync(partition, id) && !partition_is_behind(partition, follower))
                continue;
            lag++;
            unknown += partition_lag(partition, follower) < 0;
            if (partition_lag(partition, follower) > most) {
                most = partition_lag(partition, follower);
                worst = partition;
                worst_id = id;
            }
        }
    }
    fprintf(out, "%d follower%s: %d behind", followers, plural(followers), lag);
    if (worst != NULL) {
        fprintf(out, ", at most %lld records (", (long long)most);
        plain_print(out, worst->topic);
        fprintf(out, "-%d on %d)", worst->meta->partition_index, worst_id);
    }
    if (unknown > 0)
        fprintf(out, ", of %d it is unknown how far", unknown);
    fputc('\n', out);
}

/* ---- Streams ---- */

static void print_stream(FILE *out, int32_t from, stream_told stream)
{
    fprintf(out, "  %6d  %6d  %-6s  %8s  %9s  %13lld  %10d  %11d%s\n", from, stream->broker_id,
            stream_state(stream), stream->up_ms < 0 ? "-" : age_of(stream->up_ms).text,
            age_of(stream->heard_ms).text, (long long)stream->unacknowledged_bytes,
            stream->partitions, stream->catching_up, stream->is_throttled ? "  throttled" : "");
}

static void print_streams(FILE *out, const struct cluster_view *view, bool shows_all)
{
    int32_t ups = 0;
    int32_t silents = 0;
    int32_t downs = 0;
    int32_t unknown = 0;
    int32_t rows = 0;
    for (int32_t i = 0; i < view->answers_count; i++) {
        unknown += view->answers[i].why != NULL;
        for (int32_t k = 0; k < view->answers[i].streams_count; k++) {
            const char *state = stream_state(&view->answers[i].streams[k]);
            ups += strcmp(state, "up") == 0;
            silents += strcmp(state, "silent") == 0;
            downs += strcmp(state, "down") == 0;
        }
    }
    fprintf(out, "streams: %d up, %d silent, %d down", ups, silents, downs);
    if (unknown > 0)
        fprintf(out, "; those from %d broker%s are unknown", unknown, plural(unknown));
    fputc('\n', out);
    for (int32_t i = 0; i < view->answers_count; i++) {
        for (int32_t k = 0; k < view->answers[i].streams_count; k++) {
            stream_told stream = &view->answers[i].streams[k];
            if (stream_is_well(stream) && !shows_all)
                continue;
            if (rows == 0)
                fputs("    FROM      TO  STATE     UP FOR  HEARD AGO  UNACKED BYTES  PARTITIONS  "
                      "CATCHING UP\n",
                      out);
            if (rows++ < ROWS_MAX || shows_all)
                print_stream(out, view->answers[i].id, stream);
        }
    }
    if (!shows_all)
        print_more(out, rows - ROWS_MAX);
}

void cluster_print(FILE *out, const struct cluster_view *view, bool shows_all)
{
    const struct describe_cluster_response *cluster = view->cluster;
    const struct cluster_counts counts = cluster_count(view);
    const int32_t topics = view->metadata->topics_count;
    fputs("cluster ", out);
    plain_print(out, cluster->cluster_id);
    fprintf(out, ": %d broker%s, controller ", cluster->brokers_count,
            plural(cluster->brokers_count));
    if (cluster_controller(view) < 0)
        fputs("none\n", out);
    else
        fprintf(out, "%d\n", cluster_controller(view));
    if (view->knows_quorum && view->quorum == NULL)
        fprintf(
            out,
            "%s knows of nobody who leads the metadata: nothing is elected or changed, and what is "
            "said here may be old\n",
            view->answered);
    print_brokers(out, view);
    if (view->quorum != NULL)
        print_quorum(out, view->quorum);
    fprintf(out, "%d topic%s, %d partition%s: %d under-replicated, %d without a leader\n", topics,
            plural(topics), counts.partitions, plural(counts.partitions), counts.lags,
            counts.leaderless);
    if (view->answers != NULL)
        print_lag(out, view);
    print_partitions(out, view, shows_all);
    if (view->answers != NULL)
        print_streams(out, view, shows_all);
}
