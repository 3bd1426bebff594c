/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/span.h"
#include "sim/stream.h"
#include "tests/support/runner.h"

START_TEST(bytes_come_in_order)
{
    struct stream stream = {0};
    stream_put(&stream, SPAN("hello, "));
    stream_put(&stream, SPAN("world"));
    ck_assert_uint_eq(stream_under_way(&stream), 12);
    ck_assert_uint_eq(stream_arrived(&stream).length, 0);
    stream.arrived += 5;
    ck_assert(span_equal(stream_arrived(&stream), SPAN("hello")));
    stream_take(&stream, 4);
    stream.arrived += 7;
    ck_assert(span_equal(stream_arrived(&stream), SPAN("o, world")));
    stream_take(&stream, 8);
    ck_assert_uint_eq(stream_arrived(&stream).length, 0);
    stream_free(&stream);
}
END_TEST

START_TEST(what_is_under_way_can_be_lost)
{
    struct stream stream = {0};
    stream_put(&stream, SPAN("abcdef"));
    stream.arrived += 2;
    stream_drop(&stream);
    stream_put(&stream, SPAN("xy"));
    stream.arrived += 2;
    ck_assert(span_equal(stream_arrived(&stream), SPAN("abxy")));
    stream_free(&stream);
}
END_TEST

START_TEST(a_long_stream_takes_little_room)
{
    struct stream stream = {0};
    for (int i = 0; i < 10000; i++) {
        stream_put(&stream, SPAN("0123456789"));
        stream.arrived += 10;
        stream_take(&stream, 10);
    }
    ck_assert_uint_le(stream.capacity, 100);
    ck_assert_uint_eq(stream.taken, 100000);
    stream_free(&stream);
}
END_TEST

SUITE(stream)
{
    TCase *tcase = tcase_create("stream");
    tcase_add_test(tcase, bytes_come_in_order);
    tcase_add_test(tcase, what_is_under_way_can_be_lost);
    tcase_add_test(tcase, a_long_stream_takes_little_room);
    suite_add_tcase(suite, tcase);
}
