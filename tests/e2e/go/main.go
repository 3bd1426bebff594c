// SPDX-License-Identifier: Apache-2.0

// franz-go: "member produce ADDRESS TOPIC FIRST COUNT" sends numbers, "member consume ADDRESS TOPIC
// GROUP" prints "PARTITION OFFSET VALUE" for each record until it is killed.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func produce(address, topic string, first, count int) {
	client, err := kgo.NewClient(kgo.SeedBrokers(address),
		kgo.RecordPartitioner(kgo.ManualPartitioner()))
	must(err)
	defer client.Close()
	for i := first; i < first+count; i++ {
		record := &kgo.Record{Topic: topic, Partition: int32(i % 6), Value: []byte(strconv.Itoa(i))}
		must(client.ProduceSync(context.Background(), record).FirstErr())
	}
}

func consume(address, topic, group string) {
	client, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.ConsumerGroup(group),
		kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.SessionTimeout(6*time.Second), kgo.HeartbeatInterval(time.Second),
		kgo.RebalanceTimeout(10*time.Second), kgo.AutoCommitInterval(200*time.Millisecond))
	must(err)
	for {
		fetches := client.PollFetches(context.Background())
		for _, failed := range fetches.Errors() {
			must(failed.Err)
		}
		fetches.EachRecord(func(record *kgo.Record) {
			fmt.Println(record.Partition, record.Offset, string(record.Value))
		})
	}
}

func main() {
	address, topic := os.Args[2], os.Args[3]
	if os.Args[1] == "consume" {
		consume(address, topic, os.Args[4])
		return
	}
	first, err := strconv.Atoi(os.Args[4])
	must(err)
	count, err := strconv.Atoi(os.Args[5])
	must(err)
	produce(address, topic, first, count)
}
