// Everybody in a network namespace of their own, on one bridge that stands in another:
//
//     hub:    bridge br0 10.77.255.254 ── p0 … pN      nftables decide in the bridge what passes
//     party:  eth0 10.77.x.y                           `ip netns exec` runs its process there
//
// The observer connects from the hub, whose own traffic is not forwarded and so not filtered. The kernel here has no netem,
// so delays, and resets and dead connections too, come from proxies beside the caller where a scenario has such faults.

import Basics
import EventLoop
import Glibc
import Platform
import Supervisor

/// Network namespaces, for root.
final class NamespaceGround: LiveGround {
    private let loop: EventLoop
    private let scenario: Scenario
    private let directory: String
    /// All parties; a party's place in here is its number.
    private let parties: [Party]
    private let numbers: [Party: Int]
    private let proxiedPairs: Set<Link>
    /// So that two runners do not meet.
    private let prefix = "\(NamespaceGround.mark)\(getpid())-"
    private var moves: [Int: UInt16] = [:]
    private var isOpen = false
    /// What nft was told last.
    private var ruleset = ""

    private static let mark = "hx"
    private static let ip = "/usr/sbin/ip"
    private static let nft = "/usr/sbin/nft"
    /// Of addresses that share their third number.
    private static let block = 250
    /// Bytes that a link of limited bandwidth passes at once: two packets at least, or TCP never gets going.
    private static let leastBurst = 3_000

    /// Why this cannot work here, a sentence each.
    static var obstacles: [String] {
        var found: [String] = []
        if geteuid() != 0 {
            found.append("network namespaces need root")
        } else if !mayMakeNamespaces {
            found.append(
                "network namespaces need CAP_SYS_ADMIN and CAP_NET_ADMIN; a container gets them with --privileged")
        }
        if access(ip, X_OK) != 0 { found.append("ip is missing: apt-get install iproute2") }
        if access(nft, X_OK) != 0 { found.append("nft is missing: apt-get install nftables") }
        return found
    }

    /// What capabilities(7) says of this process.
    private static var mayMakeNamespaces: Bool {
        let status = WorkDirectory.text(of: "/proc/self/status")
        guard let line = status.split(separator: "; ").first(where: { $0.hasPrefix("CapEff:") }),
            let effective = UInt64(line.dropFirst("CapEff:".count).drop { $0 == "\t" || $0 == " " }, radix: 16)
        else { return false }
        let needed: UInt64 = 1 << 21 | 1 << 12
        return effective & needed == needed
    }

    init(_ loop: EventLoop, _ scenario: Scenario, _ setting: LiveSetting) {
        (self.loop, self.scenario, directory) = (loop, scenario, setting.workDirectory)
        parties =
            scenario.nodes.indices.map(Party.node) + scenario.replicas.indices.map(Party.broker)
            + scenario.clients.indices.map(Party.client)
        numbers = Dictionary(uniqueKeysWithValues: parties.enumerated().map { ($0.element, $0.offset) })
        var pairs: Set<Link> = []
        for planned in scenario.faults {
            switch planned.fault {
            case .delay(let links, _, _), .reset(let links), .halfOpen(let links):
                pairs.formUnion(links + links.map(\.reversed))
            default: break
            }
        }
        proxiedPairs = pairs
    }

    // MARK: Making and removing

    func open() throws(ExperimentError) -> LivePlaces {
        removeStale()
        isOpen = true
        let hub = name(nil)
        try ip(nil, ([nil] + parties.map(Optional.some)).map { "netns add \(name($0))" })
        var lines = [
            "link set lo up", "link add br0 type bridge", "addr add 10.77.255.254/16 dev br0", "link set br0 up",
        ]
        for (number, party) in parties.enumerated() {
            lines += [
                "link add p\(number) type veth peer name eth0 netns \(name(party))",
                "link set p\(number) master br0 up",
            ]
        }
        try ip(hub, lines)
        for party in parties {
            try ip(
                name(party), ["link set lo up", "addr add \(host(of: party))/16 dev eth0", "link set eth0 up"])
        }
        return LivePlaces(
            nodes: scenario.nodes.indices.map { address(of: .node($0), port: 9_876) },
            gossip: scenario.nodes.indices.map { address(of: .node($0), port: 9_877) },
            brokers: scenario.replicas.indices.map { address(of: .broker($0), port: 10_911) })
    }

    func close() {
        if isOpen { remove(([nil] + parties.map(Optional.some)).map(name)) }
        isOpen = false
    }

    /// What a runner that was killed left behind.
    private func removeStale() {
        let stale = WorkDirectory.names(in: "/run/netns").filter { name in
            guard name.hasPrefix(Self.mark), let dash = name.firstIndex(of: "-") else { return false }
            let owner = name[..<dash].dropFirst(Self.mark.count)
            return Int(owner) != nil && access("/proc/\(owner)", F_OK) != 0
        }
        remove(stale)
    }

    /// As far as they are there; with the last process and socket of a namespace everything in it goes.
    private func remove(_ names: [String]) {
        if names.isEmpty { return }
        let file = "\(directory)/namespaces.ip"
        try? WorkDirectory.write(names.map { "netns del \($0)\n" }.joined(), to: file)
        try? run(Self.ip, ["-force", "-batch", file])
    }

    // MARK: Who is where

    private func name(_ party: Party?) -> String { prefix + (party.flatMap { numbers[$0] }.map { "\($0)" } ?? "hub") }

    private func host(of party: Party) -> String {
        let number = numbers[party] ?? 0
        return "10.77.\(number / Self.block).\(number % Self.block + 1)"
    }

    private func address(of party: Party, port: UInt16) -> Address { Address(host: host(of: party), port: port) }

    func anotherPlace(ofBroker broker: Int) -> Address {
        moves[broker, default: 0] += 1
        return address(of: .broker(broker), port: 10_911 + moves[broker, default: 0] * 10)
    }

    func platform(of party: Party?) -> any Platform { NamespacePlatform(loop, name(party)) }
    func proxyAddress(beside party: Party) -> Address { address(of: party, port: 0) }

    func usesProxy(_ caller: Party, to callee: Party) -> Bool {
        proxiedPairs.contains(Link(from: caller, to: callee))
    }

    func command(_ party: Party, _ executable: String, _ arguments: [String]) -> (String, [String]) {
        (Self.ip, ["netns", "exec", name(party), executable] + arguments)
    }

    // MARK: Links

    /// Everything but time is the packet filter's.
    func proxied(_ conditions: ProxyConditions) -> ProxyConditions {
        var mine = ProxyConditions()
        (mine.delay, mine.jitter) = (conditions.delay, conditions.jitter)
        return mine
    }

    func apply(_ faults: [Fault]) throws(ExperimentError) {
        var rules: [String] = []
        for sender in parties {
            for receiver in parties where receiver != sender {
                // Not scaled: the kernel's TCP has its own times.
                let conditions = ProxyConditions.on(Link(from: sender, to: receiver), under: faults, timeScale: 1)
                let link = "ip saddr \(host(of: sender)) ip daddr \(host(of: receiver))"
                rules += filters(conditions).map { "    \(link) \($0)" }
            }
        }
        let text =
            (["table bridge hearsay", "delete table bridge hearsay", "table bridge hearsay {", "  chain forward {"]
            + ["    type filter hook forward priority 0; policy accept;"] + rules + ["  }", "}"])
            .joined(separator: "\n") + "\n"
        guard text != ruleset, !rules.isEmpty || !ruleset.isEmpty else { return }
        ruleset = text
        let file = "\(directory)/namespaces.nft"
        try WorkDirectory.write(text, to: file)
        try run(Self.ip, ["netns", "exec", name(nil), Self.nft, "-f", file])
    }

    private func filters(_ conditions: ProxyConditions) -> [String] {
        if conditions.isCut { return ["drop"] }
        var filters: [String] = []
        if conditions.lossPerMille > 0 {
            filters.append("numgen random mod 1000 < \(conditions.lossPerMille) drop")
        }
        if let rate = conditions.bytesPerSecond {
            let burst = max(rate / 10, Self.leastBurst)
            filters.append("limit rate over \(rate) bytes/second burst \(burst) bytes drop")
        }
        return filters
    }

    // MARK: Tools

    /// Runs lines of `ip`, in a namespace or in the root's.
    private func ip(_ namespace: String?, _ lines: [String]) throws(ExperimentError) {
        let file = "\(directory)/namespaces.ip"
        try WorkDirectory.write(lines.joined(separator: "\n") + "\n", to: file)
        try run(Self.ip, (namespace.map { ["-n", $0] } ?? []) + ["-batch", file])
    }

    /// Waits for it, some milliseconds: a fault is not half there.
    private func run(_ program: String, _ arguments: [String]) throws(ExperimentError) {
        let output = "\(directory)/namespaces.log"
        let child: ChildProcess
        do {
            child = try ChildProcess.start(name: program, executable: program, arguments: arguments, output: output)
        } catch {
            throw ExperimentError(error.description)
        }
        var status: Int32 = 0
        while waitpid(child.processID, &status, 0) < 0, errno == EINTR {}
        if status != 0 {
            let line = "\(program) \(arguments.joined(separator: " "))"
            throw ExperimentError("\(line) failed: \(WorkDirectory.text(of: output))")
        }
    }
}
