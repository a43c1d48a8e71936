//! Idempotency and delivery: correct services under timeouts, crashes and retries, seen by synchronous observers.
//!
//! The same clients' loop twice, in its plainest form: at every turn one of them, chosen at random, takes its next step.

use std::io::{self, Write};

/// How many clients act at once; and one in so many attempts is lost.
const CLIENTS: u64 = 30;
const LOST: u64 = 20;

/// A linear congruential generator (Knuth's MMIX), its high half.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Where an attempt is.
#[derive(Clone, Copy)]
enum Stage {
    Idle,
    Invoked,
    Executed,
}

/// Requests: each key's first attempt to arrive is executed, and a client whose attempt is lost, before or after its
/// execution, tries again under the same key until it has an answer.
pub(crate) fn idempotency(attempts: u64, out: &mut dyn Write) -> io::Result<()> {
    struct Client {
        process: u64,
        key: u64,
        stage: Stage,
        executed: bool,
        replayed: bool,
    }
    let mut random = Random(1);
    let (mut started, mut keys, mut processes, mut time) = (0, 0, CLIENTS, 0);
    let idle = |process| Client { process, key: u64::MAX, stage: Stage::Idle, executed: false, replayed: false };
    let mut clients: Vec<Client> = (0..CLIENTS).map(idle).collect();
    writeln!(out, r#"{{"history":{{"workload":"idempotency","observers":"synchronous"}}}}"#)?;
    while !clients.is_empty() {
        time += 1 + random.below(20_000);
        let at = random.below(clients.len() as u64) as usize;
        let client = &mut clients[at];
        let Client { process, key, .. } = *client;
        let head = format!(r#""process":{process},"f":"request","key":"k-{key}""#);
        let answer = |replayed| {
            format!(
                r#"{{"type":"ok",{head},"value":{{"status":201,"response":{{"id":"pay_{key}"}},"replayed":{replayed}}},"time":{time}}}"#
            )
        };
        match client.stage {
            Stage::Idle if started >= attempts && client.key == u64::MAX => {
                clients.swap_remove(at);
            }
            Stage::Idle => {
                if client.key == u64::MAX {
                    client.key = keys;
                    client.executed = false;
                    keys += 1;
                }
                started += 1;
                client.stage = Stage::Invoked;
                client.replayed = client.executed;
                let key = client.key;
                writeln!(
                    out,
                    r#"{{"type":"invoke","process":{process},"f":"request","key":"k-{key}","value":{{"scope":"POST /payments","payload":{{"amount":{}}}}},"time":{time}}}"#,
                    key % 1000
                )?;
            }
            // Lost on the way there; the last attempts are not, or this would not end.
            Stage::Invoked if random.below(LOST) == 0 && started < attempts => {
                writeln!(out, r#"{{"type":"info",{head},"error":"timeout","time":{time}}}"#)?;
                (client.process, client.stage) = (processes, Stage::Idle);
                processes += 1;
            }
            Stage::Invoked => {
                if !client.executed {
                    writeln!(
                        out,
                        r#"{{"type":"info","process":"ledger","f":"effect","key":"k-{key}","value":{{"effect":"row-{key}","resource":"pay_{key}","scope":"POST /payments","amount":{}}},"time":{time}}}"#,
                        key % 1000
                    )?;
                }
                client.executed = true;
                client.stage = Stage::Executed;
            }
            // Lost on the way back.
            Stage::Executed if random.below(LOST) == 0 && started < attempts => {
                writeln!(out, r#"{{"type":"info",{head},"error":"timeout","time":{time}}}"#)?;
                (client.process, client.stage) = (processes, Stage::Idle);
                processes += 1;
            }
            Stage::Executed => {
                writeln!(out, "{}", answer(client.replayed))?;
                (client.key, client.stage) = (u64::MAX, Stage::Idle);
            }
        }
    }
    writeln!(out, r#"{{"type":"info","process":"ledger","f":"audit","value":{{"complete":true}},"time":{time}}}"#)
}

/// Messages of 8 partitions, each with one consumer at a time; half of the operations publish, half consume. A consumer
/// that crashes has or has not had its effect; the next one deduplicates by asking for it.
pub(crate) fn delivery(attempts: u64, out: &mut dyn Write) -> io::Result<()> {
    const PARTITIONS: u64 = 8;
    struct Publisher {
        stage: Stage,
        message: u64,
        partition: u64,
    }
    struct Consumer {
        process: u64,
        stage: Stage,
        next: usize,
        attempt: u64,
        effect: bool,
        /// Whether this attempt found its effect done.
        duplicate: bool,
    }
    let mut random = Random(2);
    let mut logs: Vec<Vec<u64>> = (0..PARTITIONS).map(|_| Vec::new()).collect();
    let idle = || Publisher { stage: Stage::Idle, message: 0, partition: 0 };
    let mut publishers: Vec<Publisher> = (0..CLIENTS - PARTITIONS).map(|_| idle()).collect();
    let consumer =
        |process| Consumer { process, stage: Stage::Idle, next: 0, attempt: 1, effect: false, duplicate: false };
    let mut consumers: Vec<Consumer> = (CLIENTS..CLIENTS + PARTITIONS).map(consumer).collect();
    let (mut published, mut processes) = (0, CLIENTS + PARTITIONS);
    let messages = attempts / 2;
    let (mut busy, mut time) = (true, 0);
    while busy {
        time += 1 + random.below(20_000);
        let turn = random.below(CLIENTS + PARTITIONS);
        if let Some(publisher) = publishers.get_mut(turn as usize) {
            let Publisher { message, partition, .. } = *publisher;
            match publisher.stage {
                Stage::Idle if published == messages => {}
                Stage::Idle => {
                    (publisher.message, publisher.partition) = (published, random.below(PARTITIONS));
                    publisher.stage = Stage::Invoked;
                    writeln!(
                        out,
                        r#"{{"type":"invoke","process":{turn},"f":"publish","key":"m-{published}","value":{{"topic":"orders","partition":{},"payload":{{"n":{published}}}}},"time":{time}}}"#,
                        publisher.partition
                    )?;
                    published += 1;
                }
                _ => {
                    let log = &mut logs[partition as usize];
                    writeln!(
                        out,
                        r#"{{"type":"ok","process":{turn},"f":"publish","key":"m-{message}","value":{{"topic":"orders","partition":{partition},"offset":{}}},"time":{time}}}"#,
                        log.len()
                    )?;
                    log.push(message);
                    publisher.stage = Stage::Idle;
                }
            }
            continue;
        }
        let partition = turn % PARTITIONS;
        let consumer = &mut consumers[partition as usize];
        let offset = consumer.next;
        let Some(message) = logs[partition as usize].get(offset) else {
            let settled = |stage: &Stage| matches!(stage, Stage::Idle);
            busy = published < messages
                || !publishers.iter().all(|publisher| settled(&publisher.stage))
                || consumers.iter().zip(&logs).any(|(consumer, log)| consumer.next < log.len());
            continue;
        };
        let head = format!(r#""process":{},"f":"consume","key":"m-{message}""#, consumer.process);
        let crashes = random.below(LOST) == 0;
        match consumer.stage {
            Stage::Idle => {
                writeln!(
                    out,
                    r#"{{"type":"invoke",{head},"value":{{"topic":"orders","partition":{partition},"offset":{offset},"group":"billing","attempt":{}}},"time":{time}}}"#,
                    consumer.attempt
                )?;
                consumer.stage = Stage::Invoked;
            }
            Stage::Invoked if !crashes => {
                if !consumer.effect {
                    writeln!(
                        out,
                        r#"{{"type":"info","process":"billing-db","f":"effect","key":"m-{message}","value":{{"effect":"row-{message}","group":"billing"}},"time":{time}}}"#
                    )?;
                }
                consumer.duplicate = consumer.effect;
                consumer.effect = true;
                consumer.stage = Stage::Executed;
            }
            Stage::Executed if !crashes => {
                let duplicate = consumer.duplicate;
                writeln!(out, r#"{{"type":"ok",{head},"value":{{"deduplicated":{duplicate}}},"time":{time}}}"#)?;
                *consumer = Consumer {
                    process: consumer.process,
                    stage: Stage::Idle,
                    next: offset + 1,
                    attempt: 1,
                    effect: false,
                    duplicate: false,
                };
            }
            Stage::Invoked | Stage::Executed => {
                writeln!(out, r#"{{"type":"info",{head},"error":"crashed before ack","time":{time}}}"#)?;
                (consumer.process, consumer.stage) = (processes, Stage::Idle);
                consumer.attempt += 1;
                processes += 1;
            }
        }
    }
    writeln!(out, r#"{{"type":"info","process":"broker","f":"drained","value":{{"topic":"orders"}},"time":{time}}}"#)?;
    writeln!(out, r#"{{"type":"info","process":"billing-db","f":"audit","value":{{"complete":true}},"time":{time}}}"#)
}
