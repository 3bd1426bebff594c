/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/folders.h"

#include <stdio.h>

#include "core/base/format.h"

#define FOLDER_REASON_BYTES 1024

bool folders_add(struct loop *loop, const struct conf *conf, const struct cmd *cmd)
{
    for (uint32_t i = 0; i < conf->folders_count; i++) {
        char path[DISK_PATH_BYTES_MAX + 1];
        char reason[FOLDER_REASON_BYTES];
        if (conf->folders[i].length >= sizeof(path)) {
            fprintf(stderr, "chronik %s: a folder of log.dirs has too long a path\n", cmd->name);
            return false;
        }
        snprintf(path, sizeof(path), "%.*s", SPAN_ARGS(conf->folders[i]));
        if (disk_add_folder(loop_disk(loop), path, reason, sizeof(reason)) != 0) {
            fprintf(stderr, "chronik %s: %s\n", cmd->name, reason);
            return false;
        }
    }
    return true;
}
