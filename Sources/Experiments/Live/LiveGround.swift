import Basics
import EventLoop
import Platform

/// Where links are, and who spoils them.
protocol LinkGround: AnyObject {
    /// Makes connections and listens as this party; nil = as somebody whom no fault touches.
    func platform(of party: Party?) -> any Platform

    /// Where a proxy that stands beside a party listens; port 0.
    func proxyAddress(beside party: Party) -> Address

    /// Whether the caller dials the callee through a proxy of ours.
    func usesProxy(_ caller: Party, to callee: Party) -> Bool

    /// What proxies do of what faults ask for; the ground does the rest in `apply`.
    func proxied(_ conditions: ProxyConditions) -> ProxyConditions

    /// Makes all links what these faults, and no others, make of them.
    func apply(_ faults: [Fault]) throws(ExperimentError)
}

/// By default everybody is at 127.0.0.1, with a proxy on every link that does all that faults ask for.
extension LinkGround {
    func proxyAddress(beside party: Party) -> Address { Address(host: "127.0.0.1", port: 0) }
    func usesProxy(_ caller: Party, to callee: Party) -> Bool { true }
    func proxied(_ conditions: ProxyConditions) -> ProxyConditions { conditions }
    func apply(_ faults: [Fault]) {}
}

/// Where an arm takes place: addresses, how processes get there, and who spoils the links.
protocol LiveGround: LinkGround {
    /// Makes places for everybody. Called once, before anything else.
    func open() throws(ExperimentError) -> LivePlaces

    /// Another place for a broker that moves.
    func anotherPlace(ofBroker broker: Int) throws(ExperimentError) -> Address

    /// What is started to run a program as a party.
    func command(_ party: Party, _ executable: String, _ arguments: [String]) -> (String, [String])

    /// Removes everything. Called once, when all processes have ended.
    func close()
}

/// Addresses, in the scenario's order.
struct LivePlaces {
    /// Where nodes listen for brokers and clients.
    var nodes: [Address] = []
    /// Where nodes listen for each other.
    var gossip: [Address] = []
    /// Where brokers listen.
    var brokers: [Address] = []
}

/// Everybody at 127.0.0.1, and a proxy on every link.
final class LoopbackGround: LiveGround {
    private let loop: EventLoop
    private let scenario: Scenario
    private var ports: [ReservedPort] = []

    init(_ loop: EventLoop, _ scenario: Scenario) { (self.loop, self.scenario) = (loop, scenario) }

    func open() throws(ExperimentError) -> LivePlaces {
        LivePlaces(
            nodes: try reserve(scenario.nodes.count), gossip: try reserve(scenario.nodes.count),
            brokers: try reserve(scenario.replicas.count))
    }

    func anotherPlace(ofBroker broker: Int) throws(ExperimentError) -> Address { try reserve(1)[0] }
    func platform(of party: Party?) -> any Platform { loop }
    func command(_ party: Party, _ executable: String, _ arguments: [String]) -> (String, [String]) {
        (executable, arguments)
    }
    func close() { ports = [] }

    private func reserve(_ count: Int) throws(ExperimentError) -> [Address] {
        var addresses: [Address] = []
        for _ in 0..<count {
            let port = try ReservedPort()
            ports.append(port)
            addresses.append(port.address)
        }
        return addresses
    }
}
