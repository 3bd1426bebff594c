/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/fault_splits.h"

#include "sim/chance.h"
#include "sim/clients.h"
#include "sim/network.h"

#define PARTS_DEFAULT 2

/* That it fired; whether it mattered is the next one. */
static enum tally_row row_of(enum fault_kind kind)
{
    switch (kind) {
    case FAULT_PARTITION:
        return TALLY_fault_partition;
    case FAULT_ONE_WAY:
        return TALLY_fault_one_way;
    case FAULT_CUT_LINK:
        return TALLY_fault_cut_link;
    default:
        return TALLY_fault_one_way_link;
    }
}

static uint32_t ends_count(const struct sim *sim)
{
    const uint32_t clients = CLIENT_END(clients_count(sim->clients)) + 1;
    return clients < FAULT_ENDS_MAX ? clients : FAULT_ENDS_MAX;
}

/* ---- Who is kept apart. ---- */

/* Each part gets a machine of its own, as long as there are some. */
static void machines_deal(struct fault_window *window, uint64_t count)
{
    const uint32_t hosts = window->sim->hosts_count;
    uint32_t ends[SIM_HOSTS_MAX];
    for (uint32_t i = 0; i < hosts; i++)
        ends[i] = i + 1;
    for (uint32_t part = 0; part < count && part < hosts; part++) {
        const uint64_t drawn = part + chance_below(&window->rng, hosts - part);
        const uint32_t end = ends[drawn];
        ends[drawn] = ends[part];
        window->parts[end] = (uint8_t)part;
    }
}

static void parts_draw(struct fault_window *window, uint64_t count)
{
    const uint64_t sides = chance_draw(&window->rng);
    window->backwards = chance_one_in(&window->rng, 2);
    for (uint32_t i = 0; i < FAULT_ENDS_MAX; i++)
        window->parts[i] =
            (uint8_t)(count == 2 ? sides >> i & 1 : chance_below(&window->rng, count));
    if (count > 2)
        machines_deal(window, count);
    for (uint32_t i = 0; i < FAULT_ENDS_MAX && window->fault->node != 0; i++)
        window->parts[i] = i == window->fault->node;
}

static void link_draw(struct fault_window *window)
{
    const uint32_t other = window->fault->other_node;
    window->other = other == 0 ? fault_other(window) : window->sim->hosts[other - 1];
    sim_tell(window->sim, window->host, "fault", "the link is that to %s", window->other->name);
}

static bool keeps_apart(const struct fault_window *window, uint32_t from, uint32_t to)
{
    switch (window->fault->kind) {
    case FAULT_PARTITION:
        return window->parts[from] != window->parts[to];
    case FAULT_ONE_WAY:
        return window->parts[from] != window->parts[to] && window->parts[from] != window->backwards;
    case FAULT_CUT_LINK:
        return (from == window->host->number && to == window->other->number) ||
               (to == window->host->number && from == window->other->number);
    default:
        return from == window->host->number && to == window->other->number;
    }
}

/* ---- What is done to them. ---- */

static void apply(const struct fault_window *window,
                  void (*change)(struct network *network, uint32_t from, uint32_t to))
{
    const uint32_t ends = ends_count(window->sim);
    for (uint32_t from = 1; from < ends; from++) {
        for (uint32_t to = 1; to < ends; to++) {
            if (keeps_apart(window, from, to))
                change(window->sim->network, from, to);
        }
    }
}

static void flaps(struct task *task);

/* It is split from now on, or not; and where it flaps, otherwise after a while. */
static void split(struct fault_window *window, bool is_split)
{
    const struct range flap_ms = window->fault->flap_ms;
    window->is_split = is_split;
    apply(window, is_split ? network_block : network_unblock);
    if (flap_ms.most == 0)
        return;
    const uint64_t after_us =
        chance_between(&window->rng, flap_ms.least * 1000, flap_ms.most * 1000);
    queue_put_aside(&window->sim->queue, &window->flap_task, window->sim->now_us + after_us, flaps,
                    &window->rng);
}

static void flaps(struct task *task)
{
    struct fault_window *window = container_of(task, struct fault_window, flap_task);
    sim_tell(window->sim, window->host, "fault", "%s %s", fault_name(window->fault->kind),
             window->is_split ? "lets through again" : "is there again");
    sim_count(window->sim, TALLY_split_flapped);
    split(window, !window->is_split);
}

void split_begins(struct fault_window *window)
{
    const struct scenario_fault *fault = window->fault;
    sim_count(window->sim, row_of(fault->kind));
    window->before = network_held(window->sim->network);
    if (fault->kind == FAULT_PARTITION || fault->kind == FAULT_ONE_WAY)
        parts_draw(window, fault_amount(window, PARTS_DEFAULT));
    else
        link_draw(window);
    split(window, true);
}

void split_ends(struct fault_window *window)
{
    queue_cancel(&window->sim->queue, &window->flap_task);
    if (window->is_split)
        apply(window, network_unblock);
    if (network_held(window->sim->network) > window->before)
        sim_count(window->sim, row_of(window->fault->kind) + 1);
}
