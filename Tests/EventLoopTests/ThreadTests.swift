import Basics
import Glibc
import Platform
import Testing

@testable import EventLoop

@Suite struct ThreadTests {
    /// Four threads send to one loop: each one's messages arrive complete and in its order.
    @Test func receivesFromSeveralThreads() throws {
        let (threads, messages) = (4, 5000)
        try withLoop { loop in
            var received = Array(repeating: 0, count: threads)
            let mailbox = loop.makeMailbox { (message: (thread: Int, number: Int)) in
                #expect(message.number == received[message.thread])
                received[message.thread] += 1
                if received.allSatisfy({ $0 == messages }) { loop.stop() }
            }
            let senders = (0..<threads).map { thread in
                TestThread { for number in 0..<messages { mailbox.send((thread, number)) } }
            }
            loop.run()
            for sender in senders { sender.join() }
            #expect(received == Array(repeating: messages, count: threads))
        }
    }

    /// A message sent from inside a message waits for the next batch, and is not lost.
    @Test func sendsToItself() throws {
        try withLoop { loop in
            var received: [Int] = []
            var mailbox: Mailbox<Int>?
            mailbox = loop.makeMailbox { number in
                received.append(number)
                if number < 5 { mailbox?.send(number + 1) } else { loop.stop() }
            }
            mailbox?.send(1)
            loop.run()
            mailbox = nil
            #expect(received == [1, 2, 3, 4, 5])
        }
    }

    /// A loop on another thread is reached, and stopped, through its mailbox only; afterwards messages are refused.
    @Test func stopsALoopOfAnotherThread() throws {
        let (mailbox, loopThread) = startLoopThread()
        let order = Locked<[Int]>([])
        for number in 0..<3 { #expect(mailbox.send { _ in order.withLock { $0.append(number) } }) }
        mailbox.send { $0.stop() }
        loopThread.join()
        #expect(order.withLock { $0 } == [0, 1, 2])
        #expect(!mailbox.send { _ in Issue.record("the loop has stopped") })
    }

    /// The other thread's loop, once it can be reached.
    private func startLoopThread() -> (Mailbox<LoopTask>, TestThread<Void>) {
        let (reader, writer) = makePipe()
        let shared = Locked<Mailbox<LoopTask>?>(nil)
        let thread = TestThread {
            do throws(PlatformError) {
                let loop = try EventLoop()
                shared.withLock { $0 = loop.mailbox }
                close(writer)
                loop.run()
            } catch {
                Issue.record(error)
            }
        }
        var byte: UInt8 = 0
        _ = read(reader, &byte, 1)
        close(reader)
        return (shared.withLock { $0! }, thread)
    }

    @Test func offloadsWork() throws {
        try withLoop { loop in
            let here = pthread_self()
            var results: [Int] = []
            let isElsewhere = { @Sendable [here] in pthread_equal(here, pthread_self()) == 0 }
            for number in 0..<20 {
                loop.offload {
                    isElsewhere() ? number * number : -1
                } completion: { result in
                    #expect(!isElsewhere())
                    results.append(result)
                    if results.count == 20 { loop.stop() }
                }
            }
            loop.run()
            #expect(results.sorted() == (0..<20).map { $0 * $0 })
        }
    }

    /// Work under way when the loop stops is finished, and its completion called, before `run` returns.
    @Test func finishesWorkAfterStop() throws {
        var completed = 0
        try withLoop { loop in
            let (reader, writer) = makePipe()
            loop.offload {
                var byte: UInt8 = 0
                return read(reader, &byte, 1)
            } completion: { _ in
                completed += 1
                loop.offload {
                } completion: {
                    completed += 1
                }
            }
            loop.stop()
            close(writer)
            loop.run()
            close(reader)
        }
        #expect(completed == 2)
    }

    /// In a process of its own: the signal comes to every handler, on the loop, as often as it is raised.
    @Test func hearsSignals() async {
        await #expect(processExitsWith: .success) {
            try withLoop { loop in
                var (first, second) = (0, 0)
                loop.onSignal(SIGTERM) {
                    first += 1
                    if first == 1 { kill(getpid(), SIGTERM) }
                    if first == 2, second == 2 { loop.stop() }
                }
                loop.onSignal(SIGTERM) {
                    second += 1
                    if first == 2, second == 2 { loop.stop() }
                }
                kill(getpid(), SIGTERM)
            }
        }
    }

    /// A loop that was never run leaves nothing behind either (the address sanitizer's business).
    @Test func isMadeAndDropped() throws {
        for _ in 0..<10 {
            let loop = try EventLoop()
            _ = loop.makeMailbox { (_: Int) in }
            _ = loop.files
        }
    }
}

func makePipe() -> (reader: Int32, writer: Int32) {
    var ends: [Int32] = [-1, -1]
    let status = pipe(&ends)
    precondition(status == 0, "pipe: \(errno)")
    return (ends[0], ends[1])
}
