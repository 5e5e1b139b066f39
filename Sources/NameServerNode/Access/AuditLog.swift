import AccessControl
import Basics
import Logging
import Platform

/// Writes down what was administered: into a file of its own, or else into the node's log, whatever its level.
///
/// The loop never waits for the file. While one write is under way further lines gather, up to a limit. Lines that the file
/// does not take, for the disk is full, say, go to the node's log instead, so that none is lost as long as either works. The
/// file is opened for each write: whoever rotates it need not tell.
final class AuditLog {
    /// Bytes that wait for the file: thousands of lines. A disk that slow has failed.
    private static let waitingLimit = 1 << 20
    private static let message: Logger.Message = "administration"

    /// Lines that are in the file, or in the node's log if that is where they belong.
    private(set) var written = 0
    /// Lines that the file did not take; they are in the node's log.
    private(set) var diverted = 0

    private let platform: any Platform
    private let log: NodeLog
    private let node: String
    private var path: String?
    private var logger: Logger
    private var limiter = LogLimiter()
    /// For the file, whole, each with its line feed.
    private var waiting: [String] = []
    private var waitingBytes = 0
    private var isWriting = false
    private var isFailing = false

    init(_ options: AuditOptions?, node: String, platform: any Platform, log: NodeLog) {
        self.node = node
        self.platform = platform
        self.log = log
        logger = log.logger
        use(options)
    }

    /// From now on lines go there, also those that still wait for the file of before.
    func use(_ options: AuditOptions?) {
        path = options?.path
        guard let options else {
            flush()
            logger = log.logger
            logger.logLevel = .notice
            return
        }
        // Called on the loop's thread only, as everything that logs is.
        nonisolated(unsafe) weak let log = self
        logger = Logger(label: node) { label in
            LineLogHandler(
                node: label, format: options.format, level: .notice, timestamp: options.timestamp,
                sink: { log?.gather($0) })
        }
    }

    /// One request and how it ended.
    func write(_ record: AuditRecord) { put(record.metadata) }

    /// Whether one more refused request is written down. Anybody can send them: of a storm most are only counted.
    func hasRoomForRefusal() -> Bool {
        let (passes, suppressed) = limiter.admit("refused", now: platform.now)
        if suppressed > 0 {
            put(["event": "audit", "reason": "more refused requests were left out", "count": "\(suppressed)"])
        }
        return passes
    }

    private func put(_ metadata: Logger.Metadata) {
        logger.notice(Self.message, metadata: metadata)
        if path == nil { written += 1 }
    }

    // MARK: The file

    private func gather(_ line: String) {
        guard waitingBytes + line.utf8.count <= Self.waitingLimit else { return divert([line]) }
        waiting.append(line)
        waitingBytes += line.utf8.count
        writeWaiting()
    }

    private func writeWaiting() {
        guard !isWriting, !waiting.isEmpty, let path else { return }
        let lines = waiting
        waiting = []
        waitingBytes = 0
        isWriting = true
        platform.files.append(path, lines.reduce(into: [UInt8]()) { $0 += $1.utf8 }) { [weak self] error in
            guard let self else { return }
            isWriting = false
            if let error {
                if !isFailing { log.auditFailed(path, error) }
                divert(lines)
            } else {
                if isFailing { log.auditWorksAgain(path) }
                written += lines.count
            }
            isFailing = error != nil
            writeWaiting()
        }
    }

    /// The node is about to end: what still waits for the file goes to the node's log.
    func flush() {
        divert(waiting)
        waiting = []
        waitingBytes = 0
    }

    private func divert(_ lines: [String]) {
        diverted += lines.count
        for line in lines { log.auditLine(line) }
    }
}

extension NodeLog {
    func auditFailed(_ path: String, _ error: PlatformError) {
        logger.error(
            "the audit log cannot be written; requests are served, and their audit lines stand here until it can",
            metadata: ["file": "\(path)", "error": "\(error)"])
    }

    func auditWorksAgain(_ path: String) {
        logger.notice("the audit log can be written again", metadata: ["file": "\(path)"])
    }

    /// A line that belongs to the audit log.
    func auditLine(_ line: String) {
        var logger = logger
        logger.logLevel = .notice
        logger.notice("administration", metadata: ["event": "audit", "line": "\(line.dropLast())"])
    }
}
