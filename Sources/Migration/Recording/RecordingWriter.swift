import Basics
import Platform

/// Collects events and writes them to a file on worker threads, a piece at a time; never waits.
///
/// Whatever goes wrong with the file ends the recording and nothing else.
public final class RecordingWriter {
    /// What became of it.
    public enum State: Hashable, Sendable {
        /// Events are written.
        case recording
        /// The file has reached its limit.
        case full
        /// It could not be written.
        case failed(PlatformError)
        /// `finish` was called.
        case finished
    }

    /// Bytes that may wait for the disk; what comes above them is counted, and left out.
    static let pendingLimit = 64 << 20
    /// How long an event waits at most before it is on its way to the disk.
    static let flushInterval = Duration.milliseconds(200)
    /// Bytes that are worth a write of their own.
    static let flushBytes = 256 << 10
    /// Room for the last record below the file's limit.
    private static let endBytes = 256

    /// Where it is now.
    public private(set) var state = State.recording
    /// Bytes of the file, those on their way included.
    public private(set) var bytes = 0
    /// Records of the file, those on their way included.
    public private(set) var records = 0
    /// Whether `finish` was called.
    public private(set) var isFinishing = false
    /// Called once, when the recording ends before `finish`.
    public var onEnd: ((State) -> Void)?

    private let platform: any Platform
    private let file: RecordingFile
    private let limit: Int
    private let startedAt: Instant
    private var pending = ByteWriter()
    private var isWriting = false
    private var skipped: UInt64 = 0
    private var onIdle: (() -> Void)?
    private lazy var timer = platform.makeTimer { [weak self] in self?.flush() }

    /// Begins a recording in an empty file.
    ///
    /// - Parameters:
    ///   - limit: the largest file in bytes.
    ///   - server: the recorded NameServer's address, for the reader.
    public init(platform: any Platform, file: RecordingFile, limit: Int, server: String) {
        self.platform = platform
        self.file = file
        self.limit = limit
        startedAt = platform.now
        RecordingFormat.begin(&pending)
        bytes = pending.count
        record(.began(platform.wallTime, server: server))
        flush()
    }

    /// Adds an event that happens now.
    public func record(_ kind: RecordedEvent.Kind, connection: UInt32 = 0) {
        guard state == .recording else { return }
        if pending.count > Self.pendingLimit {
            skipped += 1
            return
        }
        if skipped > 0 {
            append(.skipped(skipped), connection: 0)
            skipped = 0
        }
        let (before, recordsBefore) = (pending.count, records)
        append(kind, connection: connection)
        if bytes + Self.endBytes > limit {
            // The event that is too much goes, so that the file says how it ended.
            bytes -= pending.count - before
            records = recordsBefore
            pending.truncate(to: before)
            append(.ended("the file has reached its limit"), connection: 0)
            end(.full)
        }
        if pending.count >= Self.flushBytes {
            flush()
        } else if !isWriting {
            timer.start(at: platform.now + Self.flushInterval)
        }
    }

    /// Writes what waits and the end, makes the file durable, and calls back when that is done.
    public func finish(_ reason: String, completion: @escaping () -> Void) {
        if state == .recording {
            append(.ended(reason), connection: 0)
            state = .finished
        }
        isFinishing = true
        onIdle = completion
        flush()
    }

    private func append(_ kind: RecordedEvent.Kind, connection: UInt32) {
        let before = pending.count
        let microseconds = UInt64(max(0, (platform.now - startedAt).wholeNanoseconds / 1_000))
        RecordingFormat.append(
            RecordedEvent(connection: connection, microseconds: microseconds, kind: kind), to: &pending)
        bytes += pending.count - before
        records += 1
    }

    private func end(_ state: State) {
        self.state = state
        onEnd?(state)
    }

    private func flush() {
        guard !isWriting else { return }
        timer.cancel()
        let isLast = onIdle != nil
        if pending.count == 0, !isLast { return }
        let (file, content) = (file, pending.array())
        pending.removeAll()
        pending.shrink(to: 2 * Self.flushBytes)
        isWriting = true
        platform.offload {
            let failure = content.isEmpty ? nil : file.append(content)
            if isLast { file.sync() }
            return failure
        } completion: { [self] failure in
            isWriting = false
            if let failure { failed(failure, lost: content.count) }
            if pending.count > 0 { return flush() }
            guard let onIdle else { return }
            // What was asked for meanwhile must be synced as well.
            if !isLast { return flush() }
            self.onIdle = nil
            onIdle()
        }
    }

    private func failed(_ failure: PlatformError, lost: Int) {
        bytes -= lost + pending.count
        pending.removeAll()
        if state == .recording { end(.failed(failure)) } else { state = .failed(failure) }
    }
}
