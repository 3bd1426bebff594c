/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/run.h"

#include <stdio.h>
#include <sys/resource.h>

#include "core/base/check.h"
#include "sim/judge.h"
#include "sim/trace.h"

static uint64_t cpu_us(void)
{
    struct rusage usage;
    CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void copy(char *text, size_t bytes, const char *from)
{
    snprintf(text, bytes, "%s", from == NULL ? "" : from);
}

static void take(const struct sim *sim, struct run_result *result)
{
    static const enum run_outcome outcomes[] = {
        [SIM_PASSED] = RUN_PASSED, [SIM_SAFETY] = RUN_SAFETY, [SIM_LIVENESS] = RUN_LIVENESS};
    const struct violation *violation = &sim->violation;
    result->outcome = outcomes[violation->result];
    result->steps = sim->steps;
    result->digest = sim->digest.value;
    result->virtual_us = sim->now_us;
    result->tally = sim->tally;
    result->judges_count = judges_count(sim->judges);
    CHECK(result->judges_count <= RUN_JUDGES_MAX);
    for (uint32_t i = 0; i < result->judges_count; i++)
        result->judged[i] = judges_get(sim->judges, i)->judged;
    result->at_us = violation->at_us;
    result->at_step = violation->step;
    copy(result->judge, sizeof(result->judge), violation->judge);
    copy(result->rule, sizeof(result->rule), violation->rule);
    copy(result->source, sizeof(result->source), violation->source);
    copy(result->text, sizeof(result->text), violation->text);
}

/* The world anew, with a trace that watches it; or the same one, with the reason why the trace
 * cannot be written. */
static struct sim *trace_it(struct sim *sim, const char *path, const char *scenario_text,
                            struct trace **ret_trace, char reason[static TRACE_REASON_BYTES])
{
    const struct scenario *scenario = sim->scenario;
    const uint64_t seed = sim->source.seed;
    *ret_trace = trace_begin(path, scenario->name, span_text(scenario_text), seed, reason);
    if (*ret_trace == NULL)
        return sim;
    sim_free(sim);
    const struct sim_options options = {.sink = &trace_sink, .sink_context = *ret_trace};
    char refusal[1];
    sim = sim_new(scenario, seed, &options, refusal, sizeof(refusal));
    CHECK(sim != NULL); /* it was not refused a moment ago */
    return sim;
}

void run_once(const struct scenario *scenario, uint64_t seed, const char *trace_path,
              const char *scenario_text, struct run_result *ret_result)
{
    const uint64_t begin_us = cpu_us();
    const struct sim_options options = {0};
    char reason[TRACE_REASON_BYTES] = "";
    struct trace *trace = NULL;
    *ret_result = (struct run_result){.outcome = RUN_REFUSED, .seed = seed};
    struct sim *sim = sim_new(scenario, seed, &options, ret_result->text, sizeof(ret_result->text));
    if (sim == NULL)
        return;
    if (trace_path != NULL)
        sim = trace_it(sim, trace_path, scenario_text, &trace, reason);
    sim_run(sim);
    take(sim, ret_result);
    if (trace != NULL && trace_end(trace, sim, reason))
        copy(ret_result->trace, sizeof(ret_result->trace), trace_path);
    copy(ret_result->no_trace, sizeof(ret_result->no_trace), reason);
    sim_free(sim);
    ret_result->cpu_us = cpu_us() - begin_us;
}

const char *run_outcome_name(enum run_outcome outcome)
{
    static const char *const names[RUN_OUTCOMES] = {"passed", "safety", "liveness", "crash",
                                                    "refused"};
    return names[outcome];
}

uint32_t run_judges(const struct scenario *scenario, const char *ret_names[RUN_JUDGES_MAX])
{
    char reason[VIOLATION_TEXT_BYTES];
    const struct sim_options options = {0};
    struct sim *sim = sim_new(scenario, 1, &options, reason, sizeof(reason));
    const uint32_t count = sim == NULL ? 0 : judges_count(sim->judges);
    CHECK(count <= RUN_JUDGES_MAX);
    for (uint32_t i = 0; i < count; i++)
        ret_names[i] = judges_get(sim->judges, i)->kind->name;
    sim_free(sim);
    return count;
}
