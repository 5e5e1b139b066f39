import Remoting

// NOTIFY_MIN_BROKER_ID_CHANGE (905), protocol.md 2.22: tells a group who has its smallest id now.

extension NameServer {
    /// Asks for the request to be sent to the group.
    ///
    /// - Parameters:
    ///   - offline: after a departure, the address that left; then every replica is told.
    ///   - haAddress: after a registration, the newcomer's; then the newcomer itself, who has the smallest id, is not told
    ///     unless it is alone.
    func notifySmallestID(
        of group: GroupID, offline: String?, haAddress: String?, _ directives: inout [Directive]
    ) {
        let slots = tables.groups[group.index].slots
        guard let smallest = slots.first else { return }
        var fields = [
            RemotingCommand.Field(name: "minBrokerId", value: "\(smallest.brokerID)"),
            RemotingCommand.Field(name: "minBrokerAddr", value: tables.addressNames.text(of: smallest.address)),
        ]
        if let offline { fields.append(.init(name: "offlineBrokerAddr", value: offline)) }
        if let haAddress { fields.append(.init(name: "haBrokerAddr", value: haAddress)) }
        var command = RemotingCommand(request: RequestCode.notifyMinBrokerIDChange)
        command.flag = RemotingCommand.onewayFlag
        command.fields = fields
        let isEveryoneTold = offline != nil || slots.count == 1
        let told = isEveryoneTold ? slots[...] : slots.dropFirst()
        directives.append(.notify(told.map { tables.addressNames.text(of: $0.address) }, command))
    }
}
