/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/faulty/faulty.h"

static struct faulty_control own;
static struct faulty_control *control = &own;
static uint64_t seed;

void faulty_use(struct faulty_control *used, uint64_t used_seed)
{
    control = used == NULL ? &own : used;
    seed = used_seed;
}

struct faulty_control *faulty_control(void)
{
    return control;
}

/* A draw is a function of its number, so that threads need no lock (splitmix64). */
static uint64_t draw(void)
{
    uint64_t x = (seed << 40) + atomic_fetch_add(&control->draws, 1) + 1;
    x *= 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

bool faulty_happens(enum fault_kind kind)
{
    const uint32_t per_mille = atomic_load(&control->per_mille[kind]);
    if (per_mille == 0 || draw() % 1000 >= per_mille)
        return false;
    atomic_fetch_add(&control->happened[kind], 1);
    return true;
}

uint64_t faulty_below(uint64_t limit)
{
    return draw() % limit;
}

int faulty_shorten(const struct iovec *pieces, int count, size_t length, struct iovec *ret_pieces)
{
    int kept = 0;
    for (; kept < count && length > 0; kept++) {
        ret_pieces[kept] = pieces[kept];
        if (ret_pieces[kept].iov_len > length)
            ret_pieces[kept].iov_len = length;
        length -= ret_pieces[kept].iov_len;
    }
    return kept;
}

size_t faulty_length(const struct iovec *pieces, int count)
{
    size_t length = 0;
    for (int i = 0; i < count; i++)
        length += pieces[i].iov_len;
    return length;
}
