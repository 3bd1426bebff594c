/* SPDX-License-Identifier: Apache-2.0 */
#include "disk/pool.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "core/base/check.h"

/* Jobs need little; the removal of a tree is the deepest, and sanitizers multiply frames. */
#define THREAD_STACK_BYTES ((size_t)256 * 1024)

struct queue {
    struct job *first;
    struct job **last;
};

struct pool {
    const struct disk_calls *calls;
    int fd; /* eventfd: the finished queue went from empty to not empty */
    uint32_t threads_max;
    pthread_t *threads;
    uint32_t threads_count;
    pthread_mutex_t
        lock; /* guards all below; never held during a job or a system call that waits */
    pthread_cond_t work;
    struct queue waiting;
    struct queue finished;
    uint32_t waiting_count;
    uint32_t idle_count;
    bool stopping;
};

static void queue_init(struct queue *queue)
{
    queue->first = NULL;
    queue->last = &queue->first;
}

static void queue_append(struct queue *queue, struct job *job)
{
    job->next = NULL;
    *queue->last = job;
    queue->last = &job->next;
}

static struct job *queue_pop(struct queue *queue)
{
    struct job *job = queue->first;
    if (job == NULL)
        return NULL;
    queue->first = job->next;
    if (queue->first == NULL)
        queue->last = &queue->first;
    return job;
}

static void locked(struct pool *pool)
{
    CHECK(pthread_mutex_lock(&pool->lock) == 0);
}

static void unlocked(struct pool *pool)
{
    CHECK(pthread_mutex_unlock(&pool->lock) == 0);
}

static void wake_loop(const struct pool *pool)
{
    const uint64_t one = 1;
    ssize_t written;
    do {
        written = pool->calls->write(pool->fd, &one, sizeof(one));
    } while (written < 0 && errno == EINTR);
    CHECK(written == (ssize_t)sizeof(one));
}

static void finish(struct pool *pool, struct job *job)
{
    locked(pool);
    const bool first = pool->finished.first == NULL;
    queue_append(&pool->finished, job);
    unlocked(pool);
    /* One wake-up for however many jobs end before the loop looks. */
    if (first)
        wake_loop(pool);
}

static struct job *next_job(struct pool *pool)
{
    locked(pool);
    struct job *job = queue_pop(&pool->waiting);
    while (job == NULL && !pool->stopping) {
        pool->idle_count++;
        CHECK(pthread_cond_wait(&pool->work, &pool->lock) == 0);
        pool->idle_count--;
        job = queue_pop(&pool->waiting);
    }
    if (job != NULL)
        pool->waiting_count--;
    unlocked(pool);
    return job;
}

static void *thread_main(void *argument)
{
    struct pool *pool = argument;
    struct job *job;
    while ((job = next_job(pool)) != NULL) {
        job->run(job);
        finish(pool, job);
    }
    return NULL;
}

/* Called by the loop's thread only. */
static bool thread_start(struct pool *pool)
{
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    /* The loop alone takes signals: a thread inherits the mask of its maker. */
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    CHECK(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    bool started = pthread_attr_setstacksize(&attributes, THREAD_STACK_BYTES) == 0;
    started = started && pthread_create(&pool->threads[pool->threads_count], &attributes,
                                        thread_main, pool) == 0;
    CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    pthread_attr_destroy(&attributes);
    if (started)
        pool->threads_count++;
    return started;
}

struct pool *pool_new(const struct disk_calls *calls, uint32_t threads_max)
{
    struct pool *pool = calloc(1, sizeof(*pool));
    pthread_t *threads = calloc(threads_max, sizeof(*threads));
    const int fd = calls->eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (pool == NULL || threads == NULL || fd < 0)
        goto out;
    pool->calls = calls;
    pool->fd = fd;
    pool->threads = threads;
    pool->threads_max = threads_max;
    queue_init(&pool->waiting);
    queue_init(&pool->finished);
    CHECK(pthread_mutex_init(&pool->lock, NULL) == 0);
    CHECK(pthread_cond_init(&pool->work, NULL) == 0);
    return pool;
out:
    if (fd >= 0)
        calls->close(fd);
    free(threads);
    free(pool);
    return NULL;
}

int pool_fd(const struct pool *pool)
{
    return pool->fd;
}

void pool_submit(struct pool *pool, struct job *job)
{
    locked(pool);
    const bool want_thread =
        pool->idle_count <= pool->waiting_count && pool->threads_count < pool->threads_max;
    unlocked(pool);
    if (want_thread && !thread_start(pool) && pool->threads_count == 0) {
        job->run(job);
        finish(pool, job);
        return;
    }
    locked(pool);
    queue_append(&pool->waiting, job);
    pool->waiting_count++;
    unlocked(pool);
    CHECK(pthread_cond_signal(&pool->work) == 0);
}

void pool_collect(struct pool *pool)
{
    uint64_t wakeups;
    const ssize_t got = pool->calls->read(pool->fd, &wakeups, sizeof(wakeups));
    CHECK(got == (ssize_t)sizeof(wakeups) || errno == EAGAIN || errno == EINTR);
    locked(pool);
    struct job *job = pool->finished.first;
    queue_init(&pool->finished);
    unlocked(pool);
    while (job != NULL) {
        struct job *next = job->next;
        job->done(job);
        job = next;
    }
}

void pool_free(struct pool *pool)
{
    if (pool == NULL)
        return;
    locked(pool);
    pool->stopping = true;
    unlocked(pool);
    CHECK(pthread_cond_broadcast(&pool->work) == 0);
    for (uint32_t i = 0; i < pool->threads_count; i++)
        CHECK(pthread_join(pool->threads[i], NULL) == 0);
    pool_collect(pool);
    CHECK(pthread_cond_destroy(&pool->work) == 0);
    CHECK(pthread_mutex_destroy(&pool->lock) == 0);
    pool->calls->close(pool->fd);
    free(pool->threads);
    free(pool);
}
