/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cluster_folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/options.h"
#include "core/base/rng.h"

#define CLUSTER_FILE "cluster"
#define CLUSTER_PART CLUSTER_FILE ".part"

/* The lines of CLUSTER_FILE; 22 letters of an id. */
#define CLUSTER_PRINT "cluster.id=%s\nnodes=%u\nport=%hu\npeers.port=%hu\n"
#define CLUSTER_SCAN  "cluster.id=%22s\nnodes=%u\nport=%hu\npeers.port=%hu\n"

void cluster_folder_name(uint32_t number, const char *suffix, char out[static CLUSTER_NAME_BYTES])
{
    snprintf(out, CLUSTER_NAME_BYTES, "node-%u%s", number, suffix);
}

static int fail(const struct cluster_folder *folder, const struct cmd *cmd, const char *name)
{
    fprintf(stderr, "%s %s: %s%s%s: %s\n", cmd->program, cmd->name, folder->path,
            name[0] == '\0' ? "" : "/", name, strerror(errno));
    return EXIT_CODE_FAILED;
}

/* True when nothing is in the current directory but what a start that was broken off left. */
static bool is_free(void)
{
    DIR *all = opendir(".");
    bool free = all != NULL;
    const struct dirent *one;
    while (free && (one = readdir(all)) != NULL)
        free = strcmp(one->d_name, ".") == 0 || strcmp(one->d_name, "..") == 0 ||
               strcmp(one->d_name, CLUSTER_PART) == 0 || strncmp(one->d_name, "node-", 5) == 0;
    if (all != NULL)
        closedir(all);
    return free;
}

/* Ends writing a file. Returns 0, or -1 with errno. */
static int close_file(FILE *file)
{
    const int error = ferror(file) ? EIO : 0;
    if (fclose(file) != 0)
        return -1;
    errno = error;
    return error == 0 ? 0 : -1;
}

static int write_properties(const struct cluster_folder *folder, uint32_t number)
{
    char name[CLUSTER_NAME_BYTES];
    cluster_folder_name(number, ".properties", name);
    FILE *file = fopen(name, "w");
    if (file == NULL)
        return -1;
    fprintf(file,
            "# Node %u of a cluster on this host, see \"chronik help cluster\". By hand, in this\n"
            "# folder: chronik broker %s\n"
            "node.id=%u\n"
            "process.roles=broker,controller\n"
            "listeners=PLAINTEXT://127.0.0.1:%u,CONTROLLER://127.0.0.1:%u\n"
            "controller.listener.names=CONTROLLER\n"
            "controller.quorum.voters=",
            number, name, number, folder->port + number - 1, folder->peers_port + number - 1);
    for (uint32_t i = 1; i <= folder->nodes; i++)
        fprintf(file, "%s%u@127.0.0.1:%u", i == 1 ? "" : ",", i, folder->peers_port + i - 1);
    fprintf(file, "\nlog.dirs=node-%u\n", number);
    /* Any one of three may go, and nothing is lost. */
    if (folder->nodes > 1)
        fprintf(file, "default.replication.factor=%d\n", folder->nodes > 2 ? 3 : 2);
    if (folder->nodes > 2)
        fprintf(file, "min.insync.replicas=2\n");
    return close_file(file);
}

/* Writes the file that says that all others are there. */
static int write_cluster(const struct cluster_folder *folder)
{
    FILE *file = fopen(CLUSTER_PART, "w");
    if (file == NULL)
        return -1;
    fprintf(file, CLUSTER_PRINT, folder->id.text, folder->nodes, folder->port, folder->peers_port);
    return close_file(file) == 0 ? rename(CLUSTER_PART, CLUSTER_FILE) : -1;
}

/* The ports of all nodes are ports, and none is one for clients and one for nodes. */
static bool ports_fit(const struct cluster_folder *folder)
{
    const uint32_t last = folder->port + folder->nodes - 1;
    const uint32_t peers_last = folder->peers_port + folder->nodes - 1;
    return last <= UINT16_MAX && peers_last <= UINT16_MAX &&
           (last < folder->peers_port || peers_last < folder->port);
}

static int begin(struct cluster_folder *folder, const struct cmd *cmd)
{
    struct rng rng;
    if (!is_free()) {
        fprintf(stderr,
                "%s %s: %s: something else is in this folder; name one that is empty, or that is "
                "not there yet\n",
                cmd->program, cmd->name, folder->path);
        return EXIT_CODE_FAILED;
    }
    if (folder->nodes == 0)
        folder->nodes = CLUSTER_NODES_DEFAULT;
    if (folder->port == 0)
        folder->port = CLUSTER_PORT_DEFAULT;
    if (folder->peers_port == 0)
        folder->peers_port = (uint16_t)(folder->port + CLUSTER_PORTS_APART);
    if (!ports_fit(folder))
        return options_mistake(cmd, "%u nodes have no room at --port %u and --peers-port %u",
                               folder->nodes, folder->port, folder->peers_port);
    if (getrandom(rng.state, sizeof(rng.state), 0) != (ssize_t)sizeof(rng.state))
        return fail(folder, cmd, CLUSTER_FILE);
    folder->id = uuid_text(rng_uuid(&rng));
    for (uint32_t i = 1; i <= folder->nodes; i++) {
        char name[CLUSTER_NAME_BYTES];
        cluster_folder_name(i, ".properties", name);
        if (write_properties(folder, i) != 0)
            return fail(folder, cmd, name);
    }
    return write_cluster(folder) == 0 ? EXIT_CODE_DONE : fail(folder, cmd, CLUSTER_FILE);
}

/* What is there has to be what was asked for. */
static int go_on(struct cluster_folder *folder, const struct cmd *cmd, FILE *file)
{
    struct cluster_folder is = {.path = folder->path};
    if (fscanf(file, CLUSTER_SCAN, is.id.text, &is.nodes, &is.port, &is.peers_port) != 4 ||
        is.nodes < 1 || is.nodes > CLUSTER_NODES_MAX || is.port == 0 || is.peers_port == 0 ||
        !ports_fit(&is)) {
        fprintf(stderr, "%s %s: %s/" CLUSTER_FILE " is damaged; name another folder\n",
                cmd->program, cmd->name, folder->path);
        return EXIT_CODE_FAILED;
    }
    if ((folder->nodes != 0 && folder->nodes != is.nodes) ||
        (folder->port != 0 && folder->port != is.port) ||
        (folder->peers_port != 0 && folder->peers_port != is.peers_port))
        return options_mistake(cmd,
                               "the cluster in %s has %u nodes, from the ports %u and %u on; name "
                               "another folder for another one",
                               folder->path, is.nodes, is.port, is.peers_port);
    *folder = is;
    return EXIT_CODE_DONE;
}

int cluster_folder_open(struct cluster_folder *folder, const struct cmd *cmd)
{
    if ((mkdir(folder->path, 0777) != 0 && errno != EEXIST) || chdir(folder->path) != 0)
        return fail(folder, cmd, "");
    FILE *file = fopen(CLUSTER_FILE, "r");
    if (file == NULL)
        return errno == ENOENT ? begin(folder, cmd) : fail(folder, cmd, CLUSTER_FILE);
    const int code = go_on(folder, cmd, file);
    fclose(file);
    return code;
}
