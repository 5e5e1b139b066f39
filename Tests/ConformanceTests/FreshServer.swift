// What every test here starts from: an empty node of its own.

import TestSupport
import Testing

import class Foundation.Thread

/// A connection to a node just started with `properties`; the node lives as long as the connection.
func fresh(_ properties: KeyValuePairs<String, String> = [:]) throws -> RawConnection {
    try NameServerProcess(properties).connect()
}

/// A second connection to the node behind `connection`.
func another(_ connection: RawConnection) throws -> RawConnection {
    try #require(connection.keepAlive as? NameServerProcess).connect()
}

/// The body of 106 on an empty server.
let emptyClusterInfo = #"{"brokerAddrTable":{},"clusterAddrTable":{}}"#

/// The remark of a route that does not exist (protocol.md 1.12).
func noRoute(_ topic: String) -> String {
    "No topic route info in name server for the topic: \(topic)\n"
        + "See https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details."
}

/// For tests that mostly wait: they run on a thread of their own and leave the pool to the others.
struct OwnThreadTrait: TestTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await withTaskExecutorPreference(ThreadPerJob(), operation: function)
    }
}

extension Trait where Self == OwnThreadTrait {
    /// The test blocks its thread for long.
    static var ownThread: Self { Self() }
}

private final class ThreadPerJob: TaskExecutor {
    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        Thread.detachNewThread { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
