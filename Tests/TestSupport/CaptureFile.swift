// Recorded RocketMQ traffic: one JSON object per line, in order of time.

import Foundation

/// A captured conversation.
public struct CaptureFile: Sendable {
    /// One line.
    public struct Event: Sendable {
        /// The opening, the end or a frame.
        public enum Content: Hashable, Sendable {
            case open
            /// The side ended its direction.
            case end
            /// A whole frame, the length word included.
            case frame(RawFrame)
        }

        /// The line's number, from 1.
        public var line: Int
        /// The connection's name.
        public var connection: String
        /// Whether it went toward the server.
        public var toServer: Bool
        /// What happened.
        public var content: Content
    }

    /// All lines.
    public let events: [Event]

    /// Loads the file at `path`.
    ///
    /// - Throws: `TestSupportError` with the line that is not understood.
    public init(path: String) throws {
        struct Line: Decodable {
            var conn: String
            var dir: String
            var frame: String?
            var event: String?
        }
        guard let text = text(of: path) else { throw TestSupportError("no capture at \(path)") }
        let decoder = JSONDecoder()
        events = try text.split(separator: "\n").enumerated().map { index, source in
            guard let line = try? decoder.decode(Line.self, from: Data(source.utf8)) else {
                throw TestSupportError("\(path):\(index + 1) is no event")
            }
            let content: Event.Content
            if let encoded = line.frame, let bytes = Data(base64Encoded: encoded) {
                content = .frame(RawFrame(Array(bytes)))
            } else {
                content = line.event == "open" ? .open : .end
            }
            return Event(line: index + 1, connection: line.conn, toServer: line.dir == ">", content: content)
        }
    }
}
