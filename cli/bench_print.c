/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/bench_print.h"

#include <inttypes.h>

#include "cli/bench_request.h"
#include "cli/json.h"
#include "core/wire/error.h"

/* Beyond this share of a processor it may be us who cannot do more. */
#define OWN_SHARE_MAX 0.9

const char *const bench_arm_names[BENCH_ARMS] = {"produce", "fetch", "tail"};

static const struct {
    const char *text;
    const char *json;
    uint32_t permille;
} quantiles[] = {
    {"p50", "p50", 500},     {"p90", "p90", 900},   {"p99", "p99", 990},
    {"p99.9", "p99_9", 999}, {"most", "max", 1000},
};

#define QUANTILES (sizeof(quantiles) / sizeof(quantiles[0]))

static double seconds_of(const struct bench_result *result)
{
    return result->counted_ns > 0 ? (double)result->counted_ns / 1e9 : 1;
}

static double per(double amount, uint64_t count)
{
    return count == 0 ? 0 : amount / (double)count;
}

static const char *acks_of(const struct bench_plan *plan)
{
    return plan->acks == 1 ? "1" : "all";
}

static void print_head(FILE *out, const struct bench_plan *plan, const struct bench_result *result)
{
    fprintf(out, "%s %s: partitions %" PRIu32 ", connections %" PRIu32 ", depth %" PRIu32,
            bench_arm_names[plan->arm], plan->topic, result->partitions, plan->connections,
            plan->depth);
    if (plan->arm == BENCH_FETCH)
        fprintf(out, ", fetch-bytes %" PRIu32, plan->fetch_bytes);
    else
        fprintf(out, ", acks %s, records %" PRIu32 " x %" PRIu32 " bytes", acks_of(plan),
                bench_batch_records(plan), plan->record_bytes);
    if (plan->rate > 0)
        fprintf(out, ", rate %" PRIu32 "/s", plan->rate);
    fprintf(out, "; %.1f s\n", seconds_of(result));
}

static void print_amount(FILE *out, const char *name, double amount, double seconds,
                         const char *unit)
{
    fprintf(out, "  %-10s %14.*f%s  %12.*f%s/s\n", name, unit[0] == '\0' ? 0 : 3, amount, unit,
            unit[0] == '\0' ? 0 : 3, amount / seconds, unit);
}

static void print_times(FILE *out, const char *name, const struct histogram *histogram)
{
    fprintf(out, "  %-10s", name);
    for (size_t i = 0; i < QUANTILES; i++)
        fprintf(out, "%s %s %.3f", i == 0 ? "" : ",", quantiles[i].text,
                (double)histogram_quantile_ns(histogram, quantiles[i].permille) / 1e6);
    fprintf(out, " ms\n");
}

static void print_wrong(FILE *out, const struct bench_result *result)
{
    if (result->errors > 0) {
        fprintf(out, "  errors     %14" PRIu64 ":", result->errors);
        for (int i = 0; i < BENCH_ERRORS_MAX; i++) {
            if (result->errors_by_code[i] > 0)
                fprintf(out, " %s %" PRIu64, error_name(i - 1), result->errors_by_code[i]);
        }
        fprintf(out, "\n");
    }
    if (result->lost > 0)
        fprintf(out, "  lost       %14" PRIu32 " connections: %s\n", result->lost, result->message);
    if (result->unanswered > 0)
        fprintf(out, "  unanswered %14" PRIu64 " requests\n", result->unanswered);
    if (result->unsent > 0)
        fprintf(out,
                "  unsent     %14" PRIu64
                " requests were due; the broker does not keep that rate\n",
                result->unsent);
}

static void print_text(FILE *out, const struct bench_plan *plan, const struct bench_result *result)
{
    const double seconds = seconds_of(result);
    const double cpu_s = (double)result->cpu_ns / 1e9;
    const double own_share = (double)result->own_cpu_ns / 1e9 / seconds;
    print_head(out, plan, result);
    print_amount(out, "requests", (double)result->requests, seconds, "");
    print_amount(out, "records", (double)result->records, seconds, "");
    print_amount(out, "bytes", (double)result->bytes / 1e6, seconds, " MB");
    print_times(out, "latency", &result->latency);
    if (plan->arm == BENCH_TAIL) {
        print_times(out, "end to end", &result->tail);
        if (result->tail_records < result->all_records)
            fprintf(out, "  missing    %14" PRIu64 " records did not come to a reader\n",
                    result->all_records - result->tail_records);
    }
    if (plan->pids_count > 0)
        fprintf(out, "  CPU        %14.3f s of brokers: %.3f s/GB, %.2f us/request\n", cpu_s,
                per(cpu_s * 1e9, result->bytes), per(cpu_s * 1e6, result->requests));
    fprintf(out, "  own CPU    %14.3f s, %.0f %% of one%s\n", (double)result->own_cpu_ns / 1e9,
            own_share * 100,
            own_share > OWN_SHARE_MAX ? ": it is the client that is measured" : "");
    print_wrong(out, result);
}

static void print_json_times(FILE *out, const char *name, const struct histogram *histogram)
{
    fprintf(out, ",\"%s\":{", name);
    for (size_t i = 0; i < QUANTILES; i++)
        fprintf(out, "%s\"%s\":%.1f", i == 0 ? "" : ",", quantiles[i].json,
                (double)histogram_quantile_ns(histogram, quantiles[i].permille) / 1e3);
    fprintf(out, "}");
}

static void print_json(FILE *out, const struct bench_plan *plan, const struct bench_result *result)
{
    const double seconds = seconds_of(result);
    const double cpu_s = (double)result->cpu_ns / 1e9;
    const char *comma = "";
    fprintf(out, "{\"arm\":\"%s\",\"topic\":", bench_arm_names[plan->arm]);
    json_text(out, span_text(plan->topic));
    fprintf(out,
            ",\"partitions\":%" PRIu32 ",\"connections\":%" PRIu32 ",\"depth\":%" PRIu32
            ",\"acks\":\"%s\",\"batch_records\":%" PRIu32 ",\"record_bytes\":%" PRIu32
            ",\"rate\":%" PRIu32 ",\"seconds\":%.3f",
            result->partitions, plan->connections, plan->depth, acks_of(plan),
            bench_batch_records(plan), plan->record_bytes, plan->rate, seconds);
    fprintf(out,
            ",\"requests\":%" PRIu64 ",\"records\":%" PRIu64 ",\"bytes\":%" PRIu64
            ",\"requests_per_s\":%.1f,\"bytes_per_s\":%.0f",
            result->requests, result->records, result->bytes, (double)result->requests / seconds,
            (double)result->bytes / seconds);
    print_json_times(out, "latency_us", &result->latency);
    if (plan->arm == BENCH_TAIL) {
        print_json_times(out, "end_to_end_us", &result->tail);
        fprintf(out, ",\"tail_records\":%" PRIu64, result->tail_records);
    }
    if (plan->pids_count > 0)
        fprintf(out, ",\"cpu_s\":%.6f,\"cpu_s_per_gb\":%.4f,\"cpu_us_per_request\":%.3f", cpu_s,
                per(cpu_s * 1e9, result->bytes), per(cpu_s * 1e6, result->requests));
    fprintf(out,
            ",\"own_cpu_s\":%.6f,\"all_requests\":%" PRIu64 ",\"all_records\":%" PRIu64
            ",\"errors\":%" PRIu64 ",\"errors_by_code\":{",
            (double)result->own_cpu_ns / 1e9, result->all_requests, result->all_records,
            result->errors);
    for (int i = 0; i < BENCH_ERRORS_MAX; i++) {
        if (result->errors_by_code[i] == 0)
            continue;
        fprintf(out, "%s\"%s\":%" PRIu64, comma, error_name(i - 1), result->errors_by_code[i]);
        comma = ",";
    }
    fprintf(out, "},\"unanswered\":%" PRIu64 ",\"unsent\":%" PRIu64 ",\"lost\":%" PRIu32 "}\n",
            result->unanswered, result->unsent, result->lost);
}

void bench_print(FILE *out, const struct bench_plan *plan, const struct bench_result *result)
{
    if (plan->json)
        print_json(out, plan, result);
    else
        print_text(out, plan, result);
}
