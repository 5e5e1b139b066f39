// Request codes (protocol.md 2.1, section 7, appendix B). Plain numbers, since any number may arrive.

// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
/// What a request asks for; the names are RocketMQ's.
public enum RequestCode {
    // MARK: To the NameServer
    public static let putKVConfig: Int32 = 100
    public static let getKVConfig: Int32 = 101
    public static let deleteKVConfig: Int32 = 102
    public static let registerBroker: Int32 = 103
    public static let unregisterBroker: Int32 = 104
    public static let getRouteInfoByTopic: Int32 = 105
    public static let getBrokerClusterInfo: Int32 = 106
    public static let wipeWritePermOfBroker: Int32 = 205
    public static let getAllTopicListFromNameServer: Int32 = 206
    public static let deleteTopicInNameServer: Int32 = 216
    public static let registerTopicInNameServer: Int32 = 217
    public static let getKVListByNamespace: Int32 = 219
    public static let getTopicsByCluster: Int32 = 224
    public static let getSystemTopicListFromNameServer: Int32 = 304
    public static let getUnitTopicList: Int32 = 311
    public static let getHasUnitSubTopicList: Int32 = 312
    public static let getHasUnitSubUnunitTopicList: Int32 = 313
    public static let updateNameServerConfig: Int32 = 318
    public static let getNameServerConfig: Int32 = 319
    public static let queryDataVersion: Int32 = 322
    public static let addWritePermOfBroker: Int32 = 327
    public static let getBrokerMemberGroup: Int32 = 901
    public static let brokerHeartbeat: Int32 = 904
    /// Hearsay's own: the state of one node as JSON. Far above every code of RocketMQ.
    public static let getNodeStatus: Int32 = 29_001
    /// Hearsay's own: what one node knows of its peers, and how their tables differ, as JSON.
    public static let getGossipStatus: Int32 = 29_002

    // MARK: From the NameServer to brokers
    public static let notifyMinBrokerIDChange: Int32 = 905

    // MARK: To brokers
    public static let sendMessage: Int32 = 10
    public static let pullMessage: Int32 = 11
    public static let queryMessage: Int32 = 12
    public static let queryConsumerOffset: Int32 = 14
    public static let updateConsumerOffset: Int32 = 15
    public static let updateAndCreateTopic: Int32 = 17
    public static let getAllTopicConfig: Int32 = 21
    public static let getBrokerRuntimeInfo: Int32 = 28
    public static let searchOffsetByTimestamp: Int32 = 29
    public static let getMaxOffset: Int32 = 30
    public static let getMinOffset: Int32 = 31
    public static let getEarliestMessageStoreTime: Int32 = 32
    public static let viewMessageByID: Int32 = 33
    public static let heartBeat: Int32 = 34
    public static let unregisterClient: Int32 = 35
    public static let consumerSendMessageBack: Int32 = 36
    public static let endTransaction: Int32 = 37
    public static let getConsumerListByGroup: Int32 = 38
    public static let lockBatchMQ: Int32 = 41
    public static let unlockBatchMQ: Int32 = 42
    public static let getAllConsumerOffset: Int32 = 43
    public static let getAllDelayOffset: Int32 = 45
    public static let checkClientConfig: Int32 = 46
    public static let updateAndCreateSubscriptionGroup: Int32 = 200
    public static let getAllSubscriptionGroupConfig: Int32 = 201
    public static let getTopicStatsInfo: Int32 = 202
    public static let getConsumerConnectionList: Int32 = 203
    public static let getConsumeStats: Int32 = 208
    public static let deleteTopicInBroker: Int32 = 215
    public static let queryTopicConsumeByWho: Int32 = 300
    public static let sendMessageV2: Int32 = 310
    public static let sendBatchMessage: Int32 = 320
    public static let litePullMessage: Int32 = 361
    public static let getAllMessageRequestMode: Int32 = 402

    // MARK: From brokers to clients
    public static let checkTransactionState: Int32 = 39
    public static let notifyConsumerIDsChanged: Int32 = 40
}
