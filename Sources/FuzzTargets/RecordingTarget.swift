import Basics
import Migration
import Remoting

extension FuzzTarget {
    /// A recording: read to its end or to the damage, whatever size its pieces have; what was read is written as it was.
    static let recording = FuzzTarget("recording") {
        var bytes = ByteWriter()
        RecordingFormat.begin(&bytes)
        let events: [RecordedEvent.Kind] = [
            .began(WallTime(milliseconds: 1_700_000_000_000), server: "h:9876"), .opened(client: "127.0.0.1:50000"),
            .toServer(SampleCommand.command.encoded()), .toClient([0]), .closedByClient, .closedByServer,
            .unreadable("TLS"), .skipped(3), .ended("stopped"),
        ]
        var contents: [[UInt8]] = []
        for (index, kind) in events.enumerated() {
            let start = bytes.count
            RecordingFormat.append(RecordedEvent(connection: 1, microseconds: UInt64(index), kind: kind), to: &bytes)
            contents.append([UInt8](bytes.bytes[(start + 8)...]))
        }
        return [bytes.array()] + contents
    } run: { bytes in
        exercise([UInt8](bytes))
        // The same bytes as one content whose checksum is right, so that mutations get past it.
        var record = ByteWriter()
        RecordingFormat.begin(&record)
        record.append(bigEndian: UInt32(bytes.count))
        record.append(bigEndian: Checksum.crc32(bytes))
        record.append(bytes)
        exercise(record.array())
    }

    private static func exercise(_ input: [UInt8]) {
        let events = read(input, piece: max(1, input.count))
        precondition(read(input, piece: 13) == events)
        var again = ByteWriter()
        RecordingFormat.begin(&again)
        for event in events { RecordingFormat.append(event, to: &again) }
        precondition(events.isEmpty || input.dropFirst(16).starts(with: again.array().dropFirst(16)))
    }

    private static func read(_ bytes: [UInt8], piece: Int) -> [RecordedEvent] {
        var position = 0
        var events: [RecordedEvent] = []
        do throws(RecordingError) {
            var reader = try RecordingReader { () throws(RecordingError) in
                defer { position = min(bytes.count, position + piece) }
                return Array(bytes[position..<min(bytes.count, position + piece)])
            }
            while let event = try reader.next() { events.append(event) }
        } catch {
            precondition(error.records == events.count && error.offset <= bytes.count, "\(error)")
        }
        return events
    }
}
