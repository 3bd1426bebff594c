/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What it takes to judge record batches as producers send them, of 150 records of 100 bytes, beside
 * what a copy and the checksum of the same bytes take in the same run: turns of each, one after the
 * other, many times, and of each the median and the least. Nothing passes or fails.
 *
 *     records [ROUNDS]        default 2001
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/check.h"
#include "core/base/crc32c.h"
#include "core/records/builder.h"
#include "core/records/record.h"
#include "core/records/validate.h"
#include "core/wire/error.h"

#define RECORDS      150
#define VALUE_BYTES  100
#define BATCHES      16 /* different bytes, which caches hold as they do what was just received */
#define PASSES       4  /* over all of them in a turn */
#define ROUNDS       2001
#define NOW_MS       INT64_C(1700000000000)
#define NS_PER_S     UINT64_C(1000000000)
#define BATCH_ROOM   ((size_t)32 * 1024)
#define TURN_BATCHES (BATCHES * PASSES)

struct bench {
    uint8_t bytes[BATCHES][BATCH_ROOM];
    uint8_t copy[BATCH_ROOM];
    size_t length; /* of each batch */
    uint64_t kept; /* what came out, so that nothing is left out */
};

static void copy_one(struct bench *bench, uint8_t *bytes)
{
    memcpy(bench->copy, bytes, bench->length);
    /* Whoever reads the copy is unknown to the compiler. */
    __asm__ volatile("" ::"r"(bench->copy) : "memory");
}

static void sum_one(struct bench *bench, uint8_t *bytes)
{
    bench->kept += crc32c(0, bytes + BATCH_AT_ATTRIBUTES, bench->length - BATCH_AT_ATTRIBUTES);
}

static void walk_one(struct bench *bench, uint8_t *bytes)
{
    struct record_survey survey;
    int32_t index;
    CHECK(record_survey(batch_records(span_of(bytes, bench->length)), RECORDS, &survey, &index) ==
          ERR_NONE);
    bench->kept += (uint64_t)survey.delta_max;
}

static void validate_one(struct bench *bench, uint8_t *bytes)
{
    const struct batch_rules rules = {
        .max_message_bytes = 1 << 20,
        .produce_version = 9,
        .wall_ms = NOW_MS,
        .timestamp_before_max_ms = INT64_MAX,
        .timestamp_after_max_ms = 3600 * 1000,
    };
    struct batch_info info;
    struct batch_fault fault;
    CHECK(batch_validate(bytes, bench->length, &rules, &info, &fault) == ERR_NONE);
    bench->kept += (uint64_t)info.record_count;
}

static const struct {
    const char *what;
    void (*one)(struct bench *bench, uint8_t *bytes);
} kinds[] = {
    {"copied (memcpy)", copy_one},
    {"summed (CRC-32C)", sum_one},
    {"records looked at", walk_one},
    {"judged as a whole, sum and all", validate_one},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void fill(struct bench *bench)
{
    for (int at = 0; at < BATCHES; at++) {
        struct batch_builder builder;
        batch_builder_start(&builder, bench->bytes[at], BATCH_ROOM, NOW_MS, false);
        for (int i = 0; i < RECORDS; i++) {
            uint8_t value[VALUE_BYTES];
            for (int k = 0; k < VALUE_BYTES; k++)
                value[k] = (uint8_t)(at * 7 + i * 31 + k);
            batch_builder_add(&builder, NOW_MS + i, SPAN_NULL, span_of(value, VALUE_BYTES));
        }
        bench->length = batch_builder_finish(&builder);
    }
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* Nanoseconds that a kind takes for a batch. */
static double turn_ns(struct bench *bench, size_t kind)
{
    const uint64_t from_ns = now_ns();
    for (int pass = 0; pass < PASSES; pass++) {
        for (int at = 0; at < BATCHES; at++)
            kinds[kind].one(bench, bench->bytes[at]);
    }
    return (double)(now_ns() - from_ns) / TURN_BATCHES;
}

static int compare(const void *one, const void *other)
{
    const double a = *(const double *)one;
    const double b = *(const double *)other;
    return (a > b) - (a < b);
}

int main(int argc, char **argv)
{
    const size_t rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : ROUNDS;
    CHECK(rounds > 0);
    struct bench *bench = calloc(1, sizeof(*bench));
    double *taken = calloc(KINDS * rounds, sizeof(*taken));
    CHECK(bench != NULL && taken != NULL);
    fill(bench);
    for (size_t round = 0; round < rounds; round++) {
        for (size_t kind = 0; kind < KINDS; kind++)
            taken[kind * rounds + round] = turn_ns(bench, kind);
    }
    printf("a batch of %d records of %d bytes, %zu bytes; medians of %zu turns (least)\n", RECORDS,
           VALUE_BYTES, bench->length, rounds);
    for (size_t kind = 0; kind < KINDS; kind++) {
        double *of_kind = taken + kind * rounds;
        qsort(of_kind, rounds, sizeof(*of_kind), compare);
        const double median = of_kind[rounds / 2];
        printf("%-32s %8.0f ns a batch (%.0f), %6.2f ns a record (%.2f), %6.1f GB/s\n",
               kinds[kind].what, median, of_kind[0], median / RECORDS, of_kind[0] / RECORDS,
               (double)bench->length / median);
    }
    free(bench);
    free(taken);
    return 0;
}
