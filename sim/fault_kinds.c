/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/fault_kinds.h"

#include "sim/chance.h"
#include "sim/fault_splits.h"
#include "sim/network.h"
#include "sim/node_file.h"
#include "sim/spare.h"

#define PERCENT_DEFAULT   30
#define FACTOR_DEFAULT    10
#define JUMP_MS_DEFAULT   3600000
#define DRIFT_PPM_DEFAULT 20000
#define STALL_MS_DEFAULT  200

uint64_t fault_amount(struct fault_window *window, uint64_t otherwise)
{
    const struct range range = window->fault->amount;
    return range.most == 0 ? otherwise : chance_between(&window->rng, range.least, range.most);
}

static void count(struct fault_window *window, enum tally_row fired, bool mattered)
{
    sim_count(window->sim, fired);
    if (mattered)
        sim_count(window->sim, fired + 1);
}

static bool is_at_work(const struct host *host)
{
    return !list_empty(&host->pendings) || host->arrived_count > 0;
}

/* ---- Lives. ---- */

static void crash_begins(struct fault_window *window)
{
    count(window, TALLY_fault_crash, is_at_work(window->host));
    host_crash(window->host);
}

static void power_loss_begins(struct fault_window *window)
{
    count(window, TALLY_fault_power_loss, files_are_dirty(&window->host->files));
    host_power_loss(window->host);
}

static void stop_begins(struct fault_window *window)
{
    count(window, TALLY_fault_stop, is_at_work(window->host));
    host_stop(window->host);
}

static void start_again(struct fault_window *window)
{
    host_start_in(window->host, 0);
}

static void pause_begins(struct fault_window *window)
{
    sim_count(window->sim, TALLY_fault_pause);
    host_pause(window->host, window->lasts_us);
}

static void pause_ends(struct fault_window *window)
{
    if (window->host->arrived_count > 0 || network_has_accepts(window->sim->network, window->host))
        sim_count(window->sim, TALLY_fault_pause_mattered);
}

static void slow_node_begins(struct fault_window *window)
{
    sim_count(window->sim, TALLY_fault_slow_node);
    window->before = window->sim->steps;
    window->host->faults.node_factor = (uint32_t)fault_amount(window, FACTOR_DEFAULT);
}

static void slow_node_ends(struct fault_window *window)
{
    window->host->faults.node_factor = 0;
    if (window->sim->steps > window->before)
        sim_count(window->sim, TALLY_fault_slow_node_mattered);
}

static int64_t signed_amount(struct fault_window *window, uint64_t otherwise)
{
    const int64_t amount = (int64_t)fault_amount(window, otherwise);
    return chance_one_in(&window->rng, 2) ? -amount : amount;
}

static void wall_jump_begins(struct fault_window *window)
{
    count(window, TALLY_fault_wall_jump, host_runs(window->host));
    host_wall_jump(window->host, signed_amount(window, JUMP_MS_DEFAULT));
}

static void drift_begins(struct fault_window *window)
{
    count(window, TALLY_fault_clock_drift, host_runs(window->host));
    host_drift(window->host, signed_amount(window, DRIFT_PPM_DEFAULT));
}

static void drift_ends(struct fault_window *window)
{
    host_drift(window->host, 0);
}

/* ---- Networks; those that split them are in sim/fault_splits.c. ---- */

static void reset_begins(struct fault_window *window)
{
    sim_count(window->sim, TALLY_fault_reset);
    network_cut(window->sim->network, window->host->number,
                (uint32_t)fault_amount(window, PERCENT_DEFAULT));
}

static void half_open_begins(struct fault_window *window)
{
    sim_count(window->sim, TALLY_fault_half_open);
    network_vanish(window->sim->network, window->host->number,
                   (uint32_t)fault_amount(window, PERCENT_DEFAULT));
}

static void slow_link_begins(struct fault_window *window)
{
    sim_count(window->sim, TALLY_fault_slow_link);
    network_slow(window->sim->network, (uint32_t)fault_amount(window, FACTOR_DEFAULT));
}

static void slow_link_ends(struct fault_window *window)
{
    network_slow(window->sim->network, 0);
}

/* ---- Disks. ---- */

static void write_error_begins(struct fault_window *window)
{
    sim_count(window->sim, TALLY_fault_write_error);
    window->host->faults.path = window->fault->path;
    window->host->faults.write_error_percent = (uint32_t)fault_amount(window, PERCENT_DEFAULT);
}

static void read_error_begins(struct fault_window *window)
{
    sim_count(window->sim, TALLY_fault_read_error);
    window->host->faults.path = window->fault->path;
    window->host->faults.read_error_percent = (uint32_t)fault_amount(window, PERCENT_DEFAULT);
}

static void sync_error_begins(struct fault_window *window)
{
    sim_count(window->sim, TALLY_fault_sync_error);
    window->host->faults.path = window->fault->path;
    window->host->faults.sync_error_percent = (uint32_t)fault_amount(window, PERCENT_DEFAULT);
}

static void open_error_begins(struct fault_window *window)
{
    sim_count(window->sim, TALLY_fault_open_error);
    window->host->faults.path = window->fault->path;
    window->host->faults.open_error_percent = (uint32_t)fault_amount(window, PERCENT_DEFAULT);
}

static void file_errors_end(struct fault_window *window)
{
    struct host_faults *faults = &window->host->faults;
    faults->write_error_percent = 0;
    faults->read_error_percent = 0;
    faults->sync_error_percent = 0;
    faults->open_error_percent = 0;
    faults->path = NULL;
}

static void disk_full_begins(struct fault_window *window)
{
    sim_count(window->sim, TALLY_fault_disk_full);
    struct files *files = &window->host->files;
    files->capacity_bytes = files->used_bytes + fault_amount(window, 0);
}

static void disk_full_ends(struct fault_window *window)
{
    window->host->files.capacity_bytes = UINT64_MAX;
}

static void slow_disk_begins(struct fault_window *window)
{
    sim_count(window->sim, TALLY_fault_slow_disk);
    window->host->faults.disk_factor = (uint32_t)fault_amount(window, FACTOR_DEFAULT);
}

static void slow_disk_ends(struct fault_window *window)
{
    window->host->faults.disk_factor = 0;
}

static void stall_begins(struct fault_window *window)
{
    sim_count(window->sim, TALLY_fault_write_stall);
    window->host->faults.stall_us = 1000 * fault_amount(window, STALL_MS_DEFAULT);
}

static void stall_ends(struct fault_window *window)
{
    window->host->faults.stall_us = 0;
}

static void rot_begins(struct fault_window *window)
{
    bool is_derived = false;
    const bool rotted = files_rot(&window->host->files, window->fault->path, &is_derived);
    window->host->is_rotten = window->host->is_rotten || (rotted && !is_derived);
    count(window, TALLY_fault_bit_rot, rotted);
}

/* ---- Disks that come and go. ---- */

static void empty_disk_begins(struct fault_window *window)
{
    count(window, TALLY_fault_empty_disk, is_at_work(window->host));
    host_power_loss(window->host);
    host_disk_new(window->host);
}

static void old_disk_begins(struct fault_window *window)
{
    count(window, TALLY_fault_old_disk, is_at_work(window->host));
    host_power_loss(window->host);
    host_disk_back(window->host);
}

static void both_swap(struct fault_window *window)
{
    host_power_loss(window->host);
    host_power_loss(window->other);
    host_disks_swap(window->host, window->other);
    host_start_in(window->host, 0);
    host_start_in(window->other, 0);
}

struct host *fault_other(struct fault_window *window)
{
    const struct sim *sim = window->sim;
    const uint64_t further = 1 + chance_below(&window->rng, sim->hosts_count - 1);
    return sim->hosts[(window->host->number - 1 + further) % sim->hosts_count];
}

static void swap_disks_begins(struct fault_window *window)
{
    window->other = fault_other(window);
    sim_count(window->sim, TALLY_fault_swap_disks);
    both_swap(window);
    window->before = window->host->boots + window->other->boots;
}

static void swap_disks_ends(struct fault_window *window)
{
    if (window->host->boots + window->other->boots > window->before)
        sim_count(window->sim, TALLY_fault_swap_disks_mattered);
    both_swap(window);
}

static void other_file_begins(struct fault_window *window)
{
    struct host *host = window->host;
    struct settings_list file;
    count(window, TALLY_fault_other_file, is_at_work(host));
    node_file_draw(window->sim, &window->rng, host->number, &file);
    host_give_file(host, &file);
    host_stop(host);
}

/* Every machine has its own. */
static bool disks_are_home(const struct sim *sim)
{
    for (uint32_t i = 0; i < sim->hosts_count; i++) {
        if (sim->hosts[i]->disk.owner != sim->hosts[i]->number)
            return false;
    }
    return true;
}

bool fault_can_begin(enum fault_kind kind, const struct host *host)
{
    switch (kind) {
    case FAULT_EMPTY_DISK:
        return spare_disk(host->sim, host);
    case FAULT_OLD_DISK:
        return host->shelf != NULL && spare_disk(host->sim, host);
    case FAULT_SWAP_DISKS:
        return disks_are_home(host->sim);
    default:
        return true;
    }
}

static const struct {
    const char *name;
    void (*begin)(struct fault_window *window);
    void (*end)(struct fault_window *window); /* NULL: nothing to take back */
} kinds[FAULT_KINDS] = {
    [FAULT_CRASH] = {"crash", crash_begins, start_again},
    [FAULT_POWER_LOSS] = {"power_loss", power_loss_begins, start_again},
    [FAULT_STOP] = {"stop", stop_begins, start_again},
    [FAULT_PAUSE] = {"pause", pause_begins, pause_ends},
    [FAULT_SLOW_NODE] = {"slow_node", slow_node_begins, slow_node_ends},
    [FAULT_WALL_JUMP] = {"wall_jump", wall_jump_begins, NULL},
    [FAULT_CLOCK_DRIFT] = {"clock_drift", drift_begins, drift_ends},
    [FAULT_PARTITION] = {"partition", split_begins, split_ends},
    [FAULT_ONE_WAY] = {"one_way", split_begins, split_ends},
    [FAULT_RESET] = {"reset", reset_begins, NULL},
    [FAULT_HALF_OPEN] = {"half_open", half_open_begins, NULL},
    [FAULT_SLOW_LINK] = {"slow_link", slow_link_begins, slow_link_ends},
    [FAULT_WRITE_ERROR] = {"write_error", write_error_begins, file_errors_end},
    [FAULT_READ_ERROR] = {"read_error", read_error_begins, file_errors_end},
    [FAULT_SYNC_ERROR] = {"sync_error", sync_error_begins, file_errors_end},
    [FAULT_OPEN_ERROR] = {"open_error", open_error_begins, file_errors_end},
    [FAULT_DISK_FULL] = {"disk_full", disk_full_begins, disk_full_ends},
    [FAULT_SLOW_DISK] = {"slow_disk", slow_disk_begins, slow_disk_ends},
    [FAULT_WRITE_STALL] = {"write_stall", stall_begins, stall_ends},
    [FAULT_BIT_ROT] = {"bit_rot", rot_begins, NULL},
    [FAULT_EMPTY_DISK] = {"empty_disk", empty_disk_begins, start_again},
    [FAULT_OLD_DISK] = {"old_disk", old_disk_begins, start_again},
    [FAULT_SWAP_DISKS] = {"swap_disks", swap_disks_begins, swap_disks_ends},
    [FAULT_CUT_LINK] = {"cut_link", split_begins, split_ends},
    [FAULT_ONE_WAY_LINK] = {"one_way_link", split_begins, split_ends},
    [FAULT_OTHER_FILE] = {"other_file", other_file_begins, start_again},
};

void fault_begin(struct fault_window *window)
{
    sim_tell(window->sim, window->host, "fault", "%s begins, for %llu us",
             kinds[window->fault->kind].name, (unsigned long long)window->lasts_us);
    kinds[window->fault->kind].begin(window);
}

void fault_end(struct fault_window *window)
{
    if (kinds[window->fault->kind].end == NULL)
        return;
    sim_tell(window->sim, window->host, "fault", "%s ends", kinds[window->fault->kind].name);
    kinds[window->fault->kind].end(window);
}

const char *fault_name(enum fault_kind kind)
{
    return kinds[kind].name;
}
