/// What a stand-in slave says to a stand-in master beyond RocketMQ's own requests. A RocketMQ master ignores it.
enum CopyProtocol {
    /// The consumer group slaves pull with.
    static let group = "HEARSAY_SLAVE"
    /// Ext field of GET_ALL_TOPIC_CONFIG (21): this connection is a slave's, and sends shall wait for it.
    static let slaveField = "hearsaySlave"
    /// Ext field of the answer: changes with every life of the master.
    static let incarnationField = "hearsayIncarnation"
    /// Oneway request to the slave: ask for the topics now. Outside RocketMQ's range of codes.
    static let topicsChanged: Int32 = 29_101
}
