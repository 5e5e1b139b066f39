import Basics
import Remoting

/// All requests of a run, encoded once. Sending one means copying its head, setting the opaque, and pointing at its body.
public final class RequestBook {
    /// One request: a head of a few hundred bytes and a body that it may share with others.
    struct Entry {
        let head: UnsafeRawBufferPointer
        /// Where the opaque stands in the head: ten digits in a JSON header, four bytes in a binary one.
        let opaqueOffset: Int
        let isBinary: Bool
        let body: UnsafeRawBufferPointer
        let expectation: Expectation
        var count: Int { head.count + body.count }
    }

    /// A body that several requests share; it lives as long as the book and never changes.
    public struct Body: @unchecked Sendable {
        let bytes: UnsafeRawBufferPointer
        /// What a registration with it says as `bodyCrc32`.
        public let crc32: Int32
        /// Bytes.
        public var count: Int { bytes.count }
    }

    /// Names one request of this book.
    public typealias RequestID = Int32

    private(set) var entries: [Entry] = []
    private(set) var checks: [BodyCheck] = []
    private var memory: [UnsafeMutableRawBufferPointer] = []
    private let header: HeaderForm

    /// Length word and header word of a frame.
    private let prefixBytes = 8
    /// The opaque that templates are encoded with: ten digits, as every opaque of `InFlight` has.
    private static let placeholder: Int32 = 1_000_000_000

    /// An empty book whose requests have headers of this form.
    public init(header: HeaderForm) { self.header = header }

    deinit { for block in memory { block.deallocate() } }

    /// No body.
    public static let noBody = Body(bytes: UnsafeRawBufferPointer(start: nil, count: 0), crc32: 0)

    /// Keeps a body.
    public func keep(_ bytes: [UInt8]) -> Body {
        let kept = copy(bytes[...])
        return Body(bytes: kept, crc32: Checksum.bodyCRC32(kept))
    }

    /// Keeps a check of answers' bodies, for `Expectation.body`.
    func keep(_ check: BodyCheck) -> Int {
        checks.append(check)
        return checks.count - 1
    }

    /// Adds a request.
    ///
    /// The command's own body must be empty: `body` is sent behind the head.
    func add(_ command: RemotingCommand, body: Body = RequestBook.noBody, expecting expectation: Expectation)
        -> RequestID
    {
        var command = command
        command.opaque = Self.placeholder
        command.body = []
        var frame = command.encoded(as: header.serializeType)
        let size = UInt32(frame.count - 4 + body.count)
        for index in 0..<4 { frame[index] = UInt8(truncatingIfNeeded: size >> (24 - 8 * UInt32(index))) }
        entries.append(
            Entry(
                head: copy(frame[...]), opaqueOffset: opaqueOffset(in: frame), isBinary: header == .binary,
                body: body.bytes, expectation: expectation))
        return RequestID(entries.count - 1)
    }

    /// Bytes of one request.
    public func size(of request: RequestID) -> Int { entries[Int(request)].count }
    /// Bytes of its body.
    public func bodySize(of request: RequestID) -> Int { entries[Int(request)].body.count }
    /// The whole frame, for tests and for those who send it themselves.
    func frame(_ request: RequestID) -> [UInt8] {
        [UInt8](entries[Int(request)].head) + [UInt8](entries[Int(request)].body)
    }

    private func opaqueOffset(in frame: [UInt8]) -> Int {
        // Frame prefix, code, language, version: protocol.md 1.4.
        if header == .binary { return prefixBytes + 5 }
        let key = Array("\"opaque\":".utf8)
        let found = (0...frame.count - key.count).first {
            frame[$0] == key[0] && frame[$0..<$0 + key.count].elementsEqual(key)
        }
        guard let found else { preconditionFailure("a header without opaque") }
        return found + key.count
    }

    private func copy(_ bytes: ArraySlice<UInt8>) -> UnsafeRawBufferPointer {
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, bytes.count), alignment: 64)
        bytes.withUnsafeBytes { block.copyMemory(from: $0) }
        memory.append(block)
        return UnsafeRawBufferPointer(rebasing: block[..<bytes.count])
    }
}
