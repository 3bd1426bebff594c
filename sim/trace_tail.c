/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/trace_tail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/check.h"
#include "sim/memory.h"

#define PATH_BYTES     4096
#define CAPACITY_BYTES ((size_t)2 << 20) /* at first */

/* "chTrTl", and the number of the format of rows. */
#define TAIL_MAGIC ((uint64_t)0x63685472546c << 16 | 1)

struct head {
    uint64_t magic;
    atomic_size_t used; /* bytes of whole rows behind the head */
};

struct trace_tail {
    int fd;
    struct head *head;
    size_t capacity; /* of the mapping */
    size_t end;      /* of the last row, whole or not */
    size_t last;     /* where it begins */
    bool is_short;   /* the last row found no room */
};

static bool path_of(const char *path, char ret_path[static PATH_BYTES])
{
    const int length = snprintf(ret_path, PATH_BYTES, "%s-tail", path);
    if (length > 0 && length < PATH_BYTES)
        return true;
    errno = ENAMETOOLONG;
    return false;
}

/* Takes over `fd` in any case. NULL with errno. */
static struct trace_tail *tail_new(int fd, size_t capacity)
{
    void *bytes = mmap(NULL, capacity, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED) {
        const int error = errno;
        close(fd);
        errno = error;
        return NULL;
    }
    struct trace_tail *tail = sim_allocate(NULL, sizeof(*tail));
    *tail = (struct trace_tail){.fd = fd, .head = bytes, .capacity = capacity};
    return tail;
}

/* Gives the file a length, and room on the disk: a page without any would end us by SIGBUS. Returns
 * 0 or an error number. */
static int room_make(int fd, size_t capacity)
{
    int error;
    do
        error = posix_fallocate(fd, 0, (off_t)capacity);
    while (error == EINTR);
    return error;
}

static int give_up(int fd, int error)
{
    close(fd);
    errno = error;
    return -1;
}

/* The file, locked, and how long it is. -1 with errno. */
static int file_open(const char *path, int flags, size_t *ret_bytes)
{
    char tail_path[PATH_BYTES];
    struct stat status;
    if (!path_of(path, tail_path))
        return -1;
    const int fd = open(tail_path, flags | O_RDWR | O_CLOEXEC, 0666);
    if (fd < 0)
        return -1;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 || fstat(fd, &status) != 0)
        return give_up(fd, errno);
    *ret_bytes = (size_t)status.st_size;
    return fd;
}

struct trace_tail *trace_tail_make(const char *path)
{
    size_t bytes;
    int fd = file_open(path, O_CREAT, &bytes);
    if (fd >= 0) {
        const int error = ftruncate(fd, 0) != 0 ? errno : room_make(fd, CAPACITY_BYTES);
        fd = error == 0 ? fd : give_up(fd, error);
    }
    struct trace_tail *tail = fd < 0 ? NULL : tail_new(fd, CAPACITY_BYTES);
    if (tail != NULL)
        tail->head->magic = TAIL_MAGIC;
    return tail;
}

struct trace_tail *trace_tail_open(const char *path)
{
    size_t bytes;
    int fd = file_open(path, 0, &bytes);
    if (fd >= 0 && bytes < sizeof(struct head))
        fd = give_up(fd, EINVAL);
    struct trace_tail *tail = fd < 0 ? NULL : tail_new(fd, bytes);
    if (tail == NULL)
        return NULL;
    tail->end = trace_tail_bytes(tail);
    if (tail->head->magic == TAIL_MAGIC && tail->end <= bytes - sizeof(struct head))
        return tail;
    trace_tail_close(tail);
    errno = EINVAL;
    return NULL;
}

void trace_tail_close(struct trace_tail *tail)
{
    munmap(tail->head, tail->capacity);
    close(tail->fd);
    free(tail);
}

bool trace_tail_is_there(const char *path)
{
    char tail_path[PATH_BYTES];
    return path_of(path, tail_path) && access(tail_path, F_OK) == 0;
}

void trace_tail_remove(const char *path)
{
    char tail_path[PATH_BYTES];
    if (path_of(path, tail_path))
        unlink(tail_path);
}

static uint8_t *rows_of(const struct trace_tail *tail)
{
    return (uint8_t *)(tail->head + 1);
}

/* Twice as much room; the rows may lie elsewhere afterwards. */
static bool grow(struct trace_tail *tail)
{
    const size_t capacity = tail->capacity * 2;
    if (room_make(tail->fd, capacity) != 0)
        return false;
    void *bytes = mremap(tail->head, tail->capacity, capacity, MREMAP_MAYMOVE);
    if (bytes == MAP_FAILED)
        return false;
    tail->head = bytes;
    tail->capacity = capacity;
    return true;
}

static void append(struct trace_tail *tail, const void *bytes, size_t length)
{
    while (!tail->is_short && length > tail->capacity - sizeof(struct head) - tail->end)
        tail->is_short = !grow(tail);
    if (tail->is_short || length == 0)
        return;
    memcpy(rows_of(tail) + tail->end, bytes, length);
    tail->end += length;
}

void trace_tail_put(struct trace_tail *tail, const struct trace_row *row, const char *kind)
{
    struct trace_row copy = *row;
    const size_t kind_bytes = strlen(kind);
    CHECK(kind_bytes <= UINT8_MAX);
    copy.kind_bytes = (uint8_t)kind_bytes;
    tail->last = tail->end;
    tail->is_short = false;
    append(tail, &copy, sizeof(copy));
    append(tail, kind, kind_bytes);
}

void trace_tail_text(struct trace_tail *tail, struct span text)
{
    append(tail, text.data, text.length);
}

bool trace_tail_end(struct trace_tail *tail)
{
    struct trace_row row;
    uint8_t *bytes = rows_of(tail) + tail->last;
    if (tail->is_short) {
        tail->end = tail->last;
        return false;
    }
    memcpy(&row, bytes, sizeof(row));
    row.text_bytes = (uint32_t)(tail->end - tail->last - sizeof(row) - row.kind_bytes);
    memcpy(bytes, &row, sizeof(row));
    atomic_store_explicit(&tail->head->used, tail->end, memory_order_release);
    return true;
}

size_t trace_tail_bytes(const struct trace_tail *tail)
{
    return atomic_load_explicit(&tail->head->used, memory_order_acquire);
}

bool trace_tail_next(const struct trace_tail *tail, size_t *place, struct trace_row *ret_row,
                     struct span *ret_kind, struct span *ret_text)
{
    const uint8_t *at = rows_of(tail) + *place;
    const size_t left = trace_tail_bytes(tail) - *place;
    if (left < sizeof(*ret_row))
        return false;
    memcpy(ret_row, at, sizeof(*ret_row));
    const size_t length = sizeof(*ret_row) + ret_row->kind_bytes + ret_row->text_bytes;
    if (length > left || ret_row->class >= TRACE_CLASSES)
        return false;
    *ret_kind = span_of(at + sizeof(*ret_row), ret_row->kind_bytes);
    *ret_text = span_of(at + sizeof(*ret_row) + ret_row->kind_bytes, ret_row->text_bytes);
    *place += length;
    return true;
}

void trace_tail_clear(struct trace_tail *tail)
{
    tail->end = 0;
    atomic_store_explicit(&tail->head->used, 0, memory_order_release);
}
