/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/disk/rig.h"

#include <check.h>
#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/wire/error.h"

struct faults faults;
struct rig rig;

static pthread_mutex_t faults_lock = PTHREAD_MUTEX_INITIALIZER;

/* Counts a call. Returns true, with errno, when it fails. */
static bool fails(struct fault *fault, size_t *length)
{
    pthread_mutex_lock(&faults_lock);
    const int call = fault->calls++;
    if (call < fault->short_calls && length != NULL)
        *length = (size_t)fault->short_bytes;
    const bool failed =
        call >= fault->short_calls && call < fault->short_calls + fault->error_calls;
    const int error = fault->error;
    pthread_mutex_unlock(&faults_lock);
    if (failed)
        errno = error;
    return failed;
}

static int faulty_openat(int folder, const char *path, int flags, mode_t mode)
{
    return fails(&faults.openat, NULL) ? -1 : openat(folder, path, flags, mode);
}

static int faulty_close(int fd)
{
    const int result = close(fd);
    return fails(&faults.close, NULL) ? -1 : result;
}

/* The first pieces of `pieces`, `length` bytes at most. */
static int shorten(const struct iovec *pieces, int count, size_t length, struct iovec *ret_pieces)
{
    int kept = 0;
    while (kept < count && length > 0) {
        ret_pieces[kept] = pieces[kept];
        if (ret_pieces[kept].iov_len > length)
            ret_pieces[kept].iov_len = length;
        length -= ret_pieces[kept].iov_len;
        kept++;
    }
    return kept;
}

static ssize_t faulty_pwritev(int fd, const struct iovec *pieces, int count, off_t offset)
{
    struct iovec kept[1024];
    size_t length = SIZE_MAX;
    if (fails(&faults.pwritev, &length))
        return -1;
    return length == 0 ? 0 : pwritev(fd, kept, shorten(pieces, count, length, kept), offset);
}

static ssize_t faulty_preadv2(int fd, const struct iovec *pieces, int count, off_t offset,
                              int flags)
{
    struct iovec kept[1024];
    size_t length = SIZE_MAX;
    if (fails(flags & RWF_NOWAIT ? &faults.preadv2_nowait : &faults.preadv2, &length))
        return -1;
    /* What this test's file system would say of RWF_NOWAIT is not this test's concern. */
    return preadv2(fd, kept, shorten(pieces, count, length, kept), offset, flags & ~RWF_NOWAIT);
}

static ssize_t faulty_readahead(int fd, off_t offset, size_t length)
{
    return fails(&faults.readahead, NULL) ? -1 : readahead(fd, offset, length);
}

static void syncs_count(int change)
{
    pthread_mutex_lock(&faults_lock);
    faults.syncs_running += change;
    if (faults.syncs_running > faults.syncs_running_most)
        faults.syncs_running_most = faults.syncs_running;
    pthread_mutex_unlock(&faults_lock);
}

static int faulty_fdatasync(int fd)
{
    syncs_count(1);
    if (faults.sync_sleep_us > 0)
        usleep((useconds_t)faults.sync_sleep_us);
    const int result = fails(&faults.fdatasync, NULL) ? -1 : fdatasync(fd);
    syncs_count(-1);
    return result;
}

static int faulty_fsync(int fd)
{
    return fails(&faults.fsync, NULL) ? -1 : fsync(fd);
}

static int faulty_ftruncate(int fd, off_t length)
{
    return fails(&faults.ftruncate, NULL) ? -1 : ftruncate(fd, length);
}

static int faulty_fallocate(int fd, int mode, off_t offset, off_t length)
{
    return fails(&faults.fallocate, NULL) ? -1 : fallocate(fd, mode, offset, length);
}

static int faulty_fstatat(int folder, const char *path, struct stat *ret_stat, int flags)
{
    return fails(&faults.fstatat, NULL) ? -1 : fstatat(folder, path, ret_stat, flags);
}

static int faulty_mkdirat(int folder, const char *path, mode_t mode)
{
    return fails(&faults.mkdirat, NULL) ? -1 : mkdirat(folder, path, mode);
}

static int faulty_renameat(int folder, const char *path, int folder_to, const char *path_to)
{
    return fails(&faults.renameat, NULL) ? -1 : renameat(folder, path, folder_to, path_to);
}

static int faulty_unlinkat(int folder, const char *path, int flags)
{
    return fails(&faults.unlinkat, NULL) ? -1 : unlinkat(folder, path, flags);
}

static int faulty_lock(int fd, struct flock *lock)
{
    return fcntl(fd, F_OFD_SETLK, lock);
}

static DIR *faulty_fdopendir(int fd)
{
    return fails(&faults.fdopendir, NULL) ? NULL : fdopendir(fd);
}

static struct dirent *faulty_readdir(DIR *stream)
{
    return fails(&faults.readdir, NULL) ? NULL : readdir(stream);
}

static const struct disk_calls faulty_calls = {
    .openat = faulty_openat,
    .close = faulty_close,
    .pwritev = faulty_pwritev,
    .preadv2 = faulty_preadv2,
    .readahead = faulty_readahead,
    .fdatasync = faulty_fdatasync,
    .fsync = faulty_fsync,
    .ftruncate = faulty_ftruncate,
    .fallocate = faulty_fallocate,
    .fstatat = faulty_fstatat,
    .mkdirat = faulty_mkdirat,
    .renameat = faulty_renameat,
    .unlinkat = faulty_unlinkat,
    .readlinkat = readlinkat,
    .lock = faulty_lock,
    .fdopendir = faulty_fdopendir,
    .readdir = faulty_readdir,
    .closedir = closedir,
    .eventfd = eventfd,
    .read = read,
    .write = write,
};

static void on_complete(void *context, const struct completion *completion)
{
    ck_assert_ptr_eq(context, &rig);
    ck_assert_ptr_null(rig_completion(completion->effect));
    ck_assert_uint_lt(rig.completions_count, RIG_EFFECTS_MAX);
    rig.completions[rig.completions_count++] = *completion;
}

static void on_warmed(void *context, uint64_t token)
{
    ck_assert_ptr_eq(context, &rig);
    rig.warmed = token;
}

static void on_report(void *context, const char *line)
{
    ck_assert_ptr_eq(context, &rig);
    rig.reports_count++;
    snprintf(rig.report, sizeof(rig.report), "%s", line);
}

void rig_start(void)
{
    snprintf(rig.path, sizeof(rig.path), "/tmp/chronik-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(rig.path));
    const struct disk_options options = {
        .calls = &faulty_calls,
        .threads_max = 4,
        .complete = on_complete,
        .warmed = on_warmed,
        .report = on_report,
        .context = &rig,
    };
    rig.disk = disk_new(&options);
    ck_assert_ptr_nonnull(rig.disk);
    char reason[256];
    ck_assert_int_eq(disk_add_folder(rig.disk, rig.path, reason, sizeof(reason)), 0);
    faults = (struct faults){0}; /* which counts the test's calls alone */
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

void rig_end(void)
{
    disk_free(rig.disk);
    for (uint32_t i = 0; i < rig.completions_count; i++)
        free((void *)(uintptr_t)rig.completions[i].entries);
    ck_assert_int_eq(nftw(rig.path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

uint64_t rig_ask(struct effect effect)
{
    effect.id = ++rig.effects;
    disk_perform(rig.disk, &effect);
    return effect.id;
}

const struct completion *rig_completion(uint64_t effect)
{
    for (uint32_t i = 0; i < rig.completions_count; i++) {
        if (rig.completions[i].effect == effect)
            return &rig.completions[i];
    }
    return NULL;
}

const struct completion *rig_await(uint64_t effect)
{
    const struct completion *completion;
    while ((completion = rig_completion(effect)) == NULL) {
        struct pollfd ready = {.fd = disk_fd(rig.disk), .events = POLLIN};
        ck_assert_int_eq(poll(&ready, 1, 10000), 1);
        disk_collect(rig.disk);
    }
    return completion;
}

const struct completion *rig_do(struct effect effect)
{
    return rig_await(rig_ask(effect));
}

uint64_t rig_open(const char *path)
{
    const uint64_t file = ++rig.files;
    ck_assert_int_eq(rig_do(open_effect(file, OPEN_CREATE, path))->error, ERR_NONE);
    return file;
}

static void whole_path(const char *path, char ret_path[256])
{
    snprintf(ret_path, 256, "%s/%s", rig.path, path);
}

void rig_make_file(const char *path, const char *content)
{
    char whole[256];
    whole_path(path, whole);
    FILE *file = fopen(whole, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(content, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

int64_t rig_size(const char *path)
{
    char whole[256];
    whole_path(path, whole);
    struct stat status;
    return lstat(whole, &status) == 0 ? (int64_t)status.st_size : -1;
}
