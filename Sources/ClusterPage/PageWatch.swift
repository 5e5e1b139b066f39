import Basics
import ClusterView
import HTTPServer
import Platform

/// Asks the nodes while somebody watches, and tells everybody who does; costs nothing while nobody does.
///
/// Making sense of the answers and writing them down happens on a worker thread: the loop only passes bytes on.
final class PageWatch {
    /// Bytes that a reader may lag behind and still get changes; above it, it gets the whole once it has caught up.
    private static let lagBytes = 64 << 10

    private final class Reader {
        let stream: HTTPEventStream
        /// It knows the last round.
        var isCurrent = false

        init(_ stream: HTTPEventStream) { self.stream = stream }
    }

    /// What is known; nil while nobody watches.
    var model: ClusterModel? { poller?.model }

    private let platform: any Platform
    private let site: PageSite
    private let onEmpty: () -> Void
    /// Readers by the order of their coming.
    private var readers: [Int: Reader] = [:]
    private var nextReader = 0
    private var poller: ClusterPoller?
    private var encoder: RoundEncoder
    private var isEncoding = false
    /// What happened while a round was being written down.
    private var waitingEvents: [ClusterModel.Event] = []
    private var isRoundWaiting = false

    /// - Parameter onEmpty: called when nobody watches any more.
    init(platform: any Platform, site: PageSite, onEmpty: @escaping () -> Void) {
        (self.platform, self.site, self.onEmpty) = (platform, site, onEmpty)
        encoder = RoundEncoder(origin: platform.now)
    }

    /// Somebody begins to watch. It gets `greeting` now, and the whole with the next round.
    func add(_ stream: HTTPEventStream, greeting: borrowing ByteWriter) {
        let id = nextReader
        nextReader += 1
        readers[id] = Reader(stream)
        stream.onClosed = { [weak self] in self?.left(id) }
        stream.send(greeting)
        if poller == nil { begin() }
    }

    /// Sends an event to everybody, now.
    func send(_ event: borrowing ByteWriter) {
        for (_, reader) in readers.sorted(by: { $0.key < $1.key }) { reader.stream.send(event) }
    }

    /// Adds an event to the next round.
    func note(_ line: String) { poller?.note(line) }

    func stop() {
        poller?.stop()
        poller = nil
        for (_, reader) in readers.sorted(by: { $0.key < $1.key }) { reader.stream.close() }
    }

    private func begin() {
        let poller = ClusterPoller(
            platform: site.dialling ?? platform, cluster: site.cluster, nodes: site.nodes(), interval: site.interval,
            place: .worker, tellsFirstSight: false, sign: site.sign)
        self.poller = poller
        encoder = RoundEncoder(origin: platform.now)
        poller.onRound = { [weak self] in self?.took($0) }
        poller.start()
    }

    private func left(_ id: Int) {
        readers[id] = nil
        guard readers.isEmpty else { return }
        poller?.stop()
        poller = nil
        (waitingEvents, isRoundWaiting) = ([], false)
        onEmpty()
    }

    // MARK: Rounds

    private func took(_ events: [ClusterModel.Event]) {
        waitingEvents += events
        guard !isEncoding else {
            isRoundWaiting = true
            return
        }
        write()
    }

    private func write() {
        guard let poller else { return }
        isEncoding = true
        isRoundWaiting = false
        let (model, events, before) = (poller.model, waitingEvents, encoder)
        waitingEvents = []
        let (now, wallTime) = (platform.now, platform.wallTime)
        let catchingUp = Set(readers.filter { !$0.value.isCurrent && $0.value.stream.unsentBytes == 0 }.keys)
        platform.offload {
            var encoder = before
            let told = encoder.encode(model, events, now: now, wallTime: wallTime, wantsWhole: !catchingUp.isEmpty)
            return (encoder, told.change, told.whole)
        } completion: { [weak self] (encoder, change, whole) in
            self?.wrote(encoder, change, whole, catchingUp, by: poller)
        }
    }

    private func wrote(
        _ encoder: RoundEncoder, _ change: [UInt8], _ whole: [UInt8]?, _ catchingUp: Set<Int>, by poller: ClusterPoller
    ) {
        isEncoding = false
        // Those who watched then have left.
        guard poller === self.poller else { return self.poller == nil ? () : write() }
        self.encoder = encoder
        let event = Self.event(change)
        let wholeEvent = whole.map(Self.event) ?? ByteWriter()
        for (id, reader) in readers.sorted(by: { $0.key < $1.key }) {
            if catchingUp.contains(id) {
                reader.isCurrent = true
                reader.stream.send(wholeEvent)
            } else if reader.isCurrent {
                reader.isCurrent = reader.stream.unsentBytes <= Self.lagBytes
                if reader.isCurrent { reader.stream.send(event) }
            }
        }
        if isRoundWaiting { write() }
    }

    private static func event(_ data: [UInt8]) -> ByteWriter {
        var output = ByteWriter(capacity: data.count + 64)
        output.appendEvent("round") { $0.append(data) }
        return output
    }
}
