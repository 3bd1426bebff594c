/* SPDX-License-Identifier: Apache-2.0 */
/*
 * librdkafka in C: rdkafka ADDRESS COUNT. An idempotent producer sends COUNT records, each with a
 * key and a header; a consumer in a group reads them back in order and commits. TAP.
 */
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOPIC         "rdkafka-c"
#define WAIT_MS       60000
#define TEXT_BYTES    64
#define ERROR_BYTES   512
#define QUEUE_FULL_MS 100

static int cases;
static int failed;

static void verdict(bool truth, const char *name)
{
    failed += !truth;
    printf("%s %d - %s\n", truth ? "ok" : "not ok", ++cases, name);
}

struct deliveries {
    int64_t next; /* the offset that is due */
    bool wrong;
};

static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    struct deliveries *deliveries = opaque;
    (void)rk;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR || message->offset != deliveries->next++)
        deliveries->wrong = true;
}

static rd_kafka_t *client(rd_kafka_type_t type, const char *const settings[][2],
                          struct deliveries *deliveries)
{
    char error[ERROR_BYTES];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (int i = 0; settings[i][0] != NULL; i++) {
        if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], error, sizeof(error)) !=
            RD_KAFKA_CONF_OK) {
            fprintf(stderr, "%s: %s\n", settings[i][0], error);
            exit(2);
        }
    }
    if (type == RD_KAFKA_PRODUCER)
        rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    rd_kafka_conf_set_opaque(conf, deliveries);
    rd_kafka_t *made = rd_kafka_new(type, conf, error, sizeof(error));
    if (made == NULL) {
        fprintf(stderr, "%s\n", error);
        exit(2);
    }
    return made;
}

static void produce(const char *address, int count)
{
    struct deliveries deliveries = {0};
    const char *const settings[][2] = {{"bootstrap.servers", address},
                                       {"enable.idempotence", "true"},
                                       {"linger.ms", "5"},
                                       {NULL, NULL}};
    rd_kafka_t *producer = client(RD_KAFKA_PRODUCER, settings, &deliveries);
    for (int i = 0; i < count; i++) {
        /* Not a literal: the macro casts to a pointer to what may be written. */
        char key[] = {'k', 'e', 'y'};
        char text[TEXT_BYTES];
        const int length = snprintf(text, sizeof(text), "record %d", i);
        while (rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(TOPIC), RD_KAFKA_V_PARTITION(0),
                                 RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                 RD_KAFKA_V_KEY(key, sizeof(key)),
                                 RD_KAFKA_V_VALUE(text, (size_t)length),
                                 RD_KAFKA_V_HEADER("number", text, (ssize_t)length),
                                 RD_KAFKA_V_END) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
            rd_kafka_poll(producer, QUEUE_FULL_MS);
        rd_kafka_poll(producer, 0);
    }
    const bool flushed = rd_kafka_flush(producer, WAIT_MS) == RD_KAFKA_RESP_ERR_NO_ERROR;
    verdict(flushed && !deliveries.wrong && deliveries.next == count,
            "an idempotent producer is acknowledged at dense offsets");
    rd_kafka_destroy(producer);
}

/* True when this is record number `number`, with its key and its header. */
static bool is_record(const rd_kafka_message_t *message, int number)
{
    char text[TEXT_BYTES];
    const size_t length = (size_t)snprintf(text, sizeof(text), "record %d", number);
    rd_kafka_headers_t *headers = NULL;
    const void *value = NULL;
    size_t value_length = 0;
    return message->err == RD_KAFKA_RESP_ERR_NO_ERROR && message->offset == number &&
           message->key_len == 3 && memcmp(message->key, "key", 3) == 0 && message->len == length &&
           memcmp(message->payload, text, length) == 0 &&
           rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR &&
           rd_kafka_header_get_last(headers, "number", &value, &value_length) ==
               RD_KAFKA_RESP_ERR_NO_ERROR &&
           value_length == length && memcmp(value, text, length) == 0;
}

static void consume(const char *address, int count)
{
    const char *const settings[][2] = {{"bootstrap.servers", address},
                                       {"group.id", "rdkafka-c"},
                                       {"auto.offset.reset", "earliest"},
                                       {"enable.auto.commit", "false"},
                                       {NULL, NULL}};
    rd_kafka_t *consumer = client(RD_KAFKA_CONSUMER, settings, NULL);
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, TOPIC, RD_KAFKA_PARTITION_UA);
    rd_kafka_poll_set_consumer(consumer);
    rd_kafka_subscribe(consumer, topics);
    int right = 0;
    while (right < count) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, WAIT_MS);
        if (message == NULL)
            break;
        const bool is_right = is_record(message, right);
        rd_kafka_message_destroy(message);
        if (!is_right)
            break;
        right++;
    }
    verdict(right == count, "a consumer in a group reads keys, values and headers in order");
    verdict(rd_kafka_commit(consumer, NULL, 0) == RD_KAFKA_RESP_ERR_NO_ERROR, "it commits");
    topics->elems[0].partition = 0;
    const bool asked = rd_kafka_committed(consumer, topics, WAIT_MS) == RD_KAFKA_RESP_ERR_NO_ERROR;
    verdict(asked && topics->elems[0].offset == count, "the committed offset comes back");
    rd_kafka_topic_partition_list_destroy(topics);
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: rdkafka ADDRESS COUNT\n");
        return 2;
    }
    const int count = (int)strtol(argv[2], NULL, 10);
    produce(argv[1], count);
    consume(argv[1], count);
    printf("1..%d\n", cases);
    return failed == 0 ? 0 : 1;
}
