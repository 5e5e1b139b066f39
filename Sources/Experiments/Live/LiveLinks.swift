import Basics
import Platform

/// The proxies between all parties, and what the faults that go on do to them.
///
/// One proxy for each pair of which the first dials the second and for which the ground wants one: brokers dial nodes, nodes
/// dial nodes (gossip), clients dial nodes and brokers, and slaves dial their master at the address it registers.
final class LiveLinks {
    /// Who dials whom.
    private struct Pair: Hashable {
        var caller: Party
        var callee: Party
    }

    private struct Wire {
        var pair: Pair
        var proxy: LinkProxy
    }

    private let ground: any LinkGround
    private let timeScale: Int
    private var random: SeededGenerator
    /// In the order of their making, so that one seed is one run.
    private var wires: [Wire] = []
    private var places: [Pair: Int] = [:]
    private var faults: [Fault] = []

    init(_ ground: any LinkGround, timeScale: Int, seed: UInt64) {
        (self.ground, self.timeScale) = (ground, timeScale)
        random = SeededGenerator(seed: seed)
    }

    /// Makes the link on which one party dials another, and says where it is to be dialled; the target itself when no proxy is
    /// wanted.
    @discardableResult
    func add(_ caller: Party, to callee: Party, at target: Address) throws(PlatformError) -> Address {
        guard ground.usesProxy(caller, to: callee) else { return target }
        let proxy = try LinkProxy(
            platform: ground.platform(of: caller), at: ground.proxyAddress(beside: caller), to: target,
            seed: random.next())
        let pair = Pair(caller: caller, callee: callee)
        if let old = places[pair] {
            // Where the callee was before it moved, nobody answers any more.
            wires[old].proxy.close()
            wires[old].proxy = proxy
        } else {
            places[pair] = wires.count
            wires.append(Wire(pair: pair, proxy: proxy))
        }
        applyToProxies()
        return proxy.address
    }

    /// Where one party dials another; nil when there is no such link.
    func address(_ caller: Party, to callee: Party) -> Address? {
        places[Pair(caller: caller, callee: callee)].map { wires[$0].proxy.address }
    }

    /// Makes every link what these faults make of it.
    func apply(_ faults: [Fault]) throws(ExperimentError) {
        self.faults = faults
        applyToProxies()
        try ground.apply(faults)
    }

    private func applyToProxies() {
        for wire in wires {
            let link = Link(from: wire.pair.caller, to: wire.pair.callee)
            wire.proxy.set(conditions(link), .toTarget)
            wire.proxy.set(conditions(link.reversed), .toCaller)
        }
    }

    private func conditions(_ link: Link) -> ProxyConditions {
        ground.proxied(.on(link, under: faults, timeScale: timeScale))
    }

    /// Breaks the open connections between the two ends of each link, whoever dialled.
    func reset(_ links: [Link]) { proxies(between: links).forEach { $0.reset() } }

    /// Lets the open connections between the two ends of each link go dead.
    func goSilent(_ links: [Link]) { proxies(between: links).forEach { $0.goSilent() } }

    /// Lets all of a party's open connections go dead.
    func goSilent(_ party: Party) { proxies(of: party).forEach { $0.goSilent() } }

    /// A party whose connections went dead is back and knows nothing of them.
    func forgetSilent(_ party: Party) { proxies(of: party).forEach { $0.forgetSilent() } }

    /// Ends everything.
    func close() {
        for wire in wires { wire.proxy.close() }
        (wires, places) = ([], [:])
    }

    private func proxies(of party: Party) -> [LinkProxy] {
        wires.filter { $0.pair.caller == party || $0.pair.callee == party }.map(\.proxy)
    }

    private func proxies(between links: [Link]) -> [LinkProxy] {
        let both = Set(links + links.map(\.reversed))
        return wires.filter { both.contains(Link(from: $0.pair.caller, to: $0.pair.callee)) }.map(\.proxy)
    }
}
