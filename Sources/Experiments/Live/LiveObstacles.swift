import Glibc

extension LiveSetting {
    /// Why the scenario cannot be run here, a sentence each.
    func obstacles(to scenario: Scenario) -> [String] {
        var found: [String] = []
        if access(executable, X_OK) != 0 { found.append("\(executable) cannot be executed") }
        if usesNamespaces { found += NamespaceGround.obstacles }
        if scenario.arms.contains(.apache), apacheCommand == nil {
            found.append("the arm apache needs the command that starts an Apache NameServer")
        }
        for fault in scenario.faults {
            if let obstacle = obstacle(to: fault.fault, of: scenario) {
                found.append("fault \(fault.number) (\(fault.text)): \(obstacle)")
            }
        }
        // A repeated fault is one mistake.
        return found.enumerated().filter { found.firstIndex(of: $0.element) == $0.offset }.map(\.element)
    }

    private func obstacle(to fault: Fault, of scenario: Scenario) -> String? {
        switch fault {
        case .duplicate: return "TCP never delivers twice; use the simulated driver"
        case .clockDrift: return "clocks drift with the simulated driver only"
        case .pause(let parties) where parties.contains(where: \.isClient):
            return "clients run in the experiment's own process, which cannot be paused"
        case .clockJump(let parties, _):
            if parties.contains(where: \.isClient) { return "clients have the experiment's own clock" }
            if FakeTime.library == nil { return "libfaketime is missing: apt-get install faketime" }
        case .diskFull:
            if access(DiskLimit.program, X_OK) != 0 { return "prlimit is missing: apt-get install util-linux" }
        case .cut(let links), .delay(let links, _, _), .loss(let links, _), .bandwidth(let links, _), .reset(let links),
            .halfOpen(let links):
            if !usesNamespaces, links.contains(where: { scenario.isSharedLink($0) }) {
                return
                    "the slaves of a group with several dial their master over one link; use one slave or --driver netns"
            }
        default: break
        }
        return nil
    }
}

extension Party {
    /// Whether it is a client.
    var isClient: Bool { if case .client = self { true } else { false } }
}

extension Scenario {
    /// Slaves find their master by what it registered, so all of them dial the same address and the link cannot tell them
    /// apart.
    fileprivate func isSharedLink(_ link: Link) -> Bool {
        guard case .broker(let one) = link.from, case .broker(let other) = link.to else { return false }
        let group = replicas[one].group
        return group == replicas[other].group && replicas.count { $0.group == group } > 2
    }
}
