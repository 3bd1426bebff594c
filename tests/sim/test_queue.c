/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/chance.h"
#include "sim/queue.h"
#include "tests/support/runner.h"

#define TASKS 500

static const struct chance_source source = {.seed = 1};

static void nothing(struct task *task)
{
    (void)task;
}

START_TEST(tasks_come_by_time)
{
    struct queue queue;
    struct task tasks[TASKS] = {0};
    struct chance rng;
    queue_init(&queue, &source);
    chance_stream(&rng, &source, "test", 0);
    for (size_t i = 0; i < TASKS; i++)
        queue_put(&queue, &tasks[i], chance_below(&rng, 100), nothing);
    uint64_t last_us = 0;
    for (size_t i = 0; i < TASKS; i++) {
        ck_assert_uint_eq(queue_due_us(&queue), queue.items[0].due_us);
        const struct task *task = queue_take(&queue);
        ck_assert_uint_ge(task->due_us, last_us);
        ck_assert(!task_is_queued(task));
        last_us = task->due_us;
    }
    ck_assert_ptr_null(queue_take(&queue));
    ck_assert_uint_eq(queue_due_us(&queue), QUEUE_NEVER);
    queue_free(&queue);
}
END_TEST

START_TEST(a_task_is_moved_and_taken_back)
{
    struct queue queue;
    struct task early = {0};
    struct task late = {0};
    struct task gone = {0};
    queue_init(&queue, &source);
    queue_put(&queue, &early, 1, nothing);
    queue_put(&queue, &late, 2, nothing);
    queue_put(&queue, &gone, 0, nothing);
    queue_put(&queue, &early, 3, nothing); /* moved behind */
    queue_cancel(&queue, &gone);
    queue_cancel(&queue, &gone); /* a no-op */
    ck_assert_ptr_eq(queue_take(&queue), &late);
    ck_assert_ptr_eq(queue_take(&queue), &early);
    ck_assert_ptr_null(queue_take(&queue));
    queue_free(&queue);
}
END_TEST

static struct task *first_of_two(uint64_t seed, struct task *a, struct task *b)
{
    struct queue queue;
    queue_init(&queue, &(struct chance_source){.seed = seed});
    queue_put(&queue, a, 7, nothing);
    queue_put(&queue, b, 7, nothing);
    struct task *first = queue_take(&queue);
    queue_clear(&queue);
    queue_free(&queue);
    return first;
}

START_TEST(the_seed_breaks_ties)
{
    struct task a = {0};
    struct task b = {0};
    uint32_t times_a = 0;
    for (uint64_t seed = 0; seed < 64; seed++) {
        struct task *first = first_of_two(seed, &a, &b);
        ck_assert_ptr_eq(first, first_of_two(seed, &a, &b));
        times_a += first == &a;
    }
    ck_assert_uint_gt(times_a, 10);
    ck_assert_uint_lt(times_a, 54);
}
END_TEST

START_TEST(a_task_remembers_what_it_came_from)
{
    struct queue queue;
    struct task task = {0};
    queue_init(&queue, &source);
    queue.cause = 17;
    queue_put(&queue, &task, 1, nothing);
    queue.cause = 99;
    queue_take(&queue);
    ck_assert_uint_eq(queue.cause, 17);
    queue_free(&queue);
}
END_TEST

SUITE(queue)
{
    TCase *tcase = tcase_create("queue");
    tcase_add_test(tcase, tasks_come_by_time);
    tcase_add_test(tcase, a_task_is_moved_and_taken_back);
    tcase_add_test(tcase, the_seed_breaks_ties);
    tcase_add_test(tcase, a_task_remembers_what_it_came_from);
    suite_add_tcase(suite, tcase);
}
