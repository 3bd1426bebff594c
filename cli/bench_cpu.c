/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/bench_cpu.h"

#include <errno.h>
#include <time.h>

/* Returns 0 or an errno. A process's clock counts nanoseconds, where /proc has hundredths. */
static int read_clock(clockid_t clock, uint64_t *ret_ns)
{
    struct timespec spent;
    if (clock_gettime(clock, &spent) != 0)
        return errno;
    *ret_ns += (uint64_t)spent.tv_sec * 1000000000 + (uint64_t)spent.tv_nsec;
    return 0;
}

int bench_cpu_read(const pid_t *pids, uint32_t count, uint64_t *ret_ns, pid_t *ret_missing)
{
    uint64_t sum_ns = 0;
    for (uint32_t i = 0; i < count; i++) {
        clockid_t clock;
        int error = clock_getcpuclockid(pids[i], &clock);
        if (error == 0)
            error = read_clock(clock, &sum_ns);
        if (error != 0) {
            *ret_missing = pids[i];
            return error == EINVAL ? ESRCH : error;
        }
    }
    *ret_ns = sum_ns;
    return 0;
}

uint64_t bench_cpu_own_ns(void)
{
    uint64_t spent_ns = 0;
    return read_clock(CLOCK_PROCESS_CPUTIME_ID, &spent_ns) == 0 ? spent_ns : 0;
}
