/* SPDX-License-Identifier: Apache-2.0 */
/* Disks that are taken out of machines and put into them. */
#include <stdlib.h>

#include "core/base/check.h"
#include "core/meta/identity.h"
#include "sim/host_internal.h"
#include "sim/judge.h"
#include "sim/memory.h"

/* As an operator does by "chronik format", without which no node of a cluster starts. */
void host_disk_format(struct host *host)
{
    struct disk_label *label = &host->disk;
    label->owner = host->number;
    label->number = host->number + host->disks_made * (SIM_HOSTS_MAX + 1);
    for (uint32_t i = 0; i < host->conf.folders_count; i++) {
        char text[IDENTITY_BYTES_MAX];
        struct identity identity = {.cluster_id = "simulated-cluster",
                                    .node_id = (int32_t)host->number};
        const uint8_t id[] = {
            's', (uint8_t)host->number, (uint8_t)i, 0, 0, (uint8_t)host->disks_made, 0x40, 0, 0x80};
        memcpy(identity.directory_id.bytes, id, sizeof(id));
        label->directories[i] = identity.directory_id;
        const size_t length = identity_print(&identity, text, sizeof(text));
        files_put(&host->files, i, IDENTITY_FILE, span_of(text, length));
    }
    host->disks_made++;
}

/* There is another disk in it now. */
static void is_in(struct host *host)
{
    CHECK(!host_runs(host));
    host->files.rng = &host->files_rng;
    host->files.capacity_bytes = UINT64_MAX;
    judges_host_changed(host->sim->judges, host, HOST_HAS_NEW_DISK);
}

void host_disk_new(struct host *host)
{
    sim_tell(host->sim, host, "life", "gets an empty disk");
    if (host->shelf == NULL)
        host->shelf = sim_allocate(NULL, sizeof(*host->shelf));
    else
        files_free(&host->shelf->files);
    *host->shelf = (struct disk){.label = host->disk, .files = host->files};
    files_init(&host->files, &host->files_rng);
    host_disk_format(host);
    is_in(host);
}

void host_disk_back(struct host *host)
{
    const struct disk disk = *host->shelf;
    sim_tell(host->sim, host, "life", "gets back the disk that it had before");
    *host->shelf = (struct disk){.label = host->disk, .files = host->files};
    host->disk = disk.label;
    host->files = disk.files;
    is_in(host);
}

void host_disks_swap(struct host *one, struct host *other)
{
    const struct disk disk = {.label = one->disk, .files = one->files};
    sim_tell(one->sim, one, "life", "has its disk changed for that of %s", other->name);
    one->disk = other->disk;
    one->files = other->files;
    other->disk = disk.label;
    other->files = disk.files;
    is_in(one);
    is_in(other);
}

bool host_has_directory(const struct host *host, struct uuid directory)
{
    for (uint32_t i = 0; i < host->conf.folders_count; i++) {
        if (uuid_equal(host->disk.directories[i], directory))
            return true;
    }
    return false;
}
