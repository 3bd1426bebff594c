// SPDX-License-Identifier: Apache-2.0
// kafkajs: "member.js produce ADDRESS TOPIC FIRST COUNT" sends numbers, "member.js consume ADDRESS
// TOPIC GROUP" prints "PARTITION OFFSET VALUE" for each record until it is killed.
const { Kafka, logLevel } = require('kafkajs')

const [, , role, address, topic, ...rest] = process.argv
const kafka = new Kafka({ clientId: 'member', brokers: [address], logLevel: logLevel.ERROR })

async function produce(first, count) {
  const producer = kafka.producer()
  await producer.connect()
  for (let i = first; i < first + count; i++) {
    await producer.send({ topic, messages: [{ value: String(i), partition: i % 6 }] })
  }
  await producer.disconnect()
}

async function consume(groupId) {
  const consumer = kafka.consumer({ groupId, sessionTimeout: 6000, heartbeatInterval: 1000,
    rebalanceTimeout: 10000 })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({
    autoCommitInterval: 200,
    eachMessage: async ({ partition, message }) => {
      console.log(`${partition} ${message.offset} ${message.value}`)
    },
  })
}

const work = role === 'produce' ? produce(Number(rest[0]), Number(rest[1])) : consume(rest[0])
work.catch((error) => {
  console.error(error)
  process.exit(1)
})
