/* SPDX-License-Identifier: Apache-2.0 */
/*
 *     STARTING ──all are ready──▶ RUNNING ──a signal, all have ended──▶ ENDING
 *        └──────one has ended, a signal──────────────────────────────────▲
 *
 * The brokers are no members of the terminal's foreground group, so that Ctrl-C comes here alone;
 * when this process is killed they are told to end by the kernel.
 */
#include "cli/cluster_try.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM_SELF "/proc/self/exe"

/* Of a command line. */
#define WORDS_MAX 6

/* Of a log, when its node did not start. */
#define LOG_TAIL_BYTES 1500

struct try_node {
    uint32_t number;
    pid_t pid;  /* 0: it is not running */
    int output; /* the pipe that its line "ready" comes by; -1: nothing is to come */
    bool is_ready;
};

struct
try {
    const struct cluster_folder *folder;
    const struct cmd *cmd;
    struct try_node nodes[CLUSTER_NODES_MAX];
    sigset_t before; /* that were blocked */
    int told;        /* signalfd */
    bool is_asked;   /* to end */
    bool is_hurried; /* by a second signal */
    bool has_failed;
};

static void say(const struct try *try, const char *what)
{
    fprintf(stderr, "%s %s: %s: %s\n", try->cmd->program, try->cmd->name, what, strerror(errno));
}

/* ---- Processes. ---- */

/* In the child: becomes this program with another command line. Never returns. */
static void child_run(const struct try *try, pid_t parent, int output, int errors,
                      const char *const words[static WORDS_MAX])
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    sigprocmask(SIG_SETMASK, &try->before, NULL);
    if (getppid() == parent && dup2(output, STDOUT_FILENO) >= 0 &&
        (errors < 0 || dup2(errors, STDERR_FILENO) >= 0))
        execl(PROGRAM_SELF, words[0], words[1], words[2], words[3], words[4], words[5], NULL);
    _exit(EXIT_CODE_FAILED);
}

/* Starts this program with a command line (NULL after the last word), its output and errors (-1:
 * ours) as they are given. Returns the process, or -1. */
static pid_t child_start(const struct try *try, int output, int errors,
                         const char *const words[static WORDS_MAX])
{
    const pid_t parent = getpid();
    fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0)
        child_run(try, parent, output, errors, words);
    return pid;
}

/* Formats what is not formatted. Returns 0, or -1 after it was said why not. */
static int node_format(const struct try *try, uint32_t number)
{
    char properties[CLUSTER_NAME_BYTES];
    cluster_folder_name(number, ".properties", properties);
    const char *const words[WORDS_MAX] = {
        "chronik", "format", "--cluster-id", try->folder->id.text, "--ignore-formatted",
        properties};
    const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    const pid_t pid = nowhere < 0 ? -1 : child_start(try, nowhere, -1, words);
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        say(try, "format");
        status = -1;
    }
    if (nowhere >= 0)
        close(nowhere);
    return status == 0 ? 0 : -1;
}

static int node_start(struct try *try, struct try_node *node)
{
    char properties[CLUSTER_NAME_BYTES];
    char log[CLUSTER_NAME_BYTES];
    cluster_folder_name(node->number, ".properties", properties);
    cluster_folder_name(node->number, ".log", log);
    const char *const words[WORDS_MAX] = {"chronik", "broker", properties};
    int ends[2] = {-1, -1};
    const int errors = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    pid_t pid = -1;
    if (errors >= 0 && pipe2(ends, O_CLOEXEC) == 0)
        pid = child_start(try, ends[1], errors, words);
    if (pid < 0)
        say(try, log);
    else
        fprintf(stderr, "node %u: 127.0.0.1:%u, pid %d, log %s/%s\n", node->number,
                try->folder->port + node->number - 1, (int)pid, try->folder->path, log);
    if (errors >= 0)
        close(errors);
    if (ends[1] >= 0)
        close(ends[1]);
    if (pid < 0) {
        if (ends[0] >= 0)
            close(ends[0]);
        return -1;
    }
    node->pid = pid;
    node->output = ends[0];
    return 0;
}

static void node_output_close(struct try_node *node)
{
    if (node->output >= 0)
        close(node->output);
    node->output = -1;
}

/* The end of what the node logged, which says why it did not start. */
static void node_print_log(uint32_t number)
{
    char name[CLUSTER_NAME_BYTES];
    char tail[LOG_TAIL_BYTES + 1];
    cluster_folder_name(number, ".log", name);
    FILE *log = fopen(name, "r");
    if (log == NULL)
        return;
    if (fseek(log, -LOG_TAIL_BYTES, SEEK_END) != 0)
        rewind(log);
    const size_t length = fread(tail, 1, LOG_TAIL_BYTES, log);
    tail[length] = '\0';
    const char *line = length == LOG_TAIL_BYTES ? strchr(tail, '\n') : NULL;
    fputs(line == NULL ? tail : line + 1, stderr);
    fclose(log);
}

/* A process has ended; before it was asked to, or otherwise than in order, that is a failure. */
static void node_ended(struct try *try, struct try_node *node, int status)
{
    node->pid = 0;
    node_output_close(node);
    if (try->is_asked && status == 0)
        return;
    try->has_failed = true;
    if (WIFSIGNALED(status))
        fprintf(stderr, "node %u: ended by signal %d\n", node->number, WTERMSIG(status));
    else
        fprintf(stderr, "node %u: ended with exit code %d\n", node->number, WEXITSTATUS(status));
    if (try->is_asked)
        return;
    if (!node->is_ready) {
        node_print_log(node->number);
        try->is_asked = true; /* without it there may be no cluster */
    } else {
        fprintf(stderr, "node %u: to start it again: cd %s && chronik broker node-%u.properties\n",
                node->number, try->folder->path, node->number);
    }
}

static void reap(struct try *try)
{
    for (uint32_t i = 0; i < try->folder->nodes; i++) {
        int status;
        struct try_node *node = &try->nodes[i];
        if (node->pid > 0 && waitpid(node->pid, &status, WNOHANG) == node->pid)
            node_ended(try, node, status);
    }
}

static uint32_t running(const struct try *try)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < try->folder->nodes; i++)
        count += try->nodes[i].pid > 0;
    return count;
}

/* ---- What is waited for. ---- */

static void on_signal(struct try *try)
{
    struct signalfd_siginfo info;
    if (read(try->told, &info, sizeof(info)) != (ssize_t)sizeof(info))
        return;
    if (info.ssi_signo == SIGCHLD) {
        reap(try);
    } else {
        try->is_hurried = try->is_asked;
        try->is_asked = true;
    }
}

/* Its only line on standard output says that it is ready. It is one write. */
static void on_output(struct try_node *node)
{
    char line[1024];
    const ssize_t length = read(node->output, line, sizeof(line));
    node->is_ready = length > 0 && memchr(line, '\n', (size_t)length) != NULL;
    node_output_close(node);
}

/* Waits for something to happen, and takes it in. */
static void wait_and_see(struct try *try)
{
    struct pollfd all[1 + CLUSTER_NODES_MAX] = {{.fd = try->told, .events = POLLIN}};
    for (uint32_t i = 0; i < try->folder->nodes; i++)
        all[1 + i] = (struct pollfd){.fd = try->nodes[i].output, .events = POLLIN};
    if (poll(all, 1 + try->folder->nodes, -1) < 0)
        return;
    for (uint32_t i = 0; i < try->folder->nodes; i++) {
        if (all[1 + i].revents != 0)
            on_output(&try->nodes[i]);
    }
    if (all[0].revents != 0)
        on_signal(try);
}

/* ---- The whole. ---- */

static bool all_are_ready(const struct try *try)
{
    for (uint32_t i = 0; i < try->folder->nodes; i++) {
        if (!try->nodes[i].is_ready)
            return false;
    }
    return true;
}

static void start_all(struct try *try)
{
    for (uint32_t i = 0; i < try->folder->nodes; i++) {
        try->nodes[i] = (struct try_node){.number = i + 1, .output = -1};
        if (try->is_asked)
            continue;
        if (node_format(try, i + 1) == 0 && node_start(try, &try->nodes[i]) == 0)
            continue;
        try->has_failed = true;
        try->is_asked = true;
    }
}

static void print_ready(const struct try *try)
{
    printf("chronik cluster ready: ");
    for (uint32_t i = 0; i < try->folder->nodes; i++)
        printf("%s127.0.0.1:%u", i == 0 ? "" : ",", try->folder->port + i);
    printf("\n");
    fflush(stdout);
}

/* One after the other, so that those that are left take over what each gives away; who asks twice
 * does not want to wait for that. */
static void end_all(struct try *try)
{
    for (uint32_t i = 0; i < try->folder->nodes; i++) {
        const struct try_node *node = &try->nodes[i];
        if (node->pid > 0)
            kill(node->pid, SIGTERM);
        while (node->pid > 0 && !try->is_hurried)
            wait_and_see(try);
    }
    for (uint32_t i = 0; i < try->folder->nodes; i++) {
        if (try->nodes[i].pid > 0)
            kill(try->nodes[i].pid, SIGKILL);
    }
    while (running(try) > 0)
        wait_and_see(try);
}

int cluster_try(const struct cluster_folder *folder, const struct cmd *cmd)
{
    struct try try = {.folder = folder, .cmd = cmd};
    static const int signals[] = {SIGCHLD, SIGHUP, SIGINT, SIGTERM};
    sigset_t told;
    sigemptyset(&told);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        sigaddset(&told, signals[i]);
    sigprocmask(SIG_BLOCK, &told, &try.before);
    try.told = signalfd(-1, &told, SFD_CLOEXEC);
    if (try.told < 0) {
        say(&try, "signalfd");
        return EXIT_CODE_FAILED;
    }
    start_all(&try);
    while (!try.is_asked && !all_are_ready(&try))
        wait_and_see(&try);
    if (!try.is_asked)
        print_ready(&try);
    while (!try.is_asked && running(&try) > 0)
        wait_and_see(&try);
    try.is_asked = true;
    end_all(&try);
    for (uint32_t i = 0; i < folder->nodes; i++)
        node_output_close(&try.nodes[i]);
    close(try.told);
    return try.has_failed ? EXIT_CODE_FAILED : EXIT_CODE_DONE;
}
